//! How much a code changes with what it is the code of: the squared Frobenius norm of the encoder's Jacobian, mean over the
//! valid rows of a batch.
//!
//! Source: Rifai et al., "Contractive Auto-Encoders: Explicit Invariance During Feature Extraction" (2011); FORMULAS §3.
//! With J_m = ∂h_m/∂x_m of row m, three ways to ‖J_m‖²:
//!
//! * one layer h = act(Wx + b): Σ_i s_mi² ‖W_i‖², s the slopes. A sigmoid's is σ(a)σ(−a) of its argument a, and that of
//!   tanh 4σ(2a)σ(−2a): h(1 − h) and 1 − h² lose their digits where h nears 1
//! * any encoder, exact: Σ_k ‖∂h_mk/∂x_m‖², one gradient a unit of the code
//! * any encoder, an estimate (Hutchinson, 1990): E ‖J_mᵀ v‖² over random signs v
//!
//! The gradients are nodes of the graph, so the training step differentiates them again.

use std::sync::Arc;

use crate::autodiff::grad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::layers::Layer;
use crate::ops::array::activation::Activation;
use crate::ops::array::activation_grad::ActivationGrad;
use crate::ops::array::binary::Binary;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::ops::batch::valid_ones::ValidOnes;
use crate::ops::loss::sparsity::{Penalty, Sparsity};
use crate::ops::random::corrupt::Corrupt;
use crate::ops::random::random_uniform::RandomUniform;

/// Units of a code behind several layers up to which the norm is computed exactly: each is a pass back through the encoder.
pub const MOST_UNITS: usize = 64;

/// The exact norm for an encoder of these layers that made the code h \[batch, units\] of x \[batch, features\].
///
/// # Errors
/// When h does not come from x, or has more than [`MOST_UNITS`] units behind several layers.
pub fn contractive_exact(g: &mut Graph, encoder: &[Layer], x: Var, h: Var, clock: Var) -> Result<Var> {
    if let [layer] = encoder {
        return of_one_layer(g, layer, h, clock);
    }
    let (rows, columns) = shape(g, h);
    if columns > MOST_UNITS {
        let problem = format!("exact for {columns} units behind {} layers: at most {MOST_UNITS}", encoder.len());
        return Err(Error::Usage(format!("contractive: {problem}, or Hutchinson's estimate")));
    }
    let ones = |unit: usize| ValidOnes { rows, rows_per_sample: 1, columns, column: Some(unit) };
    let units = (0..columns).map(|unit| g.apply(ones(unit), &[clock]));
    let units = units.collect::<Result<Vec<Var>>>()?;
    squared_projections(g, x, h, clock, &units)
}

/// Hutchinson's estimate of the norm from `probes` random signs a row and unit, drawn anew in every step; `stream` and those
/// that follow it belong to the probes.
///
/// # Errors
/// When h does not come from x.
pub fn contractive_estimate(g: &mut Graph, x: Var, h: Var, clock: Var, probes: usize, stream: u32) -> Result<Var> {
    let (rows, columns) = shape(g, h);
    let ones = g.apply(ValidOnes { rows, rows_per_sample: 1, columns, column: None }, &[clock])?;
    let mut signs = Vec::with_capacity(probes);
    for probe in 0..probes {
        let stream = stream + probe as u32;
        let draws = g.apply(RandomUniform { shape: g.ty(h).shape.clone(), stream }, &[clock])?;
        let zero_or_two = g.apply(Corrupt::Mask { rate: 0.5, scale: 2.0 }, &[ones, draws])?;
        signs.push(g.apply(Binary::Sub, &[zero_or_two, ones])?);
    }
    let sum = squared_projections(g, x, h, clock, &signs)?;
    g.apply(Unary::Affine { scale: 1.0 / probes.max(1) as f32, shift: 0.0 }, &[sum])
}

/// Σ over the probes v \[batch, units\] of ‖Jᵀv‖², mean over the valid rows.
///
/// # Errors
/// When h does not come from x, or there is no probe.
pub fn squared_projections(g: &mut Graph, x: Var, h: Var, clock: Var, probes: &[Var]) -> Result<Var> {
    let mut squares: Option<Var> = None;
    for &probe in probes {
        let unrelated = || Error::graph("contractive", "the code does not depend on the rows");
        let pulled = grad(g, &[(h, probe)], &[x])?[0].ok_or_else(unrelated)?;
        let square = g.apply(Binary::Mul, &[pulled, pulled])?;
        squares = Some(match squares {
            Some(sum) => g.apply(Binary::Add, &[sum, square])?,
            None => square,
        });
    }
    let squares = squares.ok_or_else(|| Error::graph("contractive", "expected at least one probe"))?;
    mean_over_rows(g, squares, clock)
}

fn of_one_layer(g: &mut Graph, layer: &Layer, h: Var, clock: Var) -> Result<Var> {
    let (rows, _) = shape(g, h);
    let slopes = slopes(g, layer.activation, h, clock)?;
    let squared_slopes = g.apply(Binary::Mul, &[slopes, slopes])?;
    let squared_weights = g.apply(Binary::Mul, &[layer.weight, layer.weight])?;
    let norms = g.apply(SumAxis::Columns, &[squared_weights])?;
    let norms = g.apply(Broadcast::Rows(rows), &[norms])?;
    let terms = g.apply(Binary::Mul, &[squared_slopes, norms])?;
    mean_over_rows(g, terms, clock)
}

/// Σ of a row's elements, none of them negative, mean over the valid rows: the L1 penalty.
fn mean_over_rows(g: &mut Graph, squares: Var, clock: Var) -> Result<Var> {
    let mean = Sparsity { penalty: Penalty::L1, rows_per_sample: 1 };
    Ok(g.push(Arc::new(mean), &[squares, clock])?[0])
}

/// Slopes of the activation that made h, with all their digits.
fn slopes(g: &mut Graph, activation: Activation, h: Var, clock: Var) -> Result<Var> {
    let made_by = g.node(h);
    let argument = if made_by.op.downcast() == Some(&activation) { made_by.inputs[0] } else { h };
    let sigmoid_of = |g: &mut Graph, scale: f32| {
        let scaled = g.apply(Unary::Affine { scale, shift: 0.0 }, &[argument])?;
        g.apply(Activation::Sigmoid, &[scaled])
    };
    match activation {
        Activation::Sigmoid => {
            let other = sigmoid_of(g, -1.0)?;
            g.apply(Binary::Mul, &[h, other])
        }
        Activation::Tanh => {
            let (one, other) = (sigmoid_of(g, 2.0)?, sigmoid_of(g, -2.0)?);
            let product = g.apply(Binary::Mul, &[one, other])?;
            g.apply(Unary::Affine { scale: 4.0, shift: 0.0 }, &[product])
        }
        Activation::Softplus => g.apply(Activation::Sigmoid, &[argument]),
        Activation::Identity | Activation::Relu | Activation::LeakyRelu | Activation::LeakierRelu => {
            let (rows, columns) = shape(g, h);
            let ones = g.apply(ValidOnes { rows, rows_per_sample: 1, columns, column: None }, &[clock])?;
            g.apply(ActivationGrad(activation), &[ones, h])
        }
    }
}

fn shape(g: &Graph, h: Var) -> (usize, usize) {
    g.ty(h).shape.matrix().unwrap_or((1, g.ty(h).elements()))
}
