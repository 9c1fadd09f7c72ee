//! Gradient of the path entropy.
//!
//! Source: FORMULAS §1. With P the share of the paths' weight that goes over an edge of weight A and
//! y = log P − hF_k − hB_j + H: dH/dA = −(α/A) P y φ((α − 1) y), φ(x) = expm1(x)/x. An edge without weight
//! gets none, so that a dead one stays dead. The infinite order has none: its value is that of the one
//! heaviest path.

use std::ops::Range;

use super::path_chain::Paths;
use super::path_entropy::{Network, PathEntropy, levels, networks};
use super::path_layout::PathLayout;
use crate::error::{Error, Result};
use crate::graph::{Op, OpRef};
use crate::ops::kernel::check::same;
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance};
use crate::tensor::{HostTensor, Real, Ty};

/// (dW_1, db_1, dW_2, …) for inputs (W_1, b_1, W_2, …, dH).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathEntropyGrad(pub PathEntropy);

impl PathEntropyGrad {
    fn add<T: Real>(paths: &Paths<'_, T>, dh: T, gradients: &mut [HostTensor<T>]) {
        for (l, pair) in gradients.chunks_exact_mut(2).enumerate() {
            let [dw, db] = pair else { return };
            paths.add_gradient(l, dh, dw.real_mut(), db.real_mut());
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (parameters, dh) = x.split_at(y.len());
        Self::add(&Paths::new(self.0.alpha, self.0.bias, parameters), dh[0].scalar(), y);
    }
}

impl Op for PathEntropyGrad {
    fn name(&self) -> &'static str {
        "path_entropy_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let Some((dh, parameters)) = inputs.split_last() else {
            return Err(Error::graph(self.name(), "takes weights, biases and dH"));
        };
        levels(self.name(), parameters)?;
        same(self.name(), "dH", dh, &Ty::f32(&[]))?;
        if self.0.alpha.is_infinite() {
            let problem = "the path entropy of infinite order has no gradient; take a large finite order";
            return Err(Error::graph(self.name(), problem));
        }
        Ok(parameters.iter().map(|ty| (*ty).clone()).collect())
    }

    crate::twin!();
}

/// (H, log Z, marginals, entropies, dW_1, db_1, …) for inputs (W_1, b_1, …, dH) and, if the gradients are added to
/// others, those others, which the outputs overwrite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathEntropyPair {
    /// The entropy.
    pub entropy: PathEntropy,
    /// Number of gradients that are added to others: none, or as many as there are parameters.
    pub added: usize,
}

/// Outputs that come before the gradients.
pub const VALUES: usize = 4;

impl PathEntropyPair {
    /// Number of parameters, given that of the inputs.
    fn parameters(self, inputs: usize) -> usize {
        inputs.saturating_sub(1 + self.added)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let n = self.parameters(x.len());
        let (values, gradients) = y.split_at_mut(VALUES);
        gradients.iter_mut().zip(&x[n + 1..]).for_each(|(y, x)| y.real_mut().copy_from_slice(x.real()));
        let paths = Paths::new(self.entropy.alpha, self.entropy.bias, &x[..n]);
        PathEntropy::write(&paths, values);
        PathEntropyGrad::add(&paths, x[n].scalar(), gradients);
    }
}

impl Op for PathEntropyPair {
    fn name(&self) -> &'static str {
        "path_entropy_pair"
    }

    fn attributes(&self) -> String {
        format!("{}{}", self.entropy.attributes(), if self.added > 0 { " added" } else { "" })
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let n = self.parameters(inputs.len());
        if n == 0 || (self.added > 0 && self.added != n) {
            return Err(Error::graph(self.name(), "takes weights, biases, dH and as many gradients, or none"));
        }
        let gradients = PathEntropyGrad(self.entropy).infer(&inputs[..=n])?;
        for (given, gradient) in inputs[n + 1..].iter().zip(&gradients) {
            same(self.name(), "a gradient", given, gradient)?;
        }
        Ok([PathEntropy::outputs(&levels(self.name(), &inputs[..n])?), gradients].concat())
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        (0..self.added).map(|i| (self.added + 1 + i, VALUES + i)).collect()
    }

    fn adding(&self, outputs: usize) -> Option<(OpRef, Range<usize>)> {
        let adding = PathEntropyPair { added: outputs - VALUES, ..*self };
        (self.added == 0).then(|| (std::sync::Arc::new(adding) as OpRef, VALUES..outputs))
    }

    crate::twin!();
}

/// The path entropy's dispatches, then `shaders/entropy/path_entropy_grad.wgsl` layer by layer: both operations.
pub struct PathEntropyGradKernel;

impl Kernel for PathEntropyGradKernel {
    fn stem(&self) -> &'static str {
        "path_entropy_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<PathEntropyGrad>().is_some() || op.downcast::<PathEntropyPair>().is_some()
    }

    fn variants(&self, _r: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        Ok(PathLayout::variants(profile))
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let pair = r.op.downcast::<PathEntropyPair>().copied();
        let whole = match pair {
            Some(pair) => pair,
            None => PathEntropyPair { entropy: r.op::<PathEntropyGrad>()?.0, added: 0 },
        };
        let n = whole.parameters(r.inputs.len());
        let levels = levels(self.stem(), &r.inputs[..n])?;
        let layout = PathLayout::new(whole.entropy, levels.clone(), r)?;
        let [nodes, totals] = [0, 1].map(Bind::Scratch);
        let (first, outputs) = match pair {
            Some(_) => (VALUES, [0, 1, 2, 3].map(Bind::Output)),
            None => (0, [2, 3, 4, 5].map(Bind::Scratch)),
        };
        let mut dispatches = layout.value(nodes.clone(), totals.clone(), outputs);
        for l in 0..layout.layers() {
            let read = [nodes.clone(), totals.clone(), Bind::Input(n)];
            let written = [2 * l, 2 * l + 1].map(|i| Bind::Output(first + i));
            dispatches.push(layout.gradient(l, read, written, whole.added > 0));
        }
        let values = PathEntropy::outputs(&levels).iter().map(Ty::bytes).collect();
        Ok(Launch { dispatches, scratch: [layout.scratch().to_vec(), values].concat() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let weights: usize = r.outputs.iter().map(|ty| ty.elements()).sum();
        Ok(Cost::streaming(r, 50.0 * weights as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-6,
            8e-5,
            Terms::Largest,
            "the golden vectors' bound of 2e-5 for gradients, times 4 for WGSL's log and exp",
        );
        let mut s = Samples::new("path_entropy_grad seeds");
        let mut cases = Vec::new();
        for Network { label, op, parameters, bench } in networks("path_entropy_grad") {
            if op.alpha.is_infinite() {
                continue;
            }
            let mut inputs = parameters.clone();
            inputs.push(HostTensor::from_f32(&[], &[0.7]));
            cases.push(Case::new(format!("{label} alone"), PathEntropyGrad(op), inputs.clone(), rounding));
            let stored = PathEntropyPair { entropy: op, added: 0 };
            cases.push(Case::new(format!("{label} stored"), stored, inputs.clone(), rounding));
            let added = PathEntropyPair { entropy: op, added: parameters.len() };
            inputs.extend(parameters.iter().map(|p| s.normal(p.shape.dims())));
            let case = Case::new(format!("{label} added"), added, inputs, rounding);
            cases.push(if bench { case.benched() } else { case });
        }
        cases
    }
}
