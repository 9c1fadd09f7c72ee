//! Negative log-likelihood of a target under a Gaussian with a predicted mean and log-scale.
//!
//! Σ over features of ½((x − μ)/σ)² + log σ + ½ log 2π, mean over rows, with log σ as predicted. Every
//! row counts: meant for full batches.

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::binary::Binary;
use crate::ops::array::sum_all::SumAll;
use crate::ops::array::unary::Unary;

/// The loss of mean and log-scale \[rows, features\] for a target of the same shape: a scalar in nats.
///
/// # Errors
/// When the shapes differ.
pub fn gaussian_nll(g: &mut Graph, mean: Var, log_scale: Var, target: Var) -> Result<Var> {
    let (rows, features) = g.ty(mean).shape.matrix().unwrap_or((1, g.ty(mean).elements()));
    let error = g.apply(Binary::Sub, &[target, mean])?;
    let negated = g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[log_scale])?;
    let inverse_scale = g.apply(Unary::Exp, &[negated])?;
    let standard = g.apply(Binary::Mul, &[error, inverse_scale])?;
    let square = g.apply(Binary::Mul, &[standard, standard])?;
    let half = g.apply(Unary::Affine { scale: 0.5, shift: 0.0 }, &[square])?;
    let terms = g.apply(Binary::Add, &[half, log_scale])?;
    let sum = g.apply(SumAll, &[terms])?;
    let constant = features as f64 * 0.5 * (2.0 * std::f64::consts::PI).ln();
    g.apply(Unary::Affine { scale: 1.0 / rows as f32, shift: constant as f32 }, &[sum])
}
