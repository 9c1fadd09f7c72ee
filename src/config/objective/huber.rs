//! A reconstruction error that large differences do not rule: `[huber]`.
//!
//! Source: Huber, "Robust Estimation of a Location Parameter" (1964). With d = y − x and q = min(|d|, δ), the mean over
//! rows and features of ½ q² + δ (|d| − q): a parabola up to δ, a straight line beyond.

use serde::{Deserialize, Serialize};

use super::{Objective, Told, Weight, check_weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Batch;
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::array::unary::Unary;
use crate::ops::loss::sparsity::{Penalty, Sparsity};

/// A reconstruction error that large differences do not rule, beside the squared one or, with `lambda_mse = 0`, in its
/// place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Huber {
    /// Its weight.
    pub weight: f32,
    /// Where the straight line begins, pixels from 0 to 1.
    pub delta: f32,
}

impl Default for Huber {
    fn default() -> Self {
        Huber { weight: 1.0, delta: 0.1 }
    }
}

/// The mean of the Huber loss over the valid rows and their features, for y and x \[rows, features\].
///
/// # Errors
/// When the shapes differ.
pub fn huber(g: &mut Graph, y: Var, x: Var, clock: Var, delta: f32) -> Result<Var> {
    let features = g.ty(x).shape.matrix().map_or(1, |(_, features)| features);
    let affine = |g: &mut Graph, x: Var, scale: f32, shift: f32| g.apply(Unary::Affine { scale, shift }, &[x]);
    let difference = g.apply(Binary::Sub, &[y, x])?;
    let negative = affine(g, difference, -1.0, 0.0)?;
    let halves = [g.apply(Activation::Relu, &[difference])?, g.apply(Activation::Relu, &[negative])?];
    let distance = g.apply(Binary::Add, &halves)?;
    let beyond = affine(g, distance, 1.0, -delta)?;
    let beyond = g.apply(Activation::Relu, &[beyond])?;
    let within = g.apply(Binary::Sub, &[distance, beyond])?;
    let square = g.apply(Binary::Mul, &[within, within])?;
    let (square, line) = (affine(g, square, 0.5, 0.0)?, affine(g, beyond, delta, 0.0)?);
    let terms = g.apply(Binary::Add, &[square, line])?;
    // None of them is negative, so their sum over features, mean over rows, is that of their sizes.
    let sizes = Sparsity { penalty: Penalty::L1, rows_per_sample: 1 };
    let sum = g.push(std::sync::Arc::new(sizes), &[terms, clock])?[0];
    affine(g, sum, 1.0 / features as f32, 0.0)
}

impl Objective for Huber {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("huber.weight", self.weight)?;
        if !(self.delta.is_finite() && self.delta > 0.0) {
            return refuse("huber.delta", self.delta, "a positive number");
        }
        if !config.reconstructs() {
            return Err(Error::Usage("huber: has no meaning for a network that reconstructs nothing".into()));
        }
        Ok(())
    }

    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        vec![("huber", Weight::fixed(self.weight))]
    }

    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let answer = batch.reconstruction(g)?;
        Ok(vec![huber(g, answer, batch.x, batch.clock, self.delta)?])
    }

    fn is_sufficient(&self) -> bool {
        self.weight > 0.0
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        vec![Told::new("test_huber", "huber", 4)]
    }
}
