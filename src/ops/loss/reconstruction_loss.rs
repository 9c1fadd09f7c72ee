//! Reconstruction losses and their gradients, over the valid rows of a batch.
//!
//! With v valid rows of d features, prediction y and target x (FORMULAS: mean over batch × features
//! for the MSE; the others sum over features and average over the batch):
//!
//! * `Mse`: Σ (y − x)² / (v d), gradient 2 (y − x) / (v d)
//! * `Sse`: Σ (y − x)² / v
//! * `Bce`: Σ \[max(l, 0) − l x + log1p(e^{−|l|})\] / v from logits l, gradient (σ(l) − x) / v
//!
//! The last batch of an epoch is padded: rows from v on count nothing and get a gradient of 0. v is
//! read from the clock, since it changes from step to step.

use std::sync::Arc;

pub use super::loss_kind::LossKind;
use crate::error::Result;
use crate::graph::{Graph, Op, OpRef, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::sum_all;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::{self, Gathered};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

fn infer(inputs: &[&Ty]) -> Result<()> {
    matrix("reconstruction_loss", "the prediction", inputs[0])?;
    same("reconstruction_loss", "the target", inputs[1], inputs[0])?;
    same("reconstruction_loss", "the clock", inputs[2], &clock::ty())
}

/// The loss of inputs (prediction \[B, D\], target \[B, D\], clock): a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconstructionLoss(pub LossKind);

impl ReconstructionLoss {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].real_mut()[0] = self.0.compute(x, None, &mut []);
    }
}

impl Op for ReconstructionLoss {
    fn name(&self) -> &'static str {
        "reconstruction_loss"
    }

    fn attributes(&self) -> String {
        format!("{:?}", self.0).to_lowercase()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        infer(&arity::<3>(self.name(), inputs)?)?;
        Ok(vec![Ty::f32(&[])])
    }

    /// The target gets no gradient: it is data.
    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None; 3]) };
        let dx = g.apply(
            ReconstructionLossGrad { kind: self.0, activation: Activation::Identity },
            &[x[0], x[1], x[2], dy],
        )?;
        Ok(vec![Some(dx), None, None])
    }

    crate::twin!();
}

/// Gradient of the loss with respect to what the prediction's activation was applied to, for inputs
/// (prediction, target, clock, dy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconstructionLossGrad {
    /// Which loss.
    pub kind: LossKind,
    /// The activation whose output the prediction is; `Identity` for the plain gradient.
    pub activation: Activation,
}

impl ReconstructionLossGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        self.kind.compute(x, Some((x[3].scalar(), self.activation)), y[0].real_mut());
    }
}

impl Op for ReconstructionLossGrad {
    fn name(&self) -> &'static str {
        "reconstruction_loss_grad"
    }

    fn attributes(&self) -> String {
        format!("{:?} {:?}", self.kind, self.activation).to_lowercase()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let inputs = arity::<4>(self.name(), inputs)?;
        infer(&inputs)?;
        same(self.name(), "dy", inputs[3], &Ty::f32(&[]))?;
        Ok(vec![inputs[0].clone()])
    }

    crate::twin!();
}

/// Loss and gradient in one pass over the data, for inputs (prediction, target, clock, dy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconstructionLossPair(pub ReconstructionLossGrad);

impl ReconstructionLossPair {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let seed = Some((x[3].scalar(), self.0.activation));
        let value = self.0.kind.compute(x, seed, y[1].real_mut());
        y[0].real_mut()[0] = value;
    }
}

impl Op for ReconstructionLossPair {
    fn name(&self) -> &'static str {
        "reconstruction_loss_pair"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        Ok([vec![Ty::f32(&[])], self.0.infer(inputs)?].concat())
    }

    crate::twin!();
}

/// `shaders/reconstruction_loss.wgsl`: any of the three operations above.
pub struct ReconstructionLossKernel;

/// Vectors that an invocation takes at least.
const EACH: usize = 8;
/// Most invocations of the element pass; each leaves one partial sum.
const INVOCATIONS: usize = 8_192;

/// What one of the three operations computes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LossParts {
    pub kind: LossKind,
    /// The activation whose slope is part of the gradient.
    pub activation: Activation,
    /// Which output is the value, and which the gradient.
    pub value: Option<usize>,
    pub gradient: Option<usize>,
}

/// The parts of an operation, if it is one of the three.
pub(crate) fn parts(op: &dyn Op) -> Option<LossParts> {
    let of = |kind, activation, value, gradient| Some(LossParts { kind, activation, value, gradient });
    if let Some(op) = op.downcast::<ReconstructionLoss>() {
        return of(op.0, Activation::Identity, Some(0), None);
    }
    if let Some(op) = op.downcast::<ReconstructionLossGrad>() {
        return of(op.kind, op.activation, None, Some(0));
    }
    op.downcast::<ReconstructionLossPair>().and_then(|op| of(op.0.kind, op.0.activation, Some(0), Some(1)))
}

impl Kernel for ReconstructionLossKernel {
    fn stem(&self) -> &'static str {
        "reconstruction_loss"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        gathered::unwrap(op, 1).is_some_and(|(op, _)| parts(op).is_some())
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (op, gathered) = gathered::unwrap(r.op, 1).ok_or_else(|| r.foreign())?;
        let LossParts { kind, activation, value, gradient } = parts(op).ok_or_else(|| r.foreign())?;
        // Gathered inputs are the data, the row numbers, then prediction, clock and seed.
        let [prediction, target, clock, seed] = if gathered { [2, 0, 3, 4] } else { [0, 1, 2, 3] }.map(Bind::Input);
        let ty = r.inputs[if gathered { 2 } else { 0 }];
        let (_, features) = matrix(self.stem(), "the prediction", ty)?;
        let vectors = ty.elements().div_ceil(4);
        let invocations = vectors.div_ceil(EACH).min(INVOCATIONS);
        let mut scratch = vec![invocations * 4, sum_all::SCRATCH_BYTES];
        // Without a gradient there is no seed and nothing to write: stand-ins fill the bindings.
        let (seed, dx) = match gradient {
            Some(output) => (seed, Bind::Output(output)),
            None => {
                scratch.push(4);
                (prediction.clone(), Bind::Scratch(2))
            }
        };
        let access = vec![if gathered { "target_gather" } else { "target_vec4" }];
        let mut bindings = vec![prediction, target, clock, seed, dx, Bind::Scratch(0)];
        bindings.extend(gathered.then_some(Bind::Input(1)));
        let mut dispatches = vec![Dispatch::new(
            ShaderKey { snippets: access, ..ShaderKey::plain(self.stem()) },
            bindings,
            vec![
                features as u32,
                vectors as u32,
                invocations as u32,
                kind as u32,
                activation as u32,
                u32::from(gradient.is_some()),
            ],
            Work::Invocations(invocations),
        )];
        if let Some(value) = value {
            dispatches.extend(sum_all::stages(Bind::Scratch(0), invocations, value, 1));
        }
        Ok(Launch { dispatches, scratch })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let prediction = r.inputs[if r.op.downcast::<Gathered>().is_some() { 2 } else { 0 }];
        Ok(gathered::cost(r, 6.0 * prediction.elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-9,
            2e-5,
            Terms::Largest,
            "a mean of non-negative terms, added in runs of at most a hundred, then in a tree",
        );
        let mut s = Samples::new("reconstruction_loss");
        let mut cases = Vec::new();
        for kind in [LossKind::Mse, LossKind::Sse, LossKind::Bce] {
            for (rows, features, valid) in [(1, 1, 1), (7, 13, 7), (5, 8, 4), (65, 67, 40), (128, 784, 96)] {
                let dims = [rows, features];
                let prediction =
                    if kind == LossKind::Bce { s.uniform(&dims, -30.0, 30.0) } else { s.uniform(&dims, 0.0, 1.0) };
                let inputs = vec![prediction, s.uniform(&dims, 0.0, 1.0), clock::with_valid_rows(valid)];
                let seeded = [inputs.clone(), vec![HostTensor::from_f32(&[], &[0.7])]].concat();
                let activation = if kind == LossKind::Mse { Activation::Sigmoid } else { Activation::Identity };
                let grad = ReconstructionLossGrad { kind, activation };
                if kind == LossKind::Mse && rows < 65 {
                    for activation in [Activation::Tanh, Activation::LeakyRelu, Activation::Softplus] {
                        let op = ReconstructionLossPair(ReconstructionLossGrad { kind, activation });
                        let label = format!("of {} {rows}x{features}, {valid} valid", activation.word());
                        cases.push(Case::new(label, op, seeded.clone(), rounding));
                    }
                }
                let label = format!("{rows}x{features}, {valid} valid");
                let pair =
                    Case::new(format!("{kind:?} both {label}"), ReconstructionLossPair(grad), seeded.clone(), rounding);
                cases.push(if kind == LossKind::Mse && rows == 128 { pair.benched() } else { pair });
                if features.is_multiple_of(4) {
                    let gather = BatchGather { features };
                    let batch = gathered::batch(&mut s, rows, features);
                    for op in [Arc::new(ReconstructionLossPair(grad)) as OpRef, Arc::new(ReconstructionLoss(kind))] {
                        let others = if op.name() == "reconstruction_loss" { 3 } else { 4 };
                        let mut inputs = [batch.clone(), seeded[..others].to_vec()].concat();
                        inputs.remove(3);
                        let label = format!("{kind:?} {} gathered {label}", op.name());
                        cases.push(Case::new(label, Gathered { op, position: 1, gather }, inputs, rounding));
                    }
                }
                if rows < 128 {
                    cases.push(Case::new(
                        format!("{kind:?} value {label}"),
                        ReconstructionLoss(kind),
                        inputs,
                        rounding,
                    ));
                    cases.push(Case::new(format!("{kind:?} gradient {label}"), grad, seeded, rounding));
                }
            }
        }
        cases
    }
}
