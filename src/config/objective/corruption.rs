//! Noise on the way in, which a network learns to remove: `[corruption]`.
//!
//! Sources: Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders" (2008); see
//! [`Corrupt`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Objective, Told, Weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Pass;
use crate::nn::{Batch, Passed, stream};
use crate::ops::array::binary::Binary;
use crate::ops::array::unary::Unary;
use crate::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use crate::ops::random::corrupt::Corrupt;
use crate::ops::random::random_normal::RandomNormal;
use crate::ops::random::random_uniform::RandomUniform;

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

impl Corruption {
    fn check_amount(&self) -> Result<()> {
        let largest = if self.kind == Noise::Gaussian { f32::MAX } else { 1.0 };
        if !(self.amount >= 0.0 && self.amount <= largest) {
            let expected = if self.kind == Noise::Gaussian { "a number of 0 or more" } else { "a share from 0 to 1" };
            return refuse("corruption.amount", self.amount, expected);
        }
        Ok(())
    }

    /// Rows under noise.
    ///
    /// # Errors
    /// When x is no float.
    pub fn apply(&self, g: &mut Graph, x: Var, clock: Var) -> Result<Var> {
        let shape = g.ty(x).shape.clone();
        if self.kind == Noise::Gaussian {
            let noise = g.apply(RandomNormal { shape, stream: stream::CORRUPTION }, &[clock])?;
            let noise = g.apply(Unary::Affine { scale: self.amount, shift: 0.0 }, &[noise])?;
            return g.apply(Binary::Add, &[x, noise]);
        }
        let draws = g.apply(RandomUniform { shape, stream: stream::CORRUPTION }, &[clock])?;
        let corrupt = match self.kind {
            Noise::SaltPepper => Corrupt::SaltPepper { rate: self.amount },
            _ => Corrupt::Mask { rate: self.amount, scale: 1.0 },
        };
        g.apply(corrupt, &[x, draws])
    }

    /// The rows of a batch under noise, and what is seen of the network's answers to those.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn cleaned(&self, g: &mut Graph, batch: &Batch) -> Result<(Var, Passed)> {
        let noisy = self.apply(g, batch.x, batch.clock)?;
        Ok((noisy, batch.shown(g, noisy)?))
    }
}

impl Objective for Corruption {
    fn check(&self, config: &RunConfig) -> Result<()> {
        self.check_amount()?;
        if !config.reconstructs() && config.contrastive.is_none() {
            let problem = "has no meaning for a network that reconstructs nothing";
            return Err(Error::Usage(format!("corruption: {problem}")));
        }
        Ok(())
    }

    /// The error of what the network makes of noisy rows, which is what it trains on anyway: watched. None where noise makes views.
    fn weights(&self, config: &RunConfig) -> Vec<(&'static str, Weight)> {
        if config.reconstructs() { vec![("denoising", Weight::watched())] } else { Vec::new() }
    }

    fn vars(&self, config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        if !config.reconstructs() {
            return Ok(Vec::new());
        }
        let answer = if batch.pass == Pass::Train { batch.passed.answer } else { self.cleaned(g, batch)?.1.answer };
        Ok(vec![
            g.apply(ReconstructionLoss { kind: LossKind::Mse, rows_per_sample: 1 }, &[answer, batch.x, batch.clock])?,
        ])
    }

    fn relief(&self, _config: &RunConfig, _metrics: &BTreeMap<String, f64>) -> Option<String> {
        Some("a smaller corruption.amount".into())
    }

    fn told(&self, config: &RunConfig) -> Vec<Told> {
        if config.reconstructs() { vec![Told::new("test_denoising", "of noisy", 4)] } else { Vec::new() }
    }
}

impl RunConfig {
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
        corruption.check_amount().map_err(|_| invalid())?;
        self.corruption = Some(corruption);
        // Noise may mean nothing to this model.
        self.check()
    }
}
