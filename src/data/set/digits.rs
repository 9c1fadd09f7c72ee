//! The built-in data set `digits`: 28 × 28 grey images of handwritten digits, drawn by the program.
//!
//! It stands in for MNIST where nothing can be downloaded: the same frame, the same share of ink,
//! a similar difficulty. A stroke skeleton from `assets/digits.txt` is varied the way a hand does
//! and inked with a soft pen. Image `index` is a pure function of the seed and the index, in
//! integers and in + − × ÷ √ alone, so that its bytes are the same on every machine and for any
//! number of threads.

mod hand;
mod raster;
mod strokes;

use crate::data::{Dataset, Encoding, ImageShape, Split};
use crate::error::Result;
use crate::rng::{Rng, Stream, permute, stream_key, threefry2x32};
use crate::tensor::zeroed;
use crate::threads::prelude::*;
use hand::Hand;
use raster::SIDE;
use strokes::Alphabet;

const PIXELS: usize = SIDE * SIDE;

/// Number of classes.
pub const CLASSES: usize = 10;

/// Layout of an image.
pub const IMAGE: ImageShape = ImageShape { height: SIDE, width: SIDE, channels: 1 };

/// Second counter word of the key of an image, by split: no image of one split is in the other.
const TRAIN: u32 = 0;
const TEST: u32 = 1;
/// Added to a split's counter word for the keys that shuffle the labels.
const LABELS: u32 = 2;

/// Labels are balanced within every run of this many images.
const LABEL_BLOCK: u32 = 100;

/// Draws `train_rows` and `test_rows` images. A longer split of the same seed begins with the
/// images of a shorter one.
pub fn dataset(seed: u64, train_rows: usize, test_rows: usize) -> Result<Dataset> {
    let alphabet = Alphabet::built_in()?;
    let key = stream_key(seed, Stream::Data);
    Ok(Dataset {
        name: "digits".into(),
        encoding: Encoding::numbered(IMAGE, CLASSES),
        train: split(&alphabet, key, TRAIN, train_rows)?,
        validation: Split::default(),
        test: split(&alphabet, key, TEST, test_rows)?,
    })
}

fn split(alphabet: &Alphabet, key: [u32; 2], which: u32, rows: usize) -> Result<Split> {
    let mut bytes = zeroed(rows * PIXELS, "data 'digits'")?;
    let labels: Vec<u16> = (0..rows as u32).map(|index| label(key, which, index)).collect();
    bytes.par_chunks_exact_mut(PIXELS).zip(&labels).enumerate().for_each_init(Vec::new, |path, (index, row)| {
        let (image, &digit) = row;
        let mut rng = Rng::new(threefry2x32(key, [index as u32, which]));
        let style = alphabet.choose(digit as u8, rng.uniform());
        Hand::draw(&mut rng).write(style, &mut rng, path);
        raster::frame(path);
        raster::ink(path, image);
    });
    Ok(Split::of_bytes(PIXELS, bytes, labels))
}

/// The digit that image `index` shows: each block holds every digit equally often, shuffled.
fn label(key: [u32; 2], which: u32, index: u32) -> u16 {
    let block = threefry2x32(key, [index / LABEL_BLOCK, which + LABELS]);
    (permute(index % LABEL_BLOCK, LABEL_BLOCK, block) % 10) as u16
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_first_images_of_seed_0_are_the_same_bits_everywhere() {
        let drawn = dataset(0, 200, 50).unwrap();
        let mut hash = Sha256::new();
        for split in [&drawn.train, &drawn.test] {
            hash.update(split.device_rows());
            hash.update(split.labels.iter().map(|&label| label as u8).collect::<Vec<_>>());
        }
        let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            digest, "ccb172d1e2aa0f3b1314c47a6e7f3437e4b4495675752aff6f30df806612d94e",
            "the drawing changed: every figure measured on `digits` changes with it"
        );
    }

    #[test]
    fn an_image_depends_on_seed_and_index_alone() {
        let long = dataset(3, 300, 120).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let short = pool.install(|| dataset(3, 100, 20)).unwrap();
        for (long, short) in [(&long.train, &short.train), (&long.test, &short.test)] {
            assert_eq!(long.device_rows()[..short.rows * PIXELS], *short.device_rows());
            assert_eq!(long.labels[..short.rows], short.labels);
        }
        assert_ne!(dataset(4, 100, 0).unwrap().train.device_rows(), short.train.device_rows());
    }

    #[test]
    fn no_image_comes_twice_within_or_across_the_splits() {
        let drawn = dataset(0, 2000, 2000).unwrap();
        let mut images: Vec<&[u8]> = [&drawn.train, &drawn.test]
            .into_iter()
            .flat_map(|split| (0..split.rows).map(|row| split.raw(row)))
            .collect();
        images.sort_unstable();
        images.dedup();
        assert_eq!(images.len(), 4000);
    }

    #[test]
    fn every_class_is_equally_frequent_and_the_order_is_shuffled() {
        let labels = dataset(0, 1000, 0).unwrap().train.labels;
        for digit in 0..10 {
            assert_eq!(labels.iter().filter(|&&label| label == digit).count(), 100, "digit {digit}");
        }
        let repeats = labels.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!((50..150).contains(&repeats), "{repeats} neighbours are alike; chance gives about 91");
        assert_ne!(labels[..100], labels[100..200], "blocks are shuffled differently");
    }

    /// MNIST has 0.191, 0.131 and 0.0675 for the three figures.
    #[test]
    fn ink_and_variance_are_near_those_of_mnist() {
        let train = dataset(0, 5000, 0).unwrap().train;
        let pixels = train.device_rows();
        let bytes = pixels.len() as f64;
        let touched = pixels.iter().filter(|&&byte| byte > 0).count() as f64 / bytes;
        let mean = pixels.iter().map(|&byte| f64::from(byte) / 255.0).sum::<f64>() / bytes;
        assert!((0.17..0.21).contains(&touched), "share of pixels with ink {touched}");
        assert!((0.12..0.14).contains(&mean), "mean brightness {mean}");

        let mut average = vec![0.0; PIXELS];
        let mut squares = 0.0;
        for image in pixels.chunks_exact(PIXELS) {
            for (average, &byte) in average.iter_mut().zip(image) {
                let value = f64::from(byte) / 255.0;
                *average += value / train.rows as f64;
                squares += value * value;
            }
        }
        let variance = squares / bytes - average.iter().map(|a| a * a).sum::<f64>() / PIXELS as f64;
        assert!((0.06..0.075).contains(&variance), "error of the mean image {variance}");
    }

    #[test]
    fn every_image_is_framed_and_centred() {
        let train = dataset(1, 2000, 0).unwrap().train;
        let mut at_rim = 0;
        for (index, image) in train.device_rows().chunks_exact(PIXELS).enumerate() {
            assert!(image.iter().any(|&byte| byte > 200), "image {index} is too faint");
            let is_rim = |pixel: usize| [pixel % SIDE, pixel / SIDE].iter().any(|&at| at == 0 || at == SIDE - 1);
            at_rim += usize::from((0..PIXELS).any(|pixel| is_rim(pixel) && image[pixel] > 0));
            let (mut mass, mut x_moment, mut y_moment) = (0.0, 0.0, 0.0);
            for (pixel, &byte) in image.iter().enumerate() {
                let (x, y, byte) = (pixel % SIDE, pixel / SIDE, f64::from(byte));
                mass += byte;
                x_moment += byte * (x as f64 + 0.5);
                y_moment += byte * (y as f64 + 0.5);
            }
            let off = (x_moment / mass - 14.0).abs().max((y_moment / mass - 14.0).abs());
            assert!(off < 2.5, "image {index} is {off} pixels off centre");
        }
        assert!(at_rim < 140, "soft edges of {at_rim} images reach the rim; 1.4 % of MNIST's do, 4.5 % of these");
    }

    #[test]
    fn empty_splits_are_allowed() {
        let drawn = dataset(0, 0, 0).unwrap();
        assert_eq!((drawn.train.rows, drawn.test.rows), (0, 0));
    }
}
