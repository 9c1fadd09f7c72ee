//! Gradients of what a trained network makes of rows, with respect to those rows, on the device of a session.

use crate::device::ProgramId;
use crate::error::{Error, Result};
use crate::model::part::{RESULT, ROWS};
use crate::model::slopes::{CLASSES, GRADIENT, SEED, Slope, WEIGHT, slopes};
use crate::ops::step::clock;
use crate::train::session::{Session, load};

/// Most rows that go through at a time.
const BATCH: usize = 500;

/// What arrives at the end that is differentiated.
#[derive(Clone, Copy, Debug)]
pub enum Arriving<'a> {
    /// Of a cross entropy the class of each row.
    Classes(&'a [u16]),
    /// Of the others a weight for each number of each row's answer or code.
    Weights(&'a [f32]),
}

/// A slope on the device of a session: its program.
#[derive(Clone, Copy, Debug)]
pub struct Slopes {
    slope: Slope,
    program: ProgramId,
    /// Rows that go through at a time.
    batch: usize,
    /// Values of a row, and of what it becomes.
    widths: [usize; 2],
}

impl Slopes {
    /// Loads a slope of the network of a session, whose parameters it then shares.
    ///
    /// # Errors
    /// When an operation of the network has no gradient, or the device fails.
    pub fn load(session: &mut Session, slope: Slope) -> Result<Self> {
        let features = session.test.holding.data.features;
        let config = session.config.clone();
        // As many as training had: that many fit with everything that the way back keeps of them.
        let batch = (config.batch_size / config.optimiser.accumulate().max(1)).clamp(1, BATCH);
        let width = match slope {
            Slope::Code => config.encoded_width(),
            Slope::CrossEntropy | Slope::UnroundedCrossEntropy | Slope::Answer => config.answer_width(features),
        };
        let graph = slopes(&config, slope, features, batch)?;
        let choices = session.choices.clone();
        let device = session.device.as_mut();
        let program = load(device, slope.name(), &graph, &choices)?;
        if slope.is_of_classes() {
            // Their sum, so that a row's gradient does not depend on how many others go with it.
            device.write(program, WEIGHT, bytemuck::bytes_of(&(batch as f32)))?;
            let clock = clock::start(batch, batch, false, 0);
            device.write(program, "clock", bytemuck::cast_slice(&clock))?;
        }
        Ok(Slopes { slope, program, batch, widths: [features, width] })
    }

    /// Answers or codes `[rows, width]` of rows `[rows, features]`, and the gradient `[rows, features]` of what of each of
    /// them the slope is.
    ///
    /// # Errors
    /// When there is not one thing for each row that arrives, the device fails, or an answer or gradient is not finite.
    pub fn of(&self, session: &mut Session, rows: &[f32], arriving: Arriving<'_>) -> Result<[Vec<f32>; 2]> {
        let [features, width] = self.widths;
        let count = rows.len() / features.max(1);
        let arrived = match arriving {
            Arriving::Classes(classes) => classes.len(),
            Arriving::Weights(weights) => weights.len() / width.max(1),
        };
        if rows.len() != count * features || arrived != count {
            let problem = format!("{} values and what arrives at {arrived} rows do not fit", rows.len());
            return Err(Error::graph(self.slope.name(), problem));
        }
        let device = session.device.as_mut();
        let (mut results, mut gradients) = (Vec::with_capacity(count * width), Vec::with_capacity(rows.len()));
        for first in (0..count).step_by(self.batch) {
            let valid = self.batch.min(count - first);
            let filled = |values: &[f32], width: usize| {
                let mut filled = values[first * width..(first + valid) * width].to_vec();
                filled.resize(self.batch * width, 0.0);
                filled
            };
            device.write(self.program, ROWS, bytemuck::cast_slice(&filled(rows, features)))?;
            match arriving {
                Arriving::Classes(classes) => {
                    let mut words: Vec<u32> = classes[first..first + valid].iter().map(|&c| u32::from(c)).collect();
                    words.resize(self.batch, 0);
                    device.write(self.program, CLASSES, bytemuck::cast_slice(&words))?;
                }
                Arriving::Weights(weights) => {
                    device.write(self.program, SEED, bytemuck::cast_slice(&filled(weights, width)))?;
                }
            }
            device.run(self.program, 1)?;
            let mut take = |name: &str, width: usize, all: &mut Vec<f32>| -> Result<()> {
                let values = device.read_f32(self.program, name)?;
                let values = &values[..valid * width];
                if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                    let row = first + place / width.max(1);
                    let what = self.slope.name();
                    return Err(Error::Failed(format!("{what}: the {name} of row {row} is not finite")));
                }
                all.extend_from_slice(values);
                Ok(())
            };
            take(RESULT, width, &mut results)?;
            take(GRADIENT, features, &mut gradients)?;
        }
        Ok([results, gradients])
    }
}
