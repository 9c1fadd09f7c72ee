//! Which operations treat every sample by itself.

use crate::ops::array::activation::Activation;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::batch_gather_shards::BatchGatherShards;
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::loss::reconstruction_loss_grad::{self, LossParts};
use crate::ops::matmul::MatMul;
use crate::ops::matmul::matmul_nn::LinearInputGrad;
use crate::ops::matmul::matmul_nt::Linear;
use crate::ops::matmul::matmul_tn::LinearWeightGrad;
use crate::plan::Step;

/// How an operation treats its rows.
pub(in crate::device) enum Rows {
    /// Each by itself.
    Each(RowStep),
    /// It sums over them.
    Gradient,
    /// Neither.
    None,
}

/// An operation on rows.
pub(in crate::device) enum RowStep {
    /// The rows of the batch.
    Numbers,
    /// What they hold.
    Gather,
    /// The same out of several shards.
    GatherShards(BatchGatherShards),
    /// A layer.
    Linear(Activation),
    /// The gradient of a layer's input.
    InputGrad(Activation),
    /// A product with a matrix, transposed or not.
    Product {
        /// Whether it is.
        transposed: bool,
    },
    /// A loss, its gradient, or both.
    Loss(LossParts),
}

impl RowStep {
    /// Inputs that have a row for each sample.
    pub fn inputs(&self) -> &'static [usize] {
        match self {
            RowStep::Numbers => &[],
            RowStep::Gather => &[1],
            RowStep::GatherShards(_) | RowStep::Linear(_) | RowStep::Product { .. } => &[0],
            RowStep::InputGrad(_) => &[0, 2],
            RowStep::Loss(_) => &[0, 1],
        }
    }
}

/// How an operation treats its rows.
pub(in crate::device) fn rows_of(step: &Step) -> Rows {
    let op = step.op.as_ref();
    if op.downcast::<BatchRows>().is_some() {
        Rows::Each(RowStep::Numbers)
    } else if op.downcast::<BatchGather>().is_some() {
        Rows::Each(RowStep::Gather)
    } else if let Some(&gather) = op.downcast::<BatchGatherShards>() {
        Rows::Each(RowStep::GatherShards(gather))
    } else if let Some(&Linear(activation)) = op.downcast() {
        Rows::Each(RowStep::Linear(activation))
    } else if let Some(&LinearInputGrad(activation)) = op.downcast() {
        Rows::Each(RowStep::InputGrad(activation))
    } else if let Some(parts) = reconstruction_loss_grad::parts(op) {
        Rows::Each(RowStep::Loss(parts))
    } else {
        match op.downcast::<MatMul>() {
            Some(MatMul::Nt) => Rows::Each(RowStep::Product { transposed: true }),
            Some(MatMul::Nn) => Rows::Each(RowStep::Product { transposed: false }),
            Some(MatMul::Tn) => Rows::Gradient,
            None if op.downcast::<LinearWeightGrad>().is_some() => Rows::Gradient,
            None => Rows::None,
        }
    }
}

/// Number of samples of an operation on rows or a gradient.
pub(in crate::device) fn batch(step: &Step) -> usize {
    let place = match rows_of(step) {
        Rows::Each(of) if !of.inputs().is_empty() => &step.inputs[of.inputs()[0]],
        Rows::Gradient => &step.inputs[0],
        _ => &step.outputs[0],
    };
    place.ty.shape.dims().first().copied().unwrap_or(1)
}
