//! How well views find their partners among all views of a batch.
//!
//! Source: Chen et al., "A simple framework for contrastive learning of visual representations" (2020); FORMULAS §4.

use std::sync::Arc;

use super::sample_mean;
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::loss::nt_xent::NtXent;
use crate::ops::matmul::MatMul;
use crate::ops::norm::unit_rows::UnitRows;

/// The loss in nats, and the share of views to which another one is nearer than their partner: scalars, means over the valid rows
/// of Z \[2B, N\], of which rows 2k and 2k + 1 are views of one sample; `clock` counts views.
///
/// # Errors
/// When Z is no matrix of pairs of rows.
pub fn nt_xent(g: &mut Graph, z: Var, clock: Var, temperature: f32) -> Result<[Var; 2]> {
    let units = g.push(Arc::new(UnitRows), &[z])?[0];
    let cosines = g.apply(MatMul::Nt, &[units, units])?;
    let of_views = g.push(Arc::new(NtXent { temperature }), &[cosines, clock])?;
    Ok([sample_mean(g, of_views[0], clock, 1)?, sample_mean(g, of_views[2], clock, 1)?])
}
