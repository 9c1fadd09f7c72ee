//! What a run leaves on disk: checkpoints, metrics, the folder itself, tensors for others.

pub mod checkpoint;
pub mod described;
pub mod events;
pub mod export;
mod fitting;
pub mod metrics;
mod metrics_file;
pub mod onnx;
mod order;
pub mod run_dir;
mod sums;
mod tensors;
