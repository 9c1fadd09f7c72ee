//! Pictures as trained networks code them: a single one of any size, and how good many of them are at which price.

pub mod fidelity;
pub mod others;
pub mod rate_distortion;
mod tiles;

pub use tiles::{PictureCode, channels};
