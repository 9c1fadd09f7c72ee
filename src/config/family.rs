//! What makes one kind of autoencoder out of another: noise on the way in, neurons left out, penalties, a code that
//! is drawn rather than computed.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::nn::losses::contractive::MOST_UNITS;
use crate::ops::array::activation::Activation;

/// Noise that a network learns to remove.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corruption {
    /// Which noise.
    pub kind: Noise,
    /// Standard deviation of Gaussian noise, pixels from 0 to 1; else the share of pixels.
    pub amount: f32,
}

/// A kind of noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// Normal numbers added to every pixel.
    Gaussian,
    /// Pixels set to 0.
    Masking,
    /// Pixels set to 0 or 1, as many of each.
    SaltPepper,
}

/// Neurons left out at random while training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Share of a layer's neurons, at least 0 and less than 1.
    pub rate: f32,
    /// Numbers of the hidden layers, the first 1.
    pub layers: Vec<usize>,
}

/// A penalty on activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparsityConfig {
    /// Which penalty.
    pub kind: SparsityKind,
    /// Its weight beside the reconstruction error.
    pub weight: f32,
    /// Rate at which a neuron should be active; for `divergence` alone.
    #[serde(default = "SparsityConfig::usual_target")]
    pub target: f32,
    /// Numbers of the hidden layers that are kept sparse, the first 1.
    pub layers: Vec<usize>,
}

impl SparsityConfig {
    fn usual_target() -> f32 {
        0.05
    }
}

/// A kind of penalty on activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SparsityKind {
    /// Σ|h|, mean over rows.
    L1,
    /// Divergence of each neuron's rate from a target; for sigmoid layers.
    Divergence,
}

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

impl Contraction {
    fn usual_probes() -> usize {
        1
    }
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

/// A code drawn from a Gaussian that the encoder chooses, held near the standard one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variational {
    /// How likely a reconstruction makes an image.
    pub likelihood: Likelihood,
    /// Standard deviation of the Gaussian likelihood, pixels from 0 to 1.
    #[serde(default = "Variational::usual_sigma")]
    pub sigma: f32,
    /// Weight of the divergence; 1 is the evidence lower bound.
    pub beta: f32,
    /// Epochs over which that weight rises from 0.
    #[serde(default)]
    pub warm_up: f32,
}

impl Variational {
    fn usual_sigma() -> f32 {
        0.1
    }
}

/// How likely a reconstruction makes an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// Every pixel a probability; the last layer is a sigmoid.
    Bernoulli,
    /// Every pixel a mean, all with the same deviation.
    Gaussian,
}

pub(super) fn refuse(key: &str, value: impl std::fmt::Display, expected: &str) -> Result<()> {
    Err(Error::Usage(format!("{key} {value}: expected {expected}")))
}

/// Hidden layers by number; `hidden` is how many there are.
fn check_layers(key: &str, layers: &[usize], hidden: usize) -> Result<()> {
    if layers.is_empty() {
        return refuse(key, "[]", "at least one layer");
    }
    match layers.iter().find(|&&layer| layer == 0 || layer > hidden) {
        Some(layer) => refuse(key, layer, &format!("hidden layers are numbered 1 to {hidden}")),
        None => Ok(()),
    }
}

impl Corruption {
    pub(super) fn check(&self) -> Result<()> {
        let largest = if self.kind == Noise::Gaussian { f32::MAX } else { 1.0 };
        if !(self.amount >= 0.0 && self.amount <= largest) {
            let expected = if self.kind == Noise::Gaussian { "a number of 0 or more" } else { "a share from 0 to 1" };
            return refuse("corruption.amount", self.amount, expected);
        }
        Ok(())
    }
}

impl Dropout {
    pub(super) fn check(&self, hidden: usize) -> Result<()> {
        if !(0.0..1.0).contains(&self.rate) {
            return refuse("dropout.rate", self.rate, "a share of at least 0 and less than 1");
        }
        check_layers("dropout.layers", &self.layers, hidden)
    }
}

impl SparsityConfig {
    /// `activations`: those of the hidden layers.
    pub(super) fn check(&self, activations: &[Activation]) -> Result<()> {
        if !(self.weight.is_finite() && self.weight >= 0.0) {
            return refuse("sparsity.weight", self.weight, "a number of 0 or more");
        }
        if !(self.target > 0.0 && self.target < 1.0) {
            return refuse("sparsity.target", self.target, "a rate between 0 and 1");
        }
        check_layers("sparsity.layers", &self.layers, activations.len())?;
        let wrong = self.layers.iter().find(|&&layer| activations[layer - 1] != Activation::Sigmoid);
        if let (SparsityKind::Divergence, Some(layer)) = (self.kind, wrong) {
            let expected = "sigmoid layers for sparsity.kind divergence, since it compares probabilities";
            return refuse("sparsity.layers", layer, expected);
        }
        Ok(())
    }
}

impl Contraction {
    /// `layers` of the encoder, `units` of the code, which may be `drawn`.
    pub(super) fn check(&self, layers: usize, units: usize, drawn: bool) -> Result<()> {
        if !(self.weight.is_finite() && self.weight >= 0.0) {
            return refuse("contractive.weight", self.weight, "a number of 0 or more");
        }
        if !(1..=MOST_UNITS).contains(&self.probes) {
            return refuse("contractive.probes", self.probes, &format!("1 to {MOST_UNITS}"));
        }
        if self.method == ContractionMethod::Exact && layers > 1 && units > MOST_UNITS {
            let expected =
                format!("hutchinson for {units} units behind {layers} layers; exact takes {MOST_UNITS} at most");
            return refuse("contractive.method", "exact", &expected);
        }
        if drawn {
            return refuse(
                "contractive.weight",
                self.weight,
                "no variational network: its code is drawn, not computed",
            );
        }
        Ok(())
    }
}

impl Variational {
    /// Keys and activations of the code and of the reconstruction.
    pub(super) fn check(&self, [code, last]: [(&String, Activation); 2]) -> Result<()> {
        if !(self.beta.is_finite() && self.beta >= 0.0) {
            return refuse("variational.beta", self.beta, "a number of 0 or more");
        }
        if !(self.sigma.is_finite() && self.sigma > 0.0) {
            return refuse("variational.sigma", self.sigma, "a positive number");
        }
        if !(self.warm_up.is_finite() && self.warm_up >= 0.0) {
            return refuse("variational.warm_up", self.warm_up, "a number of epochs, 0 or more");
        }
        if code.1 != Activation::Identity {
            let expected = "identity for the code of a variational network: its mean";
            return refuse(&format!("{}.activation", code.0), code.1.word(), expected);
        }
        if self.likelihood == Likelihood::Bernoulli && last.1 != Activation::Sigmoid {
            let expected = "sigmoid for the last layer under a Bernoulli likelihood";
            return refuse(&format!("{}.activation", last.0), last.1.word(), expected);
        }
        Ok(())
    }
}

impl super::RunConfig {
    /// Sets the noise that is put on images, as `gaussian=0.3`.
    ///
    /// # Errors
    /// When that is no noise, in a message that begins with `flag`, or means nothing to the model.
    pub fn set_noise(&mut self, flag: &str, noise: &str) -> Result<()> {
        let expected = "expected gaussian=, masking= or salt-pepper= and an amount, such as gaussian=0.3";
        let invalid = || Error::Usage(format!("{flag} {noise}: {expected}"));
        let (kind, amount) = noise.split_once('=').ok_or_else(invalid)?;
        let kind = match kind {
            "gaussian" => Noise::Gaussian,
            "masking" => Noise::Masking,
            "salt-pepper" => Noise::SaltPepper,
            _ => return Err(invalid()),
        };
        let corruption = Corruption { kind, amount: amount.parse().map_err(|_| invalid())? };
        corruption.check().map_err(|_| invalid())?;
        self.corruption = Some(corruption);
        // Noise may mean nothing to this model.
        self.check()
    }

    /// Whether training holds the codes near the standard Gaussian, so that images can be drawn from it.
    pub fn has_prior(&self) -> bool {
        self.variational.is_some() || self.wasserstein.is_some()
    }

    /// Names and weights of the loss terms beside error and entropy. Those of weight 0 are only watched: under noise,
    /// the error of what the network makes of noisy rows, which is what it trains on anyway.
    pub fn further_terms(&self) -> Vec<(&'static str, f32)> {
        let mut terms = Vec::new();
        terms.extend(self.corruption.map(|_| ("denoising", 0.0)));
        terms.extend(self.sparsity.as_ref().map(|sparsity| ("sparsity", sparsity.weight)));
        terms.extend(self.contractive.map(|contractive| ("contractive", contractive.weight)));
        terms.extend(self.contrastive_divergence.map(|_| ("free_energy_difference", 1.0)));
        if self.classifier.is_some() {
            terms.extend([("cross_entropy", 1.0), ("error_rate", 0.0)]);
        }
        terms.extend(self.wasserstein.map(|wasserstein| ("wasserstein", wasserstein.weight)));
        if let Some(variational) = self.variational {
            terms.extend([("nll", 1.0), ("kl", variational.beta)]);
        }
        terms
    }
}
