//! Metrics: sums of loss terms, and one line of `metrics.jsonl` an epoch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::RunConfig;

/// Sums over samples of every loss term, in f64 on the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TermSums {
    /// Samples counted.
    pub rows: f64,
    /// Sum of each term over them, in the order of [`terms`](crate::model::graph::terms); none before the first row.
    pub terms: Vec<f64>,
}

impl TermSums {
    /// Adds a row of the ring: valid rows of the batch, then its terms.
    pub fn add_row(&mut self, row: &[f32]) {
        let rows = f64::from(row[0]);
        self.rows += rows;
        self.terms.resize(row.len() - 1, 0.0);
        for (sum, &term) in self.terms.iter_mut().zip(&row[1..]) {
            *sum += rows * f64::from(term);
        }
    }

    /// Mean of the term of this number.
    pub fn mean(&self, term: usize) -> f64 {
        self.terms.get(term).copied().unwrap_or(0.0) / self.rows
    }

    /// Mean squared error per pixel.
    pub fn mse(&self) -> f64 {
        self.mean(0)
    }

    /// Entropy in nats.
    pub fn entropy(&self) -> f64 {
        self.mean(1)
    }

    /// The terms beside error and entropy as `<of>_<term>`; of a variational network also the evidence lower bound,
    /// `<of>_elbo`, in nats an image.
    pub fn further(&self, config: &RunConfig, of: &str) -> BTreeMap<String, f64> {
        let terms = config.further_terms();
        let named = terms.iter().enumerate().map(|(i, (name, _))| (format!("{of}_{name}"), self.mean(2 + i)));
        let mut further: BTreeMap<String, f64> = named.collect();
        if let (Some(nll), Some(kl)) = (further.get(&format!("{of}_nll")), further.get(&format!("{of}_kl"))) {
            further.insert(format!("{of}_elbo"), -(nll + kl));
        }
        further
    }

    /// The weighted sum that training minimises, with this weight of the entropy.
    pub fn loss(&self, config: &RunConfig, entropy_weight: f32) -> f64 {
        let further = config.further_terms();
        let further = further.iter().enumerate().map(|(i, (_, weight))| f64::from(*weight) * self.mean(2 + i));
        f64::from(config.lambda_mse) * self.mse() + f64::from(entropy_weight) * self.entropy() + further.sum::<f64>()
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
    /// Weight of the entropy after the epoch; of runs from before it was told, 0.
    #[serde(default)]
    pub entropy_weight: f32,
    /// Weighted loss of the test data.
    pub test_loss: f64,
    /// Reconstruction error of the test data.
    pub test_mse: f64,
    /// Entropy when the test data was judged.
    pub test_entropy: f64,
    /// What the network looks like; see [`Observation::metrics`](crate::train::Observation::metrics).
    #[serde(flatten)]
    pub observed: BTreeMap<String, f64>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Epochs completed.
    pub epoch: u32,
    /// Steps completed.
    pub step: u32,
    /// Seconds of the epoch's training steps.
    pub seconds: f64,
    /// Weight of the entropy now.
    pub entropy_weight: f32,
}

impl EpochMetrics {
    /// A term of the test data by its name, such as "mse" or "elbo".
    pub fn test(&self, term: &str) -> Option<f64> {
        match term {
            "loss" => Some(self.test_loss),
            "mse" => Some(self.test_mse),
            "entropy" => Some(self.test_entropy),
            further => self.observed.get(&format!("test_{further}")).copied(),
        }
    }

    /// Metrics of an epoch from its sums.
    pub fn new(
        config: &RunConfig,
        progress: Progress,
        train: &TermSums,
        test: &TermSums,
        mut observed: BTreeMap<String, f64>,
    ) -> Self {
        for (sums, of) in [(train, "train"), (test, "test")] {
            observed.extend(sums.further(config, of));
        }
        let Progress { epoch, step, seconds, entropy_weight } = progress;
        EpochMetrics {
            epoch,
            step,
            seconds,
            samples_per_second: train.rows / seconds.max(1e-9),
            train_loss: train.loss(config, entropy_weight),
            train_mse: train.mse(),
            train_entropy: train.entropy(),
            entropy_weight,
            test_loss: test.loss(config, entropy_weight),
            test_mse: test.mse(),
            test_entropy: test.entropy(),
            observed,
        }
    }
}
