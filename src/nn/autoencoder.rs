//! The autoencoder: a chain of linear layers, those up to the code the encoder, the rest the decoder.
//!
//! Names follow the source report's `nn.Sequential`, in which module 0 flattens the image, odd modules
//! are linear and even ones activations: `autoencoder.1.weight` is the first layer's matrix.

use super::layers::{Layer, initial_linear};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::ops::activation::Activation;
use crate::rng::{Rng, Stream, stream_key};

/// Width and activation of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    /// Width of its output.
    pub width: usize,
    /// What is applied to it.
    pub activation: Activation,
}

/// An autoencoder in a graph.
#[derive(Clone, Debug)]
pub struct Autoencoder {
    /// All layers, from input to reconstruction.
    pub layers: Vec<Layer>,
    /// How many of them are the encoder; the last of these makes the code.
    pub encoder: usize,
}

/// Layers of the report's encoder.
pub const REPORT_ENCODER: usize = 3;

/// Widths and activations of the report's network around `features` inputs:
/// 784-64-20-20-20-64-784, ReLU between and a sigmoid at the end; the first [`REPORT_ENCODER`] are its encoder.
pub fn report_layers(features: usize) -> Vec<LayerSpec> {
    let hidden = [64, 20, 20, 20, 64].map(|width| LayerSpec { width, activation: Activation::Relu });
    [&hidden[..], &[LayerSpec { width: features, activation: Activation::Sigmoid }]].concat()
}

impl Autoencoder {
    /// Adds the parameters of an autoencoder to a graph, the first `encoder` of its layers the encoder.
    ///
    /// # Errors
    /// When the last layer does not have the width of the input, a width is zero, or one half has no layer.
    pub fn new(g: &mut Graph, features: usize, layers: &[LayerSpec], encoder: usize) -> Result<Self> {
        if encoder == 0 || layers.len() <= encoder || layers.last().is_none_or(|last| last.width != features) {
            return Err(Error::Usage(format!(
                "decoder: the last of its layers must be {features} wide, as the input is"
            )));
        }
        if layers.iter().any(|layer| layer.width == 0) {
            return Err(Error::Usage("linear 0: a layer has at least one neuron".into()));
        }
        let mut inputs = features;
        let layers = layers
            .iter()
            .enumerate()
            .map(|(i, spec)| {
                let layer = Layer::new(g, &parameter_prefix(i), inputs, spec.width, spec.activation);
                inputs = spec.width;
                layer
            })
            .collect();
        Ok(Autoencoder { layers, encoder })
    }

    /// Index of the layer whose output is the code: the last of the encoder.
    pub fn code_layer(&self) -> usize {
        self.encoder - 1
    }

    /// The output of every layer for x \[batch, features\].
    ///
    /// # Errors
    /// When x has another width.
    pub fn forward(&self, g: &mut Graph, x: Var) -> Result<Vec<Var>> {
        let mut outputs: Vec<Var> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let input = outputs.last().copied().unwrap_or(x);
            outputs.push(layer.forward(g, input)?);
        }
        Ok(outputs)
    }

    /// Weights and biases of all layers, in order.
    pub fn parameters(&self) -> Vec<Var> {
        self.layers.iter().flat_map(|layer| [layer.weight, layer.bias]).collect()
    }
}

/// Names of the parameters of layer `index` begin with this.
pub fn parameter_prefix(index: usize) -> String {
    format!("autoencoder.{}", 2 * index + 1)
}

/// Names and initial values of all parameters, in order, for a seed.
pub fn initial_parameters(features: usize, layers: &[LayerSpec], seed: u64) -> Vec<(String, Vec<f32>)> {
    let mut rng = Rng::new(stream_key(seed, Stream::Init));
    let mut inputs = features;
    let mut parameters = Vec::with_capacity(2 * layers.len());
    for (index, layer) in layers.iter().enumerate() {
        let (weight, bias) = initial_linear(&mut rng, inputs, layer.width);
        let prefix = parameter_prefix(index);
        parameters.push((format!("{prefix}.weight"), weight));
        parameters.push((format!("{prefix}.bias"), bias));
        inputs = layer.width;
    }
    parameters
}
