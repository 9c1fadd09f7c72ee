//! Commands that make codes of rows, or rows of codes.

mod chosen;
pub mod compress;
pub mod decode;
pub mod decompress;
pub mod encode;
pub mod generate;
pub mod interpolate;
mod named;
mod picture;
mod rows;
pub mod traverse;
