//! Layers, models and losses: plain functions that add nodes to a graph.

pub mod autoencoder;
pub mod layers;
pub mod losses;

pub use autoencoder::{Autoencoder, LayerSpec};
pub use layers::Layer;
