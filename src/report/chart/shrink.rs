//! Canvases drawn larger than the picture that is wanted, so that its lines are smooth.

use image::RgbImage;

use crate::error::{Error, Result};

/// The picture of a canvas that is `detail` times as wide and high: the mean of each of its squares of so many pixels.
///
/// # Errors
/// When the canvas has not that many pixels.
pub(super) fn shrunk(canvas: &[u8], [width, height]: [u32; 2], detail: u32) -> Result<RgbImage> {
    let (side, channels, area) = (detail as usize, 3, detail * detail);
    let stride = width as usize * side * channels;
    let mut sums = vec![0; width as usize * channels];
    let mut bytes = Vec::with_capacity(sums.len() * height as usize);
    for rows in canvas.chunks_exact(stride * side) {
        sums.fill(area / 2);
        for row in rows.chunks_exact(stride) {
            for (sum, pixels) in sums.chunks_exact_mut(channels).zip(row.chunks_exact(channels * side)) {
                for (place, &byte) in pixels.iter().enumerate() {
                    sum[place % channels] += u32::from(byte);
                }
            }
        }
        bytes.extend(sums.iter().map(|sum| (sum / area) as u8));
    }
    RgbImage::from_raw(width, height, bytes).ok_or_else(|| Error::Failed("a plot has lost its pixels".into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::shrunk;
    use image::Rgb;

    #[test]
    fn a_pixel_is_the_mean_of_its_square() {
        // Two squares of two by two, side by side: 1, 2, 3, 5 and 200 four times in red, green the row, blue 255.
        let red = [[1, 2, 200, 200], [3, 5, 200, 200]];
        let canvas: Vec<u8> =
            (0..2).flat_map(|y: usize| red[y].into_iter().flat_map(move |red| [red, 10 * y as u8, 255])).collect();
        let picture = shrunk(&canvas, [2, 1], 2).unwrap();
        assert_eq!(picture.get_pixel(0, 0), &Rgb([3, 5, 255]));
        assert_eq!(picture.get_pixel(1, 0), &Rgb([200, 5, 255]));
        assert!(shrunk(&canvas[..12], [2, 1], 2).is_err());
    }
}
