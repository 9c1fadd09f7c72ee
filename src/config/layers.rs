//! The layers of a network as a configuration spells them, and what their shapes must be.

use serde::{Deserialize, Serialize};

use super::RunConfig;
use crate::error::{Error, Result};
use crate::nn::LayerSpec;
use crate::ops::array::activation::Activation;

/// One linear layer with its activation: `linear = 64`, `activation = "relu"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// Width of its output.
    pub linear: usize,
    /// What is applied to it; nothing if it is not said.
    #[serde(default)]
    pub activation: Activation,
}

impl LayerConfig {
    /// A layer of this width.
    pub fn new(linear: usize, activation: Activation) -> Self {
        LayerConfig { linear, activation }
    }

    fn of(spec: &LayerSpec) -> Self {
        LayerConfig { linear: spec.width, activation: spec.activation }
    }
}

/// Widest layer there may be.
const WIDEST: usize = 1 << 16;

impl RunConfig {
    /// All layers, from the first of the encoder to the last of the decoder.
    pub fn layers(&self) -> impl DoubleEndedIterator<Item = &LayerConfig> + Clone {
        self.encoder.iter().chain(&self.decoder)
    }

    /// The same, to be changed.
    pub fn layers_mut(&mut self) -> impl Iterator<Item = &mut LayerConfig> {
        self.encoder.iter_mut().chain(&mut self.decoder)
    }

    /// Number of layers.
    pub fn depth(&self) -> usize {
        self.encoder.len() + self.decoder.len()
    }

    /// Index of the layer whose output is the code: the last of the encoder.
    pub fn code_layer(&self) -> usize {
        self.encoder.len().saturating_sub(1)
    }

    /// Width of the code.
    pub fn code_width(&self) -> usize {
        self.encoder.last().map_or(0, |layer| layer.linear)
    }

    /// Width of what goes into layer `index` for rows of `features` values.
    pub fn inputs_of(&self, index: usize, features: usize) -> usize {
        match index.checked_sub(1) {
            Some(before) => self.layers().nth(before).map_or(features, |layer| layer.linear),
            None => features,
        }
    }

    /// Number of parameters of the network for rows of `features` values; a tied layer has only biases of its own.
    pub fn parameters(&self, features: usize) -> usize {
        let own = if self.tied { self.encoder.len() } else { self.depth() };
        let inputs = |index: usize| if index < own { self.inputs_of(index, features) } else { 0 };
        let layer = |index: usize, width: usize| width * (inputs(index) + 1);
        let layers: usize = self.layers().enumerate().map(|(index, config)| layer(index, config.linear)).sum();
        layers + if self.variational.is_some() { layer(self.code_layer(), self.code_width()) } else { 0 }
    }

    /// Sets both halves from one list, the first `encoder` layers being the encoder.
    pub fn set_layers(&mut self, layers: &[LayerConfig], encoder: usize) {
        let (encoder, decoder) = layers.split_at(encoder.min(layers.len()));
        (self.encoder, self.decoder) = (encoder.to_vec(), decoder.to_vec());
    }

    /// The same from what the network itself is made of.
    pub(super) fn with_network(mut self, layers: &[LayerSpec], encoder: usize) -> Self {
        let layers: Vec<LayerConfig> = layers.iter().map(LayerConfig::of).collect();
        self.set_layers(&layers, encoder);
        self
    }

    /// The network's layers.
    pub fn layer_specs(&self) -> Vec<LayerSpec> {
        self.layers().map(|layer| LayerSpec { width: layer.linear, activation: layer.activation }).collect()
    }

    /// Key of the layer of this index, as `decoder.2`.
    pub fn layer_key(&self, index: usize) -> String {
        match index.checked_sub(self.encoder.len()) {
            Some(place) => format!("decoder.{}", place + 1),
            None => format!("encoder.{}", index + 1),
        }
    }

    pub(super) fn check_layers(&self) -> Result<()> {
        for (half, layers) in [("encoder", &self.encoder), ("decoder", &self.decoder)] {
            if layers.is_empty() {
                return Err(Error::Usage(format!("{half}: expected at least one layer, as [[{half}]] linear = 64")));
            }
        }
        match self.layers().position(|layer| layer.linear == 0 || layer.linear > WIDEST) {
            Some(index) => {
                let (key, width) = (self.layer_key(index), self.inputs_of(index + 1, 0));
                Err(Error::Usage(format!("{key}.linear {width}: expected 1 to {WIDEST} neurons")))
            }
            None => Ok(()),
        }
    }

    /// Refuses a network that does not give back rows of `features` values, those of `data`, or a classifier that does
    /// not tell its `classes` apart.
    ///
    /// # Errors
    /// [`Error::Usage`] that begins with the key of the width that is wrong.
    pub fn check_shape(&self, features: usize, classes: usize, data: &str) -> Result<()> {
        let (key, width) = (self.layer_key(self.depth() - 1), self.inputs_of(self.depth(), 0));
        let (expected, what) = match self.classifier {
            Some(_) => (classes, "the classes"),
            None => (features, "the values of a row"),
        };
        if width == expected {
            return Ok(());
        }
        Err(Error::Usage(format!("{key}.linear {width}: expected {expected}, {what} of {data}")))
    }
}
