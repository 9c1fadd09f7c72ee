//! The end of an epoch: a network settled, judged and looked at.

use std::collections::BTreeMap;

use super::observation::Observation;
use super::record::metrics::{EpochMetrics, Judged, LEARNING_RATE, Progress, TermSums, Weights};
use super::session::Session;
use crate::error::Result;
use crate::model::optimiser::learning_rate_step;
use crate::ops::step::clock;

/// An epoch whose steps are done.
#[derive(Clone, Copy, Debug)]
pub struct Epoch<'a> {
    /// The clock behind its last step.
    pub clock: &'a [u32],
    /// Seconds that its steps took.
    pub seconds: f64,
    /// Rows of its steps over seconds.
    pub samples_per_second: f64,
    /// Sums of its steps.
    pub sums: &'a TermSums,
    /// Classes of the test rows, which no network is told; none if they have none.
    pub labels: &'a [u16],
}

/// What an epoch came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its line of metrics.
    pub metrics: EpochMetrics,
    /// The network as it was seen; none of one that judges rows of another, whose answers are no codes.
    pub observation: Option<Observation>,
    /// Weights of the terms behind its last step.
    pub weights: Weights,
}

impl Session {
    /// Judges the network and looks at it, with the means of its weights in their place if it has any; then it can learn on.
    ///
    /// # Errors
    /// When the device fails, or a term is not finite.
    pub async fn end_epoch(&mut self, epoch: Epoch<'_>) -> Result<Outcome> {
        let Epoch { clock, seconds, samples_per_second, sums, labels } = epoch;
        self.show_means().await?;
        self.settle_moments().await?;
        let test = self.evaluate().await?;
        let validation = self.validate().await?;
        // What a discriminator makes of a row is no code, nor are its units a generator's.
        let observation = match self.config.adversarial {
            Some(_) => None,
            None => Some(self.observe().await?),
        };
        let mut observed = observation.as_ref().map_or_else(BTreeMap::new, Observation::metrics);
        observed.extend(self.judge_answers(labels).await?);
        self.learn_on()?;
        if let Some(schedule) = learning_rate_step(&self.config, clock[clock::ROWS] as usize) {
            // Of the last step that was made.
            observed.insert(LEARNING_RATE.into(), schedule.rate(clock[clock::STEP] - 1));
        }
        let weights = self.weights().await?;
        let progress = Progress { epoch: clock[clock::EPOCH], step: clock[clock::STEP], seconds, weights: &weights };
        let judged = Judged { train: sums, validation: validation.as_ref(), test: &test };
        let mut metrics = EpochMetrics::new(&self.config, progress, judged, observed);
        metrics.samples_per_second = samples_per_second;
        Ok(Outcome { metrics, observation, weights })
    }
}
