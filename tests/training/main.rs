//! Training, step by step: on every device against the f64 interpreter.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/disguised.rs"]
mod disguised;
#[path = "../common/members.rs"]
mod members;
#[path = "../common/program.rs"]
mod program;
#[path = "../common/start.rs"]
mod start;
#[path = "../common/training.rs"]
mod training;

mod accumulation;
mod adversarial;
mod augment;
mod averaging;
mod cluster_neighbours;
mod compact;
mod decayed;
mod descent;
mod judging;
mod latch;
mod live;
mod objectives;
mod optimisers;
mod rate;
mod reading;
mod scaling;
mod subnormal;
mod ten_steps;
mod together;
mod ways;
