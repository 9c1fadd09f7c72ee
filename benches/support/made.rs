//! Rows for whole runs of the program: random bytes in files of MNIST's format.

use std::fs;
use std::path::Path;

use gpu_ae::rng::{Rng, Stream, stream_key};

/// Share of pixels that are not black, as of handwritten digits.
const INK: f32 = 0.19;
/// Bytes like those of handwritten digits: mostly black.
pub fn pixels(rng: &mut Rng, count: usize) -> Vec<u8> {
    (0..count).map(|_| if rng.uniform() < INK { rng.below(256) as u8 } else { 0 }).collect()
}

/// Rows of the test side, which is not timed.
const TEST_ROWS: u32 = 1_000;

/// Writes training and test rows of `side` × `side` pixels, and labels, as `--data FOLDER` reads them, and `--data mnist
/// --data-dir FOLDER` those of 28 pixels.
///
/// # Errors
/// When they cannot be written.
#[allow(dead_code)]
pub fn images(folder: &Path, rows: u32, side: u32) -> std::io::Result<()> {
    let mut rng = Rng::new(stream_key(1, Stream::Data));
    fs::create_dir_all(folder)?;
    for (stem, rows) in [("train", rows), ("t10k", TEST_ROWS)] {
        let mut images: Vec<u8> = [0x803, rows, side, side].iter().flat_map(|word| word.to_be_bytes()).collect();
        images.extend(pixels(&mut rng, rows as usize * (side * side) as usize));
        fs::write(folder.join(format!("{stem}-images-idx3-ubyte")), images)?;
        let mut labels: Vec<u8> = [0x801, rows].iter().flat_map(|word| word.to_be_bytes()).collect();
        labels.extend((0..rows).map(|row| (row % 10) as u8));
        fs::write(folder.join(format!("{stem}-labels-idx1-ubyte")), labels)?;
    }
    Ok(())
}
