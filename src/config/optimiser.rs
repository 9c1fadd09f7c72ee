//! How a run moves its parameters: the optimiser, the limit on gradients, their sum over parts of a batch.

use serde::{Deserialize, Serialize};

use super::RunConfig;
use super::objective::refuse;
use crate::error::{Error, Result};
use crate::ops::step::decayed::Decayed;
use crate::ops::step::unscale::LARGEST;

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
    /// Which parameters decay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay: Option<DecayKind>,
    /// Momentum μ of gradient descent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f32>,
    /// Whether a step of gradient descent looks ahead along its momentum.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nesterov: bool,
    /// Trust τ of LARS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<f32>,
    /// The largest norm of all gradients together; no limit if none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f32>,
    /// Decay of the running mean of the weights that is judged and used in their place; none if none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<f32>,
    /// Parts in which a batch goes through the network, one after the other; in one if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accumulate: Option<usize>,
    /// What the loss is multiplied by at first, so that gradients are not too small for f16; nothing if none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<f32>,
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
    /// The same with a step for every layer that is as long as its weights allow.
    Lars,
}

/// What decays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecayKind {
    /// All parameters.
    All,
    /// Weights of layers: neither biases nor what normalisations scale and shift by.
    Weights,
}

/// Refuses a setting that another kind has.
pub(super) fn foreign(key: &str, value: Option<f32>, allowed: bool, whose: &str) -> Result<()> {
    match value.filter(|_| !allowed) {
        Some(value) => Err(Error::Usage(format!("{key} {value}: only {whose} has it"))),
        None => Ok(()),
    }
}

/// Whether a loss may be multiplied by it: a power of two that there is room to halve and double.
fn is_scale(scale: f32) -> bool {
    (1.0..=LARGEST).contains(&scale) && scale.log2().fract() == 0.0
}

/// Scale of the loss that mixed precision begins with, as PyTorch's `GradScaler` does.
pub const LOSS_SCALE: f32 = 65536.0;

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

    /// Which parameters decay: of LARS weights alone, of the others all if nothing is said.
    pub fn decayed(&self) -> Decayed {
        match self.decay {
            Some(DecayKind::Weights) => Decayed::Weights,
            None if self.kind == OptimiserKind::Lars => Decayed::Weights,
            _ => Decayed::All,
        }
    }

    /// Parts in which a batch goes through the network.
    pub fn accumulate(&self) -> usize {
        self.accumulate.unwrap_or(1)
    }

    /// Trust τ of LARS: 0.001 if nothing is said.
    pub fn trust(&self) -> f32 {
        self.trust.unwrap_or(1e-3)
    }

    fn check(&self) -> Result<()> {
        let [is_sgd, is_lars] = [OptimiserKind::Sgd, OptimiserKind::Lars].map(|kind| self.kind == kind);
        if !(0.0..1.0).contains(&self.beta1()) {
            return refuse("optimiser.beta1", self.beta1(), "at least 0 and less than 1");
        }
        foreign("optimiser.momentum", self.momentum, is_sgd || is_lars, "kind = \"sgd\" or \"lars\"")?;
        foreign("optimiser.trust", self.trust, is_lars, "kind = \"lars\"")?;
        if self.nesterov && !(is_sgd && self.momentum() > 0.0) {
            return refuse("optimiser.nesterov", true, "kind = \"sgd\" with a momentum, along which to look ahead");
        }
        if is_lars && self.decay == Some(DecayKind::All) {
            return refuse(
                "optimiser.decay",
                "all",
                "\"weights\", since biases and norms do not decay under kind = \"lars\"",
            );
        }
        if !(self.trust().is_finite() && self.trust() > 0.0) {
            return refuse("optimiser.trust", self.trust(), "a positive number");
        }
        if !(0.0..1.0).contains(&self.momentum()) {
            return refuse("optimiser.momentum", self.momentum(), "at least 0 and less than 1");
        }
        if !(self.weight_decay().is_finite() && self.weight_decay() >= 0.0) {
            return refuse("optimiser.weight_decay", self.weight_decay(), "a number of 0 or more");
        }
        if let Some(average) = self.average.filter(|average| !(0.0..1.0).contains(average)) {
            let expected = "at least 0 and less than 1; leave the key out for no average of the weights";
            return refuse("optimiser.average", average, expected);
        }
        if let Some(scale) = self.loss_scale.filter(|scale| !is_scale(*scale)) {
            return refuse(
                "optimiser.loss_scale",
                scale,
                "a power of two from 1 to 16777216, so that nothing is rounded",
            );
        }
        match self.clip {
            Some(clip) if !(clip.is_finite() && clip > 0.0) => {
                refuse("optimiser.clip", clip, "a positive norm; leave the key out for no limit")
            }
            _ => Ok(()),
        }
    }
}

impl RunConfig {
    pub(super) fn check_optimiser(&self) -> Result<()> {
        self.optimiser.check()?;
        self.lr_schedule.check(self.lr, self.epochs)?;
        self.check_accumulation()?;
        self.check_early_stopping()
    }

    /// Refuses parts that a batch does not fall into, and what is not the mean of its parts.
    fn check_accumulation(&self) -> Result<()> {
        let (parts, rows) = (self.optimiser.accumulate(), self.batch_size);
        if parts == 0 || !rows.is_multiple_of(parts) {
            let expected = format!("a number of equal parts of the {rows} rows of --batch-size");
            return refuse("optimiser.accumulate", parts, &expected);
        }
        if let Some(key) =
            self.objectives().iter().find_map(|objective| objective.of_whole_batch()).filter(|_| parts > 1)
        {
            let problem = format!("expected 1, since {key} is of a whole batch and no mean over its parts");
            return Err(Error::Usage(format!("optimiser.accumulate {parts}: {problem}")));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::{EarlyStopping, RateKind};

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
        let lars =
            set(&[("optimiser.trust", "0.01"), ("optimiser.momentum", "0"), ("optimiser.kind", "lars")]).unwrap();
        assert_eq!((lars.optimiser.trust(), lars.optimiser.decayed()), (0.01, Decayed::Weights));
        let weights = set(&[("optimiser.decay", "weights"), ("optimiser.weight_decay", "0.1")]).unwrap();
        assert_eq!((weights.optimiser.decayed(), config.optimiser.decayed()), (Decayed::Weights, Decayed::All));
        let adamw = set(&[("optimiser.kind", "adamw")]).unwrap();
        assert_eq!((adamw.optimiser.weight_decay(), RunConfig::default().optimiser.weight_decay()), (0.01, 0.0));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("optimiser.kind", "rmsprop")], "rmsprop"),
            (&[("optimiser.beta", "0.5")], "beta"),
            (&[("optimiser.beta1", "1")], "optimiser.beta1 1"),
            (&[("optimiser.momentum", "0.5")], "optimiser.momentum 0.5: only kind = \"sgd\" or \"lars\""),
            (&[("optimiser.kind", "sgd"), ("optimiser.momentum", "1")], "optimiser.momentum 1"),
            (&[("optimiser.weight_decay", "-1")], "optimiser.weight_decay -1"),
            (&[("optimiser.decay", "biases")], "biases"),
            (&[("optimiser.kind", "lars"), ("optimiser.decay", "all")], "optimiser.decay all: expected \"weights\""),
            (&[("optimiser.nesterov", "true")], "optimiser.nesterov true: expected kind = \"sgd\""),
            (&[("optimiser.nesterov", "true"), ("optimiser.kind", "lars")], "optimiser.nesterov true"),
            (
                &[("optimiser.kind", "sgd"), ("optimiser.momentum", "0"), ("optimiser.nesterov", "true")],
                "with a momentum",
            ),
            (&[("optimiser.trust", "1e-3")], "optimiser.trust 0.001: only kind = \"lars\" has it"),
            (&[("optimiser.kind", "lars"), ("optimiser.trust", "0")], "optimiser.trust 0"),
            (
                &[("optimiser.accumulate", "0")],
                "optimiser.accumulate 0: expected a number of equal parts of the 128 rows",
            ),
            (
                &[("optimiser.accumulate", "3")],
                "optimiser.accumulate 3: expected a number of equal parts of the 128 rows",
            ),
            (&[("optimiser.average", "1")], "optimiser.average 1: expected at least 0"),
            (&[("optimiser.average", "nan")], "optimiser.average NaN"),
            (&[("optimiser.loss_scale", "1000")], "optimiser.loss_scale 1000: expected a power of two"),
            (&[("optimiser.loss_scale", "0.5")], "optimiser.loss_scale 0.5"),
            (&[("optimiser.loss_scale", "33554432")], "optimiser.loss_scale 33554432"),
            (&[("optimiser.clip", "0")], "optimiser.clip 0"),
            (&[("optimiser.clip", "nan")], "optimiser.clip NaN"),
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
    fn what_is_of_a_whole_batch_is_not_cut_into_parts() {
        let refused = |model: &str, keys: &[(&str, &str)]| {
            let mut config = RunConfig::model(model).unwrap();
            config.set_all("--set", &[keys, &[("optimiser.accumulate", "2")]].concat()).unwrap();
            config.check().err().map(|error| error.to_string()).unwrap_or_default()
        };
        let of_codes = [("entropy.of", "codes"), ("lambda_entropy", "0.1")];
        type Keys<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(&str, Keys<'_>, &str)] = &[
            ("wae", &[], "wasserstein"),
            ("cluster", &[], "clustering"),
            ("sparse", &[("sparsity.kind", "divergence")], "sparsity.kind divergence"),
            ("entropic", &of_codes, "entropy.of codes"),
        ];
        for (model, keys, named) in cases {
            let message = refused(model, keys);
            let expected = format!("optimiser.accumulate 2: expected 1, since {named} is");
            assert!(message.contains(&expected), "{model}: {message}");
        }
        for (model, keys) in
            [("sparse", &[("sparsity.kind", "l1")][..]), ("vae", &[]), ("entropic", &[]), ("conv", &[])]
        {
            assert_eq!(refused(model, keys), "", "{model}");
        }
    }
}
