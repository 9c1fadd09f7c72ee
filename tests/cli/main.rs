//! The program, driven as a process.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/program.rs"]
mod program;

mod changed_data;
mod cluster;
mod coding;
mod documented;
mod early_stopping;
mod energy;
mod errors;
mod faults;
mod folders;
mod judging;
mod models;
mod newcomers;
mod own_data;
mod own_pictures;
mod reading;
mod resume;
mod sweep;
mod train;
mod tuning;
mod using;
mod views;
mod watching;
