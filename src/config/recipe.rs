//! Named settings of errors and entropies.

use super::network::{REPORT_ENCODER, report_layers};
use super::{EntropyConfig, RunConfig, Schedule};
use crate::error::{Error, Result};

/// Names of the recipes there are, the default first.
pub const RECIPES: &[&str] = &["bottleneck", "plain", "report"];

impl Default for RunConfig {
    /// The source report's Listing 1 and 2: order 0.04 on the code layer, the middle one, incoming and outgoing, minimised,
    /// 0.7 and 0.3.
    fn default() -> Self {
        let layers = report_layers(28 * 28);
        let (encoder, decoder) = layers.split_at(REPORT_ENCODER);
        let bare = RunConfig::bare(encoder.to_vec(), decoder.to_vec());
        RunConfig { recipe: "report".into(), lambda_mse: 0.7, lambda_entropy: 0.3, ..bare }
    }
}

impl RunConfig {
    /// The named recipe.
    ///
    /// # Errors
    /// When there is no recipe of that name.
    pub fn recipe(name: &str) -> Result<Self> {
        let report = RunConfig::default();
        match name {
            "bottleneck" => Ok(RunConfig {
                recipe: name.into(),
                lambda_mse: 1.0,
                lambda_entropy: 1.0,
                entropy: EntropyConfig { schedule: Schedule::budget(), ..report.entropy.clone() },
                ..report
            }),
            "plain" => {
                let entropy = EntropyConfig::default();
                Ok(RunConfig { recipe: name.into(), lambda_mse: 1.0, lambda_entropy: 0.0, entropy, ..report })
            }
            "report" => Ok(report),
            _ => Err(Error::Usage(format!("--recipe {name}: no such recipe; there are {}", RECIPES.join(", ")))),
        }
    }
}
