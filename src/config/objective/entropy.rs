//! An entropy that is driven down or up, and with what weight at what time: `lambda_entropy` and `[entropy]`.
//!
//! Sources: El Bouz, "Entropy-Regularized Autoencoder" (2025); Paiton and Lundquist; FORMULAS §1 and §2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::schedule::Schedule;
use super::{Objective, Told, Weight, check_layers, check_weight};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Batch;
use crate::nn::losses::{Activity, path_entropy, path_widths, soft_assignment, weight_entropy};
use crate::ops::array::binary::Binary;
use crate::ops::array::unary::Unary;
use crate::ops::entropy::path_chain::PathBias;
use crate::ops::entropy::path_entropy::PathEntropy;

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
    /// The linear layers that count, numbered from 1; the code layer if none is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
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
            layers: Vec::new(),
            maximise: false,
            schedule: Schedule::Constant,
        }
    }
}

/// Weight of an entropy, relative to that of the error, beyond which networks collapse.
const HEAVY: f32 = 0.03;

impl EntropyConfig {
    /// Whether nothing was asked for: what a configuration without an entropy does not say.
    pub(in crate::config) fn is_unsaid(&self) -> bool {
        *self == EntropyConfig::default()
    }

    /// The layers that count.
    pub fn chosen(&self, config: &RunConfig) -> Vec<usize> {
        if self.layers.is_empty() { vec![config.encoder_layers()] } else { self.layers.clone() }
    }

    /// Refuses values that make no sense, naming the key.
    ///
    /// # Errors
    /// [`Error::Usage`] for the first such value.
    pub(in crate::config) fn check_values(&self) -> Result<()> {
        let refuse = |problem: String| Err(Error::Usage(problem));
        if self.alpha.is_nan() || self.alpha < 0.0 {
            return refuse(format!("entropy.alpha {}: expected an order of 0 or more", self.alpha));
        }
        if self.of == Subject::Paths && self.alpha.is_infinite() {
            return refuse("entropy.alpha inf: paths have no gradient at the infinite order; take a large one".into());
        }
        if !self.beta.is_finite() || self.beta == 0.0 {
            return refuse(format!("entropy.beta {}: expected a number other than 0", self.beta));
        }
        let mut numbers = vec![("bias_weight", self.bias_weight), ("balance", self.balance)];
        match self.schedule {
            Schedule::Constant | Schedule::Hold { .. } => {}
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

    /// Mean entropy of a layer's activations as soft assignments, and their balance over the batch.
    fn of_codes(&self, g: &mut Graph, clock: Var, x: Var) -> Result<Var> {
        let codes = soft_assignment(g, x, clock, self.beta)?;
        let width = g.ty(x).shape.matrix().map_or(1, |(_, width)| width) as f32;
        let (term, scale) = match self.averaging {
            Averaging::Divergence => (codes.divergence, 1.0),
            Averaging::Average => (codes.average, -1.0 / width),
            Averaging::Document => (codes.document, 1.0),
        };
        let balance = g.apply(Unary::Affine { scale: scale * self.balance, shift: 0.0 }, &[term])?;
        g.apply(Binary::Add, &[codes.mean_entropy, balance])
    }
}

impl Objective for EntropyConfig {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("--lambda-entropy", config.lambda_entropy)?;
        let hidden = config.depth().saturating_sub(1);
        check_layers("entropy.layers", &self.chosen(config), hidden)?;
        let needs_chain = matches!(self.of, Subject::Paths | Subject::Widths);
        if let Some(key) = config.unlike_chain().filter(|_| needs_chain) {
            let problem = "expected linear layers and nothing that mixes units or samples between them: an entropy of \
                           paths is that of a chain of layers (entropy.of codes takes any network)";
            return Err(Error::Usage(format!("{key}: {problem}")));
        }
        let apart = |number: &&usize| self.of == Subject::Weights && !config.feeds_next_layer(**number);
        if let Some(number) = self.chosen(config).iter().find(apart) {
            let key = config.layer_key(number - 1);
            let problem = "expected a linear layer right behind it: an entropy of weights is of those that make its units and of \
                           those that read them (entropy.of codes takes any network)";
            return Err(Error::Usage(format!("{key}: {problem}")));
        }
        if matches!(self.schedule, Schedule::Budget { .. }) && config.error_term().is_none() {
            let problem = "a budget is one of the answers' error, and these answers have none";
            return Err(Error::Usage(format!("entropy.schedule: {problem}")));
        }
        Ok(())
    }

    fn weights(&self, config: &RunConfig) -> Vec<(&'static str, Weight)> {
        let value = config.signed_lambda_entropy();
        vec![(
            "entropy",
            Weight { counts: true, schedule: self.schedule, memory: "multiplier", ..Weight::fixed(value) },
        )]
    }

    /// The entropy of all paths, or the sum over the chosen layers.
    fn vars(&self, config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let chosen = self.chosen(config);
        let entropies = match self.of {
            Subject::Paths => {
                let paths = PathEntropy { alpha: self.alpha, bias: self.path_bias };
                vec![path_entropy(g, batch.chain("entropy.of")?, paths)?.entropy]
            }
            Subject::Widths => {
                let widths = path_widths(g, batch.chain("entropy.of")?, self.alpha)?;
                chosen.iter().map(|&number| widths[number - 1]).collect()
            }
            Subject::Weights => {
                let entropy = |&number: &usize| {
                    let problem = || Error::Usage(format!("entropy.layers {number}: no linear layer right behind it"));
                    let [layer, next] = batch.network.layer_and_next(number).ok_or_else(problem)?;
                    weight_entropy(g, layer, next, self.activity, self.alpha, self.bias_weight)
                };
                chosen.iter().map(entropy).collect::<Result<Vec<Var>>>()?
            }
            Subject::Codes => {
                let code = |&number: &usize| self.of_codes(g, batch.clock, batch.passed.outputs[number - 1]);
                chosen.iter().map(code).collect::<Result<Vec<Var>>>()?
            }
        };
        let (&first, others) = entropies
            .split_first()
            .ok_or_else(|| Error::Usage("entropy.layers: expected at least one layer".into()))?;
        Ok(vec![others.iter().try_fold(first, |sum, &entropy| g.apply(Binary::Add, &[sum, entropy]))?])
    }

    fn of_whole_batch(&self) -> Option<&'static str> {
        (self.of == Subject::Codes).then_some("entropy.of codes")
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        vec![Told::new("test_entropy", "entropy", 3)]
    }

    fn is_better_larger(&self, term: &str) -> bool {
        term == "entropy" && self.maximise
    }

    /// An entropy that has had no weight yet is not why.
    fn relief(&self, _config: &RunConfig, metrics: &BTreeMap<String, f64>) -> Option<String> {
        if metrics.get("entropy_weight") == Some(&0.0) {
            return None;
        }
        let relief = match self.schedule {
            Schedule::Constant | Schedule::Hold { .. } => {
                "a smaller --lambda-entropy, or --recipe bottleneck, which keeps it within a budget of error"
            }
            Schedule::WarmUp { .. } => "a smaller --lambda-entropy, or a longer warm-up (entropy.schedule.to)",
            Schedule::Budget { mse, .. } if mse > 0.0 => "a smaller --budget, which this error is within or was once",
            Schedule::Budget { .. } => {
                "a longer entropy.schedule.warm_up, whose error is the budget, or a smaller entropy.schedule.rate"
            }
        };
        Some(relief.into())
    }

    fn warnings(&self, config: &RunConfig) -> Vec<String> {
        let mut warnings = Vec::new();
        // A collapsed network is the mean image: measured on MNIST with weights of 0.3 / 0.7; 0.012 / 0.7 holds.
        let heavy = config.lambda_entropy > HEAVY * config.lambda_mse;
        if heavy && self.schedule == Schedule::Constant && !self.maximise {
            let what = match self.of {
                Subject::Paths => Some("an entropy of paths"),
                Subject::Weights | Subject::Widths if self.alpha >= 0.5 => Some("an entropy of order 0.5 or more"),
                _ => None,
            };
            warnings.extend(what.map(|what| {
                format!(
                    "{what} with a constant weight of {} beside {} drives most networks to the mean row; \
                     --recipe bottleneck keeps it within a budget, and so do weights up to {:.3}",
                    config.lambda_entropy,
                    config.lambda_mse,
                    HEAVY * config.lambda_mse
                )
            }));
        }
        if self.of == Subject::Codes && !self.maximise {
            if self.balance <= 0.0 {
                warnings.push("entropy.balance 0: without it codes end up all alike".into());
            } else if self.averaging == Averaging::Document {
                warnings.push("entropy.averaging document: balances nothing, so codes end up all alike".into());
            }
        }
        let stops = config.early_stopping.is_some() && config.judged_term() == "mse";
        if stops && self.schedule != Schedule::Constant {
            warnings.push(
                "early_stopping.term mse: the error rises again as soon as the entropy gains weight, so the best epoch \
                 is one before that"
                    .into(),
            );
        }
        warnings
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn settings_known_to_collapse_are_warned_of() {
        let warned = |set: &[(&str, &str)]| {
            let mut config = RunConfig {
                data: crate::data::DataOptions { validation: Some(0.1), ..Default::default() },
                ..RunConfig::recipe("report").unwrap()
            };
            set.iter().for_each(|(key, value)| config.set("--set", key, value).unwrap());
            config.warnings().len()
        };
        assert_eq!(warned(&[]), 0, "the report's order of 0.04 holds");
        assert_eq!(warned(&[("alpha", "1")]), 1);
        assert_eq!(warned(&[("alpha", "1"), ("lambda", "0.012")]), 0);
        assert_eq!(warned(&[("alpha", "1"), ("entropy.maximise", "true")]), 0);
        assert_eq!(warned(&[("entropy", "paths")]), 1);
        assert_eq!(warned(&[("entropy", "paths"), ("entropy.schedule.kind", "budget")]), 0);
        assert_eq!(warned(&[("entropy", "codes")]), 0);
        assert_eq!(warned(&[("entropy", "codes"), ("entropy.balance", "0")]), 1);
        assert_eq!(warned(&[("entropy", "codes"), ("entropy.averaging", "document")]), 1);
        assert_eq!(warned(&[("early_stopping.term", "mse")]), 0);
        assert_eq!(warned(&[("early_stopping.term", "mse"), ("entropy.schedule.kind", "budget")]), 1);
    }
}
