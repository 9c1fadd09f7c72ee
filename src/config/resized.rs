//! Networks that see a neighbourhood of every pixel and nothing else: the same parameters do for images of any size.

use super::RunConfig;
use crate::data::ImageShape;
use crate::nn::BlockConfig;
use crate::nn::block::image::{ImageSize, Pair};
use crate::nn::block::{ConvBlock, ConvTransposeBlock};
use crate::tensor::Shape;

/// Pixels that a map has along each axis of the image behind a convolution.
type Extents = [usize; 2];

impl RunConfig {
    /// Whether the network makes images of rows by blocks that see neighbourhoods of pixels alone, all of which do for images of any
    /// size, and makes rows of images again.
    pub fn is_local(&self) -> bool {
        let ends = |blocks: &[BlockConfig]| matches!(blocks, [BlockConfig::Unflatten(_), .., BlockConfig::Flatten(_)]);
        let sees_neighbours = |block: &BlockConfig| {
            matches!(
                block,
                BlockConfig::Conv(_)
                    | BlockConfig::ConvTranspose(_)
                    | BlockConfig::Gdn(_)
                    | BlockConfig::Norm(_)
                    | BlockConfig::Activation(_)
                    | BlockConfig::Dropout(_)
            )
        };
        // What works number by number may stand behind the end as well.
        let halves = [&self.encoder[..], without_pointwise_end(&self.decoder)];
        halves.into_iter().all(|blocks| ends(blocks) && blocks[1..blocks.len() - 1].iter().all(sees_neighbours))
    }

    /// Pixels along each axis of an image that share a number of the code, if the network [is local](Self::is_local).
    pub fn code_stride(&self) -> Option<Extents> {
        let strides = self.encoder.iter().filter_map(|block| match block {
            BlockConfig::Conv(conv) => Some(conv.stride.0),
            _ => None,
        });
        let whole = || strides.fold([1, 1], |[down, right], [y, x]| [down * y, right * x]);
        self.is_local().then(whole)
    }

    /// The same network, with the same parameters but for those that depend on the channels of an image, for images of this size;
    /// none where it is not [local](Self::is_local), or no output padding brings every map back to what it was.
    #[must_use]
    pub fn resized(&self, image: ImageShape) -> Option<RunConfig> {
        if !self.is_local() {
            return None;
        }
        let mut resized = self.clone();
        let ImageShape { height, width, channels } = image;
        let mut sample = Shape::new(&[image.values()]);
        // Sizes in front of what made maps smaller, to come back to.
        let mut before: Vec<Extents> = Vec::new();
        for block in &mut resized.encoder {
            if let BlockConfig::Unflatten(first) = block {
                first.unflatten = ImageSize([height, width, channels]);
            }
            if let (BlockConfig::Conv(ConvBlock { stride, .. }), &[height, width, _]) = (&*block, sample.dims())
                && *stride != Pair::both(1)
            {
                before.push([height, width]);
            }
            // What is flattened at the end is unflattened again.
            if !matches!(block, BlockConfig::Flatten(_)) {
                sample = block.kind().infer(&sample).ok()?;
            }
        }
        let &[height, width, of_code] = sample.dims() else { return None };
        let code = [height, width, of_code];
        let last = resized
            .decoder
            .iter()
            .rposition(|block| matches!(block, BlockConfig::ConvTranspose(_) | BlockConfig::Conv(_)))?;
        for (number, block) in resized.decoder.iter_mut().enumerate() {
            match block {
                BlockConfig::Unflatten(first) => {
                    first.unflatten = ImageSize(code);
                    continue;
                }
                BlockConfig::Conv(conv) if number == last => conv.conv = channels,
                BlockConfig::ConvTranspose(conv) => {
                    if number == last {
                        conv.conv_transpose = channels;
                    }
                    if conv.stride != Pair::both(1) {
                        let &[height, width, _] = sample.dims() else { return None };
                        conv.output_padding = padded(conv, [height, width], before.pop()?)?;
                    }
                }
                _ => {}
            }
            sample = block.kind().infer(&sample).ok()?;
        }
        (sample.elements() == image.values()).then_some(resized)
    }
}

/// The blocks in front of activations and dropouts at the end.
fn without_pointwise_end(blocks: &[BlockConfig]) -> &[BlockConfig] {
    let is_pointwise = |block: &BlockConfig| matches!(block, BlockConfig::Activation(_) | BlockConfig::Dropout(_));
    let end = blocks.iter().rposition(|block| !is_pointwise(block)).map_or(0, |last| last + 1);
    &blocks[..end]
}

/// The output padding with which a transposed convolution makes one size of another, if there is one.
fn padded(conv: &ConvTransposeBlock, from: Extents, to: Extents) -> Option<Pair> {
    let mut padding = [0; 2];
    for (axis, padding) in padding.iter_mut().enumerate() {
        let (stride, dilation) = (conv.stride.0[axis], conv.dilation.0[axis]);
        let reach = (from[axis] - 1) * stride + dilation * (conv.kernel.0[axis] - 1) + 1;
        let extra = (to[axis] + 2 * conv.padding.0[axis]).checked_sub(reach)?;
        *padding = (extra < stride.max(dilation)).then_some(extra)?;
    }
    Some(Pair(padding))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::nn::Network;

    fn of(height: usize, width: usize, channels: usize) -> ImageShape {
        ImageShape { height, width, channels }
    }

    #[test]
    fn a_codec_takes_images_of_any_size_and_brings_them_back() {
        let own = RunConfig::model("codec").unwrap();
        assert_eq!(own.resized(of(32, 32, 3)).as_ref(), Some(&own), "its own file is what the rule makes");
        for image in [of(1, 1, 1), of(28, 28, 1), of(7, 13, 3), of(33, 7, 3), of(64, 96, 3), of(100, 9, 2)] {
            let config = own.resized(image).unwrap();
            config.check().unwrap();
            let shapes = config.shapes(&Shape::new(&[image.values()])).unwrap();
            assert_eq!(shapes.last().unwrap().2, Shape::new(&[image.values()]), "{image:?}");
        }
    }

    /// So what was trained on one size is used for another.
    #[test]
    fn parameters_are_the_same_for_every_size() {
        let own = RunConfig::model("codec").unwrap();
        let mut tiles = own.resized(of(64, 96, 3)).unwrap();
        tiles.rate.as_mut().unwrap().patch = 4;
        let parameters = |config: &RunConfig, features: usize| {
            let network = Network::build(&mut Graph::new(), &config.network_spec(), &Shape::new(&[features])).unwrap();
            network.parameters.into_iter().map(|own| (own.name, own.ty, own.order)).collect::<Vec<_>>()
        };
        assert_eq!(parameters(&own, 32 * 32 * 3), parameters(&tiles, 64 * 96 * 3));
    }

    #[test]
    fn what_sees_all_of_an_image_is_not_resized() {
        for model in ["conv", "resnet", "compressive", "dcgan"] {
            let config = RunConfig::model(model).unwrap();
            assert!(
                !config.is_local() && config.code_stride().is_none() && config.resized(of(64, 64, 3)).is_none(),
                "{model}"
            );
        }
    }
}
