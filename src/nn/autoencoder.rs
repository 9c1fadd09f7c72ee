//! The autoencoder: a chain of linear layers, those up to the code the encoder, the rest the decoder.
//!
//! Names follow the source report's `nn.Sequential`, in which module 0 flattens the image, odd modules
//! are linear and even ones activations: `autoencoder.1.weight` is the first layer's matrix.

use super::layers::{Layer, initial_linear};
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::ops::array::activation::Activation;
use crate::rng::{Rng, Stream, stream_key};
use crate::tensor::Ty;

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
    /// Whether the decoder's weights are those of the encoder transposed, in reverse order.
    pub tied: bool,
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
    /// Adds the parameters of an autoencoder to a graph, the first `encoder` of its layers the encoder. Tied weights
    /// are parameters like all others, that whoever trains brings into line after every step; they come last, so that
    /// those that are trained lie side by side.
    ///
    /// # Errors
    /// When the last layer does not have the width of the input, a width is zero, one half has no layer, or halves
    /// that are tied are no mirror images.
    pub fn new(g: &mut Graph, features: usize, layers: &[LayerSpec], encoder: usize, tied: bool) -> Result<Self> {
        if layers.last().is_none_or(|last| last.width != features) {
            return Err(Error::Usage(format!(
                "decoder: the last of its layers must be {features} wide, as the input is"
            )));
        }
        Self::chain(g, features, layers, encoder, tied)
    }

    /// The same with a last layer of any width: an encoder with something else than a decoder behind it.
    ///
    /// # Errors
    /// As [`new`](Self::new), but for the last width.
    pub fn chain(g: &mut Graph, features: usize, layers: &[LayerSpec], encoder: usize, tied: bool) -> Result<Self> {
        if encoder == 0 || layers.len() <= encoder {
            return Err(Error::Usage("encoder, decoder: expected at least one layer each".into()));
        }
        if layers.iter().any(|layer| layer.width == 0) {
            return Err(Error::Usage("linear 0: a layer has at least one neuron".into()));
        }
        if tied && !is_mirror(features, layers, encoder) {
            return Err(Error::Usage("tied: expected a decoder with the widths of the encoder in reverse".into()));
        }
        let inputs: Vec<usize> = std::iter::once(features).chain(layers.iter().map(|layer| layer.width)).collect();
        let ty = |index: usize| Ty::f32(&[layers[index].width, inputs[index]]);
        let weight = |g: &mut Graph, index: usize| {
            g.source(Role::Param, format!("{}.weight", parameter_prefix(index)), ty(index))
        };
        let mut made: Vec<(Option<Var>, Var)> = Vec::with_capacity(layers.len());
        for (index, spec) in layers.iter().enumerate() {
            let own = (!tied || index < encoder).then(|| weight(g, index));
            let bias = g.source(Role::Param, format!("{}.bias", parameter_prefix(index)), Ty::f32(&[spec.width]));
            made.push((own, bias));
        }
        let layers = made.into_iter().zip(layers).enumerate().map(|(index, ((own, bias), spec))| Layer {
            name: parameter_prefix(index),
            weight: own.unwrap_or_else(|| weight(g, index)),
            bias,
            activation: spec.activation,
        });
        Ok(Autoencoder { layers: layers.collect(), encoder, tied })
    }

    /// Pairs of layers, one of the encoder and one of the decoder, of which the second has the first's weights
    /// transposed; none if the network is not tied.
    pub fn ties(&self) -> Vec<(usize, usize)> {
        tied_layers(self.layers.len(), self.encoder, self.tied)
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

    /// The codes of x \[batch, features\].
    ///
    /// # Errors
    /// When x has another width.
    pub fn encode(&self, g: &mut Graph, x: Var) -> Result<Var> {
        self.layers[..self.encoder].iter().try_fold(x, |x, layer| layer.forward(g, x))
    }

    /// What becomes of codes \[batch, width of the code\].
    ///
    /// # Errors
    /// When they have another width.
    pub fn decode(&self, g: &mut Graph, codes: Var) -> Result<Var> {
        self.layers[self.encoder..].iter().try_fold(codes, |x, layer| layer.forward(g, x))
    }

    /// Weights and biases of all layers, in order.
    pub fn parameters(&self) -> Vec<Var> {
        self.layers.iter().flat_map(|layer| [layer.weight, layer.bias]).collect()
    }
}

/// Whether the widths of the decoder are those of the encoder in reverse.
pub fn is_mirror(features: usize, layers: &[LayerSpec], encoder: usize) -> bool {
    let widths: Vec<usize> = std::iter::once(features).chain(layers.iter().map(|layer| layer.width)).collect();
    layers.len() == 2 * encoder && widths.iter().eq(widths.iter().rev())
}

/// Pairs (encoder, decoder) of tied layers among `depth`, the first `encoder` of them the encoder.
pub fn tied_layers(depth: usize, encoder: usize, tied: bool) -> Vec<(usize, usize)> {
    (0..if tied { encoder } else { 0 }).map(|index| (index, depth - 1 - index)).collect()
}

/// Names of the parameters of layer `index` begin with this.
pub fn parameter_prefix(index: usize) -> String {
    format!("autoencoder.{}", 2 * index + 1)
}

/// Names and initial values of all parameters, in order, for a seed.
///
/// A tied layer's are drawn like all others, and to be replaced by the transpose of what they are tied to.
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
