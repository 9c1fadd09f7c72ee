//! Metrics: sums of loss terms, and one line of `metrics.jsonl` an epoch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::nn::Pass;

/// Weights of the terms that count, by name, as they are now.
pub type Weights = BTreeMap<String, f64>;

/// Sums over samples of every loss term, in f64 on the host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TermSums {
    /// Samples counted.
    pub rows: f64,
    /// Sum of each term over them, by name; none before the first row.
    pub terms: BTreeMap<String, f64>,
}

impl TermSums {
    /// Adds a row of the ring: valid rows of the batch, then its terms, which have these names.
    pub fn add_row(&mut self, names: &[&str], row: &[f32]) {
        let rows = f64::from(row[0]);
        self.rows += rows;
        for (name, &term) in names.iter().zip(&row[1..]) {
            let added = rows * f64::from(term);
            match self.terms.get_mut(*name) {
                Some(sum) => *sum += added,
                // As a sum that begins with 0: −0 becomes 0.
                None => drop(self.terms.insert((*name).to_string(), 0.0 + added)),
            }
        }
    }

    /// Mean of the term of this name; nothing if there is none.
    pub fn mean(&self, term: &str) -> Option<f64> {
        self.terms.get(term).map(|sum| sum / self.rows)
    }

    /// All terms, and what follows from them, as `<of>_<term>`.
    pub fn figures(&self, config: &RunConfig, of: &str) -> BTreeMap<String, f64> {
        let mean = |term: &str| self.mean(term).unwrap_or(f64::NAN);
        let terms = self.terms.keys().map(|name| (format!("{of}_{name}"), mean(name)));
        let derived = config.derived().into_iter().map(|it| (format!("{of}_{}", it.name), (it.of)(&mean)));
        terms.chain(derived).collect()
    }

    /// The weighted sum that training minimises.
    pub fn loss(&self, weights: &Weights) -> f64 {
        let term = |(name, weight): (&String, &f64)| Some(weight * self.mean(name)?);
        weights.iter().filter_map(term).sum()
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
    /// Weighted loss of the test data.
    pub test_loss: f64,
    /// Everything else by its key: `train_` and `test_` with each of the run's terms, `<term>_weight` of those whose
    /// weight moves, and what the network looks like (see
    /// [`Observation::metrics`](crate::train::Observation::metrics)).
    #[serde(flatten)]
    pub figures: BTreeMap<String, f64>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Epochs completed.
    pub epoch: u32,
    /// Steps completed.
    pub step: u32,
    /// Seconds of the epoch's training steps.
    pub seconds: f64,
    /// Weights of the terms now.
    pub weights: &'a Weights,
}

impl EpochMetrics {
    /// A figure by its key, such as `test_mse`.
    pub fn get(&self, key: &str) -> Option<f64> {
        match key {
            "train_loss" => Some(self.train_loss),
            "test_loss" => Some(self.test_loss),
            key => self.figures.get(key).copied(),
        }
    }

    /// A term of the test data by its name, such as "mse" or "elbo".
    pub fn test(&self, term: &str) -> Option<f64> {
        self.get(&format!("test_{term}"))
    }

    /// The same epoch's metrics for another network that was made of the run's: what was measured of it on test data and
    /// seen of it takes the place of what was known of the run's network.
    pub fn judged_again(&mut self, config: &RunConfig, test: &TermSums, observed: BTreeMap<String, f64>) {
        self.figures.retain(|key, _| key.starts_with("train_") || key.ends_with("_weight") || key == "learning_rate");
        let terms = config.terms(Pass::Train).into_iter().filter(|(_, weight)| weight.counts);
        let weights: Weights = terms
            .map(|(name, weight)| {
                let moved = self.get(&format!("{name}_weight")).filter(|_| weight.moves());
                (name.to_string(), moved.unwrap_or(f64::from(weight.value)))
            })
            .collect();
        self.test_loss = test.loss(&weights);
        self.figures.extend(observed);
        self.figures.extend(test.figures(config, "test"));
        self.figures.retain(|_, figure| figure.is_finite());
    }

    /// Metrics of an epoch from its sums, and from what was seen of the network.
    pub fn new(
        config: &RunConfig,
        progress: Progress<'_>,
        train: &TermSums,
        test: &TermSums,
        observed: BTreeMap<String, f64>,
    ) -> Self {
        let mut figures = observed;
        for (sums, of) in [(train, "train"), (test, "test")] {
            figures.extend(sums.figures(config, of));
        }
        let Progress { epoch, step, seconds, weights } = progress;
        let moving = config.moving_terms().into_iter();
        figures.extend(moving.filter_map(|name| Some((format!("{name}_weight"), *weights.get(name)?))));
        // JSON has no others.
        figures.retain(|_, figure| figure.is_finite());
        EpochMetrics {
            epoch,
            step,
            seconds,
            samples_per_second: train.rows / seconds.max(1e-9),
            train_loss: train.loss(weights),
            test_loss: test.loss(weights),
            figures,
        }
    }
}
