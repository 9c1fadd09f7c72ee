//! Optimisers, as plain functions over a graph.

pub mod adam;
pub mod sgd;
