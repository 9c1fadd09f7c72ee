//! How a run moves its parameters: the optimiser, the limit on gradients, the learning rate over time, and when to
//! stop early.

use serde::{Deserialize, Serialize};

use super::RunConfig;
use super::objective::refuse;
use crate::error::{Error, Result};
use crate::nn::Pass;

/// The optimiser; what is not said is what its kind usually has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimiserConfig {
    /// Which one.
    pub kind: OptimiserKind,
    /// Weight decay λ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f32>,
    /// Decay β₁ of Adam's mean of gradients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f32>,
    /// Momentum μ of gradient descent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f32>,
    /// The largest norm of all gradients together; no limit if none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f32>,
}

/// A kind of optimiser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserKind {
    /// Adam, with weight decay as a term of the gradient.
    #[default]
    Adam,
    /// Adam, with weight decay beside the step.
    AdamW,
    /// Gradient descent with momentum, with weight decay as a term of the gradient.
    Sgd,
}

/// The learning rate over time, which starts from `lr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateSchedule {
    /// How it falls.
    pub kind: RateKind,
    /// Epochs, or parts of them, over which it rises in a straight line from almost nothing.
    pub warm_up: f32,
    /// Epochs between two falls of `step`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<f32>,
    /// What the rate of `step` is multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f32>,
    /// The rate at which `cosine` ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<f32>,
}

/// How a learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateKind {
    /// Not at all.
    #[default]
    Constant,
    /// By a factor every so many epochs.
    Step,
    /// Along half a cosine until the last epoch.
    Cosine,
}

/// When to stop before the last epoch: the error of the validation rows no longer improves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStopping {
    /// What is judged: a term of the validation rows, one of [`RunConfig::judged_terms`]; see [`RunConfig::judged_term`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// Epochs in a row without improvement after which training stops.
    pub patience: u32,
    /// By more than this a term must change to have improved.
    pub min_change: f64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        EarlyStopping { term: None, patience: 5, min_change: 0.0 }
    }
}

/// Refuses a setting that another kind has.
fn foreign(key: &str, value: Option<f32>, allowed: bool, whose: &str) -> Result<()> {
    match value.filter(|_| !allowed) {
        Some(value) => Err(Error::Usage(format!("{key} {value}: only {whose} has it"))),
        None => Ok(()),
    }
}

impl OptimiserConfig {
    /// Weight decay λ: of AdamW 0.01 if nothing is said, of the others none.
    pub fn weight_decay(&self) -> f32 {
        self.weight_decay.unwrap_or(if self.kind == OptimiserKind::AdamW { 0.01 } else { 0.0 })
    }

    /// Momentum μ: 0.9 if nothing is said.
    pub fn momentum(&self) -> f32 {
        self.momentum.unwrap_or(0.9)
    }

    /// Decay β₁ of Adam's mean of gradients: 0.9 if nothing is said.
    pub fn beta1(&self) -> f32 {
        self.beta1.unwrap_or(0.9)
    }

    fn check(&self) -> Result<()> {
        let is_sgd = self.kind == OptimiserKind::Sgd;
        foreign("optimiser.beta1", self.beta1, !is_sgd, "an Adam")?;
        if !(0.0..1.0).contains(&self.beta1()) {
            return refuse("optimiser.beta1", self.beta1(), "at least 0 and less than 1");
        }
        foreign("optimiser.momentum", self.momentum, is_sgd, "kind = \"sgd\"")?;
        if !(0.0..1.0).contains(&self.momentum()) {
            return refuse("optimiser.momentum", self.momentum(), "at least 0 and less than 1");
        }
        if !(self.weight_decay().is_finite() && self.weight_decay() >= 0.0) {
            return refuse("optimiser.weight_decay", self.weight_decay(), "a number of 0 or more");
        }
        match self.clip {
            Some(clip) if !(clip.is_finite() && clip > 0.0) => {
                refuse("optimiser.clip", clip, "a positive norm; leave the key out for no limit")
            }
            _ => Ok(()),
        }
    }
}

impl RateSchedule {
    /// What a fall of `step` multiplies the rate by: 0.1 if nothing is said.
    pub fn factor(&self) -> f32 {
        self.factor.unwrap_or(0.1)
    }

    /// Where `cosine` ends: at 0 if nothing is said.
    pub fn floor(&self) -> f32 {
        self.floor.unwrap_or(0.0)
    }

    /// `lr`: the peak; `epochs`: those of the run.
    fn check(&self, lr: f32, epochs: u32) -> Result<()> {
        let [is_step, is_cosine] = [RateKind::Step, RateKind::Cosine].map(|kind| self.kind == kind);
        foreign("lr_schedule.every", self.every, is_step, "kind = \"step\"")?;
        foreign("lr_schedule.factor", self.factor, is_step, "kind = \"step\"")?;
        foreign("lr_schedule.floor", self.floor, is_cosine, "kind = \"cosine\"")?;
        if !(self.warm_up >= 0.0 && self.warm_up <= epochs as f32) {
            let expected = format!("a number of epochs from 0 to the run's {epochs}");
            return refuse("lr_schedule.warm_up", self.warm_up, &expected);
        }
        match self.every {
            None if is_step => {
                let problem = "lr_schedule.every: expected the number of epochs between two falls of the rate";
                return Err(Error::Usage(problem.into()));
            }
            Some(every) if !(every.is_finite() && every > 0.0) => {
                return refuse("lr_schedule.every", every, "a positive number of epochs");
            }
            _ => {}
        }
        if !(self.factor() > 0.0 && self.factor() <= 1.0) {
            return refuse("lr_schedule.factor", self.factor(), "more than 0 and at most 1");
        }
        if !(0.0..=lr).contains(&self.floor()) {
            return refuse("lr_schedule.floor", self.floor(), &format!("a rate from 0 to the --lr of {lr}"));
        }
        Ok(())
    }
}

impl RunConfig {
    /// The terms that a run may be judged by, as metrics have them after `validation_` and `test_`.
    pub fn judged_terms(&self) -> Vec<&'static str> {
        let terms = self.terms(Pass::Judge).into_iter().map(|(name, _)| name);
        let derived = self.derived().into_iter().map(|derived| derived.name);
        ["loss"].into_iter().chain(terms).chain(derived).collect()
    }

    /// The term that a run is judged by: the one that is said, else the error of a reconstruction, else the loss.
    pub fn judged_term(&self) -> &str {
        let said = self.early_stopping.as_ref().and_then(|stopping| stopping.term.as_deref());
        said.unwrap_or(if self.reconstructs() { "mse" } else { "loss" })
    }

    /// What is to be known of a run that lets test data decide.
    pub fn decided_by_test(&self) -> Option<String> {
        let decides = self.early_stopping.is_some() && self.deciding() == "test";
        decides.then(|| {
            "early_stopping: without a validation split (--validation 0.1) the test data decides when to stop and which epoch \
             is best, so that its error is a little better than that of rows never seen"
                .into()
        })
    }

    /// Whether more of a term is better: of the evidence lower bound, and of an entropy that is driven up.
    pub fn is_better_larger(&self, term: &str) -> bool {
        let derived = self.derived().into_iter().any(|derived| derived.name == term && derived.is_better_larger);
        derived || self.objectives().iter().any(|objective| objective.is_better_larger(term))
    }

    pub(super) fn check_optimiser(&self) -> Result<()> {
        self.optimiser.check()?;
        self.lr_schedule.check(self.lr, self.epochs)?;
        let Some(stopping) = &self.early_stopping else { return Ok(()) };
        let terms = self.judged_terms();
        if !terms.contains(&self.judged_term()) {
            return refuse("early_stopping.term", self.judged_term(), &format!("one of {}", terms.join(", ")));
        }
        if stopping.patience == 0 {
            return refuse("early_stopping.patience", 0, "1 epoch or more");
        }
        if !(stopping.min_change.is_finite() && stopping.min_change >= 0.0) {
            return refuse("early_stopping.min_change", stopping.min_change, "a number of 0 or more");
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn set(keys: &[(&str, &str)]) -> Result<RunConfig> {
        let mut config = RunConfig::recipe("plain").unwrap();
        keys.iter().try_for_each(|(key, value)| config.set("--set", key, value))?;
        config.check()?;
        Ok(config)
    }

    #[test]
    fn keys_are_set_in_any_order_and_read_back() {
        let config = set(&[
            ("optimiser.momentum", "0.5"),
            ("optimiser.kind", "sgd"),
            ("optimiser.clip", "2"),
            ("lr_schedule.every", "2"),
            ("lr_schedule.kind", "step"),
            ("early_stopping.patience", "3"),
        ])
        .unwrap();
        assert_eq!((config.optimiser.momentum(), config.optimiser.clip), (0.5, Some(2.0)));
        assert_eq!((config.lr_schedule.kind, config.lr_schedule.factor()), (RateKind::Step, 0.1));
        let stopping = EarlyStopping { patience: 3, ..EarlyStopping::default() };
        assert_eq!(config.early_stopping, Some(stopping));
        let text = config.to_toml().unwrap();
        assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), config, "{text}");
        let adamw = set(&[("optimiser.kind", "adamw")]).unwrap();
        assert_eq!((adamw.optimiser.weight_decay(), RunConfig::default().optimiser.weight_decay()), (0.01, 0.0));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("optimiser.kind", "rmsprop")], "rmsprop"),
            (&[("optimiser.beta", "0.5")], "beta"),
            (&[("optimiser.beta1", "1")], "optimiser.beta1 1"),
            (&[("optimiser.kind", "sgd"), ("optimiser.beta1", "0.5")], "optimiser.beta1 0.5: only an Adam"),
            (&[("optimiser.momentum", "0.5")], "optimiser.momentum 0.5: only kind = \"sgd\""),
            (&[("optimiser.kind", "sgd"), ("optimiser.momentum", "1")], "optimiser.momentum 1"),
            (&[("optimiser.weight_decay", "-1")], "optimiser.weight_decay -1"),
            (&[("optimiser.clip", "0")], "optimiser.clip 0"),
            (&[("optimiser.clip", "nan")], "optimiser.clip NaN"),
            (&[("lr_schedule.kind", "step")], "lr_schedule.every"),
            (&[("lr_schedule.kind", "step"), ("lr_schedule.every", "0")], "lr_schedule.every 0"),
            (&[("lr_schedule.every", "2")], "lr_schedule.every 2: only kind = \"step\""),
            (&[("lr_schedule.kind", "cosine"), ("lr_schedule.floor", "1")], "lr_schedule.floor 1"),
            (&[("lr_schedule.kind", "cosine"), ("lr_schedule.factor", "1")], "lr_schedule.factor 1"),
            (&[("lr_schedule.warm_up", "11")], "lr_schedule.warm_up 11"),
            (&[("early_stopping.term", "elbo")], "one of loss, mse"),
            (&[("early_stopping.patience", "0")], "early_stopping.patience 0"),
            (&[("early_stopping.min_change", "-1")], "early_stopping.min_change -1"),
            (&[("late_stopping.patience", "1")], "late_stopping"),
        ];
        for (keys, named) in cases {
            let message = set(keys).unwrap_err().to_string();
            assert!(message.contains(named), "{message} does not say {named}");
        }
    }

    #[test]
    fn the_terms_are_those_of_the_model() {
        let terms = |model: &str| RunConfig::model(model).unwrap().judged_terms();
        assert_eq!(terms("vae"), ["loss", "mse", "nll", "kl", "elbo"]);
        assert_eq!(terms("denoising"), ["loss", "mse", "denoising"]);
        assert_eq!(terms("entropic"), ["loss", "mse", "entropy"]);
        assert_eq!(terms("classifier"), ["loss", "cross_entropy", "error_rate", "brier"]);
        let vae = RunConfig::model("vae").unwrap();
        assert!(vae.is_better_larger("elbo") && !vae.is_better_larger("kl"));
    }
}
