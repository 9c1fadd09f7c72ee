//! How many steps go into one submission where there is no clock to learn it by.

/// Steps of one submission: few enough for a slow device, more than one for a fast one.
const STEPS: u32 = 8;

/// Submissions under way at a time: one running, one waiting.
const UNDER_WAY: usize = 2;

/// A moment, of which nothing is known.
#[derive(Clone, Copy)]
pub(super) struct Moment;

impl Moment {
    /// This one.
    pub fn now() -> Self {
        Moment
    }
}

/// The same for every program.
pub(super) struct Pace;

impl Pace {
    /// Nothing is known, nor will be.
    pub fn new() -> Self {
        Pace
    }

    /// Steps of one submission.
    pub fn steps(&self) -> u32 {
        STEPS
    }

    /// Submissions that may be under way when another follows.
    pub fn most_under_way(&self) -> usize {
        UNDER_WAY
    }

    /// There is nothing to learn.
    pub fn learn(&mut self, _steps: u32, _begun: Moment, _waited: Option<Moment>) {}
}
