//! Whole numbers: what they cost, what learns them, and how they become bytes.

pub mod coding;
pub mod hyperprior;
pub mod rate;
pub mod views;
