//! Training: the session on a device, the loop, checkpoints, metrics.

mod averaging;
#[cfg(feature = "native")]
pub mod early_stopping;
pub mod epoch;
#[cfg(feature = "native")]
mod event;
mod feed;
#[cfg(feature = "native")]
pub mod group;
#[cfg(feature = "native")]
mod interrupt;
mod judging;
mod moments;
pub mod neighbours;
pub mod observation;
#[cfg(feature = "native")]
mod pace;
mod passage;
#[cfg(feature = "native")]
pub mod profile;
#[cfg(feature = "native")]
mod reader;
pub mod record;
pub mod room;
#[cfg(feature = "native")]
pub mod run;
pub mod session;
#[cfg(feature = "native")]
mod starting;
pub mod stepping;
#[cfg(feature = "native")]
mod streamed;
#[cfg(feature = "native")]
mod stretches;
pub mod tuning;

#[cfg(feature = "native")]
pub use event::Event;
#[cfg(feature = "native")]
pub use interrupt::Interrupt;
pub use observation::{LayerObservation, Observation};
#[cfg(feature = "native")]
pub use profile::{Profile, ProfileRow};
pub use record::checkpoint::Checkpoint;
pub use record::metrics::{EpochMetrics, TermSums};
#[cfg(feature = "native")]
pub use record::run_dir::RunDir;
#[cfg(feature = "native")]
pub use run::Run;
pub use session::Session;
pub use tuning::Tuning;
