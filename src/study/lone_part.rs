//! A part of a trained network by itself, without a data set.

use super::parts::{Source, batch, through, widths};
use crate::data::Split;
use crate::device::{Device, ProgramId, wait};
use crate::error::Result;
use crate::graph::Role;
use crate::model::part::{Part, part};
use crate::plan::Choices;
use crate::train::Checkpoint;
use crate::train::session::{State, load, restore};

/// A part of a trained network on a device of its own, for rows that are brought along: no data set is needed.
pub struct LonePart {
    device: Box<dyn Device>,
    program: ProgramId,
    which: Part,
    widths: [usize; 2],
    /// Rows that go through it at a time.
    batch: usize,
}

impl LonePart {
    /// A part of the network of a checkpoint.
    ///
    /// # Errors
    /// When a parameter is missing or of another shape, or the device fails.
    pub fn open(device: Box<dyn Device>, checkpoint: &Checkpoint, choices: &Choices, which: Part) -> Result<Self> {
        let batch = batch(checkpoint.features()?);
        LonePart::open_for(device, checkpoint, choices, which, batch)
    }

    /// The same for so many rows at a time.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for(
        mut device: Box<dyn Device>,
        checkpoint: &Checkpoint,
        choices: &Choices,
        which: Part,
        batch: usize,
    ) -> Result<Self> {
        let program = loaded(device.as_mut(), checkpoint, choices, which, batch)?;
        let widths = widths(&checkpoint.config, which, checkpoint.features()?)?;
        Ok(LonePart { device, program, which, widths, batch })
    }

    /// Becomes another part of a network, on the same device.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn turn(&mut self, checkpoint: &Checkpoint, choices: &Choices, which: Part) -> Result<()> {
        self.program = loaded(self.device.as_mut(), checkpoint, choices, which, self.batch)?;
        self.widths = widths(&checkpoint.config, which, checkpoint.features()?)?;
        self.which = which;
        Ok(())
    }

    /// Takes other parameters, those of a state.
    ///
    /// # Errors
    /// When one is missing or of another shape, or the device fails.
    pub fn restore(&mut self, state: &State) -> Result<()> {
        restore(self.device.as_mut(), self.program, state, Role::is_parameter)
    }

    /// Values of a row of what goes in, and of what comes out.
    pub fn widths(&self) -> [usize; 2] {
        self.widths
    }

    /// What the part makes of rows that lie one behind the other.
    ///
    /// # Errors
    /// When the device fails, or what comes out is not finite.
    pub fn run(&mut self, rows: &[f32]) -> Result<Vec<f32>> {
        self.through(&Source::Rows(rows))
    }

    /// What the part makes of all rows of a split.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_split(&mut self, split: &Split) -> Result<Vec<f32>> {
        self.through(&Source::Split(split))
    }

    fn through(&mut self, rows: &Source<'_>) -> Result<Vec<f32>> {
        let (program, batch) = (self.program, self.batch);
        wait(through(self.device.as_mut(), (program, batch), self.which, self.widths, rows, |_, _| ()))
    }
}

/// The program of a part of a checkpoint's network for so many rows at a time.
fn loaded(
    device: &mut dyn Device,
    checkpoint: &Checkpoint,
    choices: &Choices,
    which: Part,
    batch: usize,
) -> Result<ProgramId> {
    let graph = part(&checkpoint.config, which, checkpoint.features()?, batch)?;
    let program = load(device, which.name(), &graph, choices)?;
    restore(device, program, &checkpoint.state, Role::is_parameter)?;
    Ok(program)
}
