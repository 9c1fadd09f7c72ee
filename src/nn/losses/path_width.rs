//! How wide each hidden layer is, judged by the share of the network's paths that goes through each neuron.
//!
//! Source: FORMULAS §1. With A = |W|, F what reaches a neuron from the inputs and the always-on source of
//! the biases (F_l = A_l F_{l−1} + |b_l|) and B what leads from it to the outputs (B_{l−1} = A_lᵀ B_l), a layer's
//! width is the entropy of F ∘ B over its neurons. Rescaling a ReLU neuron multiplies its F and divides its
//! B, so it cannot be gamed. [`super::path_entropy()`] computes the same shares without a gradient.

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::Layer;
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::ops::entropy::renyi_entropy::RenyiEntropy;
use crate::ops::matmul::MatMul;

/// |x|, without a slope at 0.
fn abs(g: &mut Graph, x: Var) -> Result<Var> {
    let negated = g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[x])?;
    let halves = [g.apply(Activation::Relu, &[x])?, g.apply(Activation::Relu, &[negated])?];
    g.apply(Binary::Add, &halves)
}

/// A vector through a matrix, as a vector.
fn through(g: &mut Graph, vector: Var, product: MatMul, matrix: Var) -> Result<Var> {
    let row = g.apply(Broadcast::Rows(1), &[vector])?;
    let row = g.apply(product, &[row, matrix])?;
    g.apply(SumAxis::Rows, &[row])
}

/// Entropies of order `alpha` in nats of the hidden layers of `layers`, in order: one less than there are
/// layers.
///
/// # Errors
/// When the layers do not fit each other.
pub fn path_widths(g: &mut Graph, layers: &[Layer], alpha: f32) -> Result<Vec<Var>> {
    let edges = layers.iter().map(|layer| abs(g, layer.weight)).collect::<Result<Vec<Var>>>()?;
    let mut forward: Vec<Var> = Vec::new();
    for (layer, &a) in layers.iter().zip(&edges).take(layers.len().saturating_sub(1)) {
        let reached = match forward.last() {
            Some(&before) => through(g, before, MatMul::Nt, a)?,
            None => g.apply(SumAxis::Columns, &[a])?,
        };
        let bias = abs(g, layer.bias)?;
        forward.push(g.apply(Binary::Add, &[reached, bias])?);
    }
    let mut backward: Vec<Var> = Vec::new();
    for &a in edges.iter().skip(1).rev() {
        backward.push(match backward.last() {
            Some(&behind) => through(g, behind, MatMul::Nn, a)?,
            None => g.apply(SumAxis::Rows, &[a])?,
        });
    }
    let nodes = forward.into_iter().zip(backward.into_iter().rev());
    nodes
        .map(|(f, b)| {
            let shares = g.apply(Binary::Mul, &[f, b])?;
            g.apply(RenyiEntropy { alpha }, &[shares])
        })
        .collect()
}
