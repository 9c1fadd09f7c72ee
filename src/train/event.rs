//! What a run tells about itself.

use super::early_stopping::Judgement;
use super::{EpochMetrics, Profile};

/// What a run tells about itself as it goes.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Steps were read back.
    Progress {
        /// Epoch under way, from 1.
        epoch: u32,
        /// Samples of it done.
        samples: u64,
        /// Mean loss of the epoch so far; under weights that move its first term by name.
        figure: (&'a str, f64),
        /// Samples a second of the epoch so far.
        samples_per_second: f64,
    },
    /// An epoch is done.
    Epoch(&'a EpochMetrics),
    /// Training stops before its last epoch, since the best one is too long ago.
    Stopped(Judgement<'a>),
    /// The profile that was asked for is made and written.
    Profile(&'a Profile),
}
