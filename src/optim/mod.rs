//! Optimisers and schedules, as plain functions over a graph.

pub mod adam;
pub mod schedule;
pub mod sgd;
