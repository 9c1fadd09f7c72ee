//! The pixels of an image as rows of a data set have them: bytes, grey or red, green and blue.

use image::DynamicImage;

/// An image of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels in a row.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
    /// 1 if it is grey, 3 if it has colours.
    pub channels: usize,
    /// `[height, width, channels]`.
    pub values: Vec<u8>,
}

/// Of 65,535 parts so many of 255, rounded.
fn from_word(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// Of 1 so many of 255, rounded.
fn from_share(value: f32) -> u8 {
    (value * 255.0 + 0.5) as u8
}

/// What is seen of a value with this cover over white.
fn over_white(value: u8, cover: u8) -> u8 {
    let (value, cover) = (u32::from(value), u32::from(cover));
    ((value * cover + 255 * (255 - cover) + 127) / 255) as u8
}

/// What is seen of pixels whose last channel is their cover.
fn covered<T: Copy>(values: &[T], channels: usize, byte: impl Fn(T) -> u8) -> Vec<u8> {
    let seen = values.chunks_exact(channels + 1).flat_map(|pixel| {
        let cover = byte(pixel[channels]);
        pixel[..channels].iter().map(|&value| over_white(byte(value), cover)).collect::<Vec<u8>>()
    });
    seen.collect()
}

impl Pixels {
    /// An image of any kind: 16 bits and shares become 8, what is transparent is seen over white.
    pub fn of(image: DynamicImage) -> Pixels {
        let [width, height] = [image.width() as usize, image.height() as usize];
        let words = |values: &[u16]| values.iter().map(|&value| from_word(value)).collect::<Vec<u8>>();
        let (channels, values) = match image {
            DynamicImage::ImageLuma8(image) => (1, image.into_raw()),
            DynamicImage::ImageRgb8(image) => (3, image.into_raw()),
            DynamicImage::ImageLumaA8(image) => (1, covered(image.as_raw(), 1, |value| value)),
            DynamicImage::ImageRgba8(image) => (3, covered(image.as_raw(), 3, |value| value)),
            DynamicImage::ImageLuma16(image) => (1, words(image.as_raw())),
            DynamicImage::ImageRgb16(image) => (3, words(image.as_raw())),
            DynamicImage::ImageLumaA16(image) => (1, covered(image.as_raw(), 1, from_word)),
            DynamicImage::ImageRgba16(image) => (3, covered(image.as_raw(), 3, from_word)),
            DynamicImage::ImageRgb32F(image) => (3, image.as_raw().iter().map(|&value| from_share(value)).collect()),
            other => (3, covered(other.into_rgba32f().as_raw(), 3, from_share)),
        };
        Pixels { width, height, channels, values }
    }

    /// The same with one channel where no pixel has a colour, however the file spells that. The first pixel that has one ends
    /// the search.
    pub fn plain(self) -> Pixels {
        let is_grey = |pixel: &[u8]| pixel[0] == pixel[1] && pixel[1] == pixel[2];
        if self.channels == 1 || !self.values.chunks_exact(3).all(is_grey) {
            return self;
        }
        Pixels { channels: 1, values: self.values.iter().step_by(3).copied().collect(), ..self }
    }

    /// The same in grey: brightness as ITU-R BT.601 weighs the colours.
    pub fn grey(self) -> Pixels {
        if self.channels == 1 {
            return self;
        }
        let weighed = |pixel: &[u8]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            ((19_595 * red + 38_470 * green + 7_471 * blue + (1 << 15)) >> 16) as u8
        };
        Pixels { channels: 1, values: self.values.chunks_exact(3).map(weighed).collect(), ..self }
    }
}

/// Grey values as red, green and blue.
pub fn coloured(grey: &[u8]) -> Vec<u8> {
    grey.iter().flat_map(|&value| [value; 3]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        assert!((0..=255).all(|byte| from_word(u16::from(byte) * 257) == byte));
        assert_eq!([0, 128, 129, 65_406, 65_407].map(from_word), [0, 0, 1, 254, 255]);
        assert_eq!([-1.0, 0.0, 0.5, 1.0, 7.0, f32::NAN].map(from_share), [0, 0, 128, 255, 255, 0]);
    }

    #[test]
    fn what_is_transparent_is_white() {
        assert_eq!(
            [(0, 0), (9, 255), (0, 128), (255, 3)].map(|(value, cover)| over_white(value, cover)),
            [255, 9, 127, 255]
        );
        assert_eq!(covered(&[9_u8, 8, 7, 0, 1, 2, 3, 255], 3, |value| value), [255, 255, 255, 1, 2, 3]);
    }

    #[test]
    fn what_has_no_colour_is_grey_however_it_is_spelt() {
        let of = |values: Vec<u8>| Pixels { width: 2, height: 1, channels: 3, values }.plain();
        assert_eq!(of(vec![7, 7, 7, 9, 9, 9]), Pixels { width: 2, height: 1, channels: 1, values: vec![7, 9] });
        assert_eq!(of(vec![7, 7, 7, 9, 9, 8]).channels, 3);
    }

    #[test]
    fn grey_is_brightness_as_seen() {
        let image =
            Pixels { width: 4, height: 1, channels: 3, values: vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255] };
        // As PIL's convert("L") has them.
        assert_eq!(image.grey().values, [76, 150, 29, 255]);
        assert_eq!(coloured(&[3, 4]), [3, 3, 3, 4, 4, 4]);
    }
}
