//! What a device says about where the time of a plan goes.

use std::time::{Duration, Instant};

use serde::Serialize;

/// What times were taken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// Timestamps that the device itself writes around every dispatch.
    Timestamps,
    /// The host's clock around every dispatch, submitted and waited for alone: the wait is in it.
    Waiting,
    /// The host's clock around every operation that the host itself computes.
    Clock,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began, by the host's clock.
    pub start: Instant,
    /// How long it took.
    pub length: Duration,
}

impl Span {
    /// From `start` until now.
    pub fn since(start: Instant) -> Self {
        Span { start, length: start.elapsed() }
    }
}

/// One dispatch of one run of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedDispatch {
    /// Index into the plan's steps.
    pub step: usize,
    /// Index into the step's dispatches; a device without dispatches computes a step in one.
    pub dispatch: usize,
    /// When it ran. Dispatches do not overlap.
    pub span: Span,
}

/// Several runs of a plan, dispatch by dispatch.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What the dispatches were timed with.
    pub timer: Timer,
    /// Every dispatch, in order.
    pub dispatches: Vec<TimedDispatch>,
    /// What the host did meanwhile, in order.
    pub host: Vec<(&'static str, Span)>,
}
