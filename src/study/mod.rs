//! What people do with models: sweeps, clusters, codes, smaller networks.

pub mod attack;
pub mod cluster;
pub mod codes;
pub mod collapse;
pub mod compact;
pub mod gibbs;
pub mod hopfield;
pub mod inspect;
pub mod maps;
mod parts;
pub mod pictures;
pub mod probe;
pub mod saliency;
pub mod slopes;
pub mod spectra;
pub mod study_dir;
pub mod sweep;
pub mod symbols;
mod tensors;
pub mod units;
