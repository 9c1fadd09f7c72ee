//! The operators that an operation becomes, family by family.

mod array;
mod image;
mod matrix;

use super::no_counterpart;
use super::writing::Writing;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::array::activation::Activation;
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::binary::Binary;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::reshape::Reshape;
use crate::ops::array::scale_columns::ScaleColumns;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::ops::conv::conv2d::Conv2d;
use crate::ops::conv::conv2d_dx::Conv2dDx;
use crate::ops::matmul::MatMul;
use crate::ops::norm::group_norm::GroupNorm;
use crate::ops::pool::avg_pool::AvgPool;
use crate::ops::pool::max_pool::MaxPool;
use crate::ops::pool::upsample::Upsample;
use crate::ops::rate::ste_round::SteRound;

/// Writes what the node of this number computes.
///
/// # Errors
/// When there is nothing in ONNX that does.
pub(super) fn lower(w: &mut Writing<'_>, index: usize) -> Result<()> {
    let op: &dyn Op = w.node(index).op.as_ref();
    if let Some(op) = op.downcast::<MatMul>() {
        matrix::product(w, index, *op)
    } else if op.downcast::<AddBias>().is_some() {
        matrix::by_columns(w, index, "Add")
    } else if op.downcast::<ScaleColumns>().is_some() {
        matrix::by_columns(w, index, "Mul")
    } else if let Some(op) = op.downcast::<SumAxis>() {
        matrix::sum(w, index, *op)
    } else if let Some(op) = op.downcast::<Broadcast>() {
        matrix::spread(w, index, op)
    } else if let Some(op) = op.downcast::<Activation>() {
        array::activation(w, index, *op)
    } else if let Some(op) = op.downcast::<Unary>() {
        array::unary(w, index, *op)
    } else if let Some(op) = op.downcast::<Binary>() {
        array::binary(w, index, *op)
    } else if op.downcast::<SteRound>().is_some() {
        array::round(w, index)
    } else if op.downcast::<Reshape>().is_some() {
        array::reshape(w, index)
    } else if let Some(op) = op.downcast::<Conv2d>() {
        image::conv(w, index, &op.0)
    } else if let Some(op) = op.downcast::<Conv2dDx>() {
        image::conv_transpose(w, index, &op.0)
    } else if let Some(op) = op.downcast::<MaxPool>() {
        image::pool(w, index, &op.0, true)
    } else if let Some(op) = op.downcast::<AvgPool>() {
        image::pool(w, index, &op.0, false)
    } else if let Some(op) = op.downcast::<Upsample>() {
        image::upsample(w, index, op)
    } else if let Some(op) = op.downcast::<GroupNorm>() {
        image::group_norm(w, index, *op)
    } else {
        Err(without(op))
    }
}

/// There is no counterpart of an operation.
fn without(op: &dyn Op) -> Error {
    no_counterpart(&format!("the operation '{}' {}", op.name(), op.attributes()))
}
