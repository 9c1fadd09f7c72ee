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
