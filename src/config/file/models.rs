//! The models there are, by name: configuration files that train well as they are, embedded in the program.

use toml::Table;

use super::keys::merge;
use crate::config::{EntropyConfig, RECIPES, RunConfig};
use crate::error::{Error, Result};

/// Declares the models: their names, the default first, and their files.
macro_rules! models {
    ($($name:literal),+ $(,)?) => {
        /// Names of the models there are, the default first.
        pub const MODELS: &[&str] = &[$($name),+];

        const FILES: &[&str] = &[$(include_str!(concat!("../../../assets/models/", $name, ".toml"))),+];
    };
}

models![
    "entropic",
    "sparse",
    "contractive",
    "denoising",
    "dropout",
    "conv",
    "vae",
    "conv-vae",
    "wae",
    "conv-wae",
    "dcgan",
    "nmn",
    "classifier",
    "resnet",
    "resnet18",
    "compressive",
    "simclr",
    "codec",
    "rbm",
    "hopfield",
    "cluster"
];

/// The configuration file of a model.
///
/// # Errors
/// When there is no model of that name.
pub fn model_file(name: &str) -> Result<&'static str> {
    let file = MODELS.iter().position(|model| *model == name).map(|index| FILES[index]);
    file.ok_or_else(|| Error::Usage(format!("--model {name}: no such model; there are {}", MODELS.join(", "))))
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
        if config.error_term().is_none() || config.encoder_layers() == 0 {
            // A recipe weighs an entropy of a layer's neurons against the answers' error: not where there is neither.
            return Ok(RunConfig { recipe: chosen.recipe, ..config });
        }
        let entropy = EntropyConfig { layers: config.entropy.layers.clone(), ..chosen.entropy };
        // Who has an objective of its own, such as a likelihood, has no weight of the error.
        let lambda_mse = if config.has_own_objective() { config.lambda_mse } else { chosen.lambda_mse };
        let (recipe, lambda_entropy) = (chosen.recipe, chosen.lambda_entropy);
        Ok(RunConfig { recipe, lambda_mse, lambda_entropy, entropy, ..config })
    }

    /// The model of this name, with its defaults.
    ///
    /// # Errors
    /// When there is no model of that name.
    pub fn model(name: &str) -> Result<Self> {
        let invalid = |error: &dyn std::fmt::Display| Error::Failed(format!("the model '{name}': {error}"));
        let file: Table = toml::from_str(model_file(name)?).map_err(|error| invalid(&error))?;
        let recipe = if name == MODELS[0] { RECIPES[0] } else { "plain" };
        let mut table = RunConfig::recipe(recipe)?.table()?;
        merge(&mut table, file);
        table.try_into().map_err(|error| invalid(&error))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_model_of_its_own_name() {
        for name in MODELS {
            let config = RunConfig::model(name).unwrap();
            assert_eq!(&config.model, name);
            assert_eq!(config.check().map_err(|error| error.to_string()), Ok(()), "{name}");
        }
        assert_eq!(RunConfig::model("entropic").unwrap(), RunConfig::recipe("bottleneck").unwrap());
    }

    #[test]
    fn a_recipe_goes_with_every_model() {
        for name in MODELS {
            for recipe in RECIPES {
                let config = RunConfig::base(Some(name), Some(recipe)).unwrap();
                assert_eq!(config.check().map_err(|error| error.to_string()), Ok(()), "{name}, {recipe}");
            }
        }
    }
}
