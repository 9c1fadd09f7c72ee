//! Data sets: downloads, and what is read of files.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../common/anew.rs"]
mod anew;
#[path = "../common/cases.rs"]
mod cases;
#[path = "../common/codes.rs"]
mod made_codes;
#[path = "../common/web_server.rs"]
mod web_server;

mod arrays;
mod bad_input;
mod codes;
mod download;
mod files;
mod idx;
mod mnist;
mod published;
mod strange_arrays;
mod strangers;
mod tables;
