//! The house rules that a compiler does not check. In each module the tables are the rules; what follows reads files.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod families;
mod floors;
mod paths;
mod rooms;
mod source;
mod words;
