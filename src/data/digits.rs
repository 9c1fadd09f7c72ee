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

use super::{Dataset, ImageShape, Split};
use crate::error::Result;
use crate::rng::{Rng, Stream, permute, stream_key, threefry2x32};
use hand::Hand;
use raster::SIDE;
use rayon::prelude::*;
use strokes::Alphabet;

const PIXELS: usize = SIDE * SIDE;

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
        image: ImageShape { height: SIDE, width: SIDE, channels: 1 },
        train: split(&alphabet, key, TRAIN, train_rows),
        test: split(&alphabet, key, TEST, test_rows),
    })
}

fn split(alphabet: &Alphabet, key: [u32; 2], which: u32, rows: usize) -> Split {
    let mut bytes = vec![0; rows * PIXELS];
    let labels: Vec<u8> = (0..rows as u32).map(|index| label(key, which, index)).collect();
    bytes.par_chunks_exact_mut(PIXELS).zip(&labels).enumerate().for_each_init(Vec::new, |path, (index, row)| {
        let (image, &digit) = row;
        let mut rng = Rng::new(threefry2x32(key, [index as u32, which]));
        let style = alphabet.choose(digit, rng.uniform());
        Hand::draw(&mut rng).write(style, &mut rng, path);
        raster::frame(path);
        raster::ink(path, image);
    });
    Split { rows, row_bytes: PIXELS, bytes, labels }
}

/// The digit that image `index` shows: each block holds every digit equally often, shuffled.
fn label(key: [u32; 2], which: u32, index: u32) -> u8 {
    let block = threefry2x32(key, [index / LABEL_BLOCK, which + LABELS]);
    (permute(index % LABEL_BLOCK, LABEL_BLOCK, block) % 10) as u8
}
