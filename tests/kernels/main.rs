//! Kernels and shaders: each against its twin, the comparator that judges them, what tuning may choose.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;

mod comparator;
mod shaders;
mod threads;
mod tuning;
mod twins;
