//! How many steps go into one submission, learnt by the clock.

use std::time::{Duration, Instant};

/// Time that one submission should take: short enough that a display driver's watchdog never fires
/// and loss readings stay fresh, long enough that submitting costs nothing.
const SUBMISSION: Duration = Duration::from_millis(50);

/// Most steps of one submission, whatever their speed.
const MOST_STEPS: u32 = 512;

/// Submissions under way at a time: one running, one waiting, so that the device never idles and the
/// host never runs far ahead.
const UNDER_WAY: usize = 2;

/// A moment by the host's clock.
#[derive(Clone, Copy)]
pub(super) struct Moment(Instant);

impl Moment {
    /// This one.
    pub fn now() -> Self {
        Moment(Instant::now())
    }
}

/// What is known of how long a program's steps take.
pub(super) struct Pace {
    steps: u32,
    /// Whether the length of a step is still to be learnt.
    measure: bool,
    /// Whether the program has run before; the first run includes what the driver compiles late.
    warm: bool,
}

impl Pace {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Pace { steps: 1, measure: true, warm: false }
    }

    /// Steps of one submission.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Submissions that may be under way when another follows; what is measured runs alone.
    pub fn most_under_way(&self) -> usize {
        if self.measure { 1 } else { UNDER_WAY }
    }

    /// Takes note that `steps` steps begun then are done now, and sets the length of submissions by it.
    /// Only what the host waited for most of the time tells how long they took.
    pub fn learn(&mut self, steps: u32, begun: Moment, waited: Option<Moment>) {
        let was_warm = std::mem::replace(&mut self.warm, true);
        let Some(waited) = waited.filter(|_| self.measure && was_warm) else { return };
        let (time, waiting) = (begun.0.elapsed(), waited.0.elapsed());
        if waiting < time / 2 {
            return;
        }
        let each = time.as_secs_f64() / f64::from(steps.max(1));
        let fitting = ((SUBMISSION.as_secs_f64() / each.max(1e-7)) as u32).clamp(1, MOST_STEPS);
        // Longer submissions are measured again: of a single step's time most is the wait.
        self.measure = fitting > self.steps;
        self.steps = fitting.min(self.steps * 4);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The moment so long ago.
    fn ago(milliseconds: u64) -> Moment {
        Moment(Instant::now().checked_sub(Duration::from_millis(milliseconds)).unwrap())
    }

    #[test]
    fn submissions_grow_until_they_take_their_time() {
        let mut pace = Pace::new();
        pace.learn(1, ago(400), Some(ago(400)));
        assert_eq!((pace.steps(), pace.most_under_way()), (1, 1), "the first run tells nothing");
        pace.learn(1, ago(2), Some(ago(2)));
        assert_eq!((pace.steps(), pace.most_under_way()), (4, 1), "longer ones are measured again");
        pace.learn(4, ago(60), Some(ago(60)));
        assert_eq!((pace.steps(), pace.most_under_way()), (3, 2));
        pace.learn(3, ago(1), Some(ago(1)));
        assert_eq!(pace.steps(), 3, "what was learnt stays");
    }

    #[test]
    fn a_host_that_was_elsewhere_learns_nothing() {
        let mut pace = Pace::new();
        pace.learn(1, ago(1), None);
        for waited in [None, Some(ago(1))] {
            pace.learn(1, ago(400), waited);
            assert_eq!((pace.steps(), pace.most_under_way()), (1, 1));
        }
    }
}
