//! Convolutional autoencoders for images of any size: what models whose first block makes images of rows become on other
//! data.

use super::RunConfig;
use crate::data::ImageShape;
use crate::nn::BlockConfig;
use crate::nn::block::image::{ImageSize, Pair};
use crate::nn::block::{
    ActivationBlock, BatchNormBlock, ConvBlock, ConvTransposeBlock, FlattenBlock, LinearBlock, UnflattenBlock,
};
use crate::ops::array::activation::Activation;

/// Extents of the smallest map: images are halved until neither side is longer.
const SMALLEST: usize = 8;
/// Most channels of a map.
const MOST_CHANNELS: usize = 256;
/// Most times that images are halved.
const MOST_HALVINGS: usize = 10;

/// Sizes of the maps from the image to the smallest, each half of the one before, rounded up.
fn sizes(image: ImageShape) -> Vec<[usize; 2]> {
    let mut sizes = vec![[image.height, image.width]];
    while let Some(&[height, width]) = sizes.last() {
        if (height <= SMALLEST && width <= SMALLEST) || sizes.len() > MOST_HALVINGS {
            break;
        }
        sizes.push([height.div_ceil(2), width.div_ceil(2)]);
    }
    if sizes.len() == 1 {
        // A small image gets one map all the same.
        sizes.push([image.height.div_ceil(2), image.width.div_ceil(2)]);
    }
    sizes
}

/// Channels of the map after so many halvings, of `first` after one.
fn channels(first: usize, halvings: usize) -> usize {
    (first << (halvings - 1).min(16)).min(MOST_CHANNELS).max(first)
}

/// Blocks from images to a code of this width: convolutions that halve the image and double the channels, then a linear
/// layer.
fn encoder(image: ImageShape, first: usize, code: usize) -> Vec<BlockConfig> {
    let ImageShape { height, width, channels: depth } = image;
    let mut blocks = vec![BlockConfig::Unflatten(UnflattenBlock { unflatten: ImageSize([height, width, depth]) })];
    for halvings in 1..sizes(image).len() {
        blocks.push(BlockConfig::Conv(ConvBlock {
            conv: channels(first, halvings),
            kernel: Pair::both(3),
            stride: Pair::both(2),
            padding: Pair::both(1),
            dilation: Pair::both(1),
            groups: 1,
            activation: Activation::Relu,
            bias: true,
        }));
    }
    blocks.push(BlockConfig::Flatten(FlattenBlock::new()));
    blocks.push(BlockConfig::linear(code, Activation::Identity));
    blocks
}

/// The way back: what each map was before it was halved, with a kernel of 4 where that was even, of 3 where it was odd.
fn decoder(image: ImageShape, first: usize, last: Activation) -> Vec<BlockConfig> {
    let sizes = sizes(image);
    let halvings = sizes.len() - 1;
    let [height, width] = sizes[halvings];
    let map = [height, width, channels(first, halvings)];
    let linear = LinearBlock { linear: map.iter().product(), activation: Activation::Relu, bias: true };
    let mut blocks =
        vec![BlockConfig::Linear(linear), BlockConfig::Unflatten(UnflattenBlock { unflatten: ImageSize(map) })];
    for step in (0..halvings).rev() {
        let (conv_transpose, activation) = match step {
            0 => (image.channels, Activation::Identity),
            _ => (channels(first, step), Activation::Relu),
        };
        blocks.push(doubling(sizes[step], conv_transpose, activation, true));
    }
    blocks.push(BlockConfig::Flatten(FlattenBlock::new()));
    if last != Activation::Identity {
        blocks.push(BlockConfig::Activation(ActivationBlock { activation: last }));
    }
    blocks
}

/// A convolution that halves both sides of a map of this size, rounded up, to so many channels.
fn halving([height, width]: [usize; 2], conv: usize, activation: Activation, bias: bool) -> BlockConfig {
    BlockConfig::Conv(ConvBlock {
        conv,
        kernel: Pair([height, width].map(kernel)),
        stride: Pair::both(2),
        padding: Pair::both(1),
        dilation: Pair::both(1),
        groups: 1,
        activation,
        bias,
    })
}

/// A transposed convolution to a map of this size from one that was halved.
fn doubling([height, width]: [usize; 2], conv_transpose: usize, activation: Activation, bias: bool) -> BlockConfig {
    BlockConfig::ConvTranspose(ConvTransposeBlock {
        conv_transpose,
        kernel: Pair([height, width].map(kernel)),
        stride: Pair::both(2),
        padding: Pair::both(1),
        output_padding: Pair::both(0),
        dilation: Pair::both(1),
        groups: 1,
        activation,
        bias,
    })
}

/// Extent of the kernel that halves an extent, or brings it back, exactly.
fn kernel(extent: usize) -> usize {
    if extent.is_multiple_of(2) { 4 } else { 3 }
}

/// A discriminator of images: maps halved as an encoder's are, all but the first normalised, then a logit.
fn discriminator(image: ImageShape, first: usize) -> Vec<BlockConfig> {
    let ImageShape { height, width, channels: depth } = image;
    let leaky = Activation::LeakierRelu;
    let mut blocks = vec![BlockConfig::Unflatten(UnflattenBlock { unflatten: ImageSize([height, width, depth]) })];
    let sizes = sizes(image);
    for halvings in 1..sizes.len() {
        let (before, channels) = (sizes[halvings - 1], channels(first, halvings));
        if halvings == 1 {
            blocks.push(halving(before, channels, leaky, true));
            continue;
        }
        blocks.push(halving(before, channels, Activation::Identity, false));
        blocks.push(BlockConfig::Norm(BatchNormBlock::new()));
        blocks.push(BlockConfig::Activation(ActivationBlock { activation: leaky }));
    }
    blocks.push(BlockConfig::Flatten(FlattenBlock::new()));
    blocks.push(BlockConfig::linear(1, Activation::Identity));
    blocks
}

/// A generator of images from codes: the smallest map at once, then doubled until it is the image.
fn generator(image: ImageShape, first: usize, last: Activation) -> Vec<BlockConfig> {
    let sizes = sizes(image);
    let halvings = sizes.len() - 1;
    let [height, width] = sizes[halvings];
    let map = [height, width, channels(first, halvings)];
    let linear = LinearBlock { linear: map.iter().product(), activation: Activation::Identity, bias: false };
    let mut blocks =
        vec![BlockConfig::Linear(linear), BlockConfig::Unflatten(UnflattenBlock { unflatten: ImageSize(map) })];
    for step in (0..halvings).rev() {
        blocks.push(BlockConfig::Norm(BatchNormBlock::new()));
        blocks.push(BlockConfig::Activation(ActivationBlock { activation: Activation::Relu }));
        let channels = if step == 0 { image.channels } else { channels(first, step) };
        let (last, activation) = (step == 0, Activation::Identity);
        blocks.push(doubling(sizes[step], channels, activation, last));
    }
    blocks.push(BlockConfig::Flatten(FlattenBlock::new()));
    if last != Activation::Identity {
        blocks.push(BlockConfig::Activation(ActivationBlock { activation: last }));
    }
    blocks
}

impl RunConfig {
    /// Size of the images that the network makes of rows, if its first block does.
    pub fn images(&self) -> Option<[usize; 3]> {
        match self.encoder.first() {
            Some(BlockConfig::Unflatten(image)) => Some(image.unflatten.0),
            _ => None,
        }
    }

    /// Takes images of another size, for a network whose blocks do with any.
    pub(super) fn take_images(&mut self, image: ImageShape) {
        if let Some(BlockConfig::Unflatten(first)) = self.encoder.first_mut() {
            first.unflatten = ImageSize([image.height, image.width, image.channels]);
        }
    }

    /// Fits a convolutional autoencoder, or a generator with its discriminator, as a model's file has it, to images of another size: as many halvings as bring
    /// them to 8 pixels a side, channels as in the model's first map, doubled with each halving up to 256. What
    /// [is local](Self::is_local) keeps its blocks.
    pub(super) fn follow_images(&mut self, image: ImageShape) {
        if let Some(resized) = self.resized(image) {
            *self = resized;
            return;
        }
        let first = |block: &BlockConfig| match block {
            BlockConfig::Conv(conv) => Some(conv.conv),
            _ => None,
        };
        let Some(first) = self.images().and_then(|_| self.encoder.iter().find_map(first)) else { return };
        let last = match self.decoder.last() {
            Some(BlockConfig::Activation(own)) => own.activation,
            _ => Activation::Identity,
        };
        let code = self.encoded_width();
        (self.encoder, self.decoder) = match self.adversarial {
            Some(_) => (discriminator(image, first), generator(image, first, last)),
            None => (encoder(image, first, code), decoder(image, first, last)),
        };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tensor::Shape;

    /// Every size comes back as it was.
    #[test]
    fn images_of_any_size_come_back_whole() {
        for (height, width, depth) in
            [(28, 28, 1), (32, 32, 3), (64, 64, 3), (1, 1, 1), (7, 13, 2), (100, 33, 3), (9, 224, 3)]
        {
            for (model, code) in [("conv", 16), ("dcgan", 64)] {
                let image = ImageShape { height, width, channels: depth };
                let mut config = RunConfig::model(model).unwrap();
                config.follow_images(image);
                let shapes = config.shapes(&Shape::new(&[image.values()])).unwrap();
                let last = &shapes.last().unwrap().2;
                assert_eq!(*last, Shape::new(&[image.values()]), "{model} {height}x{width}x{depth}");
                assert_eq!(config.code_width(), code);
                config.check().unwrap();
            }
        }
    }

    #[test]
    fn the_model_s_own_file_is_what_the_rule_makes() {
        for model in ["conv", "dcgan"] {
            let own = RunConfig::model(model).unwrap();
            let mut followed = own.clone();
            followed.follow_images(ImageShape { height: 28, width: 28, channels: 1 });
            assert_eq!(followed, own);
        }
    }
}
