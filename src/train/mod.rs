//! Training: graphs, the session on a device, checkpoints, metrics, the loop.

pub mod checkpoint;
pub mod cluster;
pub mod collapse;
pub mod compact;
pub mod early_stopping;
mod event;
pub mod export;
mod forward;
pub mod graph;
pub mod hopfield;
pub mod inspect;
pub mod metrics;
pub mod observation;
pub mod optimiser;
mod pace;
pub mod profile;
mod profiler;
pub mod run;
pub mod run_dir;
pub mod session;
mod spectrum;
mod start;
mod stretches;
pub mod sweep;
mod trace_file;
pub mod tuning;

pub use checkpoint::Checkpoint;
pub use event::Event;
pub use metrics::{EpochMetrics, TermSums};
pub use observation::{LayerObservation, Observation};
pub use profile::{Profile, ProfileRow};
pub use run::Run;
pub use run_dir::RunDir;
pub use session::Session;
pub use tuning::Tuning;
