//! One image of a picture: enlarged or reduced by a whole factor, in grey or in colour; one of any other number of channels
//! channel by channel in grey, side by side.

use image::{Rgb, RgbImage};

use crate::data::ImageShape;

/// Images are enlarged as often as fits into this many pixels, so MNIST is shown at three times.
pub(super) const CELL: usize = 84;
/// Drawn instead of a pixel that is NaN: no grey, and rare in photographs.
pub(super) const NOT_A_NUMBER: Rgb<u8> = Rgb([255, 0, 255]);

/// How images of one shape are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thumbnail {
    image: ImageShape,
    /// Images side by side that one is drawn as: its channels, where they are neither grey nor colours.
    planes: usize,
    /// Pixels of the picture that a pixel takes, across and down.
    enlarged: usize,
    /// Pixels of the image, across and down, whose mean is drawn as one.
    reduced: usize,
}

impl Thumbnail {
    /// Images of this shape, none of their sides longer than `most` pixels of the picture.
    pub(super) fn new(image: ImageShape, most: usize) -> Self {
        let planes = if matches!(image.channels, 1 | 3) { 1 } else { image.channels };
        let longest = image.height.max(image.width * planes).max(1);
        Thumbnail { image, planes, enlarged: (CELL / longest).max(1), reduced: longest.div_ceil(most).max(1) }
    }

    /// Images of this shape, as large as whole factors make them without a side longer than `most` pixels.
    pub(super) fn within(image: ImageShape, most: usize) -> Self {
        let thumbnail = Self::new(image, most.max(1));
        let longest = image.height.max(image.width * thumbnail.planes).max(1);
        Thumbnail { enlarged: (most / longest).max(1), ..thumbnail }
    }

    /// Pixels of the picture that an image takes: width and height.
    pub(super) fn size(&self) -> (usize, usize) {
        let drawn = |side: usize| side.div_ceil(self.reduced) * self.enlarged;
        (drawn(self.image.width * self.planes), drawn(self.image.height))
    }

    /// Draws an image of values in 0..=1, its upper left corner there. Beyond is clamped; NaN is magenta.
    pub(super) fn draw(&self, picture: &mut RgbImage, values: &[f32], (left, top): (usize, usize)) {
        let (width, height) = self.size();
        let scale = self.enlarged;
        for (column, row) in (0..height / scale).flat_map(|row| (0..width / scale).map(move |column| (column, row))) {
            let color = self.color(values, column, row);
            for (dx, dy) in (0..scale).flat_map(|dy| (0..scale).map(move |dx| (dx, dy))) {
                let (x, y) = (left + column * scale + dx, top + row * scale + dy);
                picture.put_pixel(x as u32, y as u32, color);
            }
        }
    }

    /// The mean of the pixels that are drawn as one.
    fn color(&self, values: &[f32], column: usize, row: usize) -> Rgb<u8> {
        let ImageShape { width, height, channels } = self.image;
        let across = column * self.reduced..((column + 1) * self.reduced).min(width * self.planes);
        let down = row * self.reduced..((row + 1) * self.reduced).min(height);
        let count = (across.len() * down.len()).max(1) as f32;
        let mut sums = [0.0_f32; 3];
        for (x, y) in down.flat_map(|y| across.clone().map(move |x| (x, y))) {
            let pixel = &values[(y * width + x % width) * channels..][..channels];
            for (place, sum) in sums.iter_mut().enumerate() {
                let channel = if channels == 3 { place } else { x / width };
                // Clamping keeps what is NaN.
                *sum += pixel[channel].clamp(0.0, 1.0);
            }
        }
        if sums.iter().any(|sum| sum.is_nan()) {
            return NOT_A_NUMBER;
        }
        Rgb(sums.map(|sum| (sum / count * 255.0).round() as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(image: ImageShape, most: usize, values: &[f32]) -> RgbImage {
        let thumbnail = Thumbnail::new(image, most);
        let (width, height) = thumbnail.size();
        let mut picture = RgbImage::new(width as u32, height as u32);
        thumbnail.draw(&mut picture, values, (0, 0));
        picture
    }

    #[test]
    fn large_images_are_reduced_by_means() {
        let image = ImageShape { height: 224, width: 100, channels: 1 };
        assert_eq!(Thumbnail::new(image, 128).size(), (50, 112));
        assert_eq!(Thumbnail::new(image, 256).size(), (100, 224));
        let checkers: Vec<f32> = (0..224 * 100).map(|place| ((place / 100 + place) % 2) as f32).collect();
        assert!(drawn(image, 128, &checkers).pixels().all(|pixel| pixel.0 == [128; 3]));
        // The last block is smaller than the others.
        let odd = ImageShape { height: 1, width: 129, channels: 1 };
        let mut values = vec![0.0; 129];
        values[128] = 1.0;
        let picture = drawn(odd, 128, &values);
        assert_eq!((picture.width(), picture.get_pixel(64, 0).0), (65, [255; 3]));
    }

    #[test]
    fn channels_that_are_no_colours_stand_side_by_side() {
        let image = ImageShape { height: 1, width: 2, channels: 2 };
        let picture = drawn(image, 256, &[0.0, 1.0, 0.2, 0.4]);
        let found: Vec<u8> = (0..4).map(|place| picture.get_pixel(place * 21, 0)[0]).collect();
        assert_eq!(found, [0, 51, 255, 102]);
        assert_eq!(drawn(ImageShape { channels: 3, ..image }, 256, &[0.5; 6]).dimensions(), (84, 42));
    }
}
