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

use sha2::{Digest, Sha256};

pub use following::follow;
pub use sum::Exchange;
use sum::Sum;

use crate::device::{Device, ProgramId, Reading, wait};
use crate::error::{Error, Result};
use crate::plan::{Member, Pause};

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

    /// Its number among those on the same machine, from 0.
    fn local(&self) -> usize {
        0
    }

    /// Leaves the others, who wait for this one in vain.
    fn leave(&mut self) {}
}

/// Arena, first byte, bytes.
type Range = (usize, usize, usize);

/// What the leader says instead of a number of steps.
const END: u32 = 0;

/// One of several processes that train together.
pub struct Together {
    group: Box<dyn Group>,
    sum: Sum,
    stage: Stage,
    /// The program that all run, once they have found that they exchange the same.
    agreed: Option<ProgramId>,
}

/// Where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// All at the same place: those that follow wait for an order, which may be to end.
    InStep,
    /// On the way from one such place to the next; whoever stops here leaves the others waiting.
    Between,
    /// At the end, each for itself.
    Ended,
}

impl Together {
    /// As a part of this group, whose gradients travel like that.
    pub fn new(group: Box<dyn Group>, exchange: Exchange) -> Self {
        let sum = Sum::new(exchange);
        Together { group, sum, stage: Stage::InStep, agreed: None }
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
        self.stage = Stage::Between;
        self.group.broadcast(&mut bytes)?;
        self.stage = Stage::InStep;
        Ok(bytes)
    }

    /// Has all begin with these bytes of a checkpoint, whose rows this process has read.
    pub(super) fn begin(&mut self, checkpoint: Vec<u8>) -> Result<()> {
        self.said(checkpoint)?;
        self.meet()
    }

    /// Does what the first on each machine does before the others there, such as reading rows that it then keeps for them.
    fn in_turns<T>(&mut self, act: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.group.local() == 0 {
            let done = act()?;
            self.meet()?;
            return Ok(done);
        }
        self.meet()?;
        act()
    }

    /// Waits for all others.
    fn meet(&mut self) -> Result<()> {
        let size = self.member().size;
        self.group.gather(&[0], &mut vec![0; size], &(0..=size).collect::<Vec<usize>>())
    }

    /// Has all make the next `steps` steps, those of this process with `run`; where that fails, the others are left waiting for it.
    pub(super) fn lead(&mut self, steps: u32, run: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.said(steps.to_le_bytes().to_vec())?;
        self.stage = Stage::Between;
        run(self)?;
        self.stage = Stage::InStep;
        Ok(())
    }

    /// Makes sure that all exchange as many values in the same order.
    fn agree(&mut self, pauses: &[Pause]) -> Result<()> {
        let Member { rank, size, .. } = self.member();
        let exchanged: Vec<Vec<usize>> =
            pauses.iter().map(|pause| pause.ranges.iter().map(|(_, _, bytes)| *bytes).collect()).collect();
        let own: [u8; 32] = Sha256::digest(format!("{exchanged:?}")).into();
        let mut all = vec![0; own.len() * size];
        let cuts: Vec<usize> = (0..=size).map(|rank| rank * own.len()).collect();
        self.group.gather(&own, &mut all, &cuts)?;
        match all.chunks_exact(own.len()).position(|other| other != own) {
            Some(other) => Err(Error::Failed(format!(
                "processes {rank} and {other} exchange different values: expected devices of one kind (--device)"
            ))),
            None => Ok(()),
        }
    }

    /// Runs a plan `times` times, with an exchange wherever it pauses. What is not waited for at once is read while the device
    /// computes on, and exchanged once it has all of its work.
    pub(super) fn run(&mut self, device: &mut dyn Device, program: ProgramId, times: u32) -> Result<()> {
        let pauses = device.plan(program).pauses.clone();
        if self.agreed != Some(program) {
            self.agree(&pauses)?;
            self.agreed = Some(program);
        }
        for _ in 0..times {
            let mut under_way: Vec<(&[Range], Reading)> = Vec::new();
            for (number, pause) in pauses.iter().enumerate() {
                device.run_stretch(program, number)?;
                if !pause.is_waited_for(number) {
                    under_way.push((&pause.ranges, device.begin_read(program, &pause.ranges)?));
                    continue;
                }
                for (ranges, reading) in under_way.drain(..) {
                    let mut floats: Vec<f32> = bytemuck::pod_collect_to_vec(&wait(device.receive(reading))?);
                    let mut rest = &mut floats[..];
                    for &(arena, offset, bytes) in ranges {
                        let values = rest.split_off_mut(..bytes / size_of::<f32>()).unwrap_or_default();
                        self.sum(values)?;
                        device.write_bytes(program, arena, offset, bytemuck::cast_slice(values))?;
                    }
                }
                for &range in &pause.ranges {
                    wait(device.change(program, range, &mut |values| self.sum(values)))?;
                }
            }
            device.run_stretch(program, pauses.len())?;
        }
        Ok(())
    }
}

impl Drop for Together {
    /// Lets those that wait for an order go.
    fn drop(&mut self) {
        let ends_it = self.member().rank == 0 && self.stage == Stage::InStep;
        if ends_it && self.group.broadcast(&mut END.to_le_bytes().to_vec()).is_ok() {
            self.stage = Stage::Ended;
        }
        if self.stage != Stage::Ended {
            self.group.leave();
        }
    }
}
