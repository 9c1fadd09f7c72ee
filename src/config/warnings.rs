//! What is known to go wrong with settings that are not refused.

use super::{Averaging, RunConfig, Schedule, Subject};

/// Weight of an entropy, relative to that of the error, beyond which networks collapse.
const HEAVY: f32 = 0.03;

impl RunConfig {
    /// What is known to go wrong with settings that are not refused, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let entropy = &self.entropy;
        let mut warnings = Vec::new();
        // A collapsed network is the mean image: measured on MNIST with weights of 0.3 / 0.7; 0.012 / 0.7 holds.
        let heavy = self.lambda_entropy > HEAVY * self.lambda_mse;
        if heavy && entropy.schedule == Schedule::Constant && !entropy.maximise {
            let what = match entropy.of {
                Subject::Paths => Some("an entropy of paths"),
                Subject::Weights | Subject::Widths if entropy.alpha >= 0.5 => Some("an entropy of order 0.5 or more"),
                _ => None,
            };
            warnings.extend(what.map(|what| {
                format!(
                    "{what} with a constant weight of {} beside {} drives most networks to the mean image; \
                     --recipe bottleneck keeps it within a budget, and so do weights up to {:.3}",
                    self.lambda_entropy,
                    self.lambda_mse,
                    HEAVY * self.lambda_mse
                )
            }));
        }
        if entropy.of == Subject::Codes && self.lambda_entropy > 0.0 && !entropy.maximise {
            if entropy.balance <= 0.0 {
                warnings.push("entropy.balance 0: without it codes end up all alike".into());
            } else if entropy.averaging == Averaging::Document {
                warnings.push("entropy.averaging document: balances nothing, so codes end up all alike".into());
            }
        }
        let stops = self.early_stopping.as_ref().is_some_and(|stopping| stopping.term == "mse");
        if stops && self.lambda_entropy > 0.0 && entropy.schedule != Schedule::Constant {
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
            let mut config = RunConfig::recipe("report").unwrap();
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
