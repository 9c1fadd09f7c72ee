//! The network as a configuration spells it, and what its shapes must be.

use super::RunConfig;
use crate::config::objective::variational::Likelihood;
use crate::error::{Error, Result};
use crate::nn::BlockConfig;
use crate::nn::block::LinearBlock;
use crate::nn::network::{NetworkSpec, joined};
use crate::ops::array::activation::Activation;
use crate::tensor::Shape;

/// Most blocks of a network, those inside others included.
pub const MOST_BLOCKS: usize = 512;

/// Layers of the report's encoder.
pub const REPORT_ENCODER: usize = 3;

/// The report's network around `features` inputs: 784-64-20-20-20-64-784, ReLU between and a sigmoid at the end; the
/// first [`REPORT_ENCODER`] layers are its encoder.
pub fn report_layers(features: usize) -> Vec<BlockConfig> {
    let hidden = [64, 20, 20, 20, 64].map(|width| BlockConfig::linear(width, Activation::Relu));
    [&hidden[..], &[BlockConfig::linear(features, Activation::Sigmoid)]].concat()
}

impl RunConfig {
    /// All blocks, from the first of the encoder to the last of the decoder.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = &BlockConfig> + Clone {
        self.encoder.iter().chain(&self.decoder)
    }

    /// The linear layers, which are numbered from 1, each with the activation behind it.
    pub fn layers(&self) -> Vec<LinearBlock> {
        let halves = [joined(&self.encoder), joined(&self.decoder)].concat();
        halves.iter().filter_map(BlockConfig::as_linear).copied().collect()
    }

    /// The same, to be changed.
    pub fn layers_mut(&mut self) -> impl Iterator<Item = &mut LinearBlock> {
        self.encoder.iter_mut().chain(&mut self.decoder).filter_map(BlockConfig::as_linear_mut)
    }

    /// Number of layers.
    pub fn depth(&self) -> usize {
        self.blocks().filter(|block| block.as_linear().is_some()).count()
    }

    /// How many of them are the encoder's.
    pub fn encoder_layers(&self) -> usize {
        self.encoder.iter().filter(|block| block.as_linear().is_some()).count()
    }

    /// Width of the codes that the decoder takes.
    pub fn code_width(&self) -> usize {
        self.adversarial.map_or_else(|| self.encoded_width(), |adversarial| adversarial.code)
    }

    /// Width of what the encoder makes of a row.
    pub fn encoded_width(&self) -> usize {
        if let Some(image) = self.images() {
            let row = Shape::new(&[image.iter().product()]);
            let code = self.encoder.iter().try_fold(row, |sample, block| block.kind().infer(&sample));
            return code.map_or(0, |code| code.elements());
        }
        let blocks = joined(&self.encoder);
        let Some(last) = blocks.iter().rposition(|block| block.as_linear().is_some()) else { return 0 };
        let width = blocks[last].as_linear().map_or(0, |linear| linear.linear);
        let behind = blocks[last + 1..].iter().try_fold(Shape::new(&[width]), |x, block| block.kind().infer(&x));
        behind.map_or(width, |shape| shape.elements())
    }

    /// Sets both halves from one list, the first `encoder` blocks being the encoder.
    pub fn set_layers(&mut self, blocks: &[BlockConfig], encoder: usize) {
        let (encoder, decoder) = blocks.split_at(encoder.min(blocks.len()));
        (self.encoder, self.decoder) = (encoder.to_vec(), decoder.to_vec());
    }

    /// What the network is to be.
    pub fn network_spec(&self) -> NetworkSpec {
        NetworkSpec {
            encoder: self.encoder.clone(),
            decoder: self.decoder.clone(),
            tied: self.tied,
            frozen: self.classifier.as_ref().is_some_and(|classifier| classifier.frozen),
            drawn: self.variational.is_some(),
            prior: self.adversarial.map(|adversarial| adversarial.code),
            logits: self.variational.is_some_and(|variational| variational.likelihood == Likelihood::Bernoulli),
            coding: self.rate.as_ref().map(|rate| rate.spec(self)),
            dropout: self.dropout.as_ref().map(|dropout| (dropout.rate, dropout.layers.clone())),
            has_others: false,
        }
    }

    /// Key of the layer of this index, as `decoder.2`.
    pub fn layer_key(&self, index: usize) -> String {
        let places = |half: &'static str, blocks: &[BlockConfig]| {
            let layers = blocks.iter().enumerate().filter(|(_, block)| block.as_linear().is_some());
            layers.map(|(place, _)| format!("{half}.{}", place + 1)).collect::<Vec<_>>()
        };
        let all = [places("encoder", &self.encoder), places("decoder", &self.decoder)].concat();
        all.get(index).cloned().unwrap_or_default()
    }

    /// Key of the first block that is neither a linear layer with biases nor works unit by unit, if there is one: then
    /// the network is no chain of layers.
    pub(super) fn unlike_chain(&self) -> Option<String> {
        let halves = [("encoder", &self.encoder), ("decoder", &self.decoder)];
        let blocks = halves.into_iter().flat_map(|(half, blocks)| {
            blocks.iter().enumerate().map(move |(place, block)| (format!("{half}.{}", place + 1), block))
        });
        let fits = |block: &BlockConfig| match block {
            BlockConfig::Linear(linear) => linear.bias,
            BlockConfig::Dropout(_) | BlockConfig::Activation(_) => true,
            _ => false,
        };
        blocks.into_iter().find(|(_, block)| !fits(block)).map(|(key, _)| key)
    }

    /// Whether the linear layer of this number, from 1, has biases and is read by another such layer and by nothing else, but for
    /// what works unit by unit.
    pub(super) fn feeds_next_layer(&self, number: usize) -> bool {
        let blocks = [joined(&self.encoder), joined(&self.decoder)].concat();
        let mut layers = blocks.iter().enumerate().filter(|(_, block)| block.as_linear().is_some());
        let Some((place, own)) = number.checked_sub(1).and_then(|index| layers.nth(index)) else { return false };
        let is_pointwise = |block: &&BlockConfig| matches!(block, BlockConfig::Dropout(_) | BlockConfig::Activation(_));
        let next = blocks[place + 1..].iter().find(|block| !is_pointwise(block));
        let is_layer = |block: &BlockConfig| block.as_linear().is_some_and(|linear| linear.bias);
        is_layer(own) && next.is_some_and(is_layer)
    }

    /// Key and activation of the layer that makes the code; `who` needs it to be a layer.
    pub(super) fn code_activation(&self, who: &str) -> Result<(String, Activation)> {
        last_activation("encoder", &self.encoder, who)
    }

    /// The same of the layer that makes the answer.
    pub(super) fn answer_activation(&self, who: &str) -> Result<(String, Activation)> {
        last_activation("decoder", &self.decoder, who)
    }

    pub(super) fn check_network(&self) -> Result<()> {
        let count: usize = self.blocks().map(|block| block.kind().blocks()).sum();
        if count > MOST_BLOCKS {
            let problem = format!("{count} blocks with those of the decoder, expected at most {MOST_BLOCKS}");
            return Err(Error::Usage(format!("encoder: {problem}")));
        }
        let decoded = self.clustering.is_none() && self.contrastive.is_none();
        for (half, blocks) in [("encoder", &self.encoder), ("decoder", &self.decoder)] {
            if blocks.is_empty() && (decoded || half == "encoder") {
                return Err(Error::Usage(format!("{half}: expected at least one layer, as [[{half}]] linear = 64")));
            }
            for (place, block) in blocks.iter().enumerate() {
                block.kind().check(&format!("{half}.{}", place + 1))?;
            }
        }
        if self.tied { self.check_tied() } else { Ok(()) }
    }

    /// Refuses layers that are tied to what is no mirror image.
    fn check_tied(&self) -> Result<()> {
        let refuse = |key: &str, value: String, expected: &str| super::objective::refuse(key, value, expected);
        if self.variational.is_some() {
            return refuse("tied", "true".into(), "an untied decoder where the code is drawn");
        }
        if let Some(key) = self.unlike_chain() {
            return Err(Error::Usage(format!("{key}: expected linear layers with biases alone, since they are tied")));
        }
        let (layers, encoder) = (self.layers(), self.encoder_layers());
        if layers.len() != 2 * encoder {
            return refuse(
                "tied",
                "true".into(),
                &format!("as many layers in the decoder as in the encoder, {encoder}"),
            );
        }
        // The last width is the data's, which is compared once the data is there.
        for layer in 1..encoder {
            let tied = layers.len() - 1 - layer;
            let (wanted, found) = (layers[layer - 1].linear, layers[tied].linear);
            if wanted != found {
                let expected = format!("{wanted}, what goes into {}, since the layers are tied", self.layer_key(layer));
                return refuse(&format!("{}.linear", self.layer_key(tied)), found.to_string(), &expected);
            }
        }
        Ok(())
    }

    /// Values of the answer to a row of so many; those of the row where the network does not fit it.
    pub fn answer_width(&self, features: usize) -> usize {
        let shapes = self.shapes(&Shape::new(&[features])).ok();
        shapes.and_then(|mut shapes| shapes.pop()).map_or(features, |(_, _, answer)| answer.elements())
    }

    /// Values of a row of so many, or of what the network makes of it on the way, whichever is most.
    pub fn widest(&self, features: usize) -> usize {
        let row = Shape::new(&[features]);
        let code = self.encoder.iter().try_fold(row.clone(), |sample, block| block.kind().infer(&sample));
        let code = match (self.adversarial, code) {
            (Some(adversarial), _) => Shape::new(&[adversarial.code]),
            (None, code) => code.unwrap_or_else(|_| row.clone()),
        };
        widest(&self.encoder, &row).max(widest(&self.decoder, &code)).max(1)
    }

    /// Every block with its key and the shape of a sample behind it, for samples of this shape.
    ///
    /// # Errors
    /// When a block cannot take what the one before it gives; the message begins with its key.
    pub fn shapes(&self, sample: &Shape) -> Result<Vec<(String, &BlockConfig, Shape)>> {
        let (mut sample, mut shapes) = (sample.clone(), Vec::new());
        for (half, blocks) in [("encoder", &self.encoder), ("decoder", &self.decoder)] {
            if let Some(adversarial) = self.adversarial.filter(|_| half == "decoder") {
                sample = Shape::new(&[adversarial.code]);
            }
            for (place, block) in blocks.iter().enumerate() {
                let key = format!("{half}.{}", place + 1);
                sample = block.kind().infer(&sample).map_err(|error| Error::Usage(format!("{key}: {error}")))?;
                shapes.push((key, block, sample.clone()));
            }
        }
        Ok(shapes)
    }
}

/// Values of a sample behind the one of these blocks, or of those inside them, that makes most of it; of what does not fit
/// together what does.
fn widest(blocks: &[BlockConfig], sample: &Shape) -> usize {
    let (mut sample, mut most) = (sample.clone(), sample.elements());
    for block in blocks {
        if let BlockConfig::Residual(around) = block {
            most = most.max(widest(&around.residual, &sample)).max(widest(&around.shortcut, &sample));
        }
        let Ok(behind) = block.kind().infer(&sample) else { break };
        most = most.max(behind.elements());
        sample = behind;
    }
    most
}

/// Key and activation of the last layer of a half, or of the activation by itself at its end.
fn last_activation(half: &str, blocks: &[BlockConfig], who: &str) -> Result<(String, Activation)> {
    let key = |place: usize| format!("{half}.{}", place + 1);
    match (joined(blocks).last(), blocks.iter().rposition(|block| block.as_linear().is_some())) {
        (Some(BlockConfig::Linear(linear)), Some(place)) => Ok((key(place), linear.activation)),
        (Some(BlockConfig::Activation(own)), _) => Ok((key(blocks.len().saturating_sub(1)), own.activation)),
        _ => Err(Error::Usage(format!("{half}: expected a linear layer or an activation at its end, for {who}"))),
    }
}
