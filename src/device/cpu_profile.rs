//! Where the CPU device's time goes: every step of a plan between two looks at the clock.

use std::time::Instant;

use super::trace::{Span, TimedDispatch, Timer, Trace};
use crate::plan::{Plan, Step};

/// Runs a plan `times` times, step by step by `run_step`.
pub(super) fn trace(plan: &Plan, times: u32, mut run_step: impl FnMut(&Step) + Send) -> Trace {
    let begin = Instant::now();
    let mut dispatches = Vec::with_capacity(plan.steps.len() * times as usize);
    // On a thread of the pool, as the device runs plans.
    rayon::scope(|_| {
        for (number, step) in (0..times).flat_map(|_| plan.steps.iter().enumerate()) {
            let start = Instant::now();
            run_step(step);
            dispatches.push(TimedDispatch { step: number, dispatch: 0, span: Span::since(start) });
        }
    });
    Trace { timer: Timer::Clock, dispatches, host: vec![("compute", Span::since(begin))] }
}
