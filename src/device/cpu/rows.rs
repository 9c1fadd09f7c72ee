//! Which operations treat every sample by itself.

use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::loss::reconstruction_loss_grad;
use crate::ops::matmul::MatMul;
use crate::ops::matmul::matmul_nn::LinearInputGrad;
use crate::ops::matmul::matmul_nt::Linear;
use crate::ops::matmul::matmul_tn::LinearWeightGrad;
use crate::plan::Step;

/// Inputs of an operation that have a row for each sample.
pub(in crate::device) enum Rows {
    /// It is an operation on rows.
    Inputs(&'static [usize]),
    /// It sums over rows.
    Gradient,
    /// Neither.
    None,
}

/// How an operation treats its rows.
pub(in crate::device) fn rows_of(step: &Step) -> Rows {
    let op = step.op.as_ref();
    if op.downcast::<BatchRows>().is_some() {
        Rows::Inputs(&[])
    } else if op.downcast::<BatchGather>().is_some() {
        Rows::Inputs(&[1])
    } else if op.downcast::<Linear>().is_some() {
        Rows::Inputs(&[0])
    } else if op.downcast::<LinearInputGrad>().is_some() {
        Rows::Inputs(&[0, 2])
    } else if reconstruction_loss_grad::parts(op).is_some() {
        Rows::Inputs(&[0, 1])
    } else {
        match op.downcast::<MatMul>() {
            Some(MatMul::Nt | MatMul::Nn) => Rows::Inputs(&[0]),
            Some(MatMul::Tn) => Rows::Gradient,
            None if op.downcast::<LinearWeightGrad>().is_some() => Rows::Gradient,
            None => Rows::None,
        }
    }
}

/// Number of samples of an operation on rows or a gradient.
pub(in crate::device) fn batch(step: &Step) -> usize {
    let place = match rows_of(step) {
        Rows::Inputs(&[first, ..]) => &step.inputs[first],
        Rows::Gradient => &step.inputs[0],
        _ => &step.outputs[0],
    };
    place.ty.shape.dims().first().copied().unwrap_or(1)
}
