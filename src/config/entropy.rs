//! What is driven down or up beside the reconstruction error, and with what weight at what time.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::nn::losses::Activity;
use crate::ops::entropy::path_chain::PathBias;

/// What the entropy is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Activeness of the neurons of chosen layers, judged by their weights.
    #[default]
    Weights,
    /// Paths from the inputs to the outputs, through all layers.
    Paths,
    /// Neurons of chosen layers, by their share of these paths.
    Widths,
    /// Activations of chosen layers: certain for every sample, balanced over the batch.
    Codes,
}

/// What keeps codes apart: how evenly a batch is spread over them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Averaging {
    /// KL(q̄‖u), the sound one.
    #[default]
    Divergence,
    /// KL(u‖q̄) = −A_avg/N, which has a gradient for codes that nobody uses.
    Average,
    /// A_doc as published, which balances nothing; to be studied.
    Document,
}

/// The entropy of a loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntropyConfig {
    /// What it is of.
    pub of: Subject,
    /// What counts as a neuron's activity, of weights.
    pub activity: Activity,
    /// Order of the Rényi entropy; 1 is Shannon's.
    pub alpha: f32,
    /// Weight of the bias in a neuron's activeness.
    pub bias_weight: f32,
    /// How biases take part in paths.
    pub path_bias: PathBias,
    /// Inverse temperature of codes, and its sign: −1 for logits, positive for energies.
    pub beta: f32,
    /// How the balance of codes over the batch is measured.
    pub averaging: Averaging,
    /// Its weight.
    pub balance: f32,
    /// The linear layers that count, numbered from 1.
    pub layers: Vec<usize>,
    /// Whether the entropy is driven up instead of down.
    pub maximise: bool,
    /// Its weight over time.
    pub schedule: Schedule,
}

impl Default for EntropyConfig {
    /// The source report's Listing 2.
    fn default() -> Self {
        EntropyConfig {
            of: Subject::Weights,
            activity: Activity::Both,
            alpha: 0.04,
            bias_weight: 1.0,
            path_bias: PathBias::Source,
            beta: -1.0,
            averaging: Averaging::Divergence,
            balance: 1.0,
            layers: vec![3],
            maximise: false,
            schedule: Schedule::Constant,
        }
    }
}

impl EntropyConfig {
    /// Refuses values that make no sense, naming the key.
    ///
    /// # Errors
    /// [`Error::Usage`] for the first such value.
    pub fn check(&self) -> Result<()> {
        let refuse = |problem: String| Err(Error::Usage(problem));
        if self.alpha.is_nan() || self.alpha < 0.0 {
            return refuse(format!("entropy.alpha {}: expected an order of 0 or more", self.alpha));
        }
        if self.of == Subject::Paths && self.alpha.is_infinite() {
            return refuse("entropy.alpha inf: paths have no gradient at the infinite order; take a large one".into());
        }
        if self.layers.is_empty() {
            return refuse("entropy.layers: expected at least one layer".into());
        }
        if !self.beta.is_finite() || self.beta == 0.0 {
            return refuse(format!("entropy.beta {}: expected a number other than 0", self.beta));
        }
        let mut numbers = vec![("bias_weight", self.bias_weight), ("balance", self.balance)];
        match self.schedule {
            Schedule::Constant => {}
            Schedule::WarmUp { from, to } => numbers.extend([("schedule.from", from), ("schedule.to", to)]),
            Schedule::Budget { warm_up, mse, rate } => {
                numbers.extend([("schedule.mse", mse), ("schedule.rate", rate)]);
                numbers.extend(warm_up.map(|epochs| ("schedule.warm_up", epochs)));
                if self.maximise {
                    return refuse("entropy.maximise: a budget is for an entropy that is driven down".into());
                }
            }
        }
        match numbers.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((name, value)) => refuse(format!("entropy.{name} {value}: expected a number of 0 or more")),
            None => Ok(()),
        }
    }
}

/// The weight of the entropy over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// `lambda_entropy` from the first step on.
    #[default]
    Constant,
    /// Nothing for `from` epochs, then up in a straight line to `lambda_entropy` after `to` epochs.
    WarmUp {
        /// Epochs without weight.
        #[serde(default)]
        from: f32,
        /// Epochs until the whole weight.
        #[serde(default = "whole_after")]
        to: f32,
    },
    /// As much as a reconstruction budget allows, at most `lambda_entropy`.
    Budget {
        /// Epochs without weight; six tenths of all if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warm_up: Option<f32>,
        /// The mean squared error not to be exceeded; 0 takes what training has reached after the warm-up.
        #[serde(default)]
        mse: f32,
        /// How fast the weight follows: relative change a step when the error is off by its whole budget.
        #[serde(default = "rate")]
        rate: f32,
    },
}

fn whole_after() -> f32 {
    3.0
}

fn rate() -> f32 {
    0.1
}

/// Share of a run's epochs that a warm-up takes if nothing is said.
const WARM_UP: f32 = 0.6;

impl Schedule {
    /// The same with everything said that depends on the number of epochs.
    pub fn settled(self, epochs: u32) -> Self {
        match self {
            Schedule::Budget { warm_up: None, mse, rate } => {
                // To the tenth, as people would write it.
                let warm_up = Some((10.0 * WARM_UP * epochs as f32).round() / 10.0);
                Schedule::Budget { warm_up, mse, rate }
            }
            other => other,
        }
    }

    /// A budget with its usual settings.
    pub fn budget() -> Self {
        Schedule::Budget { warm_up: None, mse: 0.0, rate: rate() }
    }
}
