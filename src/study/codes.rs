//! Parts of a trained network at work: rows become codes, codes become rows, rows are judged one by one.

use super::parts::{Batched, Source, batch, through, widths};
use crate::config::RunConfig;
use crate::data::Split;
use crate::error::Result;
use crate::model::graph;
use crate::model::part::{self, Part};
use crate::nn::BlockConfig;
use crate::nn::network::joined;
use crate::ops::array::activation::Activation;
use crate::ops::step::clock;
use crate::train::session::{Session, load, set};

/// Rows that go through a part in a small batch.
const FEW: usize = 8;

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
    pub async fn reconstruct(&mut self, images: usize) -> Result<Reconstructions> {
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
            self.test.begin(device, program, clock, 1)?.run(device, 1)?;
            let all = [("x", Some(&mut originals)), ("reconstruction", Some(&mut outputs)), ("noisy", noisy.as_mut())];
            for (name, all) in all {
                let Some(all) = all else { continue };
                let values = device.fetch_f32(program, name).await?;
                all.extend_from_slice(&values[..values.len() / batch * valid]);
            }
        }
        Ok(Reconstructions { originals, noisy, outputs })
    }

    /// Rows, `[rows, features]`, as training changes them at each of so many steps of the configuration's seed; nothing where it
    /// changes none.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn augmented(&mut self, rows: &[f32], steps: u32) -> Result<Vec<Vec<f32>>> {
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
            changed.push(device.fetch_f32(program, "changed").await?);
        }
        Ok(changed)
    }

    /// The codes `[rows, width of the code]` of `rows`, `[rows, features]` from 0 to 1.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn encode(&mut self, rows: &[f32]) -> Result<Vec<f32>> {
        self.through(Part::Encode, rows).await
    }

    /// What the decoder makes of codes, `[rows, width of the code]`: rows `[rows, features]`.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn decode(&mut self, codes: &[f32]) -> Result<Vec<f32>> {
        self.through(Part::Decode, codes).await
    }

    /// The network's answers to `rows`, `[rows, features]`: of a classifier logits `[rows, classes]`.
    ///
    /// # Errors
    /// When the device fails, or an answer is not finite.
    pub async fn answers_to(&mut self, rows: &[f32]) -> Result<Vec<f32>> {
        self.through(Part::Answer, rows).await
    }

    /// The codes `[rows, width of the code]` of all rows of a split.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn codes(&mut self, split: &Split) -> Result<Vec<f32>> {
        let (program, widths) = self.part(Part::Encode, split.rows)?;
        through(self.device.as_mut(), program, Part::Encode, widths, &Source::Split(split), |_, _| ()).await
    }

    /// The mean squared error per value of the reconstruction of each row of a split: `[rows]`. Of a variational network it
    /// is the reconstruction of the mean code. `tell` hears how many rows of how many are done.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn row_errors(&mut self, split: &Split, tell: impl FnMut(usize, usize)) -> Result<Vec<f32>> {
        let (program, widths) = self.part(Part::Judge, split.rows)?;
        through(self.device.as_mut(), program, Part::Judge, widths, &Source::Split(split), tell).await
    }

    /// Batch by batch through a part.
    async fn through(&mut self, which: Part, rows: &[f32]) -> Result<Vec<f32>> {
        let widths = widths(&self.config, which, self.test.holding.data.features)?;
        let (program, widths) = self.part(which, rows.len() / widths[0].max(1))?;
        through(self.device.as_mut(), program, which, widths, &Source::Rows(rows), |_, _| ()).await
    }

    /// The program of a part for so many rows, and the values of a row that it takes and gives.
    fn part(&mut self, which: Part, rows: usize) -> Result<(Batched, [usize; 2])> {
        let features = self.test.holding.data.features;
        // A row that somebody looks at is not to wait for hundreds that nobody asked for.
        let batch = if rows <= FEW { FEW.min(batch(features)) } else { batch(features) };
        let program = match self.parts.get(&(which, batch)) {
            Some(&program) => program,
            None => {
                let graph = part::part(&self.config, which, features, batch)?;
                let program = load(self.device.as_mut(), which.name(), &graph, &self.choices)?;
                *self.parts.entry((which, batch)).or_insert(program)
            }
        };
        Ok(((program, batch), widths(&self.config, which, features)?))
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
