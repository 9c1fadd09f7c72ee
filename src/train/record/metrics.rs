//! Metrics: sums of loss terms, and one line of `metrics.jsonl` an epoch.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::config::RunConfig;

/// Key of an epoch's last learning rate, where that moves.
pub const LEARNING_RATE: &str = "learning_rate";

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
    /// Weighted loss, mean over the epoch's steps, under the weights at its end.
    pub train_loss: f64,
    /// Weighted loss of the test data.
    pub test_loss: f64,
    /// Everything else by its key: `train_` and `test_`, and `validation_` where rows were set aside, with each of the run's
    /// terms (and of the latter the `loss`), `<term>_weight` of those whose
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

/// Key of a term's weight after an epoch, where that moves.
pub fn weight_key(term: &str) -> String {
    format!("{term}_weight")
}

/// The times, in epochs, in which the weight of a term moves: sums under different weights do not compare. A weight that
/// moves begins with 0.
pub fn weights_move(config: &RunConfig, metrics: &[EpochMetrics]) -> Vec<Range<f64>> {
    let terms = config.moving_terms();
    let weights = |m: &EpochMetrics| -> Vec<f64> {
        terms.iter().map(|term| m.get(&weight_key(term)).unwrap_or_default()).collect()
    };
    let mut moving: Vec<Range<f64>> = Vec::new();
    let mut before = vec![0.0; terms.len()];
    for epoch in metrics {
        let (now, end) = (weights(epoch), f64::from(epoch.epoch));
        if now != before {
            match moving.last_mut().filter(|last| last.end == end - 1.0) {
                Some(last) => last.end = end,
                None => moving.push(end - 1.0..end),
            }
        }
        before = now;
    }
    moving
}

/// Key of the active units of a hidden layer, numbered from 1; see
/// [`LayerObservation::active_units`](crate::train::LayerObservation::active_units).
pub fn active_units(layer: usize) -> String {
    format!("active_units_{layer}")
}

/// Key of the effective width of a hidden layer, numbered from 1: exp of the entropy of its neurons' shares of the paths.
pub fn effective_width(layer: usize) -> String {
    format!("effective_width_{layer}")
}

/// Sums of the terms of an epoch on each part of the data.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Of the epoch's steps.
    pub train: &'a TermSums,
    /// Of the rows set aside, if there are any.
    pub validation: Option<&'a TermSums>,
    /// Of the test data.
    pub test: &'a TermSums,
}

impl EpochMetrics {
    /// Active units of a hidden layer, numbered from 1, if it was observed.
    pub fn active_units(&self, layer: usize) -> Option<f64> {
        self.get(&active_units(layer))
    }

    /// Effective width of a hidden layer, numbered from 1, if the network is a chain of layers.
    pub fn effective_width(&self, layer: usize) -> Option<f64> {
        self.get(&effective_width(layer))
    }

    /// The line of another network that takes this one's place after the same steps: what training has seen stays, what was
    /// judged and observed is the other's.
    #[must_use]
    pub fn of_successor(
        &self,
        config: &RunConfig,
        weights: &Weights,
        test: &TermSums,
        observed: BTreeMap<String, f64>,
    ) -> Self {
        let of_training = |key: &str| key.starts_with("train_") || key.ends_with("_weight") || key == LEARNING_RATE;
        let kept = self.figures.iter().filter(|(key, _)| of_training(key));
        let mut figures: BTreeMap<String, f64> = kept.map(|(key, value)| (key.clone(), *value)).collect();
        figures.extend(observed);
        figures.extend(test.figures(config, "test"));
        figures.retain(|_, figure| figure.is_finite());
        EpochMetrics { test_loss: test.loss(weights), figures, ..self.clone() }
    }

    /// A figure by its key, such as `test_mse`.
    pub fn get(&self, key: &str) -> Option<f64> {
        match key {
            "train_loss" => Some(self.train_loss),
            "test_loss" => Some(self.test_loss),
            "seconds" => Some(self.seconds),
            "samples_per_second" => Some(self.samples_per_second),
            key => self.figures.get(key).copied(),
        }
    }

    /// A term of the data that decides by its name: of the validation rows, or of the test data where there are none.
    pub fn deciding(&self, config: &RunConfig, term: &str) -> Option<f64> {
        self.get(&format!("{}_{term}", config.deciding()))
    }

    /// A term of the test data by its name, such as "mse" or "elbo".
    pub fn test(&self, term: &str) -> Option<f64> {
        self.get(&format!("test_{term}"))
    }

    /// Metrics of an epoch from its sums, and from what was seen of the network.
    pub fn new(
        config: &RunConfig,
        progress: Progress<'_>,
        judged: Judged<'_>,
        observed: BTreeMap<String, f64>,
    ) -> Self {
        let Progress { epoch, step, seconds, weights } = progress;
        let Judged { train, validation, test } = judged;
        let mut figures = observed;
        for (sums, of) in [(Some(train), "train"), (validation, "validation"), (Some(test), "test")] {
            figures.extend(sums.map(|sums| sums.figures(config, of)).unwrap_or_default());
        }
        figures.extend(validation.map(|sums| ("validation_loss".to_string(), sums.loss(weights))));
        let moving = config.moving_terms().into_iter();
        figures.extend(moving.filter_map(|name| Some((weight_key(name), *weights.get(name)?))));
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_times_in_which_a_weight_moves_are_told_from_its_values() {
        let config = RunConfig::recipe("bottleneck").unwrap();
        let moving = |config: &RunConfig, weights: &[f64]| {
            let line = |(index, weight): (usize, &f64)| EpochMetrics {
                epoch: index as u32 + 1,
                step: 9,
                seconds: 1.0,
                samples_per_second: 1.0,
                train_loss: 1.0,
                test_loss: 1.0,
                figures: [(weight_key("entropy"), *weight)].into(),
            };
            weights_move(config, &weights.iter().enumerate().map(line).collect::<Vec<_>>())
        };
        assert_eq!(moving(&config, &[0.0, 0.0, 0.1, 0.2, 0.2, 0.3]), [2.0..4.0, 5.0..6.0]);
        assert_eq!(moving(&config, &[0.5, 1.0, 1.0]), [0.0..2.0], "it begins with nothing");
        assert!(moving(&config, &[0.0; 3]).is_empty() && moving(&config, &[]).is_empty());
        assert!(moving(&RunConfig::recipe("report").unwrap(), &[0.3, 0.3]).is_empty(), "none is said to move");
    }
}
