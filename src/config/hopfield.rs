//! A Hopfield network: patterns stored and recalled, nothing trained; a study beside the networks that are.

use serde::{Deserialize, Serialize};

use super::objective::refuse;
use crate::error::Result;
use crate::nn::hopfield::{Rule, Update};

/// What a Hopfield network stores and is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HopfieldConfig {
    /// How patterns are stored; each rule is tried on the same patterns, and the first one is in the picture.
    pub rules: Vec<Rule>,
    /// In which order neurons decide.
    pub update: Update,
    /// Patterns over neurons, each a network of its own; the picture shows the first.
    pub loads: Vec<f32>,
    /// Shares of pixels that are flipped; the picture shows the first.
    pub flips: Vec<f32>,
    /// Brightness from 0 to 1 above which a pixel is 1, else -1.
    pub threshold: f32,
}

impl Default for HopfieldConfig {
    fn default() -> Self {
        HopfieldConfig {
            rules: vec![Rule::Projection, Rule::Hebbian],
            update: Update::Synchronous,
            loads: vec![0.1, 0.02, 0.05, 0.2],
            flips: vec![0.1, 0.2, 0.3],
            threshold: 0.5,
        }
    }
}

impl HopfieldConfig {
    /// Number of patterns at a load of so many neurons: at least one.
    pub fn patterns(load: f32, neurons: usize) -> usize {
        ((f64::from(load) * neurons as f64) as usize).max(1)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.rules.is_empty() {
            return refuse("hopfield.rules", "[]", "at least one of projection, hebbian");
        }
        let lists = [("hopfield.loads", &self.loads, 1.0), ("hopfield.flips", &self.flips, 0.5)];
        for (key, list, most) in lists {
            if list.is_empty() {
                return refuse(key, "[]", "at least one number");
            }
            if let Some(value) = list.iter().find(|&&value| !(value >= 0.0 && value <= most)) {
                return refuse(key, value, &format!("shares from 0 to {most}"));
            }
        }
        if !(self.threshold >= 0.0 && self.threshold < 1.0) {
            return refuse("hopfield.threshold", self.threshold, "a brightness of at least 0 and less than 1");
        }
        Ok(())
    }
}
