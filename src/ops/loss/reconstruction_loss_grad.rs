//! Gradients of [`ReconstructionLoss`], alone and together with the loss; the kernel of all three is in that file.

use super::loss_kind::LossKind;
use super::reconstruction_loss::{ReconstructionLoss, infer};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::activation::Activation;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, same};
use crate::tensor::{HostTensor, Real, Ty};

/// Gradient of the loss with respect to what the prediction's activation was applied to, for inputs
/// (prediction, target, clock, dy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconstructionLossGrad {
    /// Which loss.
    pub kind: LossKind,
    /// The activation whose output the prediction is; `Identity` for the plain gradient.
    pub activation: Activation,
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

impl ReconstructionLossGrad {
    /// Whether this is the gradient of that loss.
    pub fn is_of(&self, loss: ReconstructionLoss) -> bool {
        (self.kind, self.rows_per_sample) == (loss.kind, loss.rows_per_sample)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let seed = Some((x[3].scalar(), self.activation));
        self.kind.compute(self.rows_per_sample, x, seed, y[0].real_mut());
    }
}

impl Op for ReconstructionLossGrad {
    fn name(&self) -> &'static str {
        "reconstruction_loss_grad"
    }

    fn attributes(&self) -> String {
        let own = format!("{:?} {:?}", self.kind, self.activation).to_lowercase();
        rows_per_sample::attributes(own, self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let inputs = arity::<4>(self.name(), inputs)?;
        infer(self.rows_per_sample, &inputs)?;
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
        let value = self.0.kind.compute(self.0.rows_per_sample, x, seed, y[1].real_mut());
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

/// What one of the three operations computes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LossParts {
    /// The loss and its gradient.
    pub loss: ReconstructionLossGrad,
    /// Which output is the value.
    pub value: Option<usize>,
    /// Which output is the gradient.
    pub gradient: Option<usize>,
}

/// The parts of an operation, if it is one of the three.
pub(crate) fn parts(op: &dyn Op) -> Option<LossParts> {
    let of = |loss, value, gradient| Some(LossParts { loss, value, gradient });
    if let Some(&ReconstructionLoss { kind, rows_per_sample }) = op.downcast() {
        return of(ReconstructionLossGrad { kind, activation: Activation::Identity, rows_per_sample }, Some(0), None);
    }
    if let Some(op) = op.downcast::<ReconstructionLossGrad>() {
        return of(*op, None, Some(0));
    }
    op.downcast::<ReconstructionLossPair>().and_then(|op| of(op.0, Some(0), Some(1)))
}
