//! The Hopfield network: neurons of −1 and 1 that recall the stored pattern nearest to what they are shown.
//!
//! Sources: Hopfield, "Neural networks and physical systems with emergent collective computational abilities" (1982);
//! Personnaz, Guyon, Dreyfus, "Information storage and retrieval in spin-glass like neural networks" (1985). With N
//! neurons and patterns p, the rows of P:
//!
//! * Hebbian: W = (1/N) Σ p pᵀ; recalls about 0.14 N patterns that have nothing to do with each other
//! * projection: W = Pᵀ (P Pᵀ)⁻¹ P, onto the patterns' span; holds correlated patterns too
//!
//! both with a zero diagonal. The energy is −½ xᵀWx − bᵀx, and a neuron becomes the sign of W x + b, or stays as it is
//! where that is 0.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::binary::Binary;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::ops::energy::hopfield_sweep::HopfieldSweep;
use crate::ops::matmul::MatMul;
use crate::ops::random::threshold::Threshold;

/// How patterns are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// W = Pᵀ (P Pᵀ)⁻¹ P
    Projection,
    /// W = (1/N) Σ p pᵀ
    Hebbian,
}

/// In which order neurons decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Update {
    /// All at once; may end in two states that alternate.
    Synchronous,
    /// One after the other, each with what those before it have become; always comes to rest.
    Asynchronous,
}

/// What is left of a pattern's length, as a share, below which it is a combination of those before it.
const DEPENDENT: f64 = 1e-9;

impl Rule {
    /// W \[neurons, neurons\] that stores the rows of `patterns`, of −1 and 1, `neurons` each.
    pub fn weights(self, patterns: &[f64], neurons: usize) -> Vec<f64> {
        let mut weights = match self {
            Rule::Hebbian => outer_products(patterns, neurons, 1.0 / neurons as f64),
            Rule::Projection => outer_products(&orthonormal(patterns, neurons), neurons, 1.0),
        };
        weights.iter_mut().step_by(neurons + 1).for_each(|own| *own = 0.0);
        weights
    }
}

/// scale · Σ p pᵀ over the rows of `rows`.
fn outer_products(rows: &[f64], width: usize, scale: f64) -> Vec<f64> {
    let mut sums = vec![0.0; width * width];
    for row in rows.chunks_exact(width) {
        for (sums, &a) in sums.chunks_exact_mut(width).zip(row) {
            sums.iter_mut().zip(row).for_each(|(sum, &b)| *sum += a * b);
        }
    }
    sums.iter_mut().for_each(|sum| *sum *= scale);
    sums
}

/// An orthonormal basis of what the rows span, by Gram and Schmidt; twice, which brings it to rounding error.
fn orthonormal(rows: &[f64], width: usize) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut basis: Vec<f64> = Vec::with_capacity(rows.len());
    for row in rows.chunks_exact(width) {
        let mut rest = row.to_vec();
        for _ in 0..2 {
            for known in basis.chunks_exact(width) {
                let part = dot(&rest, known);
                rest.iter_mut().zip(known).for_each(|(rest, known)| *rest -= part * known);
            }
        }
        let length = dot(&rest, &rest).sqrt();
        if length > DEPENDENT * dot(row, row).sqrt() {
            basis.extend(rest.iter().map(|rest| rest / length));
        }
    }
    basis
}

/// States \[rows, neurons\] after one update, for weights W \[neurons, neurons\] and biases b \[neurons\].
///
/// # Errors
/// When the shapes do not fit.
pub fn update(g: &mut Graph, order: Update, states: Var, weight: Var, bias: Var) -> Result<Var> {
    if order == Update::Asynchronous {
        return g.apply(HopfieldSweep, &[states, weight, bias]);
    }
    let product = g.apply(MatMul::Nt, &[states, weight])?;
    let field = g.apply(AddBias, &[product, bias])?;
    g.apply(Threshold::Sign, &[field, states])
}

/// The energy \[rows\] of states \[rows, neurons\], −½ xᵀWx − bᵀx each.
///
/// # Errors
/// When the shapes do not fit.
pub fn energy(g: &mut Graph, states: Var, weight: Var, bias: Var) -> Result<Var> {
    let product = g.apply(MatMul::Nt, &[states, weight])?;
    let half = g.apply(Unary::Affine { scale: 0.5, shift: 0.0 }, &[product])?;
    let field = g.apply(AddBias, &[half, bias])?;
    let terms = g.apply(Binary::Mul, &[states, field])?;
    let sums = g.apply(SumAxis::Columns, &[terms])?;
    g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[sums])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A projection leaves what it projects onto as it is, dependent patterns or not; with the diagonal taken out,
    /// each neuron of a stored pattern keeps its sign.
    #[test]
    fn projection_holds_every_stored_pattern() {
        let neurons = 16;
        let signs = |word: u32| (0..neurons).map(move |bit| if word >> bit & 1 == 1 { 1.0 } else { -1.0 });
        // Neighbours of each other, the third one the first's negative.
        let patterns: Vec<f64> = [0xff0f, 0xff07, 0x00f0, 0x7f0f].into_iter().flat_map(signs).collect();
        let basis = orthonormal(&patterns, neurons);
        assert_eq!(basis.len(), 3 * neurons, "a negative adds nothing to the span");
        let projector = outer_products(&basis, neurons, 1.0);
        let weights = Rule::Projection.weights(&patterns, neurons);
        for pattern in patterns.chunks_exact(neurons) {
            for (i, &p) in pattern.iter().enumerate() {
                let field =
                    |w: &[f64]| w[i * neurons..][..neurons].iter().zip(pattern).map(|(w, p)| w * p).sum::<f64>();
                assert!((field(&projector) - p).abs() < 1e-12);
                assert!(field(&weights) * p >= -1e-12 && weights[i * (neurons + 1)] == 0.0);
            }
        }
    }
}
