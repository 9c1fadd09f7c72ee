//! Metrics: sums of loss terms, and one line of `metrics.jsonl` an epoch.

use serde::{Deserialize, Serialize};

use super::graph::TERMS;
use crate::config::RunConfig;

/// Sums over samples of every loss term, in f64 on the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TermSums {
    /// Samples counted.
    pub rows: f64,
    /// Sum of each term over them.
    pub terms: [f64; TERMS.len()],
}

impl TermSums {
    /// Adds a row of the ring: valid rows of the batch, then its terms.
    pub fn add_row(&mut self, row: &[f32]) {
        let rows = f64::from(row[0]);
        self.rows += rows;
        for (sum, &term) in self.terms.iter_mut().zip(&row[1..]) {
            *sum += rows * f64::from(term);
        }
    }

    /// Mean squared error per pixel.
    pub fn mse(&self) -> f64 {
        self.terms[0] / self.rows
    }

    /// Entropy in nats.
    pub fn entropy(&self) -> f64 {
        self.terms[1] / self.rows
    }

    /// The weighted sum that training minimises.
    pub fn loss(&self, config: &RunConfig) -> f64 {
        let sign = if config.entropy.maximise { -1.0 } else { 1.0 };
        f64::from(config.lambda_mse) * self.mse() + sign * f64::from(config.lambda_entropy) * self.entropy()
    }
}

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Epochs completed.
    pub epoch: u32,
    /// Steps completed.
    pub step: u32,
    /// Seconds of the epoch's training steps.
    pub seconds: f64,
    /// Training rows over those seconds.
    pub samples_per_second: f64,
    /// Weighted loss, mean over the epoch's steps.
    pub train_loss: f64,
    /// Reconstruction error, mean over the epoch's steps.
    pub train_mse: f64,
    /// Entropy, mean over the epoch's steps.
    pub train_entropy: f64,
    /// Weighted loss of the test data.
    pub test_loss: f64,
    /// Reconstruction error of the test data.
    pub test_mse: f64,
    /// Entropy of the weights when the test data was judged.
    pub test_entropy: f64,
}

impl EpochMetrics {
    /// Metrics of an epoch from its sums.
    pub fn new(config: &RunConfig, epoch: u32, step: u32, seconds: f64, train: &TermSums, test: &TermSums) -> Self {
        EpochMetrics {
            epoch,
            step,
            seconds,
            samples_per_second: train.rows / seconds.max(1e-9),
            train_loss: train.loss(config),
            train_mse: train.mse(),
            train_entropy: train.entropy(),
            test_loss: test.loss(config),
            test_mse: test.mse(),
            test_entropy: test.entropy(),
        }
    }
}
