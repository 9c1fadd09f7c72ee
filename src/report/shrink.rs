//! Pictures made smaller by a whole factor, as charts are drawn: larger first, so that their lines are smooth.

use image::RgbImage;

/// Channels of a pixel.
const CHANNELS: usize = 3;

/// The picture with every `factor` x `factor` pixels averaged to one, halves rounded up; what is left of its right
/// and lower edge is left out.
pub(super) fn shrunk(large: &RgbImage, factor: usize) -> RgbImage {
    let size = large.dimensions();
    let [width, height] = [size.0, size.1].map(|extent| extent / factor as u32);
    let mut small = RgbImage::new(width, height);
    let pixels = (factor * factor) as u32;
    let line = size.0 as usize * CHANNELS;
    let mut sums = vec![0u32; width as usize * CHANNELS];
    let lines = small.chunks_exact_mut(sums.len().max(1)).zip(large.chunks_exact((line * factor).max(1)));
    for (small, large) in lines {
        sums.fill(0);
        for large in large.chunks_exact(line) {
            for (sum, block) in sums.chunks_exact_mut(CHANNELS).zip(large.chunks_exact(factor * CHANNELS)) {
                for pixel in block.chunks_exact(CHANNELS) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, &channel)| *sum += u32::from(channel));
                }
            }
        }
        small.iter_mut().zip(&sums).for_each(|(small, sum)| *small = ((sum + pixels / 2) / pixels) as u8);
    }
    small
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stream, stream_key};

    /// As the crate `image` does it, pixel by pixel.
    #[test]
    fn averages_are_those_of_a_thumbnail() {
        let mut rng = Rng::new(stream_key(4, Stream::Data));
        for (width, height, factor) in [(30, 21, 3), (8, 4, 2), (5, 7, 1), (24, 12, 4)] {
            let bytes = (0..width * height * 3).map(|_| rng.below(256) as u8).collect();
            let large = RgbImage::from_raw(width, height, bytes).unwrap();
            let expected = image::imageops::thumbnail(&large, width / factor, height / factor);
            assert!(shrunk(&large, factor as usize) == expected, "{width} x {height} by {factor}");
        }
        assert_eq!(shrunk(&RgbImage::new(7, 5), 2).dimensions(), (3, 2));
        assert_eq!(shrunk(&RgbImage::new(2, 2), 3).dimensions(), (0, 0));
    }
}
