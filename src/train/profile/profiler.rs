//! When the steps of a run are timed dispatch by dispatch, and what was seen.

use std::time::{Duration, Instant};

use crate::device::ceilings::Ceilings;
use crate::device::{Span, Trace};
use crate::plan::Plan;
use crate::train::profile::{Profile, Seen, WAIT_FOR_ROWS};

/// Steps before the first timed one, where the run has as many: what drivers compile late, and clocks
/// that rise under load, are behind it then.
const WARM_UP: u32 = 128;
/// Most steps timed.
const MOST: u32 = 64;
/// Most steps timed at a time.
const AT_ONCE: u32 = 16;
/// Time after which no further steps are timed.
const ENOUGH: Duration = Duration::from_secs(3);
/// Longest wait for the end of an epoch, whose evaluation and checkpoint belong into the trace.
const PATIENCE: Duration = Duration::from_secs(10);

/// Times some steps of a run.
#[derive(Debug)]
pub(crate) struct Profiler {
    ceilings: Ceilings,
    warm_up: u32,
    left: u32,
    time: Duration,
    seen: Seen,
    finished: Option<Instant>,
}

impl Profiler {
    /// A profiler of a run that has `to_come` steps before it.
    pub fn new(ceilings: Ceilings, to_come: u32) -> Self {
        let left = to_come.div_ceil(2).min(MOST);
        let warm_up = (to_come - left).min(WARM_UP);
        Profiler { ceilings, warm_up, left, time: Duration::ZERO, seen: Seen::new(), finished: None }
    }

    /// How many of the next `steps` steps are to be run at once, and whether they are to be traced.
    pub fn next(&self, steps: u32) -> (u32, bool) {
        match (self.warm_up, self.left) {
            (0, 0) => (steps, false),
            (0, left) => (steps.min(left).min(AT_ONCE), true),
            (warm_up, _) => (steps.min(warm_up), false),
        }
    }

    /// Takes note of steps run as always; `steady` says that they tell the speed of the run.
    pub fn ran(&mut self, steps: u32, time: Duration, steady: bool) {
        self.warm_up = self.warm_up.saturating_sub(steps);
        if steady {
            self.seen.normal.0 += steps;
            self.seen.normal.1 += time;
        }
    }

    /// Takes note of steps traced after `first_step` steps.
    pub fn traced(&mut self, first_step: u32, steps: u32, trace: Trace, time: Duration) {
        self.seen.host.extend(trace.host.iter().map(|(what, span)| ((*what).to_string(), *span)));
        self.seen.traces.push((first_step, steps, trace));
        self.left -= steps;
        self.time += time;
        if self.time > ENOUGH {
            self.left = 0;
        }
        if self.left == 0 {
            self.finished = Some(Instant::now());
        }
    }

    /// Takes note of what the host has been doing since `start`.
    pub fn host(&mut self, what: String, start: Instant) {
        self.seen.host.push((what, Span::since(start)));
    }

    /// Takes note of when steps waited for rows.
    pub fn waited_for_rows(&mut self, waits: Vec<Span>) {
        self.seen.host.extend(waits.into_iter().map(|span| (WAIT_FOR_ROWS.to_string(), span)));
    }

    /// Whether the profile can be made: at the end of an epoch, or once that has been waited for too long.
    pub fn is_complete(&self, epoch_ended: bool) -> bool {
        self.finished.is_some_and(|finished| epoch_ended || finished.elapsed() > PATIENCE)
    }

    /// The profile.
    pub fn profile(self, device: &str, batch: usize, plan: &Plan) -> Profile {
        Profile::new(device, batch, plan, self.ceilings, self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Timer;

    /// Steps that a profiler runs as always before it traces, and those it traces, of a run this long.
    fn course(to_come: u32) -> (u32, u32) {
        let ceilings = Ceilings { gflops: 1.0, gbytes: 1.0, copies: [(1.0, 1.0); 3] };
        let mut profiler = Profiler::new(ceilings, to_come);
        let (mut before, mut traced) = (0, 0);
        while before + traced < to_come && !profiler.is_complete(true) {
            let (steps, trace) = profiler.next(to_come - before - traced);
            if trace {
                let nothing = Trace { timer: Timer::Clock, dispatches: Vec::new(), host: Vec::new() };
                profiler.traced(before + traced, steps, nothing, Duration::ZERO);
                traced += steps;
            } else {
                profiler.ran(steps, Duration::ZERO, true);
                before += steps;
            }
        }
        assert!(profiler.is_complete(true), "{to_come} steps were not enough");
        (before, traced)
    }

    #[test]
    fn a_run_of_any_length_is_profiled() {
        let courses = [1, 2, 9, 100, 150, 1_000_000].map(course);
        assert_eq!(courses, [(0, 1), (1, 1), (4, 5), (50, 50), (86, 64), (128, 64)]);
    }
}
