//! Training: the session on a device, the loop, checkpoints, metrics.

mod averaging;
pub mod early_stopping;
mod event;
mod feed;
mod interrupt;
mod judging;
mod moments;
pub mod neighbours;
pub mod observation;
mod pace;
mod passage;
pub mod profile;
mod reader;
pub mod record;
pub mod room;
pub mod run;
pub mod session;
mod starting;
pub mod stepping;
mod stretches;
pub mod tuning;

pub use event::Event;
pub use interrupt::Interrupt;
pub use observation::{LayerObservation, Observation};
pub use profile::{Profile, ProfileRow};
pub use record::checkpoint::Checkpoint;
pub use record::metrics::{EpochMetrics, TermSums};
pub use record::run_dir::RunDir;
pub use run::Run;
pub use session::Session;
pub use tuning::Tuning;
