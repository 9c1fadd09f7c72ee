//! gpu-ae: trains autoencoders on any GPU with WGSL compute shaders.
pub mod error;
pub mod tensor;
pub mod rng;
pub mod shader;
pub mod graph;
pub mod ops;
pub mod autodiff;
pub mod plan;
pub mod device;
pub mod data;
pub mod report;
pub use error::{Error, Result};
