//! Layers, models and losses: plain functions that add nodes to a graph.

pub mod autoencoder;
pub mod boltzmann;
pub mod hopfield;
pub mod layers;
pub mod losses;

pub use autoencoder::{Autoencoder, LayerSpec};
pub use boltzmann::Boltzmann;
pub use layers::Layer;
