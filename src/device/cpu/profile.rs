//! Where the CPU device's time goes: every step of a plan between two looks at the clock.

use std::time::Instant;

use crate::device::trace::{Span, TimedDispatch, Timer, Trace};
use crate::plan::Plan;

/// Runs a plan `times` times; `run_step` runs the step of a number.
pub(in crate::device) fn trace(plan: &Plan, times: u32, mut run_step: impl FnMut(usize) + Send) -> Trace {
    let begin = Instant::now();
    let mut dispatches = Vec::with_capacity(plan.steps.len() * times as usize);
    // On a thread of the pool, as the device runs plans.
    crate::threads::scope(|_| {
        for number in (0..times).flat_map(|_| 0..plan.steps.len()) {
            let start = Instant::now();
            run_step(number);
            dispatches.push(TimedDispatch { step: number, dispatch: 0, span: Span::since(start) });
        }
    });
    Trace { timer: Timer::Clock, dispatches, host: vec![("compute", Span::since(begin))] }
}
