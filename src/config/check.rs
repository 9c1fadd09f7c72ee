//! What is refused of a configuration before anything is done.

use super::{MODELS, RunConfig, objective};
use crate::error::{Error, Result};

/// Most samples of a step.
pub const MOST_BATCH: usize = 1 << 20;

/// Largest seed: whole numbers of a TOML file have 63 bits and a sign.
pub const MOST_SEED: u64 = i64::MAX as u64;

impl RunConfig {
    /// Refuses values that make no sense, naming the flag or key.
    ///
    /// # Errors
    /// [`Error::Usage`] for the first such value.
    pub fn check(&self) -> Result<()> {
        let refuse = |problem: String| Err(Error::Usage(problem));
        if !MODELS.contains(&self.model.as_str()) {
            return refuse(format!("--model {}: no such model; there are {}", self.model, MODELS.join(", ")));
        }
        Self::recipe(&self.recipe)?;
        self.check_rows()?;
        if self.epochs == 0 {
            return refuse("--epochs 0: expected 1 or more".into());
        }
        if self.batch_size == 0 || self.batch_size > MOST_BATCH {
            return refuse(format!("--batch-size {}: expected 1 to {MOST_BATCH}", self.batch_size));
        }
        if self.seed > MOST_SEED {
            return refuse(format!("--seed {}: expected 0 to {MOST_SEED}", self.seed));
        }
        let from = self.classifier.as_ref().and_then(|classifier| classifier.from.as_ref());
        for (name, path) in [("--data-dir", &self.data_dir.as_ref()), ("--from", &from)] {
            if let Some(path) = path.filter(|path| path.to_str().is_none()) {
                return refuse(format!("{name} {}: expected a path in Unicode, as config.toml has it", path.display()));
            }
        }
        if !(self.lr.is_finite() && self.lr > 0.0) {
            return refuse(format!("--lr {}: expected a positive number", self.lr));
        }
        let weights = [("--lambda-mse", self.lambda_mse), ("--lambda-entropy", self.lambda_entropy)];
        for (name, value) in weights {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(format!("{name} {value}: expected a number of 0 or more"));
            }
        }
        if self.lambda_mse == 0.0 && self.lambda_entropy == 0.0 && !self.has_own_objective() {
            return refuse("--lambda-mse 0 --lambda-entropy 0: nothing would be learnt; one must be positive".into());
        }
        self.check_optimiser()?;
        // What is said of an entropy makes sense even while it has no weight.
        self.entropy.check_values()?;
        if let Some(hopfield) = &self.hopfield {
            return hopfield.check();
        }
        self.check_network()?;
        self.augment.iter().try_for_each(|augment| augment.check())?;
        let hidden = self.depth().saturating_sub(1);
        if let Some(dropout) = &self.dropout {
            if !(0.0..1.0).contains(&dropout.rate) {
                return objective::refuse("dropout.rate", dropout.rate, "a share of at least 0 and less than 1");
            }
            objective::check_layers("dropout.layers", &dropout.layers, hidden)?;
        }
        if !self.entropy.layers.is_empty() {
            objective::check_layers("entropy.layers", &self.entropy.layers, hidden)?;
        }
        self.objectives().iter().try_for_each(|objective| objective.check(self))
    }
}
