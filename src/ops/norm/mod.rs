//! Normalisation, and the moments it needs.

pub mod batch_norm;
pub mod batch_norm_grad;
pub mod group_norm;
pub mod group_norm_grad;
pub mod moments;
pub mod moments_grad;
pub mod normalise_rows;
mod stretches;
pub mod unit_rows;
pub mod unit_rows_grad;
