//! Keys that a configuration has and does not use: what is said of a part of it that is not there.

use super::file::whole_name;
use super::objective::contractive::ContractionMethod;
use super::objective::sparsity::SparsityKind;
use super::objective::variational::Likelihood;
use super::objective::wasserstein::Distance;
use super::{OptimiserKind, RunConfig, Subject};
use crate::nn::rate::EntropyModelKind;

/// Keys that a Hopfield network uses beside its own.
const OF_HOPFIELD: &[&str] = &["model", "data_dir", "without", "device", "seed"];

impl RunConfig {
    /// Why a key, which may be a short one, changes nothing of this run; none if it does.
    pub fn idle(&self, key: &str) -> Option<&'static str> {
        let path = whole_name(key);
        if self.hopfield.is_some() {
            let used =
                OF_HOPFIELD.contains(&path) || ["data.", "hopfield"].iter().any(|section| path.starts_with(section));
            return (!used).then_some("a Hopfield network stores patterns and trains nothing");
        }
        if path == "recipe" {
            let problem = "a recipe weighs an entropy against the answers' error, and these answers have none";
            return self.error_term().is_none().then_some(problem);
        }
        if let Some(name) = path.strip_prefix("entropy.") {
            return self.idle_of_entropy(name);
        }
        let when = |is: bool, problem: &'static str| is.then_some(problem);
        match path {
            "augment.jitter" => {
                let strong = self.augment.as_ref().is_none_or(|it| it.has_strength());
                when(
                    !strong,
                    "it says how often colours change, and augment has no brightness, contrast, saturation or hue",
                )
            }
            "augment.image" | "augment.black" => {
                when(self.augmentation().is_none(), "[augment] changes nothing of an image")
            }
            "clustering.consistency" => {
                when(self.augmentation().is_none(), "it weighs what [augment] changes, and there is nothing")
            }
            "contractive.probes" => {
                let exact = self.contractive.is_some_and(|it| it.method == ContractionMethod::Exact);
                when(exact, "contractive.method exact projects nothing; hutchinson does")
            }
            "rate.hidden" | "rate.side" | "rate.patch" => {
                let other = self.rate.as_ref().is_some_and(|it| it.model != EntropyModelKind::Hyperprior);
                when(other, "only rate.model hyperprior has a side code")
            }
            "sparsity.target" => {
                let l1 = self.sparsity.as_ref().is_some_and(|it| it.kind == SparsityKind::L1);
                when(l1, "sparsity.kind l1 has no target; divergence has")
            }
            "variational.sigma" => {
                let bernoulli = self.variational.is_some_and(|it| it.likelihood == Likelihood::Bernoulli);
                when(bernoulli, "variational.likelihood bernoulli has no deviation; gaussian has")
            }
            "wasserstein.jitter" => {
                let gaussian = [Distance::Gaussian, Distance::GaussianDiagonal];
                let other = self.wasserstein.is_some_and(|it| !gaussian.contains(&it.kind));
                when(other, "only wasserstein.kind gaussian and gaussian-diagonal add it")
            }
            // A model may say it, so it is no error where another optimiser is asked for.
            "optimiser.beta1" => {
                let is_adam = matches!(self.optimiser.kind, OptimiserKind::Adam | OptimiserKind::AdamW);
                when(!is_adam, "only optimiser.kind adam and adamw use it")
            }
            "optimiser.decay" => {
                when(self.optimiser.weight_decay() == 0.0, "nothing decays without an optimiser.weight_decay")
            }
            _ => None,
        }
    }

    /// The same of a key of `[entropy]`.
    fn idle_of_entropy(&self, name: &str) -> Option<&'static str> {
        if self.lambda_entropy == 0.0 {
            return Some("there is no entropy without a --lambda-entropy, or a --recipe that has one");
        }
        let of = self.entropy.of;
        match name {
            "activity" | "bias_weight" if of != Subject::Weights => Some("only entropy.of weights uses it"),
            "path_bias" if of != Subject::Paths => Some("only entropy.of paths uses it"),
            "beta" | "averaging" | "balance" if of != Subject::Codes => Some("only entropy.of codes uses it"),
            "alpha" if of == Subject::Codes => Some("entropy.of codes has no order"),
            "layers" if of == Subject::Paths => Some("entropy.of paths is of all layers"),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_used_is_told_from_what_is() {
        let config = |model: &str, recipe: &str, set: &[(&str, &str)]| {
            let mut config = RunConfig::base(Some(model), Some(recipe)).unwrap();
            config.set_all("--set", set).unwrap();
            config
        };
        let of_codes = [("entropy", "codes")];
        let cases: &[(RunConfig, &[&str], &[&str])] = &[
            (config("entropic", "report", &[]), &["alpha", "activity", "entropy.layers"], &["entropy.beta"]),
            (config("entropic", "report", &of_codes), &["entropy.beta", "entropy.layers"], &["alpha", "activity"]),
            (config("vae", "plain", &[]), &["variational.beta", "lambda", "lr"], &["budget", "variational.sigma"]),
            (config("vae", "bottleneck", &[]), &["budget", "recipe"], &["entropy.path_bias"]),
            (config("compressive", "plain", &[]), &["rate.beta"], &["rate.side"]),
            (config("compressive", "plain", &[("rate.model", "hyperprior")]), &["rate.side"], &["entropy.beta"]),
            (config("sparse", "plain", &[]), &["sparsity.target"], &["entropy.maximise"]),
            (config("sparse", "plain", &[("sparsity.kind", "l1")]), &["sparsity.weight"], &["sparsity.target"]),
            (config("contractive", "plain", &[]), &["contractive.weight"], &["contractive.probes"]),
            (config("wae", "plain", &[]), &["wasserstein.weight"], &["wasserstein.jitter"]),
            (config("cluster", "plain", &[]), &["epochs", "optimiser.decay"], &["recipe", "clustering.consistency"]),
            (config("cluster", "plain", &[("augment.shift", "0.1")]), &["clustering.consistency"], &["augment.jitter"]),
            (config("resnet", "plain", &[]), &["augment.flip", "augment.black"], &["augment.jitter"]),
            (config("resnet", "plain", &[("augment.hue", "0.1")]), &["augment.jitter"], &[]),
            (
                config("resnet", "plain", &[("augment.flip", "0"), ("augment.crop", "0")]),
                &["augment.flip"],
                &["augment.image"],
            ),
            (config("vae", "plain", &[]), &["optimiser.kind", "optimiser.beta1"], &["optimiser.decay"]),
            (config("dcgan", "plain", &[("optimiser.kind", "sgd")]), &["adversarial.code"], &["optimiser.beta1"]),
            (config("hopfield", "plain", &[]), &["hopfield.loads", "seed"], &["epochs", "recipe", "optimiser.clip"]),
        ];
        for (config, used, idle) in cases {
            let (model, of) = (&config.model, config.entropy.of);
            used.iter().for_each(|key| assert_eq!(config.idle(key), None, "{model}, {of:?}: {key}"));
            idle.iter().for_each(|key| assert!(config.idle(key).is_some(), "{model}, {of:?}: {key}"));
        }
    }
}
