//! Layers as they are used: what normalised them while they were trained is part of their weights.
//!
//! A batch is no longer there when a single row is sorted, so its moments are replaced by those of many rows: the
//! mean of the batches' means, and the mean of their variances plus the variance of their means. Then
//! γ (W x − μ)/√(σ² + ε) + β is a plain layer with rows of W times γ/√(σ² + ε) and bias β − μ γ/√(σ² + ε).

use super::ClusterConfig;
use super::graph::{layer_name, normalised, widths};
use crate::device::{Device, ProgramId};
use crate::error::Result;
use crate::model::graph::DataShape;
use crate::ops::norm::batch_norm::EPSILON;
use crate::ops::step::clock;

/// Rows of a batch whose moments are taken.
pub(super) const BATCH: usize = 500;

/// Most batches that are looked at.
const BATCHES: usize = 20;

/// Means and variances of the columns of one layer, added up over batches.
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

    /// Mean and variance of a column.
    fn column(&self, n: usize) -> (f64, f64) {
        let mean = self.means[n] / self.rows;
        (mean, (self.variances[n] + self.squares[n]) / self.rows - mean * mean)
    }
}

/// Weights and biases of all layers as they are used, by name.
///
/// # Errors
/// When the device fails.
pub(super) fn folded(
    device: &mut dyn Device,
    train: ProgramId,
    moments: Option<ProgramId>,
    config: &ClusterConfig,
    data: DataShape,
) -> Result<Vec<(String, Vec<f32>)>> {
    let mut sums = vec![Moments::default(); widths(config).len()];
    if let Some(program) = moments {
        let batch = BATCH.min(data.rows);
        let clock = clock::start(data.rows, batch, true, config.seed);
        device.write(program, "clock", bytemuck::cast_slice(&clock))?;
        for number in 0..data.rows.div_ceil(batch).min(BATCHES) {
            device.run(program, 1)?;
            let valid = batch.min(data.rows - number * batch);
            for (index, sums) in sums.iter_mut().enumerate().filter(|(index, _)| normalised(config, *index)) {
                sums.add(valid as f64, &device.read_f32(program, &format!("moments {index}"))?);
            }
        }
    }
    let mut layers = Vec::new();
    for (index, sums) in sums.iter().enumerate() {
        let name = layer_name(index);
        let mut weight = device.read_f32(train, &format!("{name}.weight"))?;
        let mut bias = device.read_f32(train, &format!("{name}.bias"))?;
        if normalised(config, index) {
            let scale = device.read_f32(train, &format!("{name}.scale"))?;
            let inputs = weight.len() / bias.len();
            for (n, (weights, bias)) in weight.chunks_exact_mut(inputs).zip(&mut bias).enumerate() {
                let (mean, variance) = sums.column(n);
                let factor = f64::from(scale[n]) / (variance.max(0.0) + f64::from(EPSILON)).sqrt();
                weights.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
                *bias = (f64::from(*bias) - mean * factor) as f32;
            }
        }
        layers.extend([(format!("{name}.weight"), weight), (format!("{name}.bias"), bias)]);
    }
    Ok(layers)
}
