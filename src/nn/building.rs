//! A network under construction, half by half.

use super::block::image::image;
use super::block::{Block, BlockConfig, LinearBlock};
use super::builder::Builder;
use super::layers::Layer;
use super::network::{NetworkSpec, Placed, joined};
use super::order::FileOrder;
use super::stream;
use crate::error::{Error, Result};
use crate::rng::Stream;
use crate::tensor::Shape;

/// A network under construction.
pub(super) struct Building<'a> {
    pub spec: &'a NetworkSpec,
    pub blocks: Vec<Placed>,
    pub layers: Vec<Layer>,
    /// Layers so far.
    pub numbered: usize,
    /// Place of the next block in `nn.Sequential`.
    pub place: usize,
    pub sample: Shape,
    /// Shapes behind the blocks so far.
    pub samples: Vec<Shape>,
    /// Widths before and behind the last block, if that is a linear layer.
    pub last: Option<[usize; 2]>,
    /// Size of the images that the sample here is made of, one number beside the other.
    pub flattened: Option<[usize; 3]>,
}

/// Whether every number of a row stays where it is: then an image that the row is made of, or becomes, is the same before
/// and behind.
fn keeps_places(block: &BlockConfig) -> bool {
    matches!(
        block,
        BlockConfig::Activation(_) | BlockConfig::Dropout(_) | BlockConfig::Norm(_) | BlockConfig::LayerNorm(_)
    )
}

impl Building<'_> {
    /// Adds the blocks of a half.
    pub fn half(&mut self, b: &mut Builder<'_>, half: &str, blocks: &[BlockConfig]) -> Result<()> {
        let encoder = self.layers.len();
        let blocks = joined(blocks);
        for (index, config) in blocks.iter().enumerate() {
            let kind = config.kind();
            let at = |error: Error| match error {
                Error::Usage(problem) => Error::Usage(format!("{half}.{}: {problem}", index + 1)),
                other => other,
            };
            let behind = kind.infer(&self.sample).map_err(at)?;
            let mirror = self.mirror(half, encoder, index);
            let frozen = self.spec.frozen && half == "encoder";
            let first = b.parameters().len();
            let block = b.within(self.place, |b| {
                b.frozen(frozen, |b| match (config, mirror) {
                    (BlockConfig::Linear(linear), Some(of)) => self.tied(b, linear, &of),
                    _ => kind.build(b, &self.sample),
                })
            });
            let block = block.map_err(at)?;
            if self.sample.dims().len() == 1 {
                self.order(b, first, config, &blocks[index + 1..]);
            }
            self.flattened = match (config, image("", &self.sample), self.flattened) {
                (BlockConfig::Flatten(_), Ok(size), _) => Some(size),
                (block, _, before) if keeps_places(block) => before,
                _ => None,
            };
            let is_layer = config.as_linear().is_some();
            self.last = match (self.sample.dims(), config.as_linear()) {
                (&[inputs], Some(linear)) => Some([inputs, linear.linear]),
                _ => None,
            };
            self.numbered += usize::from(is_layer);
            let left_out = self.spec.dropout.as_ref().filter(|(_, layers)| is_layer && layers.contains(&self.numbered));
            let dropout = left_out.map(|(rate, _)| (*rate, stream::DROPOUT + self.numbered as u32 - 1));
            self.layers.extend(block.layer().cloned());
            self.blocks.push(Placed { block, is_layer, dropout });
            self.place += kind.modules();
            self.samples.push(behind.clone());
            self.sample = behind;
        }
        Ok(())
    }

    /// How the parameters of a block of rows lie in files, those from `first` on: files count an image that is read or made
    /// channel by channel.
    fn order(&self, b: &mut Builder<'_>, first: usize, config: &BlockConfig, behind: &[BlockConfig]) {
        let writes = match behind.iter().find(|block| !keeps_places(block)) {
            Some(BlockConfig::Unflatten(image)) => Some(image.unflatten.0),
            _ => None,
        };
        let own: Vec<_> = b.parameters()[first..].iter().map(|own| (own.var, own.ty.shape.dims().to_vec())).collect();
        for (var, dims) in own {
            let order = match (config, &dims[..]) {
                (BlockConfig::Linear(_), &[outputs, inputs]) => {
                    FileOrder::of_linear([outputs, inputs], self.flattened, writes)
                }
                (BlockConfig::Linear(_), &[outputs]) => FileOrder::of_bias(outputs, writes),
                (block, &[units]) if keeps_places(block) => FileOrder::of_bias(units, self.flattened.or(writes)),
                _ => continue,
            };
            b.set_order(var, order);
        }
    }

    /// Name of the matrix that a layer of a tied decoder has the transpose of, given how many layers the encoder has.
    fn mirror(&self, half: &str, encoder: usize, index: usize) -> Option<String> {
        let of = encoder.checked_sub(index + 1).filter(|_| self.spec.tied && half == "decoder")?;
        Some(format!("{}.weight", self.layers[of].name))
    }

    /// A layer with the transpose of another one's weights.
    fn tied(&self, b: &mut Builder<'_>, linear: &LinearBlock, of: &str) -> Result<Box<dyn Block>> {
        let problem = || Error::Usage("tied: expected a decoder with the widths of the encoder in reverse".into());
        let &[inputs] = self.sample.dims() else { return Err(problem()) };
        let own = b.parameters().iter().find(|parameter| parameter.name == of).ok_or_else(problem)?;
        if own.ty.shape.dims() != [inputs, linear.linear] {
            return Err(problem());
        }
        Ok(Box::new(Layer::build(b, [inputs, linear.linear], linear.activation, Stream::Init, Some(of))))
    }
}
