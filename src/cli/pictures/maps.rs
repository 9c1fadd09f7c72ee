//! What the blocks of a convolutional encoder make of images.

use ::image::RgbImage;
use gpu_ae::Result;
use gpu_ae::data::{Dataset, ImageShape};
use gpu_ae::report::{Band, image_grid};
use gpu_ae::study::maps::Maps;
use gpu_ae::train::Run;

use super::COLUMNS;

/// Images that are shown.
const SHOWN: usize = 3;
/// Images by which channels are chosen and scaled.
const JUDGED: usize = 64;
/// Blocks of which maps are shown.
const STAGES: usize = 5;

/// Test images, and in a row behind each what one block after the other makes of it, channel by channel; nothing of a network
/// without maps.
pub(super) fn picture(run: &mut Run, data: &Dataset) -> Result<Option<RgbImage>> {
    let image = data.image();
    if image.height == 1 || !matches!(image.channels, 1 | 3) {
        return Ok(None);
    }
    let originals = data.test.values(0..JUDGED.min(data.test.rows));
    let maps = run.session().maps(&originals)?;
    if maps.is_empty() {
        return Ok(None);
    }
    let shown = data.encoding.shown(&originals);
    let stages: Vec<(&Maps, Vec<Channel>)> = spread(maps.len()).map(|at| (&maps[at], foremost(&maps[at]))).collect();
    let mut rows = Vec::new();
    for (number, original) in shown.chunks_exact(image.values()).take(SHOWN).enumerate() {
        for (maps, channels) in &stages {
            let [height, width, of] = maps.shape;
            let mut pixels = original.to_vec();
            for channel in channels {
                pixels.extend(channel.drawn(maps, number, image));
            }
            // White, like the paper, where a block has few channels.
            pixels.resize(COLUMNS * image.values(), 1.0);
            rows.push((format!("{height}x{width}, {} of {of}", channels.len()), pixels));
        }
    }
    let bands: Vec<Band> = rows.iter().map(|(caption, pixels)| Band { caption, pixels }).collect();
    let title =
        "Test images and what the encoder makes of them, block by block: the channels that differ most, black to white";
    image_grid(title, &bands, image, COLUMNS).map(Some)
}

/// Test images, and beside each the maps of whole numbers that it becomes, weak to strong: channels by the mean size of their numbers,
/// all on one scale, on which 0 is grey.
pub fn coded_picture(maps: &Maps, data: &Dataset, originals: &[f32]) -> Result<RgbImage> {
    let image = data.image();
    let channels = maps.shape[2];
    let strength = |number: usize| {
        maps.values.iter().skip(number).step_by(channels).map(|value| f64::from(value.abs())).sum::<f64>()
    };
    let mut order: Vec<usize> = (0..channels).collect();
    order.sort_by(|a, b| strength(*a).total_cmp(&strength(*b)));
    let largest = maps.values.iter().fold(1.0f32, |most, value| most.max(value.abs()));
    let shown = channels.min(COLUMNS - 1);
    let at = |place: usize| order[if shown > 1 { place * (channels - 1) / (shown - 1) } else { 0 }];
    let channel = |place: usize| Channel { number: at(place), low: -largest, high: largest };
    let drawn = data.encoding.shown(originals);
    let pixels = drawn.chunks_exact(image.values()).enumerate().map(|(number, original)| {
        let mut pixels = original.to_vec();
        (0..shown).for_each(|place| pixels.extend(channel(place).drawn(maps, number, image)));
        pixels.resize(COLUMNS * image.values(), 1.0);
        pixels
    });
    let pixels: Vec<Vec<f32>> = pixels.collect();
    let [height, width, _] = maps.shape;
    let caption = format!("{height}x{width}, {shown} of {channels}");
    let bands: Vec<Band> = pixels.iter().map(|pixels| Band { caption: &caption, pixels }).collect();
    let title = "Test images and the maps of whole numbers that are coded of them, weak to strong: 0 is grey";
    image_grid(title, &bands, image, COLUMNS)
}

/// Which of so many blocks are shown: all, or some of them at even distances, the first and the last among them.
fn spread(blocks: usize) -> impl Iterator<Item = usize> {
    let shown = blocks.min(STAGES);
    (0..shown).map(move |at| at * (blocks - 1) / (shown - 1).max(1))
}

/// A channel of maps, with its least and largest value.
struct Channel {
    number: usize,
    low: f32,
    high: f32,
}

/// The channels that differ most from pixel to pixel and from image to image, as many as fit beside an image.
fn foremost(maps: &Maps) -> Vec<Channel> {
    let channels = maps.shape[2];
    let mut judged: Vec<(f64, Channel)> = (0..channels)
        .map(|number| {
            let values = || maps.values.iter().skip(number).step_by(channels).copied();
            let count = values().count().max(1) as f64;
            let mean = values().map(f64::from).sum::<f64>() / count;
            let variance = values().map(|value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
            let (low, high) = (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max));
            (variance, Channel { number, low, high })
        })
        .collect();
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    judged.truncate(COLUMNS - 1);
    judged.into_iter().map(|(_, channel)| channel).collect()
}

impl Channel {
    /// The map of one image, each of its pixels as large as what it stands for in the image.
    fn drawn(&self, maps: &Maps, image: usize, size: ImageShape) -> Vec<f32> {
        let [height, width, channels] = maps.shape;
        let map = &maps.values[image * height * width * channels..][..height * width * channels];
        let range = (self.high - self.low).max(f32::MIN_POSITIVE);
        let places = (0..size.height).flat_map(|row| (0..size.width).map(move |column| (row, column)));
        let grey = places.map(|(row, column)| {
            let pixel = (row * height / size.height) * width + column * width / size.width;
            (map[pixel * channels + self.number] - self.low) / range
        });
        grey.flat_map(|grey| std::iter::repeat_n(grey, size.channels)).collect()
    }
}
