//! Reconstruction losses and their gradients, over the valid rows of a batch.
//!
//! With v valid samples of d features (of all of a sample's rows), prediction y and target x (FORMULAS: mean over batch × features
//! for the MSE; the others sum over features and average over the batch):
//!
//! * `Mse`: Σ (y − x)² / (v d), gradient 2 (y − x) / (v d)
//! * `Sse`: Σ (y − x)² / v
//! * `Bce`: Σ \[max(l, 0) − l x + log1p(e^{−|l|})\] / v from logits l, gradient (σ(l) − x) / v
//!
//! The last batch of an epoch is padded: rows from there on count nothing and get a gradient of 0. v is
//! read from the clock, since it changes from step to step.

use std::sync::Arc;

pub use super::loss_kind::LossKind;
use super::reconstruction_loss_grad::{self, LossParts, ReconstructionLossGrad, ReconstructionLossPair};
use crate::error::Result;
use crate::graph::{Graph, Op, OpRef, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::sum_all;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::{self, Gathered};
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

pub(super) fn infer(rows_per_sample: usize, inputs: &[&Ty]) -> Result<()> {
    let (rows, _) = matrix("reconstruction_loss", "the prediction", inputs[0])?;
    rows_per_sample::check("reconstruction_loss", rows, rows_per_sample)?;
    same("reconstruction_loss", "the target", inputs[1], inputs[0])?;
    same("reconstruction_loss", "the clock", inputs[2], &clock::ty())
}

/// The loss of inputs (prediction \[B, D\], target \[B, D\], clock): a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconstructionLoss {
    /// Which loss.
    pub kind: LossKind,
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

impl ReconstructionLoss {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].real_mut()[0] = self.kind.compute(self.rows_per_sample, x, None, &mut []);
    }
}

impl Op for ReconstructionLoss {
    fn name(&self) -> &'static str {
        "reconstruction_loss"
    }

    fn attributes(&self) -> String {
        rows_per_sample::attributes(format!("{:?}", self.kind).to_lowercase(), self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        infer(self.rows_per_sample, &arity::<3>(self.name(), inputs)?)?;
        Ok(vec![Ty::f32(&[])])
    }

    /// The target gets no gradient: it is data.
    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None; 3]) };
        let Self { kind, rows_per_sample } = *self;
        let gradient = ReconstructionLossGrad { kind, activation: Activation::Identity, rows_per_sample };
        let dx = g.apply(gradient, &[x[0], x[1], x[2], dy])?;
        Ok(vec![Some(dx), None, None])
    }

    crate::twin!();
}

/// `shaders/loss/reconstruction_loss.wgsl`: any of the three operations above.
pub struct ReconstructionLossKernel;

/// The variant that reads texels, and all of them.
const TEXELS: &str = "texels";
const WAYS: [&str; 2] = [TEXELS, ""];

/// Vectors that an invocation takes at least: more where all loads but those of the clock are cheap.
const EACH: usize = 8;
const EACH_OF_TEXELS: usize = 32;
/// Most invocations of the element pass; each leaves one partial sum.
const INVOCATIONS: usize = 8_192;

impl Kernel for ReconstructionLossKernel {
    fn stem(&self) -> &'static str {
        "reconstruction_loss"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        gathered::unwrap(op, 1).is_some_and(|(op, _)| reconstruction_loss_grad::parts(op).is_some())
    }

    fn variants(&self, _request: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        Ok(WAYS[usize::from(!profile.texels)..].to_vec())
    }

    fn is_measured(&self) -> bool {
        false
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (op, gathered) = gathered::unwrap(r.op, 1).ok_or_else(|| r.foreign())?;
        let LossParts { loss, value, gradient } = reconstruction_loss_grad::parts(op).ok_or_else(|| r.foreign())?;
        // Gathered inputs are the data, the row numbers, then prediction, clock and seed.
        let [prediction, target, clock, seed] = if gathered { [2, 0, 3, 4] } else { [0, 1, 2, 3] }.map(Bind::Input);
        let ty = r.inputs[if gathered { 2 } else { 0 }];
        let (_, features) = matrix(self.stem(), "the prediction", ty)?;
        let vectors = ty.elements().div_ceil(4);
        let texels = r.variant_in(&WAYS, |name| name)? == &TEXELS;
        let invocations = vectors.div_ceil(if texels { EACH_OF_TEXELS } else { EACH }).min(INVOCATIONS);
        let mut scratch = vec![invocations * 4, sum_all::SCRATCH_BYTES];
        // Without a gradient there is no seed and nothing to write: stand-ins fill the bindings.
        let (seed, dx) = match gradient {
            Some(output) => (seed, Bind::Output(output)),
            None => {
                scratch.push(4);
                (prediction.clone(), Bind::Scratch(2))
            }
        };
        let access = match (texels, gathered) {
            (true, true) => vec!["texels", "prediction_texels", "target_gather"],
            (true, false) => vec!["texels", "prediction_texels", "target_texels"],
            (false, true) => vec!["prediction_buffer", "target_gather"],
            (false, false) => vec!["prediction_buffer", "target_vec4"],
        };
        let mut bindings = vec![prediction, target, clock, seed, dx, Bind::Scratch(0)];
        bindings.extend(gathered.then_some(Bind::Input(1)));
        let mut dispatches = vec![Dispatch::new(
            ShaderKey { snippets: access, ..ShaderKey::plain(self.stem()) },
            bindings,
            vec![
                features as u32,
                vectors as u32,
                invocations as u32,
                loss.kind as u32,
                loss.activation as u32,
                u32::from(gradient.is_some()),
                loss.rows_per_sample as u32,
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
            for (rows, features, valid, rows_per_sample) in [
                (1, 1, 1, 1),
                (7, 13, 7, 1),
                (5, 8, 4, 1),
                (65, 67, 40, 1),
                (128, 784, 96, 1),
                (6, 8, 1, 3),
                (110, 7, 9, 10),
                (3, 4099, 2, 1),
                (6, 5001, 1, 3),
            ] {
                let dims = [rows, features];
                let prediction =
                    if kind == LossKind::Bce { s.uniform(&dims, -30.0, 30.0) } else { s.uniform(&dims, 0.0, 1.0) };
                let inputs = vec![prediction, s.uniform(&dims, 0.0, 1.0), clock::with_valid_rows(valid)];
                let seeded = [inputs.clone(), vec![HostTensor::from_f32(&[], &[0.7])]].concat();
                let activation = if kind == LossKind::Mse { Activation::Sigmoid } else { Activation::Identity };
                let label = format!("{rows}x{features} of {rows_per_sample}, {valid} valid");
                let value = ReconstructionLoss { kind, rows_per_sample };
                let grad = ReconstructionLossGrad { kind, activation, rows_per_sample };
                if kind == LossKind::Mse && rows < 65 {
                    for activation in
                        [Activation::Tanh, Activation::LeakyRelu, Activation::Softplus, Activation::LeakierRelu]
                    {
                        let op = ReconstructionLossPair(ReconstructionLossGrad { activation, ..grad });
                        let label = format!("of {} {label}", activation.word());
                        cases.push(Case::new(label, op, seeded.clone(), rounding));
                    }
                }
                let pair =
                    Case::new(format!("{kind:?} both {label}"), ReconstructionLossPair(grad), seeded.clone(), rounding);
                cases.push(if kind == LossKind::Mse && rows == 128 { pair.benched() } else { pair });
                if features.is_multiple_of(4) {
                    let gather = BatchGather { features };
                    let batch = gathered::batch(&mut s, rows, features);
                    for op in [Arc::new(ReconstructionLossPair(grad)) as OpRef, Arc::new(value)] {
                        let others = if op.name() == "reconstruction_loss" { 3 } else { 4 };
                        let mut inputs = [batch.clone(), seeded[..others].to_vec()].concat();
                        inputs.remove(3);
                        let label = format!("{kind:?} {} gathered {label}", op.name());
                        cases.push(Case::new(label, Gathered { op, position: 1, gather }, inputs, rounding));
                    }
                }
                if rows < 128 {
                    cases.push(Case::new(format!("{kind:?} value {label}"), value, inputs, rounding));
                    cases.push(Case::new(format!("{kind:?} gradient {label}"), grad, seeded, rounding));
                }
            }
        }
        cases
    }
}
