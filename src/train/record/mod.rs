//! What a run leaves on disk: checkpoints, metrics, the folder itself, tensors for others.

pub mod checkpoint;
pub mod described;
#[cfg(feature = "native")]
pub mod events;
#[cfg(feature = "native")]
pub mod export;
mod fitting;
pub mod metrics;
#[cfg(feature = "native")]
mod metrics_file;
#[cfg(feature = "native")]
pub mod onnx;
mod order;
#[cfg(feature = "native")]
pub mod run_dir;
mod sums;
mod tensors;
