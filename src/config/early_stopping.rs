//! When a run stops early, and by what it is judged.

use serde::{Deserialize, Serialize};

use super::RunConfig;
use super::objective::refuse;
use crate::error::Result;
use crate::nn::Pass;

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

    pub(super) fn check_early_stopping(&self) -> Result<()> {
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

    #[test]
    fn the_terms_are_those_of_the_model() {
        let terms = |model: &str| RunConfig::model(model).unwrap().judged_terms();
        assert_eq!(terms("vae"), ["loss", "mse", "nll", "kl", "elbo"]);
        assert_eq!(terms("denoising"), ["loss", "mse", "denoising"]);
        assert_eq!(terms("entropic"), ["loss", "mse", "entropy"]);
        assert_eq!(terms("classifier"), ["loss", "cross_entropy", "error", "brier"]);
        let vae = RunConfig::model("vae").unwrap();
        assert!(vae.is_better_larger("elbo") && !vae.is_better_larger("kl"));
    }
}
