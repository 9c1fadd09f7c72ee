//! What a run is: everything that decides its result, as one value that is saved beside it.
//!
//! Data × network × objectives × optimiser: `rows.rs`, `network.rs`, `objective/`, `optimiser.rs`; `file/` is how all of
//! it is spelt.

pub mod augment;
mod check;
mod check_data;
mod early_stopping;
mod file;
mod fit;
mod hopfield;
mod idle;
mod images;
mod members;
mod network;
pub mod objective;
mod of_rows;
mod optimiser;
mod rate;
mod recipe;
mod resized;
mod rows;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use check::{MOST_BATCH, MOST_SEED};
pub use early_stopping::EarlyStopping;
#[cfg(feature = "native")]
pub use file::in_file;
pub use file::{Assignment, MODELS, model_file};
pub use fit::Said;
pub use hopfield::HopfieldConfig;
pub use network::{MOST_BLOCKS, REPORT_ENCODER, report_layers};
pub use objective::entropy::{Averaging, EntropyConfig, Schedule, Subject};
pub use objective::{Collapse, Derived, ENOUGH_STEPS, Objective, Term, Told, Trained, Weight};
pub use optimiser::{DecayKind, LOSS_SCALE, OptimiserConfig, OptimiserKind};
pub use rate::{RateKind, RateSchedule};
pub use recipe::RECIPES;
pub use rows::ClassName;

use crate::data::DataOptions;
use crate::error::{Error, Result};
use crate::nn::BlockConfig;
use augment::Augment;
use objective::adversarial::Adversarial;
use objective::classifier::Classifier;
use objective::clustering::Clustering;
use objective::contractive::Contraction;
use objective::contrastive::Contrastive;
use objective::contrastive_divergence::ContrastiveDivergence;
use objective::corruption::Corruption;
use objective::rate::Rate;
use objective::sparsity::SparsityConfig;
use objective::variational::Variational;
use objective::wasserstein::Wasserstein;

/// Units left out at random behind hidden layers while training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Share of a layer's units, at least 0 and less than 1.
    pub rate: f32,
    /// Numbers of the hidden layers, the first 1.
    pub layers: Vec<usize>,
}

fn is_zero(weight: &f32) -> bool {
    *weight == 0.0
}

/// Declares a run's configuration; a further objective is a line in the list below, in the order of the terms: its
/// section's key and what it holds.
macro_rules! run_config {
    ($($(#[$doc:meta])+ $key:ident: $objective:ty),+ $(,)?) => {
        /// Everything that decides a run's result.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct RunConfig {
            /// Kind of model.
            pub model: String,
            /// Named settings this started from.
            pub recipe: String,
            /// Which data, and how it is read.
            pub data: DataOptions,
            /// Folder of the data set's files, if not the default one.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub data_dir: Option<PathBuf>,
            /// Class whose rows are left out of the training data; the test data keeps them.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub without: Option<ClassName>,
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
            /// Weight of the reconstruction error; what has none does not say so.
            #[serde(default, skip_serializing_if = "is_zero")]
            pub lambda_mse: f32,
            /// Weight of the entropy; a run that has none builds none and says none.
            #[serde(default, skip_serializing_if = "is_zero")]
            pub lambda_entropy: f32,
            /// What moves the parameters.
            pub optimiser: OptimiserConfig,
            /// The step size over time.
            pub lr_schedule: RateSchedule,
            /// When to stop before the last epoch.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub early_stopping: Option<EarlyStopping>,
            /// Which entropy.
            #[serde(default, skip_serializing_if = "EntropyConfig::is_unsaid")]
            pub entropy: EntropyConfig,
            $(
                $(#[$doc])+
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $key: Option<$objective>,
            )+
            /// Images changed at random while training.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub augment: Option<Augment>,
            /// Units left out while training.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub dropout: Option<Dropout>,
            /// A Hopfield network: patterns stored and recalled, nothing trained.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub hopfield: Option<HopfieldConfig>,
            /// Whether the decoder has the encoder's weights, transposed.
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            pub tied: bool,
            /// The network from the rows to the code.
            pub encoder: Vec<BlockConfig>,
            /// The network from the code to the answer; none if the code is the answer.
            pub decoder: Vec<BlockConfig>,
        }

        impl RunConfig {
            /// The objectives that have a section, in the order of their terms.
            fn asked_for(&self) -> Vec<&dyn Objective> {
                let all = [$(self.$key.as_ref().map(|objective| objective as &dyn Objective)),+];
                all.into_iter().flatten().collect()
            }

            /// A run of this network that nothing is asked of.
            fn bare(encoder: Vec<BlockConfig>, decoder: Vec<BlockConfig>) -> Self {
                RunConfig {
                    model: MODELS[0].into(),
                    recipe: "plain".into(),
                    data: DataOptions::default(),
                    data_dir: None,
                    without: None,
                    device: "auto".into(),
                    seed: 0,
                    epochs: 10,
                    batch_size: 128,
                    lr: 1e-3,
                    lambda_mse: 0.0,
                    lambda_entropy: 0.0,
                    optimiser: OptimiserConfig::default(),
                    lr_schedule: RateSchedule::default(),
                    early_stopping: None,
                    entropy: EntropyConfig::default(),
                    $($key: None,)+
                    augment: None,
                    dropout: None,
                    hopfield: None,
                    tied: false,
                    encoder,
                    decoder,
                }
            }
        }
    };
}

run_config! {
    /// Noise on the way in, which the network learns to remove.
    corruption: Corruption,
    /// A penalty on activity.
    sparsity: SparsityConfig,
    /// A penalty on how much the code changes with the image.
    contractive: Contraction,
    /// A restricted Boltzmann machine: data made likelier than the machine's own samples.
    contrastive_divergence: ContrastiveDivergence,
    /// Classes instead of reconstructions.
    classifier: Classifier,
    /// A penalty on the distribution of the codes.
    wasserstein: Wasserstein,
    /// A code that is drawn.
    variational: Variational,
    /// A price on the bits of a code.
    rate: Rate,
    /// Views of rows that find each other instead of reconstructions.
    contrastive: Contrastive,
    /// Clusters instead of reconstructions.
    clustering: Clustering,
    /// Rows that are made to pass for data.
    adversarial: Adversarial,
    /// A reconstruction error that large differences do not rule.
    huber: objective::huber::Huber,
}

impl RunConfig {
    /// The configuration as a file.
    ///
    /// # Errors
    /// Never for a configuration that passes [`check`](Self::check).
    pub fn to_toml(&self) -> Result<String> {
        let failed = |error: toml::ser::Error| Error::Failed(format!("config.toml cannot be written: {error}"));
        let mut text = toml::to_string_pretty(self).map_err(failed)?;
        // What has no weight does not say so, unless the model and the recipe that it started from say otherwise.
        let usual = RunConfig::base(Some(&self.model), Some(&self.recipe))?;
        let weights = [("lambda_mse", self.lambda_mse, usual.lambda_mse)];
        let weights = weights.into_iter().chain([("lambda_entropy", self.lambda_entropy, usual.lambda_entropy)]);
        let taken_away = weights.filter(|(_, own, usual)| *own == 0.0 && *usual != 0.0);
        let lines: String = taken_away.map(|(key, ..)| format!("{key} = 0.0\n")).collect();
        // Behind the last key that is in no table.
        let place = text.find("\n[").map_or(text.len(), |line| line.max(1));
        text.insert_str(place, &lines);
        if self.entropy.is_unsaid() && !usual.entropy.is_unsaid() {
            let entropy = std::collections::BTreeMap::from([("entropy", &self.entropy)]);
            text = format!("{text}\n{}", toml::to_string_pretty(&entropy).map_err(failed)?);
        }
        Ok(text)
    }

    /// Weight of the entropy, negative if it is driven up.
    pub fn signed_lambda_entropy(&self) -> f32 {
        if self.entropy.maximise { -self.lambda_entropy } else { self.lambda_entropy }
    }

    /// The same with everything said that depends on something else, so that changing that later does not
    /// change this.
    pub fn settled(mut self) -> Self {
        self.entropy.schedule = self.entropy.schedule.settled(self.epochs);
        if self.lambda_entropy > 0.0 {
            self.entropy.layers = self.entropy.chosen(&self);
        }
        self
    }

    /// Whether the decoder learns what to make of codes of the standard Gaussian, so that images can be drawn from it.
    pub fn has_prior(&self) -> bool {
        self.variational.is_some() || self.wasserstein.is_some() || self.adversarial.is_some()
    }

    /// Samples of a step where there are `rows` to train on: what a larger batch adds would be padding.
    pub fn step_rows(&self, rows: usize) -> usize {
        self.batch_size.min(rows)
    }
}

#[cfg(test)]
mod tests;
