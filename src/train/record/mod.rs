//! What a run leaves on disk: checkpoints, metrics, the folder itself, tensors for others.

pub mod checkpoint;
pub mod described;
pub mod export;
pub mod metrics;
pub mod run_dir;
mod sums;
mod tensors;
