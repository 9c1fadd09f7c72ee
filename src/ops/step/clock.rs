//! The clock: the words of a run that change from step to step, kept on the device and advanced
//! there by `clock_advance`, so that a thousand steps are a thousand identical command sequences.
//! The layout is that of `shaders/common/clock.wgsl`.

use crate::rng::{Stream, stream_key};
use crate::tensor::{HostTensor, Ty};

/// Number of words.
pub const WORDS: usize = 16;

/// Steps completed.
pub const STEP: usize = 0;
/// Epochs completed.
pub const EPOCH: usize = 1;
/// Batches completed within the epoch.
pub const BATCH: usize = 2;
/// Rows of the current batch that hold data; the rest is padding.
pub const VALID_ROWS: usize = 3;
/// Rows of the data set.
pub const ROWS: usize = 4;
/// Rows of a full batch.
pub const BATCH_SIZE: usize = 5;
/// 1 when the order within an epoch is shuffled.
pub const SHUFFLE: usize = 6;
/// 0, or 1 + the number of the step whose loss was not finite; no parameter changes after it.
pub const BAD_STEP: usize = 7;
/// Which loss term was not finite.
pub const BAD_TERM: usize = 8;
/// Adam's first bias correction 1 − β₁ᵗ, as the bits of an f32.
pub const CORRECTION1: usize = 9;
/// Adam's second bias correction 1 − β₂ᵗ, as the bits of an f32.
pub const CORRECTION2: usize = 10;
/// Two words: key of the shuffle stream.
pub const SHUFFLE_KEY: usize = 11;
/// Two words: key of the draws inside a step.
pub const STEP_KEY: usize = 13;
/// Batches in a window, if rows come window by window: the data then is those of the current window, in the order in
/// which batches take them. 0 if all rows are there. No part of a training state: what a checkpoint holds is 0.
pub const WINDOW: usize = 15;

/// Type of a clock.
pub fn ty() -> Ty {
    Ty::u32(&[WORDS])
}

/// A clock at the start of a run over `rows` rows in batches of `batch_size`.
pub fn start(rows: usize, batch_size: usize, shuffle: bool, seed: u64) -> [u32; WORDS] {
    let mut clock = [0; WORDS];
    clock[ROWS] = rows as u32;
    clock[BATCH_SIZE] = batch_size as u32;
    clock[VALID_ROWS] = batch_size.min(rows) as u32;
    clock[SHUFFLE] = u32::from(shuffle);
    clock[SHUFFLE_KEY..SHUFFLE_KEY + 2].copy_from_slice(&stream_key(seed, Stream::Shuffle));
    clock[STEP_KEY..STEP_KEY + 2].copy_from_slice(&stream_key(seed, Stream::Step));
    clock
}

/// Valid rows of the current batch.
pub fn valid_rows(clock: &[u32]) -> usize {
    clock[VALID_ROWS] as usize
}

/// A clock that says no more than how many rows are valid, for computations outside of training.
pub fn with_valid_rows(rows: usize) -> HostTensor<f32> {
    HostTensor::from_words(&[WORDS], &start(rows, rows, false, 0))
}
