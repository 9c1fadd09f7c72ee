//! Stopping early: which epoch was best so far, and whether it is too long ago.
//!
//! Source: Prechelt, "Early Stopping — But When?" (1998), the criterion UP in its simplest form: no improvement for
//! as many epochs as the patience says. All of it follows from the metrics, so a run that is resumed goes on counting
//! where it was.

use super::record::checkpoint::Checkpoint;
use super::{EpochMetrics, Run, RunDir};
use crate::config::RunConfig;
use crate::device::wait;
use crate::error::Result;
use crate::whole_file;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement<'a> {
    /// What is judged.
    pub term: &'a str,
    /// The best epoch.
    pub best: &'a EpochMetrics,
    /// Its value of the term.
    pub value: f64,
    /// Epochs since.
    pub waited: u32,
    /// Whether that is as long as the patience.
    pub is_over: bool,
}

/// A run's epochs judged; nothing if it does not stop early, or before its first epoch.
pub fn judge<'a>(config: &'a RunConfig, metrics: &'a [EpochMetrics]) -> Option<Judgement<'a>> {
    let stopping = config.early_stopping.as_ref()?;
    let term = config.judged_term();
    let sign = if config.is_better_larger(term) { -1.0 } else { 1.0 };
    let mut best: Option<(usize, f64)> = None;
    for (index, epoch) in metrics.iter().enumerate() {
        let Some(value) = epoch.deciding(config, term) else { continue };
        if best.is_none_or(|(_, best)| sign * (best - value) > stopping.min_change) {
            best = Some((index, value));
        }
    }
    let (index, value) = best?;
    let waited = (metrics.len() - 1 - index) as u32;
    let is_over = waited >= stopping.patience;
    Some(Judgement { term, best: &metrics[index], value, waited, is_over })
}

/// The epoch that a run with these metrics is worth: the best one if it may stop early, else the last.
pub fn outcome<'a>(config: &'a RunConfig, metrics: &'a [EpochMetrics]) -> Option<&'a EpochMetrics> {
    judge(config, metrics).map(|judgement| judgement.best).or(metrics.last())
}

/// Makes the best checkpoint agree with a run that goes on from `checkpoint`, the metrics being cut back to it. A
/// kill may have come between the newest checkpoint and the best one, which is then the same; or the best one may be
/// of an epoch that will be trained again, perhaps otherwise: then it is no longer this run's.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn settle(directory: &RunDir, metrics: &[EpochMetrics], checkpoint: &Checkpoint) -> Result<()> {
    let path = directory.best_checkpoint();
    let there = Checkpoint::load(&path).ok().map(|best| best.step());
    let best = judge(&checkpoint.config, metrics).map(|judgement| judgement.best.step);
    if best.is_some() && best == Some(checkpoint.step()) {
        return if there == best { Ok(()) } else { checkpoint.replace(&path) };
    }
    if there.is_some_and(|step| step > checkpoint.step()) {
        return whole_file::remove(&path);
    }
    Ok(())
}

impl Run {
    /// How the run stands, if it may stop early.
    pub fn judgement(&self) -> Option<Judgement<'_>> {
        judge(&self.config, &self.metrics)
    }

    /// Metrics of the epoch that the run is worth: the best one if it may stop early, else the last.
    pub fn outcome(&self) -> Option<&EpochMetrics> {
        outcome(&self.config, &self.metrics)
    }

    /// Metrics of all epochs up to the one that the run is worth.
    pub fn epochs_to_outcome(&self) -> &[EpochMetrics] {
        let last = self.outcome().map_or(0, |outcome| outcome.epoch);
        &self.metrics[..self.metrics.partition_point(|metrics| metrics.epoch <= last)]
    }

    /// Takes the parameters of the best epoch, if the run may stop early, and their means in their place, if there are any;
    /// nothing is trained or saved after that.
    ///
    /// # Errors
    /// When they cannot be read, or the device fails.
    pub fn take_best(&mut self) -> Result<()> {
        let path = self.directory.best_checkpoint();
        if self.config.early_stopping.is_some() && path.exists() {
            wait(self.session.restore(&Checkpoint::load(&path)?.state))?;
        }
        wait(self.session.show_means())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::EarlyStopping;
    use crate::train::TermSums;
    use crate::train::record::metrics::{Judged, Progress, Weights};

    fn epochs(config: &RunConfig, key: &str, values: &[f64]) -> Vec<EpochMetrics> {
        let epoch = |(index, &value): (usize, &f64)| {
            let epoch = index as u32 + 1;
            let progress = Progress { epoch, step: 3 * epoch, seconds: 1.0, weights: &Weights::new() };
            let terms = ["mse", "nll", "kl"].map(|name| (name.to_string(), value));
            let sums = TermSums { rows: 1.0, terms: terms.into() };
            let judged = Judged { train: &sums, validation: None, test: &sums };
            let mut metrics = EpochMetrics::new(config, progress, judged, BTreeMap::new());
            metrics.figures.insert(key.into(), value);
            metrics
        };
        values.iter().enumerate().map(epoch).collect()
    }

    fn judged(model: &str, stopping: EarlyStopping, values: &[f64]) -> (u32, f64, u32, bool) {
        let config = RunConfig { early_stopping: Some(stopping), ..RunConfig::model(model).unwrap() };
        let key = format!("test_{}", config.judged_term());
        let metrics = epochs(&config, &key, values);
        let judgement = judge(&config, &metrics).unwrap();
        (judgement.best.epoch, judgement.value, judgement.waited, judgement.is_over)
    }

    #[test]
    fn the_best_epoch_is_the_first_of_the_smallest_error() {
        let stopping = EarlyStopping { patience: 2, ..EarlyStopping::default() };
        let mse = |values: &[f64]| judged("denoising", stopping.clone(), values);
        assert_eq!(mse(&[3.0]), (1, 3.0, 0, false));
        assert_eq!(mse(&[3.0, 2.0, 2.0]), (2, 2.0, 1, false));
        assert_eq!(mse(&[3.0, 2.0, 2.0, 2.5]), (2, 2.0, 2, true));
        assert_eq!(mse(&[3.0, 2.0, 2.5, 1.0]), (4, 1.0, 0, false));
    }

    #[test]
    fn rows_set_aside_decide_where_there_are_some() {
        let early_stopping = Some(EarlyStopping { patience: 2, ..EarlyStopping::default() });
        let mut config = RunConfig { early_stopping, ..RunConfig::model("denoising").unwrap() };
        let mut metrics = epochs(&config, "test_mse", &[3.0, 2.0, 1.0]);
        metrics.iter_mut().zip([0.5, 0.4, 0.6]).for_each(|(epoch, value)| {
            epoch.figures.insert("validation_mse".into(), value);
        });
        assert_eq!(judge(&config, &metrics).unwrap().value, 1.0);
        config.data.validation = Some(0.1);
        let judgement = judge(&config, &metrics).unwrap();
        assert_eq!((judgement.best.epoch, judgement.value, judgement.waited), (2, 0.4, 1));
        assert_eq!(outcome(&config, &metrics), Some(&metrics[1]));
    }

    #[test]
    fn small_changes_count_for_nothing_and_evidence_should_rise() {
        let stopping = EarlyStopping { term: Some("elbo".into()), patience: 3, min_change: 0.5 };
        let elbo = |values: &[f64]| judged("vae", stopping.clone(), values);
        assert_eq!(elbo(&[-100.0, -90.0, -89.6, -89.4]), (4, -89.4, 0, false));
        assert_eq!(elbo(&[-100.0, -90.0, -89.6, -89.5, -91.0]), (2, -90.0, 3, true));
    }

    #[test]
    fn without_the_setting_or_an_epoch_nothing_is_judged() {
        let mut config = RunConfig::model("denoising").unwrap();
        assert_eq!(judge(&config, &epochs(&config, "test_denoising", &[1.0])), None);
        config.early_stopping = Some(EarlyStopping::default());
        assert_eq!(judge(&config, &[]), None);
    }
}
