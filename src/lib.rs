//! gpu-ae: trains small autoencoders on any GPU with WGSL compute shaders, and lets entropy find the
//! bottleneck.
//!
//! What flows through it: a [`graph::Graph`] says *what* is computed, [`autodiff::grad`] adds
//! gradients as more nodes, a [`plan::Plan`] says *how* in kernel steps and memory, and a
//! [`device::Device`] is *where* it runs. ARCHITECTURE.md is the map.
//!
//! Without the feature `native` there are no threads, no files and no clock, as in a browser, and nothing that
//! stands on them: training runs, studies, pictures.

pub mod autodiff;
#[cfg(test)]
#[path = "../tests/common/cases.rs"]
#[allow(clippy::expect_used)]
mod cases;
#[cfg(feature = "native")]
pub mod claim;
pub mod coding;
pub mod config;
pub mod data;
pub mod device;
pub mod eigen;
pub mod error;
#[cfg(feature = "native")]
mod fault;
pub mod graph;
pub mod model;
pub mod nn;
#[cfg(feature = "native")]
mod onnx;
pub mod ops;
pub mod optim;
pub mod plan;
#[cfg(feature = "native")]
pub mod report;
pub mod rng;
pub mod shader;
mod spelling;
pub mod statistics;
pub mod study;
pub mod tensor;
#[cfg(feature = "native")]
pub mod threads;
#[cfg(not(feature = "native"))]
mod threads;
pub mod train;
pub mod vectors;
#[cfg(feature = "native")]
pub mod whole_file;

pub use error::{Error, Result};
