//! Several processes that train one network: each computes the gradients of its share of every batch, all add them up in the
//! order of their ranks, and all make the same step of it.
//!
//! The process of rank 0 leads: it has the run and its directory, judges, saves, and says what is next. The others follow: they
//! begin with its configuration and its state, and make the steps that it makes. What is added up where a plan pauses is said
//! by the plan ([`AllReduce`](crate::ops::step::all_reduce::AllReduce)).

mod following;
#[cfg(feature = "mpi")]
pub mod mpi;
mod sum;

pub use following::follow;
pub use sum::Exchange;
use sum::Sum;

use crate::device::{Device, ProgramId, wait};
use crate::error::Result;
use crate::plan::Member;

/// The processes, as one of them sees them. What is said of one call holds once all of them have made it.
pub trait Group: Send {
    /// Which of them this is.
    fn member(&self) -> Member;

    /// Gives all of them the bytes of rank 0.
    ///
    /// # Errors
    /// When one of them cannot be reached.
    fn broadcast(&mut self, bytes: &mut Vec<u8>) -> Result<()>;

    /// Gives each of them its part of everybody's bytes: `bytes` is cut before each of `cuts` but the first, part r is for rank r, and
    /// `received` becomes the own part of rank 0, of rank 1, and so on.
    ///
    /// # Errors
    /// When one of them cannot be reached.
    fn scatter(&mut self, bytes: &[u8], cuts: &[usize], received: &mut [u8]) -> Result<()>;

    /// Gives all of them everybody's own part: `all`, cut as for [`scatter`](Self::scatter), becomes what each has as `own`.
    ///
    /// # Errors
    /// When one of them cannot be reached.
    fn gather(&mut self, own: &[u8], all: &mut [u8], cuts: &[usize]) -> Result<()>;

    /// Leaves the others, who wait for this one in vain.
    fn leave(&mut self) {}
}

/// What the leader says instead of a number of steps.
const END: u32 = 0;

/// One of several processes that train together.
pub struct Together {
    group: Box<dyn Group>,
    sum: Sum,
    /// Whether all of them are at the same place: those that follow wait for an order, which may be to end.
    is_in_step: bool,
    has_ended: bool,
}

impl Together {
    /// As a part of this group, whose gradients travel like that.
    pub fn new(group: Box<dyn Group>, exchange: Exchange) -> Self {
        let sum = Sum::new(exchange);
        Together { group, sum, is_in_step: true, has_ended: false }
    }

    /// Which of them this is.
    pub fn member(&self) -> Member {
        self.group.member()
    }

    /// Puts the sum over all processes in the place of each of these values, of which all have as many: the same bits everywhere.
    ///
    /// # Errors
    /// When one of them cannot be reached.
    pub fn sum(&mut self, values: &mut [f32]) -> Result<()> {
        let Together { group, sum, .. } = self;
        sum.over(group.as_mut(), values)
    }

    /// What rank 0 says to all.
    fn said(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
        self.is_in_step = false;
        self.group.broadcast(&mut bytes)?;
        self.is_in_step = true;
        Ok(bytes)
    }

    /// Has all begin with these bytes of a checkpoint.
    pub(super) fn begin(&mut self, checkpoint: Vec<u8>) -> Result<()> {
        self.said(checkpoint).map(|_| ())
    }

    /// Has all make the next `steps` steps, those of this process with `run`.
    pub(super) fn lead(&mut self, steps: u32, run: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.said(steps.to_le_bytes().to_vec())?;
        self.in_step(run)
    }

    /// Does what all do at the same time; where it fails, the others are left waiting for it.
    fn in_step(&mut self, run: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.is_in_step = false;
        run(self)?;
        self.is_in_step = true;
        Ok(())
    }

    /// Runs a plan `times` times, with an exchange wherever it pauses.
    pub(super) fn run(&mut self, device: &mut dyn Device, program: ProgramId, times: u32) -> Result<()> {
        let pauses = device.plan(program).pauses.clone();
        for _ in 0..times {
            for stretch in 0..=pauses.len() {
                device.run_stretch(program, stretch)?;
                for range in pauses.get(stretch).iter().flat_map(|pause| &pause.ranges) {
                    wait(device.change(program, *range, &mut |values| self.sum(values)))?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Together {
    /// Lets those that wait for an order go.
    fn drop(&mut self) {
        if self.member().rank == 0 && self.is_in_step {
            self.has_ended = self.group.broadcast(&mut END.to_le_bytes().to_vec()).is_ok();
        }
        if !self.has_ended {
            self.group.leave();
        }
    }
}
