//! Rows and columns: products, and what goes by columns.

use super::{image, without};
use crate::error::Result;
use crate::onnx::messages::Attribute;
use crate::onnx::writing::{Layout, Value, Writing};
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::matmul::MatMul;

/// The biases that are added to what a node makes and to nothing else, with the node that adds them, if there are any.
pub(super) fn biases(w: &mut Writing<'_>, index: usize) -> Option<(usize, String)> {
    let user = w.only_user(index)?;
    let node = w.node(user);
    node.op.downcast::<AddBias>()?;
    let var = node.inputs[1];
    let numbers = w.constant(var, "a bias").ok()?.real().to_vec();
    let name = w.name(var.node);
    Some((user, w.floats(&name, &[numbers.len()], &numbers)))
}

/// x · Wᵀ, of rows or of the pixels of images, with the biases behind it.
pub(super) fn product(w: &mut Writing<'_>, index: usize, of: MatMul) -> Result<()> {
    let node = w.node(index);
    let (x, weights) = (node.inputs[0], node.inputs[1]);
    if of != MatMul::Nt {
        return Err(without(node.op.as_ref()));
    }
    let tensor = w.constant(weights, "a matrix of weights")?;
    let (outputs, inputs) = tensor.shape.matrix().unwrap_or((1, 1));
    let numbers = tensor.real().to_vec();
    if let Layout::Image(size) = w.value(x)?.layout {
        return image::of_pixels(w, index, size, &numbers);
    }
    let weights = w.name(weights.node);
    let mut operands = vec![w.rows(x)?, w.floats(&weights, &[outputs, inputs], &numbers)];
    let biases = biases(w, index);
    operands.extend(biases.iter().map(|(_, name)| name.clone()));
    let name = w.add("Gemm", &operands, vec![Attribute::int("transB", 1)]);
    w.made(biases.map_or(index, |(user, _)| user), name, Layout::Rows);
    Ok(())
}

/// x with a number for each column, added or multiplied.
pub(super) fn by_columns(w: &mut Writing<'_>, index: usize, op: &str) -> Result<()> {
    let inputs = w.node(index).inputs.clone();
    let numbers = w.constant(inputs[1], "a number for each column")?.real().to_vec();
    let columns = w.name(inputs[1].node);
    let Value { name, layout } = w.value(inputs[0])?;
    let (x, dims, layout) = match layout {
        Layout::Image(_) => (name, vec![numbers.len(), 1, 1], layout),
        _ => (w.rows(inputs[0])?, vec![numbers.len()], Layout::Rows),
    };
    let columns = w.floats(&columns, &dims, &numbers);
    let name = w.add(op, &[x, columns], Vec::new());
    w.made(index, name, layout);
    Ok(())
}

/// Sums of rows, as a column.
pub(super) fn sum(w: &mut Writing<'_>, index: usize, of: SumAxis) -> Result<()> {
    let node = w.node(index);
    if of != SumAxis::Columns {
        return Err(without(node.op.as_ref()));
    }
    let (x, axes) = (w.rows(node.inputs[0])?, w.sizes(&[1]));
    let name = w.add("ReduceSum", &[x, axes], vec![Attribute::int("keepdims", 1)]);
    w.made(index, name, Layout::Rows);
    Ok(())
}

/// A row for every row, or a column for every column.
pub(super) fn spread(w: &mut Writing<'_>, index: usize, of: &Broadcast) -> Result<()> {
    let node = w.node(index);
    let x = node.inputs[0];
    match of {
        Broadcast::Rows(_) => {
            let numbers = w.constant(x, "a row")?.real().to_vec();
            let name = w.name(x.node);
            let name = w.floats(&name, &[1, numbers.len()], &numbers);
            w.made(index, name, Layout::Shared);
        }
        Broadcast::Columns(columns) => {
            let (column, shape) = (w.value(x)?.name, w.sizes(&[1, *columns]));
            let name = w.add("Expand", &[column, shape], Vec::new());
            w.made(index, name, Layout::Rows);
        }
        Broadcast::Scalar(_) => return Err(without(node.op.as_ref())),
    }
    Ok(())
}
