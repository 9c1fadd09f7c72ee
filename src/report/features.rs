//! What neurons read from images, and what they write into them: their weights, laid out as images.

use image::RgbImage;

use super::grid::{Band, image_grid};
use super::weights::color;
use crate::data::ImageShape;
use crate::error::Result;

/// Neurons, each with as many weights as an image has values.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// What stands to the left of their rows.
    pub caption: String,
    /// Weights `[neurons, height · width · channels]`.
    pub weights: Vec<f32>,
}

/// Draws, under a title, the neurons of all `features` in groups of rows, one row a kind, `columns` side by side. Every neuron is
/// drawn relative to its own largest weight: of grey images blue where it is negative and orange where it is
/// positive, of colour images around a middle grey, of other channels channel by channel. Where a kind has fewer neurons than another, its places stay empty.
///
/// # Errors
/// When there is nothing to draw, or the text cannot be set.
pub fn feature_grid(title: &str, features: &[Features], image: ImageShape, columns: usize) -> Result<RgbImage> {
    let mut colored: Vec<Vec<f32>> = features.iter().map(|kind| colored(&kind.weights, image)).collect();
    let longest = colored.iter().map(Vec::len).max().unwrap_or(0);
    // White, like the paper.
    colored.iter_mut().for_each(|pixels| pixels.resize(longest, 1.0));
    let bands = features.iter().zip(&colored).map(|(kind, pixels)| Band { caption: &kind.caption, pixels });
    let bands: Vec<Band> = bands.collect();
    let drawn = match image.channels {
        1 | 3 => image,
        channels => ImageShape { width: image.width * channels, ..image },
    };
    image_grid(title, &bands, ImageShape { channels: 3, ..drawn }, columns)
}

/// Red, green and blue of every weight, in 0..=1.
fn colored(weights: &[f32], image: ImageShape) -> Vec<f32> {
    let neurons = weights.chunks(image.values().max(1));
    let pixels = neurons.flat_map(|neuron| {
        let largest = neuron.iter().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs()));
        neuron.iter().map(move |w| w / largest)
    });
    if image.channels == 3 {
        return pixels.map(|share| 0.5 + 0.5 * share).collect();
    }
    let shares: Vec<f32> = pixels.collect();
    // A row of pixels after the other, of each its channels side by side.
    let planes = shares.chunks(image.width.max(1) * image.channels.max(1)).flat_map(|row| {
        let channel = move |channel: usize| row.iter().skip(channel).step_by(image.channels).copied();
        (0..image.channels).flat_map(channel)
    });
    planes.flat_map(|share| color(share).0.map(|channel| f32::from(channel) / 255.0)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GREY: ImageShape = ImageShape { height: 1, width: 2, channels: 1 };

    #[test]
    fn each_neuron_is_relative_to_its_own_largest_weight() {
        let pixels = colored(&[2.0, -2.0, 0.0, 0.01, 0.0, 0.0], GREY);
        let bytes: Vec<u8> = pixels.iter().map(|value| (value * 255.0).round() as u8).collect();
        let (orange, blue, white) = ([213, 94, 0], [0, 114, 178], [255; 3]);
        assert_eq!(bytes, [orange, blue, white, orange, white, white].concat());
    }

    #[test]
    fn colour_images_lie_around_grey() {
        let image = ImageShape { channels: 3, width: 1, ..GREY };
        assert_eq!(colored(&[1.0, 0.0, -0.5], image), [1.0, 0.5, 0.25]);
    }

    #[test]
    fn other_channels_stand_side_by_side() {
        let image = ImageShape { channels: 2, ..GREY };
        let pixels = colored(&[1.0, -1.0, 0.0, 1.0], image);
        let bytes: Vec<u8> = pixels.iter().map(|value| (value * 255.0).round() as u8).collect();
        let (orange, blue, white) = ([213, 94, 0], [0, 114, 178], [255; 3]);
        assert_eq!(bytes, [orange, white, blue, orange].concat());
        let kind = Features { caption: String::new(), weights: vec![1.0; 4] };
        assert_eq!(feature_grid("", &[kind], image, 3).unwrap().dimensions(), (84 + 32, 21 + 32));
    }

    #[test]
    fn kinds_stand_above_one_another() {
        let kind = |caption: &str, sign: f32| Features { caption: caption.into(), weights: vec![sign; 4 * 6] };
        let image = ImageShape { height: 2, width: 2, channels: 1 };
        let picture = feature_grid("", &[kind("reads", 1.0), kind("writes", -1.0)], image, 3).unwrap();
        let rows = |wanted: [u8; 3]| {
            let rows = picture.enumerate_pixels().filter(|(.., pixel)| pixel.0 == wanted).map(|(_, y, _)| y);
            rows.collect::<std::collections::BTreeSet<u32>>()
        };
        let (reads, writes) = (rows([213, 94, 0]), rows([0, 114, 178]));
        assert!(reads.is_disjoint(&writes));
        assert!(reads.first() < writes.first() && writes.first() < reads.last() && reads.last() < writes.last());
        assert!(feature_grid("", &[], image, 3).is_err());
    }

    #[test]
    fn a_kind_may_have_fewer_neurons_than_another() {
        let kind = |neurons: usize| Features { caption: "reads".into(), weights: vec![1.0; 4 * neurons] };
        let image = ImageShape { height: 2, width: 2, channels: 1 };
        let inked = |features: &[Features]| {
            let picture = feature_grid("", features, image, 4).unwrap();
            picture.pixels().filter(|pixel| pixel.0 == [213, 94, 0]).count()
        };
        let one = inked(&[kind(1)]);
        assert!(one > 0);
        assert_eq!([inked(&[kind(2), kind(6)]), inked(&[kind(6), kind(2)])], [8 * one; 2]);
    }
}
