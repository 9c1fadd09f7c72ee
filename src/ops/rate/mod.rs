//! Bits: whole numbers in the place of codes, and what they cost under a model of their distribution.

pub mod cumulative;
pub mod cumulative_grad;
mod gaussian_bin;
pub mod gaussian_bits;
pub mod gaussian_bits_grad;
pub mod interval_bits;
pub mod interval_bits_grad;
pub mod ste_round;
