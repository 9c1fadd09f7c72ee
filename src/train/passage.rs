//! One way of a program through the rows of a split: batch after batch, in the order that a clock says.
//!
//! Where a device holds all rows, this is nothing but steps; else they come window by window (`streamed.rs`).

#[cfg(feature = "native")]
use super::group::Together;
#[cfg(feature = "native")]
use super::streamed::Streamed;
use crate::device::{Device, ProgramId};
#[cfg(feature = "native")]
use crate::device::{Span, Timer, Trace};
use crate::error::Result;

/// A program's way through rows.
pub(crate) struct Passage {
    program: ProgramId,
    #[cfg(feature = "native")]
    streamed: Option<Streamed>,
    #[cfg(feature = "native")]
    waits: Vec<Span>,
}

impl Passage {
    /// The way of a program that holds all rows.
    pub fn of_all(program: ProgramId) -> Self {
        Passage {
            program,
            #[cfg(feature = "native")]
            streamed: None,
            #[cfg(feature = "native")]
            waits: Vec::new(),
        }
    }

    /// The way of a program whose rows come window by window.
    #[cfg(feature = "native")]
    pub fn through(program: ProgramId, streamed: Streamed) -> Self {
        Passage { program, streamed: Some(streamed), waits: Vec::new() }
    }

    /// Starts the next `steps` steps.
    ///
    /// # Errors
    /// When the device fails, or rows cannot be read.
    pub fn run(&mut self, device: &mut dyn Device, steps: u32) -> Result<()> {
        let program = self.program;
        self.each(device, steps, &mut |device, steps| device.run(program, steps))
    }

    /// The same with others, whose steps they are as well.
    ///
    /// # Errors
    /// As [`run`](Self::run), or when another process cannot be reached.
    #[cfg(feature = "native")]
    pub fn run_together(&mut self, device: &mut dyn Device, steps: u32, together: &mut Together) -> Result<()> {
        let program = self.program;
        self.each(device, steps, &mut |device, steps| together.run(device, program, steps))
    }

    /// Runs the next `steps` steps and takes the time of every dispatch.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    #[cfg(feature = "native")]
    pub fn trace(&mut self, device: &mut dyn Device, steps: u32) -> Result<Trace> {
        let program = self.program;
        let mut whole = Trace { timer: Timer::Clock, dispatches: Vec::new(), host: Vec::new() };
        self.each(device, steps, &mut |device, steps| {
            let part = device.trace(program, steps)?;
            whole.timer = part.timer;
            whole.dispatches.extend(part.dispatches);
            whole.host.extend(part.host);
            Ok(())
        })?;
        Ok(whole)
    }

    /// The next `steps` steps, as many at a time as there are rows in place.
    fn each(
        &mut self,
        device: &mut dyn Device,
        steps: u32,
        run: &mut dyn FnMut(&mut dyn Device, u32) -> Result<()>,
    ) -> Result<()> {
        #[cfg(feature = "native")]
        if let Some(streamed) = &mut self.streamed {
            self.waits.extend(streamed.each(device, self.program, steps, run)?);
            return Ok(());
        }
        run(device, steps)
    }

    /// Takes note that another program has overwritten the rows in place.
    pub fn displaced(&mut self) {
        #[cfg(feature = "native")]
        if let Some(streamed) = &mut self.streamed {
            streamed.displaced();
        }
    }

    /// How long rows were waited for since this was last asked, each time that they were.
    #[cfg(feature = "native")]
    pub fn take_waits(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.waits)
    }
}
