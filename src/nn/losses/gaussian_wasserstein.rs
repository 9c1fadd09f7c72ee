//! Squared Wasserstein-2 distance of the Gaussian that fits a batch of codes from the standard normal distribution.
//!
//! Source: Blair, "Autoencoders" (COMP9444, 2025), the Wasserstein autoencoder with a Gaussian penalty; FORMULAS §3.
//! With mean m and covariance C of the valid rows, over their number, and A = C + jitter · I:
//!
//! ‖m‖² + tr A + N − 2 tr A^½ = ‖m‖² + Σ (√λ − 1)²
//!
//! over the eigenvalues λ of A, or over its diagonal, which leaves correlations as they are. 0 for codes of mean 0 and
//! covariance (1 − jitter) I, whatever their distribution is.

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::binary::Binary;
use crate::ops::array::sum_all::SumAll;
use crate::ops::loss::bures::Bures;
use crate::ops::norm::moments::Moments;

/// The distance, a scalar, of codes \[rows, N\], of which the clock says how many count; `form` says whether
/// correlations matter, and the jitter.
///
/// # Errors
/// When the codes are no matrix, or too wide.
pub fn gaussian_wasserstein(g: &mut Graph, codes: Var, clock: Var, form: Bures) -> Result<Var> {
    let moments = g.push(std::sync::Arc::new(Moments { rows_per_sample: 1 }), &[codes, clock])?;
    let spread = g.push(std::sync::Arc::new(form), &[moments[1]])?[0];
    let squares = g.apply(Binary::Mul, &[moments[0], moments[0]])?;
    let shift = g.apply(SumAll, &[squares])?;
    g.apply(Binary::Add, &[shift, spread])
}
