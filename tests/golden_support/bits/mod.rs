//! Whole numbers: what they cost, and how they become bytes.

pub mod coding;
pub mod hyperprior;
pub mod rate;
