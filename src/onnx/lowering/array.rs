//! Element by element.

use crate::error::Result;
use crate::onnx::messages::Attribute;
use crate::onnx::writing::{Layout, Value, Writing};
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::array::unary::Unary;

/// One operator of one input, whatever the layout.
fn alone(w: &mut Writing<'_>, index: usize, op: &str, attributes: Vec<Attribute>) -> Result<()> {
    let Value { name, layout } = w.value(w.node(index).inputs[0])?;
    let name = w.add(op, &[name], attributes);
    w.made(index, name, layout);
    Ok(())
}

/// An activation.
pub(super) fn activation(w: &mut Writing<'_>, index: usize, of: Activation) -> Result<()> {
    let leaky = |slope| ("LeakyRelu", vec![Attribute::float("alpha", slope)]);
    let (op, attributes) = match of {
        Activation::Identity => {
            let Value { name, layout } = w.value(w.node(index).inputs[0])?;
            w.made(index, name, layout);
            return Ok(());
        }
        Activation::Relu => ("Relu", Vec::new()),
        Activation::Sigmoid => ("Sigmoid", Vec::new()),
        Activation::Tanh => ("Tanh", Vec::new()),
        Activation::Softplus => ("Softplus", Vec::new()),
        Activation::LeakyRelu => leaky(Activation::LEAK),
        Activation::LeakierRelu => leaky(Activation::LARGER_LEAK),
    };
    alone(w, index, op, attributes)
}

/// Ties go to even numbers in both.
pub(super) fn round(w: &mut Writing<'_>, index: usize) -> Result<()> {
    alone(w, index, "Round", Vec::new())
}

/// A function of one tensor.
pub(super) fn unary(w: &mut Writing<'_>, index: usize, of: Unary) -> Result<()> {
    let (scale, shift) = match of {
        Unary::Exp => return alone(w, index, "Exp", Vec::new()),
        Unary::InverseRoot => {
            let Value { name, layout } = w.value(w.node(index).inputs[0])?;
            let root = w.add("Sqrt", &[name], Vec::new());
            let name = w.add("Reciprocal", &[root], Vec::new());
            w.made(index, name, layout);
            return Ok(());
        }
        Unary::Affine { scale, shift } => (scale, shift),
    };
    let Value { mut name, layout } = w.value(w.node(index).inputs[0])?;
    for (op, number, nothing) in [("Mul", scale, 1.0), ("Add", shift, 0.0)] {
        if number != nothing {
            let number = w.float(number);
            name = w.add(op, &[name, number], Vec::new());
        }
    }
    w.made(index, name, layout);
    Ok(())
}

/// A function of two tensors, as images where one of them is.
pub(super) fn binary(w: &mut Writing<'_>, index: usize, of: Binary) -> Result<()> {
    let op = match of {
        Binary::Add => "Add",
        Binary::Sub => "Sub",
        Binary::Mul => "Mul",
    };
    let inputs = w.node(index).inputs.clone();
    let layouts = [w.value(inputs[0])?.layout, w.value(inputs[1])?.layout];
    let size = layouts.iter().find_map(|layout| match layout {
        Layout::Image(size) => Some(*size),
        _ => None,
    });
    let (names, layout) = match size {
        Some(size) => ([w.image(inputs[0], size)?, w.image(inputs[1], size)?], Layout::Image(size)),
        None => ([w.rows(inputs[0])?, w.rows(inputs[1])?], Layout::Rows),
    };
    let name = w.add(op, &names, Vec::new());
    w.made(index, name, layout);
    Ok(())
}

/// The same elements, whose shape is settled by whoever reads them.
pub(super) fn reshape(w: &mut Writing<'_>, index: usize) -> Result<()> {
    let name = w.loose(w.node(index).inputs[0])?;
    w.made(index, name, Layout::Loose);
    Ok(())
}
