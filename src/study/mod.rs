//! What people do with models: sweeps, clusters, codes, smaller networks.

#[cfg(feature = "native")]
pub mod attack;
#[cfg(feature = "native")]
pub mod cluster;
pub mod codes;
#[cfg(feature = "native")]
pub mod collapse;
#[cfg(feature = "native")]
pub mod compact;
#[cfg(feature = "native")]
pub mod gibbs;
#[cfg(feature = "native")]
pub mod hopfield;
#[cfg(feature = "native")]
pub mod inspect;
#[cfg(feature = "native")]
pub mod lone_part;
#[cfg(feature = "native")]
pub mod maps;
mod parts;
#[cfg(feature = "native")]
pub mod pictures;
#[cfg(feature = "native")]
pub mod probe;
#[cfg(feature = "native")]
pub mod saliency;
#[cfg(feature = "native")]
pub mod slopes;
#[cfg(feature = "native")]
pub mod spectra;
#[cfg(feature = "native")]
pub mod study_dir;
#[cfg(feature = "native")]
pub mod sweep;
#[cfg(feature = "native")]
pub mod symbols;
mod tensors;
pub mod units;
