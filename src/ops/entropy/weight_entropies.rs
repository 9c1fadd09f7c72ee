//! All entropies of a model's weights, with their gradients, in one kernel.
//!
//! The fusion of [`Activeness`], [`RenyiEntropyPair`] and
//! [`ActivenessGradAdd`], term by term, and of the sums that
//! add entropies up.

use std::ops::Range;

use super::activeness::{Activeness, Direction};
use super::activeness_grad::{ActivenessGrad, ActivenessGradAdd};
use super::renyi_entropy::{RenyiEntropy, RenyiEntropyPair};
use crate::error::{Error, Result};
use crate::graph::{Op, Precision};
use crate::ops::kernel::check::{matrix, same};
use crate::ops::kernel::profile::{DeviceKind, DeviceProfile};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Ty};

/// One entropy; tensors are numbered within their group of inputs or outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightTerm {
    /// Which weights count, and the bias.
    pub activeness: Activeness,
    /// Of which order.
    pub entropy: RenyiEntropy,
    /// Weights and bias, among the parameters.
    pub parameters: [usize; 2],
    /// Gradient of its value, among the seeds.
    pub seed: usize,
    /// What its gradient is added to, among the gradients.
    pub gradients: [usize; 2],
    /// The sum that its value is part of, among the values.
    pub value: usize,
}

/// (value…, gradient…) for inputs (parameter…, seed…, gradient…); the gradients are added to in place.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightEntropies {
    /// The entropies, in the order in which they are added up.
    pub terms: Vec<WeightTerm>,
    /// Numbers of parameters, seeds, gradients and values.
    pub counts: [usize; 4],
}

/// Most terms of one kernel.
pub const TERMS: usize = 12;
/// Most neurons of a layer.
pub const NEURONS: usize = 1024;

impl WeightEntropies {
    fn seeds(&self) -> Range<usize> {
        self.counts[0]..self.counts[0] + self.counts[1]
    }

    fn gradients(&self) -> Range<usize> {
        self.seeds().end..self.seeds().end + self.counts[2]
    }

    fn eval<T: Precision>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let values = self.counts[3];
        for (output, input) in y[values..].iter_mut().zip(&x[self.seeds().end..]) {
            output.real_mut().copy_from_slice(input.real());
        }
        for term in &self.terms {
            let [w, b] = term.parameters.map(|i| x[i]);
            let mut pair = [HostTensor::zeros(&Ty::f32(&[])), HostTensor::zeros(&b.ty())];
            let mut a = [HostTensor::zeros(&b.ty())];
            T::eval(&term.activeness, &[w, b], &mut a);
            T::eval(&RenyiEntropyPair(term.entropy), &[&a[0], x[self.counts[0] + term.seed]], &mut pair);
            let total = y[term.value].scalar() + pair[0].scalar();
            y[term.value].real_mut()[0] = total;
            let [dw, db] = term.gradients.map(|i| y[values + i].clone());
            let mut sums = [dw.clone(), db.clone()];
            let add = ActivenessGradAdd(ActivenessGrad(term.activeness));
            T::eval(&add, &[w, b, &pair[1], &dw, &db], &mut sums);
            for (gradient, sum) in term.gradients.into_iter().zip(sums) {
                y[values + gradient] = sum;
            }
        }
    }
}

impl Op for WeightEntropies {
    fn name(&self) -> &'static str {
        "weight_entropies"
    }

    fn attributes(&self) -> String {
        let terms = self.terms.iter().map(|t| format!("{} {}", t.activeness.attributes(), t.entropy.attributes()));
        terms.collect::<Vec<_>>().join(", ")
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let gradients = inputs.get(self.gradients()).unwrap_or_default();
        if gradients.is_empty()
            || inputs.len() != self.gradients().end
            || self.terms.is_empty()
            || self.terms.len() > TERMS
        {
            let problem = format!("takes 1 to {TERMS} terms and the gradients they are added to");
            return Err(Error::graph(self.name(), problem));
        }
        for seed in &inputs[self.seeds()] {
            same(self.name(), "dH", seed, &Ty::f32(&[]))?;
        }
        for term in &self.terms {
            let [w, b] = term.parameters.map(|i| inputs[i]);
            let a = &term.activeness.infer(&[w, b])?[0];
            same(self.name(), "dW", gradients[term.gradients[0]], w)?;
            same(self.name(), "db", gradients[term.gradients[1]], a)?;
        }
        Ok([vec![Ty::f32(&[]); self.counts[3]], gradients.iter().map(|ty| (*ty).clone()).collect()].concat())
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        self.gradients().enumerate().map(|(i, input)| (input, self.counts[3] + i)).collect()
    }

    fn spanned_inputs(&self, _: usize) -> Vec<Range<usize>> {
        vec![0..self.counts[0], self.seeds(), self.gradients()]
    }

    fn packed_outputs(&self, _: usize) -> Vec<Range<usize>> {
        std::iter::once(0..self.counts[3]).collect()
    }

    crate::twin!();
}

/// The variants, and the invocations of a workgroup in each.
const WORKGROUPS: [(&str, u32); 2] = [("256", 256), ("64", 64)];

/// `shaders/entropy/weight_entropies.wgsl`
pub struct WeightEntropiesKernel;

impl Kernel for WeightEntropiesKernel {
    fn stem(&self) -> &'static str {
        "weight_entropies"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<WeightEntropies>().is_some()
    }

    fn variants(&self, _: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        // A wide workgroup hides latency where there is hardware; in software each barrier costs by width.
        let mut names = WORKGROUPS.map(|(name, _)| name);
        if profile.kind == DeviceKind::Software {
            names.reverse();
        }
        Ok(names.to_vec())
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<WeightEntropies>()?;
        let (_, workgroup) = *r.variant_in(&WORKGROUPS, |(name, _)| name)?;
        let span = |range: Range<usize>| range.map(Bind::Input).collect::<Vec<_>>();
        // The table begins at the next vector after the number of terms.
        let mut params = vec![0; 4 + 16 * TERMS];
        params[0] = op.terms.len() as u32;
        let mut offsets = Vec::new();
        let mut seen = vec![false; op.counts[3]];
        for (number, term) in op.terms.iter().enumerate() {
            let at = 4 + 16 * number;
            let (rows, columns) = matrix(self.stem(), "W", r.inputs[term.parameters[0]])?;
            let layout = term.activeness.direction.layout(rows, columns);
            params[at + 4..at + 8].copy_from_slice(&layout.map(|x| x as u32));
            let [alpha, t] = term.entropy.order();
            params[at + 8..at + 11].copy_from_slice(&[term.activeness.bias_weight, alpha, t].map(f32::to_bits));
            params[at + 12] = u32::from(term.entropy.alpha.is_infinite());
            params[at + 15] = u32::from(std::mem::replace(&mut seen[term.value], true));
            let [w, b] = term.parameters;
            let [dw, db] = term.gradients.map(|i| op.counts[3] + i);
            offsets.extend([(at, 0, Bind::Input(w)), (at + 1, 0, Bind::Input(b))]);
            offsets.extend([(at + 2, 2, Bind::Output(dw)), (at + 3, 2, Bind::Output(db))]);
            offsets.push((at + 13, 1, Bind::Input(op.seeds().start + term.seed)));
            offsets.push((at + 14, 3, Bind::Output(term.value)));
        }
        let outputs = |range: Range<usize>| Bind::Span(range.map(Bind::Output).collect());
        let constants = vec![("WORKGROUP", workgroup), ("NEURONS", NEURONS as u32), ("TERMS", TERMS as u32)];
        let dispatch = Dispatch {
            shader: ShaderKey { constants, ..ShaderKey::plain(self.stem()) },
            bindings: vec![
                Bind::Span(span(0..op.counts[0])),
                Bind::Span(span(op.seeds())),
                outputs(op.counts[3]..op.counts[3] + op.counts[2]),
                outputs(0..op.counts[3]),
            ],
            params,
            offsets,
            work: Work::Groups(1),
        };
        Ok(Launch { dispatches: vec![dispatch], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let terms = r.op::<WeightEntropies>()?.terms.iter();
        let elements: usize = terms.map(|term| r.inputs[term.parameters[0]].elements()).sum();
        Ok(Cost { flops: 4.0 * elements as f64, bytes: 12.0 * elements as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-6,
            2e-4,
            Terms::Largest,
            "as renyi_entropy: cancellation in log p + H near the uniform distribution, times a few thousand ULP",
        );
        let mut s = Samples::new("weight_entropies");
        let mut cases = Vec::new();
        for (n, inside, outside) in [(1, 1, 1), (3, 5, 2), (20, 20, 20), (67, 9, 33), (300, 3, 4)] {
            for (alpha, direction) in [(0.04, None), (1.0, Some(Direction::Incoming)), (f32::INFINITY, None)] {
                let term = |direction, parameters, gradients| WeightTerm {
                    activeness: Activeness { direction, bias_weight: 0.5 },
                    entropy: RenyiEntropy { alpha },
                    parameters,
                    seed: usize::from(direction == Direction::Outgoing),
                    gradients,
                    value: 0,
                };
                // W, b of the layer, W of the next: the incoming term and the outgoing one share b.
                let both = vec![term(Direction::Incoming, [0, 1], [0, 1]), term(Direction::Outgoing, [2, 1], [2, 1])];
                let terms: Vec<_> =
                    both.into_iter().filter(|t| direction.is_none_or(|d| d == t.activeness.direction)).collect();
                let gradients = 1 + terms.len();
                let shapes = [vec![n, inside], vec![n], vec![outside, n]];
                let mut inputs: Vec<_> = shapes.iter().map(|dims| s.normal(dims)).collect();
                inputs.extend([HostTensor::from_f32(&[], &[0.3]), HostTensor::from_f32(&[], &[-0.7])]);
                inputs.extend(shapes[..gradients].iter().map(|dims| s.normal(dims)));
                let op = WeightEntropies { terms, counts: [3, 2, gradients, 1] };
                let case =
                    Case::new(format!("{n} neurons of {inside} and {outside}, alpha {alpha}"), op, inputs, rounding);
                cases.push(if n == 20 && alpha == 0.04 { case.benched() } else { case });
            }
        }
        cases
    }
}
