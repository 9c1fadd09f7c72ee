//! A configuration becomes graphs: its network, its losses, a training step.

mod adversarial;
pub mod forward;
pub mod graph;
pub mod holding;
mod learning;
pub mod observation;
pub mod optimiser;
pub mod part;
mod scaling;
pub mod slopes;
pub mod start;
