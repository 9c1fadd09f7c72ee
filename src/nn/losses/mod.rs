//! Losses made of existing operations, one file each. Each returns scalars; their weights are applied
//! where the gradient starts.

pub mod contractive;
pub mod contrastive_divergence;
pub mod gaussian_nll;
pub mod gaussian_wasserstein;
pub mod nt_xent;
pub mod path_entropy;
pub mod path_width;
pub mod soft_assignment;
pub mod weight_entropy;

pub use contractive::{contractive_estimate, contractive_exact};
pub use contrastive_divergence::contrastive_divergence;
pub use gaussian_nll::gaussian_nll;
pub use gaussian_wasserstein::gaussian_wasserstein;
pub use nt_xent::nt_xent;
pub use path_entropy::{PathStatistics, path_entropy};
pub use path_width::path_widths;
pub use soft_assignment::{SoftAssignment, soft_assignment};
pub use weight_entropy::{Activity, weight_entropy};

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::sum_all::SumAll;
use crate::ops::array::unary::Unary;
use crate::ops::batch::valid_share::ValidShare;

/// Σ x over valid samples, over their number: the mean of a sample's sum, for x of so many rows a sample.
///
/// # Errors
/// When its rows are no whole samples.
pub fn sample_mean(g: &mut Graph, x: Var, clock: Var, rows_per_sample: usize) -> Result<Var> {
    let share = g.apply(ValidShare { rows_per_sample }, &[x, clock])?;
    let sum = g.apply(SumAll, &[share])?;
    match rows_per_sample {
        1 => Ok(sum),
        rows => g.apply(Unary::Affine { scale: rows as f32, shift: 0.0 }, &[sum]),
    }
}
