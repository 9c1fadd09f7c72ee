//! Kernels of the CPU device: what is hot has one of its own, proved against the twin.

pub(super) mod activation;
pub(super) mod augment;
pub(super) mod bits;
pub(super) mod conv;
pub(super) mod cumulative;
pub(super) mod elements;
pub(super) mod gradient;
pub(super) mod max_pool;
pub(super) mod norm;
pub(super) mod optimisers;
pub(super) mod path_nodes;
pub(super) mod paths;
pub(super) mod pixels;
pub(super) mod product;
pub(super) mod random;
mod scaling;
mod shares;
mod stretch;
pub(super) mod sums;
pub(super) mod wide_rows;
