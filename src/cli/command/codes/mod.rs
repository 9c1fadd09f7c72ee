//! Commands that make codes of rows, or rows of codes.

pub mod decode;
pub mod encode;
pub mod generate;
pub mod interpolate;
mod named;
mod rows;
pub mod traverse;
