//! What memory is asked for. This is a binary of its own, because it counts every request of its process.
#![allow(missing_docs, unsafe_code, clippy::unwrap_used, clippy::panic)]

#[path = "../common/anew.rs"]
mod anew;
mod counting;
mod cpu;
#[path = "../common/codes.rs"]
mod made_codes;
mod readers;
