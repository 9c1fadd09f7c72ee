//! Models with an energy: the restricted Boltzmann machine and the Hopfield network.

use serde::{Deserialize, Serialize};

use super::RunConfig;
use crate::error::{Error, Result};
use crate::nn::autoencoder::tied_layers;
use crate::nn::hopfield::{Rule, Update};
use crate::ops::array::activation::Activation;

/// How a restricted Boltzmann machine is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContrastiveDivergence {
    /// Gibbs steps from the data to the sample that it is compared with.
    pub steps: u32,
}

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

fn refuse(key: &str, value: impl std::fmt::Display, expected: &str) -> Result<()> {
    Err(Error::Usage(format!("{key} {value}: expected {expected}")))
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

/// Most Gibbs steps of contrastive divergence: each is two products in every training step.
const MOST_STEPS: u32 = 1000;

impl RunConfig {
    /// Refuses layers that are tied to what is no mirror image, and machines that are no machines.
    pub(super) fn check_energy(&self) -> Result<()> {
        if self.tied {
            if self.variational.is_some() {
                return refuse("tied", "true", "an untied decoder where the code is drawn");
            }
            if self.encoder.len() != self.decoder.len() {
                let expected = format!("as many layers in the decoder as in the encoder, {}", self.encoder.len());
                return refuse("tied", "true", &expected);
            }
            // The last width is the data's, which is compared once the data is there.
            for (layer, tied) in tied_layers(self.depth(), self.encoder.len(), true).into_iter().skip(1) {
                let (wanted, found) = (self.inputs_of(layer, 0), self.inputs_of(tied + 1, 0));
                if wanted != found {
                    let expected =
                        format!("{wanted}, what goes into {}, since the layers are tied", self.layer_key(layer));
                    return refuse(&format!("{}.linear", self.layer_key(tied)), found, &expected);
                }
            }
        }
        let Some(divergence) = self.contrastive_divergence else { return Ok(()) };
        if divergence.steps == 0 || divergence.steps > MOST_STEPS {
            return refuse("contrastive_divergence.steps", divergence.steps, &format!("1 to {MOST_STEPS}"));
        }
        if !self.tied || self.depth() != 2 {
            let expected = "a restricted Boltzmann machine: one layer each way, and tied = true";
            return refuse("contrastive_divergence.steps", divergence.steps, expected);
        }
        match self.layers().position(|layer| layer.activation != Activation::Sigmoid) {
            Some(index) => {
                let name = self.layers().nth(index).map_or("", |layer| layer.activation.word());
                refuse(&format!("{}.activation", self.layer_key(index)), name, "sigmoid, for units of 0 and 1")
            }
            None => Ok(()),
        }
    }
}
