//! The encoder that a cluster run has left, for another network to begin with.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::ClusterConfig;
use super::graph::layer_name;
use crate::config::LayerConfig;
use crate::error::{Error, Result};
use crate::nn::autoencoder::parameter_prefix;
use crate::ops::array::activation::Activation;
use crate::tensor::Ty;
use crate::train::session::State;

/// The encoder of a cluster run: its last layer gives a logit a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEncoder {
    /// How it was trained.
    pub config: ClusterConfig,
    /// Its weights and biases, by the names that they have in an autoencoder.
    pub state: State,
}

impl StoredEncoder {
    /// The encoder in this folder; none if it is not that of a cluster run.
    ///
    /// # Errors
    /// When the folder is a cluster run without an encoder, or with one that cannot be read.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let text = std::fs::read_to_string(folder.join("config.toml"));
        let Some(config) = text.ok().and_then(|text| toml::from_str::<ClusterConfig>(&text).ok()) else {
            return Ok(None);
        };
        let path = folder.join("encoder.safetensors");
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::input(&path, "the cluster run has no encoder yet"),
            _ => Error::io(&path, "read")(error),
        })?;
        let damaged = |error| Error::input(&path, format!("damaged encoder ({error})"));
        let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
        let mut state = State::new();
        for index in 0..=config.hidden.len() {
            for part in ["weight", "bias"] {
                let view = tensors.tensor(&format!("{}.{part}", layer_name(index))).map_err(damaged)?;
                if view.dtype() != Dtype::F32 {
                    return Err(Error::input(&path, format!("a tensor of {:?}, expected F32", view.dtype())));
                }
                let tensor = (Ty::f32(view.shape()), view.data().to_vec());
                state.insert(format!("{}.{part}", parameter_prefix(index)), tensor);
            }
        }
        Ok(Some(StoredEncoder { config, state }))
    }

    /// Its layers: ReLU, and none behind the last one.
    pub fn layers(&self) -> Vec<LayerConfig> {
        let hidden = self.config.hidden.iter().map(|&width| LayerConfig::new(width, Activation::Relu));
        hidden.chain([LayerConfig::new(self.config.clusters, Activation::Identity)]).collect()
    }
}
