//! The models there are, by name: each a configuration that trains well as it is.

use super::family::{Corruption, Dropout, Likelihood, Noise, SparsityConfig, SparsityKind, Variational};
use super::{LayerConfig, RECIPES, RunConfig};
use crate::error::{Error, Result};
use crate::ops::activation::Activation;

/// Names of the models there are, the default first.
pub const MODELS: &[&str] = &["entropic", "sparse", "denoising", "dropout", "vae"];

/// Pixels of an image of the built-in data sets.
const PIXELS: usize = 28 * 28;

/// Hidden layers of these widths with ReLU, the first `encoder` of them the encoder, and a sigmoid to the image.
fn network(plain: RunConfig, hidden: &[usize], encoder: usize) -> RunConfig {
    let image = LayerConfig::new(PIXELS, Activation::Sigmoid);
    let hidden = hidden.iter().map(|&width| LayerConfig::new(width, Activation::Relu));
    let layers: Vec<LayerConfig> = hidden.chain([image]).collect();
    // What is watched is the entropy of the code.
    let entropy = super::EntropyConfig { layers: vec![encoder], ..plain.entropy.clone() };
    let mut config = RunConfig { entropy, ..plain };
    config.set_layers(&layers, encoder);
    config
}

impl RunConfig {
    /// A model with its defaults, then what a recipe says of errors and entropies over them.
    ///
    /// # Errors
    /// When there is no model or recipe of that name.
    pub fn base(model: Option<&str>, recipe: Option<&str>) -> Result<Self> {
        let config = RunConfig::model(model.unwrap_or(MODELS[0]))?;
        let Some(recipe) = recipe else { return Ok(config) };
        let chosen = RunConfig::recipe(recipe)?;
        if config.model == MODELS[0] {
            return Ok(chosen);
        }
        let entropy = super::EntropyConfig { layers: config.entropy.layers.clone(), ..chosen.entropy };
        // Whose reconstruction is judged by its likelihood has no weight of the error.
        let lambda_mse = if config.variational.is_some() { config.lambda_mse } else { chosen.lambda_mse };
        let (recipe, lambda_entropy) = (chosen.recipe, chosen.lambda_entropy);
        Ok(RunConfig { recipe, lambda_mse, lambda_entropy, entropy, ..config })
    }

    /// The model of this name, with its defaults.
    ///
    /// # Errors
    /// When there is no model of that name.
    pub fn model(name: &str) -> Result<Self> {
        if name == MODELS[0] {
            return RunConfig::recipe(RECIPES[0]);
        }
        let plain = RunConfig { model: name.into(), ..RunConfig::recipe("plain")? };
        match name {
            "sparse" => Ok(RunConfig {
                sparsity: Some(SparsityConfig { kind: SparsityKind::L1, weight: 5e-6, target: 0.05, layers: vec![1] }),
                ..network(plain, &[256], 1)
            }),
            "denoising" => Ok(RunConfig {
                corruption: Some(Corruption { kind: Noise::Gaussian, amount: 0.3 }),
                ..network(plain, &[512, 128, 512], 2)
            }),
            "dropout" => Ok(RunConfig {
                dropout: Some(Dropout { rate: 0.2, layers: vec![1, 3] }),
                ..network(plain, &[512, 64, 512], 2)
            }),
            "vae" => {
                let mut config = network(plain, &[400, 20, 400], 2);
                config.encoder[1].activation = Activation::Identity;
                let variational =
                    Variational { likelihood: Likelihood::Bernoulli, sigma: 0.1, beta: 1.0, warm_up: 0.0 };
                Ok(RunConfig { lambda_mse: 0.0, variational: Some(variational), ..config })
            }
            _ => Err(Error::Usage(format!("--model {name}: no such model; there are {}", MODELS.join(", ")))),
        }
    }
}
