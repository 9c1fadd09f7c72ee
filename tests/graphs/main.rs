//! Graphs: formulas, gradients, golden vectors, and the plans that are made of graphs.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/difference.rs"]
mod difference;
#[path = "../golden_support/mod.rs"]
mod golden_support;
#[path = "../common/layers.rs"]
mod layers;
#[path = "../common/loss.rs"]
mod loss;
#[path = "../common/random_graph.rs"]
mod random_graph;
#[path = "../common/training.rs"]
mod training;
#[path = "../common/viewed.rs"]
mod viewed;

mod fusions;
mod golden;
mod gradients;
mod gradients_exceptions;
mod gradients_family;
mod gradients_losses;
mod losses;
mod path_entropy;
mod plan_memory;
mod plans;
mod views;
