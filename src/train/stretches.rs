//! Stretches of training steps, one read while the next one runs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::stepping::Stretch;
use super::{Session, TermSums};
use crate::device::{Reading, Trace, wait};
use crate::error::Result;

/// Steps that were started.
struct Begun {
    /// Steps before them.
    first: u32,
    steps: u32,
    at: Instant,
    trace: Option<Trace>,
    losses: Reading,
}

/// Steps that were read.
pub(super) struct Read {
    /// Steps before them.
    pub first: u32,
    /// How many.
    pub steps: u32,
    /// When they were started; those started ahead, when the ones before them were read.
    pub begin: Instant,
    /// When they were waited for.
    pub waited: Instant,
    /// What they took.
    pub time: Duration,
    /// The time of every dispatch, where it was asked for.
    pub trace: Option<Trace>,
    /// What came of them.
    pub stretch: Stretch,
}

/// Stretches that were started and not yet read, oldest first.
pub(super) struct Stretches {
    begun: VecDeque<Begun>,
    /// When the last one was read.
    read: Instant,
}

impl Stretches {
    /// None yet.
    pub fn new() -> Self {
        Stretches { begun: VecDeque::new(), read: Instant::now() }
    }

    /// How many stretches are under way.
    pub fn len(&self) -> usize {
        self.begun.len()
    }

    /// Their steps.
    pub fn steps(&self) -> u32 {
        self.begun.iter().map(|begun| begun.steps).sum()
    }

    /// Starts `steps` steps when `first` were started before.
    pub fn begin(&mut self, session: &mut Session, first: u32, steps: u32, traced: bool) -> Result<()> {
        let at = Instant::now();
        let trace = if traced { Some(session.trace(steps)?) } else { session.train(steps).map(|()| None)? };
        let losses = session.begin_losses()?;
        self.begun.push_back(Begun { first, steps, at, trace, losses });
        Ok(())
    }

    /// Reads the losses of the stretch that was started first and adds them to `sums`; `None` when there is none.
    pub fn end(&mut self, session: &mut Session, sums: &mut TermSums) -> Result<Option<Read>> {
        let Some(Begun { first, steps, at, trace, losses }) = self.begun.pop_front() else { return Ok(None) };
        let waited = Instant::now();
        let stretch = wait(session.end_losses(losses, first, sums))?;
        let begin = at.max(self.read);
        self.read = Instant::now();
        Ok(Some(Read { first, steps, begin, waited, time: self.read - begin, trace, stretch }))
    }
}
