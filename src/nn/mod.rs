//! Layers, networks and losses: plain functions that add nodes to a graph.

pub mod batch;
pub mod block;
pub mod boltzmann;
pub mod builder;
mod building;
pub mod hopfield;
pub mod layers;
pub mod losses;
pub mod network;
pub mod order;
mod passing;
pub mod rate;
pub mod torchvision;
pub mod wired;
pub mod wiring;

pub use batch::{Batch, Pass, stream};
pub use block::{Block, BlockConfig};
pub use boltzmann::Boltzmann;
pub use builder::{Builder, Init, Parameter};
pub use layers::Layer;
pub use network::{Network, Passed};
