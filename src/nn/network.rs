//! A network: blocks from the rows to the code, the encoder, and from the code to the answer, the decoder.
//!
//! Names follow the source report's `nn.Sequential`, in which module 0 flattens the image and every linear layer is
//! followed by its activation: `autoencoder.1.weight` is the first layer's matrix, `autoencoder.3.weight` the second's.

use super::block::{Block, BlockConfig};
use super::builder::{Builder, Parameter};
use super::building::Building;
use super::layers::Layer;
use super::rate::{Coded, CodingSpec, EntropyModel, RATE};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::ops::array::activation::Activation;
use crate::rng::Stream;
use crate::tensor::Shape;

/// Names of parameters begin with this.
pub const SCOPE: &str = "autoencoder";

/// Name of the layer that says how wide the Gaussian of a code is.
pub const LOG_VARIANCE: &str = "log_variance";

/// What a network is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkSpec {
    /// From the rows to the code.
    pub encoder: Vec<BlockConfig>,
    /// From the code to the answer; none if the code is the answer.
    pub decoder: Vec<BlockConfig>,
    /// Whether the decoder's weights are those of the encoder transposed, in reverse order.
    pub tied: bool,
    /// Whether the encoder stays as it begins.
    pub frozen: bool,
    /// Whether codes are drawn from Gaussians around what the encoder gives.
    pub drawn: bool,
    /// Width of the codes that the decoder gets, if they are drawn from N(0, I) whatever the encoder says: then the two are
    /// networks of their own, a discriminator and a generator.
    pub prior: Option<usize>,
    /// Whether the last activation, a sigmoid, is kept apart from its argument.
    pub logits: bool,
    /// Where codes become whole numbers, if anywhere.
    pub coding: Option<CodingSpec>,
    /// Units left out behind hidden layers, by their numbers from 1.
    pub dropout: Option<(f32, Vec<usize>)>,
    /// Whether others learn from the rest of every batch, by whose moments it is normalised.
    pub has_others: bool,
}

/// A block in its place.
#[derive(Debug)]
pub(super) struct Placed {
    pub block: Box<dyn Block>,
    /// Whether it is a layer, so that its output has a number.
    pub is_layer: bool,
    /// Share of its output left out while training, and the draws that decide.
    pub dropout: Option<(f32, u32)>,
}

/// A network in a graph.
#[derive(Debug)]
pub struct Network {
    pub(super) blocks: Vec<Placed>,
    /// How many of the blocks are the encoder.
    pub(super) encoder: usize,
    layers: Vec<Layer>,
    is_chain: bool,
    pub(super) logits: bool,
    pub(super) prior: Option<usize>,
    /// The distribution of the numbers that codes become, if they do.
    pub entropy_model: Option<EntropyModel>,
    /// The layer of the codes' log-variances, if codes are drawn.
    pub log_variance: Option<Layer>,
    /// All parameters, in the one order that all graphs have them in.
    pub parameters: Vec<Parameter>,
    /// Shape of a sample of the answer.
    pub answer: Shape,
    /// How many of the parameters are the encoder's.
    of_encoder: usize,
}

/// What rows have become in a network.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The output of every layer, numbered from 1; the code as it was drawn.
    pub outputs: Vec<Var>,
    /// The code.
    pub code: Var,
    /// The answer.
    pub answer: Var,
    /// The answer before its sigmoid, where that is kept apart.
    pub logits: Option<Var>,
    /// Mean and log-variance of the codes, if codes are drawn.
    pub latent: Option<[Var; 2]>,
    /// Codes where they become whole numbers, if they do.
    pub coded: Option<Coded>,
    /// Moments that were normalised by; see [`Flow::moments`](super::block::Flow::moments).
    pub moments: Vec<([String; 2], Var)>,
}

/// Place of the first block in PyTorch's `nn.Sequential`, whose module 0 makes rows of images; a network that makes images of
/// rows has that in its stead.
pub fn first_place(encoder: &[BlockConfig]) -> usize {
    usize::from(!matches!(encoder.first(), Some(BlockConfig::Unflatten(_))))
}

/// A list of blocks in which an activation right behind a linear layer is that layer's: two ways to spell the same
/// modules.
pub fn joined(blocks: &[BlockConfig]) -> Vec<BlockConfig> {
    let mut joined: Vec<BlockConfig> = Vec::with_capacity(blocks.len());
    for block in blocks {
        if let (Some(BlockConfig::Linear(linear)), BlockConfig::Activation(own)) = (joined.last_mut(), block)
            && linear.activation == Activation::Identity
        {
            linear.activation = own.activation;
            continue;
        }
        joined.push(block.clone());
    }
    joined
}

impl Network {
    /// Adds a network for samples of this shape to a graph. Tied weights are parameters like all others, that whoever
    /// trains brings into line after every step.
    ///
    /// # Errors
    /// When a block cannot take what the one before it gives, there is no encoder, or halves that are tied are no mirror
    /// images; the message begins with the key of the block.
    pub fn build(g: &mut Graph, spec: &NetworkSpec, sample: &Shape) -> Result<Self> {
        Self::over(g, spec, sample, &[])
    }

    /// The same where the graph has values already that stand for the parameters of these names.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn over(g: &mut Graph, spec: &NetworkSpec, sample: &Shape, given: &[(String, Var)]) -> Result<Self> {
        if spec.encoder.is_empty() {
            return Err(Error::Usage("encoder: expected at least one block".into()));
        }
        let mut b = Builder::over(g, given);
        b.has_others = spec.has_others;
        let mut building = Building {
            spec,
            blocks: Vec::new(),
            layers: Vec::new(),
            numbered: 0,
            place: first_place(&spec.encoder),
            sample: sample.clone(),
            samples: Vec::new(),
            last: None,
            flattened: None,
        };
        b.within(SCOPE, |b| building.half(b, "encoder", &spec.encoder))?;
        let encoder = building.blocks.len();
        let (of_code, of_encoder) = (building.last, b.parameters().len());
        if let Some(code) = spec.prior {
            (building.sample, building.last, building.flattened) = (Shape::new(&[code]), None, None);
        }
        b.within(SCOPE, |b| building.half(b, "decoder", &spec.decoder))?;
        let Building { blocks, layers, sample: answer, samples, .. } = building;
        let log_variance = match (spec.drawn, of_code) {
            (false, _) => None,
            (true, Some([inputs, code])) => {
                let layer =
                    |b: &mut Builder<'_>| Layer::build(b, [inputs, code], Activation::Identity, Stream::Latent, None);
                Some(b.within(LOG_VARIANCE, layer))
            }
            (true, None) => return Err(Error::Usage("encoder: a code that is drawn is that of a linear layer".into())),
        };
        let entropy_model = match (&spec.coding, samples) {
            (Some(coding), samples) => {
                let sample = samples.get(coding.behind);
                let sample = sample.ok_or_else(|| Error::Usage(format!("{RATE}.layer: there is no such block")))?;
                Some(b.within(RATE, |b| EntropyModel::build(b, coding, sample))?)
            }
            (None, _) => None,
        };
        let is_chain = blocks.iter().all(|placed| placed.block.layer().is_some() || placed.block.is_pointwise());
        let is_chain = is_chain && spec.prior.is_none() && spec.coding.is_none();
        let (parameters, logits, prior) = (b.finish(), spec.logits, spec.prior);
        Ok(Network {
            blocks,
            encoder,
            layers,
            is_chain,
            logits,
            prior,
            entropy_model,
            log_variance,
            parameters,
            answer,
            of_encoder,
        })
    }

    /// The layers of a network that is a chain of linear layers with biases and what works unit by unit, from the rows
    /// to the answer; none of any other.
    pub fn chain(&self) -> Option<&[Layer]> {
        self.is_chain.then_some(&self.layers)
    }

    /// The linear layer of this number, from 1, and the one that reads it, where nothing mixes units between them.
    pub fn layer_and_next(&self, number: usize) -> Option<[&Layer; 2]> {
        let place = self.blocks.iter().enumerate().filter(|(_, placed)| placed.is_layer).nth(number.checked_sub(1)?)?.0;
        let next = self.blocks[place + 1..].iter().find(|placed| !placed.block.is_pointwise())?;
        Some([self.blocks[place].block.layer()?, next.block.layer()?])
    }

    /// The layers of the encoder, if the network is a chain.
    pub fn encoder_chain(&self) -> Option<&[Layer]> {
        let count = self.blocks[..self.encoder].iter().filter(|placed| placed.block.layer().is_some()).count();
        self.chain().map(|layers| &layers[..count])
    }

    /// The parameters of the encoder.
    pub fn encoder_parameters(&self) -> &[Parameter] {
        &self.parameters[..self.of_encoder]
    }

    /// The parameters of the decoder, and of what makes a code a draw.
    pub fn decoder_parameters(&self) -> &[Parameter] {
        &self.parameters[self.of_encoder..]
    }

    /// The weights of the layers among the blocks, from the rows to the answer; matrices of norms are none.
    pub fn layer_weights(&self) -> impl Iterator<Item = &Parameter> {
        let is_of_layer = |name: &str| name.starts_with(SCOPE) && name.ends_with(".weight");
        let of_blocks = self.parameters.iter().filter(move |parameter| is_of_layer(&parameter.name));
        of_blocks.filter(|parameter| parameter.ty.shape.matrix().is_some())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::nn::builder::initial_values;

    fn names(spec: &NetworkSpec, features: usize) -> Vec<(String, bool)> {
        let network = Network::build(&mut Graph::new(), spec, &Shape::new(&[features])).unwrap();
        network.parameters.into_iter().map(|parameter| (parameter.name, parameter.trained)).collect()
    }

    fn linear(width: usize) -> BlockConfig {
        BlockConfig::linear(width, Activation::Relu)
    }

    #[test]
    fn an_activation_by_itself_is_that_of_the_layer_before_it() {
        let alone = BlockConfig::Activation(crate::nn::block::ActivationBlock { activation: Activation::Relu });
        let plain = BlockConfig::linear(4, Activation::Identity);
        assert_eq!(joined(&[plain.clone(), alone.clone()]), [linear(4)]);
        assert_eq!(joined(&[plain, alone.clone(), alone.clone()]), [linear(4), alone]);
    }

    #[test]
    fn a_frozen_encoder_and_a_tied_decoder_are_not_trained() {
        let halves = || NetworkSpec { encoder: vec![linear(5)], decoder: vec![linear(7)], ..NetworkSpec::default() };
        let trained = |spec: &NetworkSpec| names(spec, 7).into_iter().map(|(_, trained)| trained).collect::<Vec<_>>();
        assert_eq!(trained(&halves()), [true; 4]);
        assert_eq!(trained(&NetworkSpec { frozen: true, ..halves() }), [false, false, true, true]);
        let tied = NetworkSpec { tied: true, ..halves() };
        assert_eq!(trained(&tied), [true, true, false, true]);
        let network = Network::build(&mut Graph::new(), &tied, &Shape::new(&[7])).unwrap();
        let plain = Network::build(&mut Graph::new(), &halves(), &Shape::new(&[7])).unwrap();
        let (tied, plain) = (initial_values(&network.parameters, 1), initial_values(&plain.parameters, 1));
        assert_eq!((&tied[0], &tied[3]), (&plain[0], &plain[3]), "tying moves no draw");
        let transposed: Vec<f32> = (0..7).flat_map(|i| tied[0].1.iter().skip(i).step_by(7)).copied().collect();
        assert_eq!(tied[2].1, transposed);
    }

    /// Whatever stands between an image and a row of its numbers lies in files as PyTorch counts them, with biases or without.
    #[test]
    fn what_reads_or_makes_a_flattened_image_lies_in_files_by_channels() {
        let blocks = |text: &str| -> Vec<BlockConfig> {
            toml::from_str::<toml::Table>(&format!("b = [{text}]")).unwrap()["b"].clone().try_into().unwrap()
        };
        let norm = "{ norm = 'batch' }, { activation = 'relu' }";
        let spec = NetworkSpec {
            encoder: blocks(&format!(
                "{{ unflatten = '2x2x3' }}, {{ flatten = true }}, {norm}, {{ linear = 5, bias = false }}, {norm}"
            )),
            decoder: blocks(&format!("{{ linear = 12, bias = false }}, {norm}, {{ unflatten = '2x2x3' }}")),
            ..NetworkSpec::default()
        };
        let network = Network::build(&mut Graph::new(), &spec, &Shape::new(&[12])).unwrap();
        let turned = network.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.order.is_some()));
        for (name, is_turned) in turned {
            // The norm of the code alone counts no pixels.
            assert_eq!(is_turned, !name.starts_with("autoencoder.6."), "{name}");
        }
        assert_eq!(network.parameters.len(), 4 + 1 + 4 + 1 + 4);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_place() {
        let refused =
            |spec: &NetworkSpec| Network::build(&mut Graph::new(), spec, &Shape::new(&[7])).unwrap_err().to_string();
        let tied = NetworkSpec { encoder: vec![linear(5)], decoder: vec![linear(6)], tied: true, ..Default::default() };
        assert!(refused(&tied).contains("decoder.1: tied"), "{}", refused(&tied));
        assert!(refused(&NetworkSpec::default()).contains("encoder"));
    }
}
