//! What scales the columns of a product, in the product's weights.
//!
//! (x · Wᵀ) ∘ s is x · (W ∘ s)ᵀ, with each row of W scaled by the number of its column: a pass over the weights in the place of one over
//! all that comes of them. A norm that goes by moments of its own is such a scale behind a layer without biases, so that its
//! shift and the activation are then the product's bias and activation.

use std::collections::HashMap;

use super::finder::Finder;
use super::rewrite::Builder;
use super::value;
use crate::error::Result;
use crate::graph::{Graph, OpRef, Role, Var};
use crate::ops::array::binary::Binary;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::reshape::Reshape;
use crate::ops::array::scale_columns::ScaleColumns;
use crate::ops::conv::conv2d::Conv2d;
use crate::ops::conv::conv2d_dx::Conv2dDx;
use crate::ops::matmul::MatMul;

/// Where the numbers of a column of the product are among the weights.
#[derive(Clone, Copy)]
enum Layout {
    /// A row of them for each column.
    Rows,
    /// As many columns as the product has, once for each pixel of a kernel.
    Columns,
}

/// How the weights of a product lie that a node computes, if it does.
fn layout(f: &Finder<'_>, node: usize) -> Option<Layout> {
    let op = f.op(node);
    if op.downcast::<MatMul>() == Some(&MatMul::Nt) || op.downcast::<Conv2d>().is_some() {
        return Some(Layout::Rows);
    }
    // Those of groups lie beside one another.
    op.downcast::<Conv2dDx>().is_some_and(|op| op.0.groups == 1).then_some(Layout::Columns)
}

/// The products that are scaled, by the nodes that do it, with what computes each.
fn scaled(f: &Finder<'_>) -> HashMap<usize, (usize, Layout)> {
    let found = f.all::<ScaleColumns>().filter_map(|(scale, _)| {
        let product = f.inputs(scale)[0].node;
        let layout = layout(f, product)?;
        f.only_user::<ScaleColumns>(value(product), 0)?;
        let weights = f.inputs(product)[1];
        let is_less = f.ty(weights).elements() < f.ty(value(product)).elements();
        (is_less && f.role(weights).is_some_and(Role::is_parameter)).then_some((scale, (product, layout)))
    });
    found.collect()
}

/// Weights that hold the scale s of the columns of what they make.
fn weights(g: &mut Graph, w: Var, s: Var, layout: Layout) -> Result<Var> {
    let (shape, columns) = (g.ty(w).shape.clone(), g.ty(s).elements());
    match layout {
        Layout::Rows => {
            let spread = g.apply(Broadcast::Columns(shape.elements() / columns), &[s])?;
            g.apply(Binary::Mul, &[w, spread])
        }
        Layout::Columns => {
            let pixels = g.apply(Reshape::to(&[shape.elements() / columns, columns]), &[w])?;
            let scaled = g.apply(ScaleColumns, &[pixels, s])?;
            g.apply(Reshape(shape), &[scaled])
        }
    }
}

/// The graph with those scales in the weights that cost less there.
pub(super) fn scaled_weights(graph: &Graph) -> Result<Graph> {
    let scaled = scaled(&Finder::new(graph));
    if scaled.is_empty() {
        return Ok(graph.clone());
    }
    let products: Vec<usize> = scaled.values().map(|(product, _)| *product).collect();
    let mut builder = Builder::new(graph);
    for index in (0..graph.nodes().len()).filter(|index| !products.contains(index)) {
        let Some(&(product, layout)) = scaled.get(&index) else {
            builder.copy(index)?;
            continue;
        };
        let node = &graph.nodes()[product];
        let inputs = builder.translate(&[node.inputs[0], node.inputs[1], graph.nodes()[index].inputs[1]])?;
        let weights = weights(&mut builder.graph, inputs[1], inputs[2], layout)?;
        let op: OpRef = node.op.clone();
        let made = builder.graph.push(op, &[inputs[0], weights])?;
        builder.map.insert(value(index), made[0]);
    }
    builder.finish()
}
