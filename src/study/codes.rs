//! Parts of a trained network at work: rows become codes, codes become rows, rows are judged one by one.

use super::parts::{Batched, Source, batch, loaded, through, widths};
use crate::config::RunConfig;
use crate::data::Split;
use crate::device::{Device, ProgramId};
use crate::error::Result;
use crate::graph::Role;
use crate::model::graph;
use crate::model::part::{self, Part};
use crate::nn::BlockConfig;
use crate::nn::network::joined;
use crate::ops::array::activation::Activation;
use crate::ops::step::clock;
use crate::plan::Choices;
use crate::train::Checkpoint;
use crate::train::session::{Session, State, load, restore, set};

/// Most test rows that are reconstructed at a time.
const MOST_AT_ONCE: usize = 4096;

/// Test images and what a network makes of them, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstructions {
    /// The images `[images, features]`, from 0 to 1.
    pub originals: Vec<f32>,
    /// The same as the network saw them, if under noise.
    pub noisy: Option<Vec<f32>>,
    /// Its last layer's outputs `[images, width of that layer]`.
    pub outputs: Vec<f32>,
}

impl Session {
    /// The first `images` test images and what the network makes of them; where the configuration has noise, of them
    /// under that noise, which is drawn anew for every 4096 of them, or for what is beyond the rows that the device holds.
    ///
    /// # Errors
    /// When the device fails.
    pub fn reconstruct(&mut self, images: usize) -> Result<Reconstructions> {
        let images = images.min(self.test.count());
        // As many at a time as a device that does not hold all of them has room for.
        let batch = images.min(self.test.holding.held).min(MOST_AT_ONCE);
        let graph = graph::reconstruction(&self.config, self.test.holding, batch)?;
        let program = load(self.device.as_mut(), "reconstruct", &graph, &self.choices)?;
        let (mut originals, mut noisy, mut outputs) =
            (Vec::new(), self.config.corruption.map(|_| Vec::new()), Vec::new());
        for first in (0..images).step_by(batch.max(1)) {
            let valid = batch.min(images - first);
            let mut clock = clock::start(images, batch, false, 0);
            let number = (first / batch) as u32;
            (clock[clock::STEP], clock[clock::BATCH], clock[clock::VALID_ROWS]) = (number, number, valid as u32);
            let device = self.device.as_mut();
            self.test.begin(device, program, clock, Some(1))?.run(device, 1)?;
            let mut read = |name: &str, all: &mut Vec<f32>| -> Result<()> {
                let values = device.read_f32(program, name)?;
                all.extend_from_slice(&values[..values.len() / batch * valid]);
                Ok(())
            };
            read("x", &mut originals)?;
            read("reconstruction", &mut outputs)?;
            noisy.as_mut().map(|noisy| read("noisy", noisy)).transpose()?;
        }
        Ok(Reconstructions { originals, noisy, outputs })
    }

    /// Rows, `[rows, features]`, as training changes them at each of so many steps of the configuration's seed; nothing where it
    /// changes none.
    ///
    /// # Errors
    /// When the device fails.
    pub fn augmented(&mut self, rows: &[f32], steps: u32) -> Result<Vec<Vec<f32>>> {
        let features = self.test.holding.data.features;
        let count = rows.len() / features.max(1);
        if self.config.augmentation().is_none() || count == 0 {
            return Ok(Vec::new());
        }
        let graph = graph::augmented(&self.config, count, features)?;
        let (program, device) = (load(self.device.as_mut(), "augmented", &graph, &self.choices)?, self.device.as_mut());
        set(device, program, &self.config)?;
        device.write(program, "originals", bytemuck::cast_slice(rows))?;
        let mut clock = clock::start(count, count, false, self.config.seed);
        let mut changed = Vec::new();
        for step in 0..steps {
            clock[clock::STEP] = step;
            device.write(program, "clock", bytemuck::cast_slice(&clock))?;
            device.run(program, 1)?;
            changed.push(device.read_f32(program, "changed")?);
        }
        Ok(changed)
    }

    /// The codes `[rows, width of the code]` of `rows`, `[rows, features]` from 0 to 1.
    ///
    /// # Errors
    /// When the device fails.
    pub fn encode(&mut self, rows: &[f32]) -> Result<Vec<f32>> {
        self.through(Part::Encode, rows)
    }

    /// What the decoder makes of codes, `[rows, width of the code]`: rows `[rows, features]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn decode(&mut self, codes: &[f32]) -> Result<Vec<f32>> {
        self.through(Part::Decode, codes)
    }

    /// The network's answers to `rows`, `[rows, features]`: of a classifier logits `[rows, classes]`.
    ///
    /// # Errors
    /// When the device fails, or an answer is not finite.
    pub fn answers_to(&mut self, rows: &[f32]) -> Result<Vec<f32>> {
        self.through(Part::Answer, rows)
    }

    /// The codes `[rows, width of the code]` of all rows of a split.
    ///
    /// # Errors
    /// When the device fails.
    pub fn codes(&mut self, split: &Split) -> Result<Vec<f32>> {
        let (program, widths) = self.part(Part::Encode)?;
        through(self.device.as_mut(), program, Part::Encode, widths, &Source::Split(split), |_, _| ())
    }

    /// The mean squared error per value of the reconstruction of each row of a split: `[rows]`. Of a variational network it
    /// is the reconstruction of the mean code. `tell` hears how many rows of how many are done.
    ///
    /// # Errors
    /// When the device fails.
    pub fn row_errors(&mut self, split: &Split, tell: impl FnMut(usize, usize)) -> Result<Vec<f32>> {
        let (program, widths) = self.part(Part::Judge)?;
        through(self.device.as_mut(), program, Part::Judge, widths, &Source::Split(split), tell)
    }

    /// Batch by batch through a part.
    fn through(&mut self, which: Part, rows: &[f32]) -> Result<Vec<f32>> {
        let (program, widths) = self.part(which)?;
        through(self.device.as_mut(), program, which, widths, &Source::Rows(rows), |_, _| ())
    }

    /// The program of a part, and the values of a row that it takes and gives.
    fn part(&mut self, which: Part) -> Result<(Batched, [usize; 2])> {
        let features = self.test.holding.data.features;
        let program = match self.parts.get(&which) {
            Some(&program) => program,
            None => {
                let graph = part::part(&self.config, which, features, batch(features))?;
                let program = load(self.device.as_mut(), which.name(), &graph, &self.choices)?;
                *self.parts.entry(which).or_insert(program)
            }
        };
        Ok(((program, batch(features)), widths(&self.config, which, features)?))
    }
}

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
        through(self.device.as_mut(), (program, batch), self.which, self.widths, rows, |_, _| ())
    }
}

/// Brings codes to the nearest that the encoder can give: those of a ReLU are not negative.
pub fn into_range(config: &RunConfig, codes: &mut [f32]) {
    let last = joined(&config.encoder).last().and_then(BlockConfig::as_linear).copied();
    let (low, high) = match last.map(|layer| layer.activation) {
        Some(Activation::Relu | Activation::Softplus) => (0.0, f32::INFINITY),
        Some(Activation::Sigmoid) => (0.0, 1.0),
        Some(Activation::Tanh) => (-1.0, 1.0),
        Some(Activation::Identity | Activation::LeakyRelu | Activation::LeakierRelu) | None => return,
    };
    codes.iter_mut().for_each(|value| *value = value.clamp(low, high));
}
