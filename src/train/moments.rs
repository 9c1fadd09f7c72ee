//! The moments that stand for a batch's once a network with batch norms no longer learns.
//!
//! A batch is no longer there when a single row is judged, so its moments are replaced by those of many training rows:
//! the mean of the batches' means, and the mean of their variances plus the variance of their means. They are taken of the
//! parameters as they are, once an epoch, before the network is judged.

use std::sync::Arc;

use super::room::batch_of;
use super::session::{Session, load, set};
use crate::config::RunConfig;
use crate::device::ProgramId;
use crate::error::Result;
use crate::model::graph::{self, DataShape};
use crate::model::holding::Holding;
use crate::ops::step::clock;

/// Rows of a batch whose moments are taken.
const BATCH: usize = 500;

/// Most rows that are looked at, and fewest if there are as many; between them one in so many of those that are trained on, so
/// that an epoch of few rows is not spent on looking at them once more.
const ROWS: [usize; 2] = [1_000, 10_000];
/// One in so many.
const SHARE: usize = 5;

/// Rows of such a batch of this data.
pub(super) fn batch(config: &RunConfig, data: DataShape) -> usize {
    batch_of(BATCH, config, data)
}

/// What takes the moments of a batch: its program, and the names of the buffers of means and variances of every block that
/// normalises; nothing where none does.
pub(super) type MomentsProgram = Option<(ProgramId, Arc<[[String; 2]]>)>;

/// Means and variances of the columns of one block, added up over batches.
#[derive(Clone, Default)]
struct Moments {
    rows: f64,
    means: Vec<f64>,
    squares: Vec<f64>,
    variances: Vec<f64>,
}

impl Moments {
    /// Adds a batch of so many rows: `moments` holds its means, then its variances.
    fn add(&mut self, rows: f64, moments: &[f32]) {
        let (means, variances) = moments.split_at(moments.len() / 2);
        for sums in [&mut self.means, &mut self.squares, &mut self.variances] {
            sums.resize(means.len(), 0.0);
        }
        self.rows += rows;
        for (n, (&mean, &variance)) in means.iter().zip(variances).enumerate() {
            self.means[n] += rows * f64::from(mean);
            self.squares[n] += rows * f64::from(mean).powi(2);
            self.variances[n] += rows * f64::from(variance);
        }
    }

    /// Means and variances of all rows.
    fn of_all(&self) -> [Vec<f32>; 2] {
        let column = |n: usize| {
            let mean = self.means[n] / self.rows;
            (mean as f32, ((self.variances[n] + self.squares[n]) / self.rows - mean * mean).max(0.0) as f32)
        };
        let (means, variances) = (0..self.means.len()).map(column).unzip();
        [means, variances]
    }
}

impl Session {
    /// Sets the moments that stand for a batch's; nothing for a network that needs none.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn settle_moments(&mut self) -> Result<()> {
        let Some(holding) = self.training.as_ref().map(|(feed, _)| feed.holding) else { return Ok(()) };
        let (rows, batch) = (holding.data.rows, batch(&self.config, holding.data));
        let Some((program, names)) = self.moments(holding, batch)? else { return Ok(()) };
        let Some((feed, training)) = &mut self.training else { return Ok(()) };
        let steps = rows.min((rows / SHARE).clamp(ROWS[0], ROWS[1])).div_ceil(batch);
        let clock = clock::start(rows, batch, true, self.config.seed);
        let device = self.device.as_mut();
        let mut passage = feed.begin(device, program, clock, steps as u32)?;
        training.displaced();
        let mut sums = vec![Moments::default(); names.len()];
        for number in 0..steps {
            passage.run(device, 1)?;
            let valid = batch.min(rows - number * batch);
            for (index, sums) in sums.iter_mut().enumerate() {
                sums.add(valid as f64, &device.fetch_f32(program, &format!("moments {index}")).await?);
            }
        }
        for (names, sums) in names.iter().zip(&sums) {
            for (name, values) in names.iter().zip(sums.of_all()) {
                self.device.write(program, name, bytemuck::cast_slice(&values))?;
            }
        }
        Ok(())
    }

    /// The program that takes the moments of a batch of so many rows, and the buffers that they are for, made when it is
    /// first asked for; nothing for a network that needs none.
    fn moments(&mut self, holding: Holding, batch: usize) -> Result<MomentsProgram> {
        if let Some(made) = &self.moments {
            return Ok(made.clone());
        }
        let made = match graph::moments(&self.config, holding, batch)? {
            Some((graph, names)) => {
                let program = load(self.device.as_mut(), "moments", &graph, &self.choices)?;
                set(self.device.as_mut(), program, &self.config)?;
                Some((program, names.into()))
            }
            None => None,
        };
        Ok(self.moments.insert(made).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_batches_are_those_of_all_rows() {
        let rows = [1.0, 2.0, 4.0, 8.0, 16.0_f64];
        let of = |rows: &[f64]| {
            let mean = rows.iter().sum::<f64>() / rows.len() as f64;
            [mean, rows.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows.len() as f64].map(|x| x as f32)
        };
        let mut sums = Moments::default();
        sums.add(3.0, &of(&rows[..3]));
        sums.add(2.0, &of(&rows[3..]));
        let ([mean], [variance]) =
            (of(&rows)[..1].try_into().unwrap_or([0.0]), of(&rows)[1..].try_into().unwrap_or([0.0]));
        let [means, variances] = sums.of_all();
        assert!((means[0] - mean).abs() < 1e-5 && (variances[0] - variance).abs() < 1e-4, "{means:?} {variances:?}");
    }
}
