//! Losses made of existing operations, one file each. Each returns scalars; their weights are applied
//! where the gradient starts.

pub mod gaussian_nll;
pub mod soft_assignment;
pub mod weight_entropy;

pub use gaussian_nll::gaussian_nll;
pub use soft_assignment::{SoftAssignment, soft_assignment};
pub use weight_entropy::{Activity, weight_entropy};
