//! What a run is: everything that decides its result, as one value that is saved beside it.

mod classifier;
pub mod energy;
mod entropy;
pub mod family;
mod keys;
mod layers;
mod models;
mod optimiser;
mod places;
mod rows;
mod warnings;
pub mod wasserstein;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::nn::autoencoder::{REPORT_ENCODER, report_layers};
use crate::ops::array::activation::Activation;
pub use classifier::Classifier;
use energy::{ContrastiveDivergence, HopfieldConfig};
pub use entropy::{Averaging, EntropyConfig, Schedule, Subject};
use family::{Contraction, Corruption, Dropout, SparsityConfig, Variational};
pub use layers::LayerConfig;
pub use models::{MODELS, model_file};
pub use optimiser::{EarlyStopping, OptimiserConfig, OptimiserKind, RateKind, RateSchedule};
#[cfg(feature = "native")]
pub use places::in_file;
use wasserstein::Wasserstein;

/// Everything that decides a run's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Kind of model.
    pub model: String,
    /// Named settings this started from.
    pub recipe: String,
    /// Data set.
    pub data: String,
    /// Folder of the data set's files, if not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Class whose rows are left out of the training data; the test data keeps them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<u8>,
    /// Device asked for.
    pub device: String,
    /// Seed of initial parameters, of the order of samples and of built-in data.
    pub seed: u64,
    /// Passes over the training data.
    pub epochs: u32,
    /// Samples of a step.
    pub batch_size: usize,
    /// The optimiser's step size, the largest one where it moves.
    pub lr: f32,
    /// Weight of the reconstruction error.
    pub lambda_mse: f32,
    /// Weight of the entropy.
    pub lambda_entropy: f32,
    /// What moves the parameters.
    pub optimiser: OptimiserConfig,
    /// The step size over time.
    pub lr_schedule: RateSchedule,
    /// When to stop before the last epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Which entropy.
    pub entropy: EntropyConfig,
    /// Noise on the way in, which the network learns to remove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corruption: Option<Corruption>,
    /// Neurons left out while training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<Dropout>,
    /// A penalty on activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sparsity: Option<SparsityConfig>,
    /// A penalty on how much the code changes with the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contractive: Option<Contraction>,
    /// A code that is drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variational: Option<Variational>,
    /// A restricted Boltzmann machine: data made likelier than the machine's own samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contrastive_divergence: Option<ContrastiveDivergence>,
    /// A Hopfield network: patterns stored and recalled, nothing trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hopfield: Option<HopfieldConfig>,
    /// Whether the decoder has the encoder's weights, transposed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tied: bool,
    /// Classes instead of reconstructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classifier: Option<Classifier>,
    /// A penalty on the distribution of the codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasserstein: Option<Wasserstein>,
    /// The network from the rows to the code.
    pub encoder: Vec<LayerConfig>,
    /// The network from the code to the reconstruction.
    pub decoder: Vec<LayerConfig>,
}

/// Names of the recipes there are, the default first.
pub const RECIPES: &[&str] = &["bottleneck", "plain", "report"];

impl Default for RunConfig {
    /// The source report's Listing 1 and 2: order 0.04 on the middle layer, incoming and outgoing,
    /// minimised, 0.7 and 0.3.
    fn default() -> Self {
        let config = RunConfig {
            model: "entropic".into(),
            recipe: "report".into(),
            data: "digits".into(),
            data_dir: None,
            without: None,
            device: "auto".into(),
            seed: 0,
            epochs: 10,
            batch_size: 128,
            lr: 1e-3,
            lambda_mse: 0.7,
            lambda_entropy: 0.3,
            optimiser: OptimiserConfig::default(),
            lr_schedule: RateSchedule::default(),
            early_stopping: None,
            entropy: EntropyConfig::default(),
            corruption: None,
            dropout: None,
            sparsity: None,
            contractive: None,
            variational: None,
            contrastive_divergence: None,
            hopfield: None,
            tied: false,
            classifier: None,
            wasserstein: None,
            encoder: Vec::new(),
            decoder: Vec::new(),
        };
        config.with_network(&report_layers(28 * 28), REPORT_ENCODER)
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
                entropy: EntropyConfig { schedule: Schedule::budget(), ..EntropyConfig::default() },
                ..report
            }),
            "plain" => Ok(RunConfig { recipe: name.into(), lambda_mse: 1.0, lambda_entropy: 0.0, ..report }),
            "report" => Ok(report),
            _ => Err(Error::Usage(format!("--recipe {name}: no such recipe; there are {}", RECIPES.join(", ")))),
        }
    }

    /// The configuration as a file.
    ///
    /// # Errors
    /// Never for a configuration that passes [`check`](Self::check).
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|error| Error::Failed(format!("config.toml cannot be written: {error}")))
    }

    /// Weight of the entropy, negative if it is driven up.
    pub fn signed_lambda_entropy(&self) -> f32 {
        if self.entropy.maximise { -self.lambda_entropy } else { self.lambda_entropy }
    }

    /// The same with everything said that depends on something else, so that changing that later does not
    /// change this.
    pub fn settled(mut self) -> Self {
        self.entropy.schedule = self.entropy.schedule.settled(self.epochs);
        self
    }

    /// Whether the model has an objective that takes the place of the reconstruction error.
    pub fn has_own_objective(&self) -> bool {
        self.variational.is_some()
            || self.contrastive_divergence.is_some()
            || self.hopfield.is_some()
            || self.classifier.is_some()
    }

    /// Samples of a step where there are `rows` to train on: what a larger batch adds would be padding.
    pub fn step_rows(&self, rows: usize) -> usize {
        self.batch_size.min(rows)
    }

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
        crate::data::source(&self.data)?;
        if self.epochs == 0 {
            return refuse("--epochs 0: expected 1 or more".into());
        }
        if self.batch_size == 0 || self.batch_size > 1 << 20 {
            return refuse(format!("--batch-size {}: expected 1 to {}", self.batch_size, 1 << 20));
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
        if let Some(hopfield) = &self.hopfield {
            return hopfield.check();
        }
        self.check_layers()?;
        self.entropy.check()?;
        let last = self.depth();
        if let Some(layer) = self.entropy.layers.iter().find(|&&layer| layer == 0 || layer >= last) {
            return refuse(format!(
                "entropy.layers {layer}: hidden layers are numbered 1 to {}",
                last.saturating_sub(1)
            ));
        }
        self.check_family()
    }

    fn check_family(&self) -> Result<()> {
        let activations: Vec<Activation> = self.layers().map(|layer| layer.activation).collect();
        let Some((&last, hidden)) = activations.split_last() else { return Ok(()) };
        self.corruption.map_or(Ok(()), |corruption| corruption.check())?;
        self.dropout.as_ref().map_or(Ok(()), |dropout| dropout.check(hidden.len()))?;
        self.sparsity.as_ref().map_or(Ok(()), |sparsity| sparsity.check(hidden))?;
        let (layers, units, drawn) = (self.encoder.len(), self.code_width(), self.variational.is_some());
        self.contractive.map_or(Ok(()), |contractive| contractive.check(layers, units, drawn))?;
        self.check_energy()?;
        self.check_classifier()?;
        let code = activations[self.code_layer()];
        let key = self.layer_key(self.code_layer());
        let of_code = (key.as_str(), code, self.code_width());
        self.wasserstein.map_or(Ok(()), |wasserstein| wasserstein.check(of_code, self.batch_size))?;
        let keys = [self.code_layer(), self.depth() - 1].map(|index| self.layer_key(index));
        self.variational.map_or(Ok(()), |variational| variational.check([(&keys[0], code), (&keys[1], last)]))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_configuration_reads_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let mut config = RunConfig { data_dir: Some("somewhere".into()), lr: 3e-4, ..RunConfig::default() };
        config.entropy.alpha = f32::INFINITY;
        std::fs::write(&path, config.to_toml().unwrap()).unwrap();
        assert_eq!(RunConfig::read(&path, None, None).unwrap(), config);
    }

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "epochs = 3\nepoch = 4\n").unwrap();
        let message = RunConfig::read(&path, None, None).unwrap_err().to_string();
        assert!(
            message.contains("line 2") && message.contains("epoch") && message.contains("config.toml"),
            "{message}"
        );
    }

    #[test]
    fn values_without_meaning_are_refused_by_name() {
        type Spoil = fn(&mut RunConfig);
        let cases: [(&str, Spoil); 6] = [
            ("--lr", |c| c.lr = f32::NAN),
            ("--lr", |c| c.lr = 0.0),
            ("--lambda-entropy", |c| c.lambda_entropy = -1.0),
            ("--epochs", |c| c.epochs = 0),
            ("--batch-size", |c| c.batch_size = 0),
            ("entropy.layers", |c| c.entropy.layers = vec![6]),
        ];
        for (name, spoil) in cases {
            let mut config = RunConfig::default();
            spoil(&mut config);
            let message = config.check().unwrap_err().to_string();
            assert!(message.contains(name), "{message} does not name {name}");
        }
    }
}
