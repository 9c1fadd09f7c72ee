//! What the units next to the images read and write: the weights of neurons, or the kernels of a convolution.

use ::image::RgbImage;
use gpu_ae::Result;
use gpu_ae::config::RunConfig;
use gpu_ae::data::ImageShape;
use gpu_ae::nn::BlockConfig;
use gpu_ae::report::{Features, feature_grid};
use gpu_ae::train::{LayerObservation, Observation};

use super::{COLUMNS, Weights};

/// Neurons in the picture of their weights.
const NEURONS: usize = 32;
/// Kernels in it.
const KERNELS: usize = 64;

/// The picture, for images of this shape; none for rows that are no images.
pub(super) fn picture(
    config: &RunConfig,
    weights: &[Weights],
    observation: &Observation,
    image: ImageShape,
) -> Result<Option<RgbImage>> {
    if image.height <= 1 {
        return Ok(None);
    }
    if config.images().is_some() {
        return kernels(config, weights);
    }
    let features = features(config, weights, observation);
    let title = features_title(features.len() > 1, image);
    feature_grid(&title, &features, image, COLUMNS).map(Some)
}

/// The kernels of the first convolution, channel by channel where these are no colours.
fn kernels(config: &RunConfig, weights: &[Weights]) -> Result<Option<RgbImage>> {
    let kernel = config.encoder.iter().find_map(|block| match block {
        BlockConfig::Conv(conv) => Some(conv.kernel.0),
        _ => None,
    });
    let (Some([height, width]), Some((outputs, columns, values))) = (kernel, weights.first()) else { return Ok(None) };
    let shape = ImageShape { height, width, channels: columns / (height * width).max(1) };
    let shown = values[..outputs.min(&KERNELS) * columns].to_vec();
    let title = format!("What the first convolution sees: {}, each relative to its own largest weight", how(shape));
    let features = [Features { caption: format!("{outputs} kernels"), weights: shown }];
    feature_grid(&title, &features, shape, COLUMNS).map(Some)
}

/// What the features of images of this kind are drawn as.
fn features_title(writes: bool, image: ImageShape) -> String {
    let what =
        if writes { "What neurons read from images and write into them" } else { "What neurons read from images" };
    format!("{what}: {}, each relative to its own largest weight", how(image))
}

/// How weights for images of this kind are coloured.
fn how(image: ImageShape) -> &'static str {
    match image.channels {
        1 => "orange adds, blue takes away",
        3 => "of each colour more than grey adds, less takes away",
        _ => "orange adds, blue takes away, channel by channel",
    }
}

/// The neurons of the first layer that matter most, by what they read, and those before the last layer, by what they
/// write; one of the two where the other says the same or nothing about images.
fn features(config: &RunConfig, weights: &[Weights], observation: &Observation) -> Vec<Features> {
    let foremost = |layer: Option<&LayerObservation>, neurons: usize| {
        let shares = layer.map_or(vec![0.0; neurons], LayerObservation::shares);
        let mut order: Vec<usize> = (0..neurons).collect();
        order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        order.truncate(NEURONS);
        order
    };
    let mut features = Vec::new();
    if let Some((neurons, inputs, values)) = weights.first() {
        let chosen = foremost(observation.layers.first(), *neurons).into_iter();
        let weights = chosen.flat_map(|neuron| &values[neuron * inputs..][..*inputs]).copied().collect();
        features.push(Features { caption: "layer 1 reads".into(), weights });
    }
    let last = weights.last().filter(|_| weights.len() > 1 && !config.tied && config.reconstructs());
    if let Some((_, neurons, values)) = last {
        let chosen = foremost(observation.layers.last(), *neurons).into_iter();
        let weights = chosen.flat_map(|neuron| values.iter().skip(neuron).step_by(*neurons)).copied().collect();
        features.push(Features { caption: format!("layer {} writes", config.depth() - 1), weights });
    }
    features
}
