//! The commands, one file each.

pub mod cluster;
pub mod codes;
pub mod compact;
pub mod compare;
pub mod completions;
pub mod config;
pub mod data;
pub mod devices;
pub mod doctor;
pub mod eval;
pub mod export;
pub mod inspect;
pub mod judging;
pub mod man;
pub mod plan;
pub mod reconstruct;
pub mod score;
pub mod sweep;
pub mod train;
