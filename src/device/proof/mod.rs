//! Proving kernels: cases run on a device, compared with what they should give.

pub mod check;
mod reference;

pub use reference::{Reference, reference};
