//! Entropy of a network's paths, exactly, in time linear in its weights.
//!
//! Source: El Bouz, "Entropy-Regularized Autoencoder" (2025), §2.5, which enumerates the paths and calls
//! that too expensive; corrected as in FORMULAS §1. A path from an input to an output weighs the product
//! of the |W| on its way; H is the Rényi entropy of these weights, normalised. `path_chain.rs` has the
//! recursion. ReLU networks that differ by rescaled neurons have the same paths, with biases as a source
//! or without.
//!
//! Node marginals are the share of the paths' weight that goes through each neuron: where along the depth
//! they concentrate, the network has its bottleneck.

use super::path_chain::{PathBias, Paths};
use super::path_entropy_grad::PathEntropyGrad;
use super::path_layout::PathLayout;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{matrix, same};
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance};
use crate::tensor::{HostTensor, Real, Ty};

/// (H, log Z, marginals \[Σ n_l\], entropies \[L + 1\]) for inputs (W_1 \[n_1, n_0\], b_1 \[n_1\], W_2, …): the
/// entropy, the log of the sum of all paths' weights, the marginals of all levels from the inputs to the
/// outputs one after the other, and the Shannon entropy of each level's marginals among themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathEntropy {
    /// Order α in \[0, ∞\].
    pub alpha: f32,
    /// How biases take part.
    pub bias: PathBias,
}

/// Parameters (W, b) of consecutive layers: that they fit, and the widths of all levels.
pub(in crate::ops) fn levels(op: &str, parameters: &[&Ty]) -> Result<Vec<usize>> {
    if parameters.is_empty() || parameters.len() % 2 == 1 {
        return Err(Error::graph(op, "takes weights and biases of one or more layers"));
    }
    let mut levels: Vec<usize> = Vec::new();
    for pair in parameters.chunks_exact(2) {
        let (outputs, inputs) = matrix(op, "W", pair[0])?;
        same(op, "b", pair[1], &Ty::f32(&[outputs]))?;
        if levels.last().is_some_and(|&width| width != inputs) {
            return Err(Error::graph(op, format!("a layer of {inputs} inputs after {levels:?}")));
        }
        if levels.is_empty() {
            levels.push(inputs);
        }
        levels.push(outputs);
    }
    Ok(levels)
}

impl PathEntropy {
    /// Types of the outputs for levels of these widths.
    pub(in crate::ops) fn outputs(levels: &[usize]) -> Vec<Ty> {
        vec![Ty::f32(&[]), Ty::f32(&[]), Ty::f32(&[levels.iter().sum()]), Ty::f32(&[levels.len()])]
    }

    /// Writes the outputs.
    pub(in crate::ops) fn write<T: Real>(paths: &Paths<'_, T>, y: &mut [HostTensor<T>]) {
        let [h, log_weight, marginals, entropies] = y else { return };
        h.real_mut()[0] = paths.entropy;
        log_weight.real_mut()[0] = paths.log_weight;
        let mut from = 0;
        for (l, entropy) in entropies.real_mut().iter_mut().enumerate() {
            let level = paths.marginals(l);
            marginals.real_mut()[from..from + level.len()].copy_from_slice(&level);
            from += level.len();
            let sum = level.iter().fold(T::zero(), |sum, &p| sum + p);
            let shares = level.iter().map(|&p| p / sum).filter(|&p| p > T::zero());
            *entropy = shares.fold(T::zero(), |h, p| h - p * p.ln());
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        Self::write(&Paths::new(self.alpha, self.bias, x), y);
    }
}

impl Op for PathEntropy {
    fn name(&self) -> &'static str {
        "path_entropy"
    }

    fn attributes(&self) -> String {
        format!("alpha={} bias={:?}", self.alpha, self.bias).to_lowercase()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        if self.alpha.is_nan() || self.alpha < 0.0 {
            return Err(Error::graph(self.name(), format!("the order must be 0 or more, got {}", self.alpha)));
        }
        Ok(Self::outputs(&levels(self.name(), inputs)?))
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1..].iter().any(Option::is_some) {
            return Err(Error::graph(self.name(), "only the entropy can be differentiated, not the marginals"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None; x.len()]) };
        let gradients = g.push(std::sync::Arc::new(PathEntropyGrad(*self)), &[x, &[dy]].concat())?;
        Ok(gradients.into_iter().map(Some).collect())
    }

    crate::twin!();
}

/// `shaders/entropy/path_entropy_sweep.wgsl`, a layer forward and a layer backward at a time, then
/// `path_entropy_totals.wgsl`.
pub struct PathEntropyKernel;

impl Kernel for PathEntropyKernel {
    fn stem(&self) -> &'static str {
        "path_entropy"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<PathEntropy>().is_some()
    }

    fn variants(&self, _r: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        Ok(PathLayout::variants(profile))
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = *r.op::<PathEntropy>()?;
        let layout = PathLayout::new(op, levels(self.stem(), r.inputs)?, r)?;
        let outputs = [0, 1, 2, 3].map(Bind::Output);
        let dispatches: Vec<Dispatch> = layout.value(Bind::Scratch(0), Bind::Scratch(1), outputs);
        Ok(Launch { dispatches, scratch: layout.scratch().to_vec() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let weights: usize = r.inputs.iter().map(|ty| ty.elements()).sum();
        Ok(Cost::streaming(r, 30.0 * weights as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-6,
            4e-5,
            Terms::Largest,
            "the golden vectors' bound of 1e-5, times 4 for WGSL's log and exp at 3 to 20 ULP",
        );
        let cases = networks("path_entropy").into_iter().map(|Network { label, op, parameters, bench }| {
            let case = Case::new(label, op, parameters, rounding);
            if bench { case.benched() } else { case }
        });
        cases.collect()
    }
}

/// A network to be proved on.
pub(in crate::ops) struct Network {
    /// Shape, order and bias in words.
    pub label: String,
    /// Order and bias.
    pub op: PathEntropy,
    /// Weights and biases.
    pub parameters: Vec<HostTensor<f32>>,
    /// Whether this is the row in the benchmarks.
    pub bench: bool,
}

/// Networks of all orders and kinds of bias, some with dead weights, one with none alive.
pub(in crate::ops) fn networks(stem: &str) -> Vec<Network> {
    let mut s = Samples::new(stem);
    let mut networks = Vec::new();
    let mut add = |widths: &[usize], alpha: f32, bias: PathBias, alive: f32, bench: bool| {
        let layers = widths.windows(2).flat_map(|pair| {
            let mut layer = [s.normal(&[pair[1], pair[0]]), s.uniform(&[pair[1]], 0.1, 0.9)];
            layer.iter_mut().for_each(|t| t.real_mut().iter_mut().for_each(|w| *w *= alive));
            if alive < 1.0 {
                layer[0].real_mut().iter_mut().step_by(3).for_each(|w| *w = 0.0);
            }
            layer
        });
        let parameters = layers.collect();
        let label = format!("{widths:?} alpha={alpha} {bias:?} scale={alive}").to_lowercase();
        networks.push(Network { label, op: PathEntropy { alpha, bias }, parameters, bench });
    };
    for alpha in [0.0, 0.04, 0.5, 1.0 - 1e-6, 1.0, 1.0 + 1e-4, 2.0, f32::INFINITY] {
        add(&[5, 7, 3, 11], alpha, PathBias::Source, 1.0, false);
    }
    for bias in [PathBias::None, PathBias::Source, PathBias::Product, PathBias::Edge] {
        add(&[1, 1], 1.0, bias, 1.0, false);
        add(&[13, 65, 3, 9, 20], 1.0, bias, 1.0, false);
        add(&[9, 6, 6, 9], 2.0, bias, 0.3, false);
        // Nothing to differentiate by differences, and large enough that nobody tries.
        add(&[40, 150, 5], 0.5, bias, 0.0, false);
    }
    add(&[784, 64, 20, 20, 20, 64, 784], 1.0, PathBias::Source, 0.1, true);
    networks
}
