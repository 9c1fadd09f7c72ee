//! A penalty on how much the code changes with the image: `[contractive]`.
//!
//! Source: Rifai et al. (2011); see [`contractive_exact`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Objective, Told, Weight, check_weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::losses::contractive::MOST_UNITS;
use crate::nn::losses::{contractive_estimate, contractive_exact};
use crate::nn::{Batch, stream};

/// A penalty on how much the code changes with the image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contraction {
    /// How the encoder's Jacobian is measured.
    pub method: ContractionMethod,
    /// Weight of its squared norm beside the reconstruction error.
    pub weight: f32,
    /// Random projections of a step; for `hutchinson` alone.
    #[serde(default = "Contraction::usual_probes")]
    pub probes: usize,
}

/// A way to the squared norm of a Jacobian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContractionMethod {
    /// In closed form for an encoder of one layer, else a gradient of every unit of the code.
    Exact,
    /// Estimated from random projections: for wide codes.
    Hutchinson,
}

impl Contraction {
    fn usual_probes() -> usize {
        1
    }
}

impl Objective for Contraction {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("contractive.weight", self.weight)?;
        if !(1..=MOST_UNITS).contains(&self.probes) {
            return refuse("contractive.probes", self.probes, &format!("1 to {MOST_UNITS}"));
        }
        let (layers, units) = (config.encoder_layers(), config.code_width());
        if self.method == ContractionMethod::Exact && layers > 1 && units > MOST_UNITS {
            let expected =
                format!("hutchinson for {units} units behind {layers} layers; exact takes {MOST_UNITS} at most");
            return refuse("contractive.method", "exact", &expected);
        }
        if config.variational.is_some() {
            let expected = "no variational network: its code is drawn, not computed";
            return refuse("contractive.weight", self.weight, expected);
        }
        Ok(())
    }

    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        vec![("contractive", Weight::fixed(self.weight))]
    }

    /// Squared norm of the Jacobian of the code by what the network gets.
    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let (input, h, clock) = (batch.input, batch.passed.code, batch.clock);
        let norm = match self.method {
            ContractionMethod::Exact => {
                let problem = "contractive.method exact: expected an encoder of linear layers; hutchinson takes any";
                let encoder = batch.network.encoder_chain().ok_or_else(|| Error::Usage(problem.into()))?;
                contractive_exact(g, encoder, input, h, clock)?
            }
            ContractionMethod::Hutchinson => {
                contractive_estimate(g, input, h, clock, self.probes, stream::CONTRACTION)?
            }
        };
        Ok(vec![norm])
    }

    fn relief(&self, _config: &RunConfig, _metrics: &BTreeMap<String, f64>) -> Option<String> {
        Some("a smaller contractive.weight".into())
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        vec![Told::new("test_contractive", "jacobian²", 3)]
    }
}
