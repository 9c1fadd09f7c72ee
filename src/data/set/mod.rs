//! Data sets that have a name: made by the program, or downloaded.

pub mod digits;
#[cfg(feature = "native")]
pub mod mnist;
pub mod one_hot;
#[cfg(feature = "native")]
pub(super) mod published;
#[cfg(feature = "native")]
pub(super) mod relatives;
