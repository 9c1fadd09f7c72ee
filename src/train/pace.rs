//! How fast an epoch goes.

use std::time::Duration;

/// Times of the epoch under way.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Of all its steps.
    epoch: Duration,
    /// Samples and time that tell the speed: without this process's first step, which includes what drivers
    /// compile late, and without steps that were slowed down to be profiled.
    timed: (f64, Duration),
    warm: bool,
}

impl Pace {
    /// Whether this process has run a step.
    pub fn is_warm(&self) -> bool {
        self.warm
    }

    /// Takes note of steps over `rows` samples that took `time`; returns whether they tell the speed.
    pub fn took(&mut self, rows: f64, time: Duration, traced: bool) -> bool {
        self.epoch += time;
        let steady = std::mem::replace(&mut self.warm, true) && !traced;
        if steady {
            self.timed.0 += rows;
            self.timed.1 += time;
        }
        steady
    }

    /// Samples a second of the epoch so far, of which there were `rows`; of its only step where there is no
    /// other.
    pub fn samples_per_second(&self, rows: f64) -> f64 {
        let (rows, time) = if self.timed.0 > 0.0 { self.timed } else { (rows, self.epoch) };
        rows / time.as_secs_f64().max(1e-9)
    }

    /// Seconds of the epoch's steps so far.
    pub fn seconds(&self) -> f64 {
        self.epoch.as_secs_f64()
    }

    /// A new epoch begins.
    pub fn restart(&mut self) {
        *self = Pace { warm: self.warm, ..Pace::default() };
    }
}
