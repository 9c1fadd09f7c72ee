//! What other coders make of images: JPEG and WebP without loss, as the crate `image` writes them.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageFormat};

use super::fidelity::Fidelity;
use super::rate_distortion::Measured;
use crate::data::ImageShape;
use crate::error::{Error, Result};
use crate::threads::prelude::*;

/// Qualities that JPEG is asked for, from 1 to 100.
pub const QUALITIES: [u8; 14] = [1, 3, 5, 8, 12, 16, 20, 25, 30, 40, 50, 60, 75, 90];

/// Images of this shape as JPEG files of a quality: full colours, the tables of the standard. The bits are those of the coefficients,
/// without headers and tables, which for small images are most of a file.
///
/// # Errors
/// When they are no grey or colour images, or larger than such a file can be.
pub fn jpeg(images: &[u8], shape: ImageShape, quality: u8) -> Result<Measured> {
    let of_image = |pixels: &[u8]| {
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
        let [width, height] = extents(shape)?;
        encoder.encode(pixels, width, height, colours(shape)?).map_err(|problem| failed("JPEG", &problem))?;
        let decoded = image::load_from_memory_with_format(&file, ImageFormat::Jpeg);
        let decoded = decoded.map_err(|problem| failed("JPEG", &problem))?;
        let decoded = if shape.channels == 1 { decoded.to_luma8().into_raw() } else { decoded.to_rgb8().into_raw() };
        let bytes = coefficients(&file).ok_or_else(|| failed("JPEG", &"its file has no coefficients"))?;
        Ok((bytes, decoded))
    };
    let all: Vec<(usize, Vec<u8>)> = images.par_chunks(shape.values()).map(of_image).collect::<Result<Vec<_>>>()?;
    let decoded: Vec<u8> = all.iter().flat_map(|(_, decoded)| decoded).copied().collect();
    let bytes = all.iter().map(|(bytes, _)| bytes).sum();
    Ok(Measured {
        bits_per_pixel: bits_per_pixel(bytes, images, shape),
        fidelity: Fidelity::of(images, &decoded, shape),
    })
}

/// Bits a pixel of images of this shape as WebP files without loss, whole files but for the 20 bytes that say what they are.
///
/// # Errors
/// As [`jpeg`].
pub fn webp(images: &[u8], shape: ImageShape) -> Result<f64> {
    const HEADERS: usize = 20;
    let of_image = |pixels: &[u8]| {
        let mut file = Cursor::new(Vec::new());
        let encoder = WebPEncoder::new_lossless(&mut file);
        let [width, height] = extents(shape)?;
        encoder.encode(pixels, width, height, colours(shape)?).map_err(|problem| failed("WebP", &problem))?;
        Ok(file.into_inner().len().saturating_sub(HEADERS))
    };
    let bytes = images.par_chunks(shape.values()).map(of_image).collect::<Result<Vec<usize>>>()?;
    Ok(bits_per_pixel(bytes.iter().sum(), images, shape))
}

/// Bits of so many bytes for each pixel of images.
pub fn bits_per_pixel(bytes: usize, images: &[u8], shape: ImageShape) -> f64 {
    8.0 * bytes as f64 / (images.len() / shape.channels.max(1)).max(1) as f64
}

fn failed(what: &str, problem: &dyn std::fmt::Display) -> Error {
    Error::Failed(format!("an image as {what}: {problem}"))
}

fn extents(shape: ImageShape) -> Result<[u32; 2]> {
    let extent = |side: usize| u32::try_from(side).map_err(|_| failed("a file", &"it is too large"));
    Ok([extent(shape.width)?, extent(shape.height)?])
}

fn colours(shape: ImageShape) -> Result<ExtendedColorType> {
    match shape.channels {
        1 => Ok(ExtendedColorType::L8),
        3 => Ok(ExtendedColorType::Rgb8),
        other => Err(failed("a file", &format!("{other} channels, expected 1 or 3"))),
    }
}

/// Bytes between the header of a JPEG's one scan and the end of the image (ITU T.81, annex B).
fn coefficients(file: &[u8]) -> Option<usize> {
    const SCAN: u8 = 0xda;
    let mut at = 2;
    loop {
        let &[mark, kind, high, low] = file.get(at..at + 4)? else { return None };
        if mark != 0xff {
            return None;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if kind == SCAN {
            let end = file.len().checked_sub(2).filter(|&end| file[end..] == [0xff, 0xd9])?;
            return end.checked_sub(at);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn images(shape: ImageShape, count: usize) -> Vec<u8> {
        (0..count * shape.values()).map(|at| (at / 5 * 3 % 200 + at * 7 % 31) as u8).collect()
    }

    #[test]
    fn more_bits_are_closer_and_headers_are_not_counted() {
        for channels in [1, 3] {
            let shape = ImageShape { height: 24, width: 16, channels };
            let images = images(shape, 3);
            let [low, high] = [5, 90].map(|quality| jpeg(&images, shape, quality).unwrap());
            assert!(
                low.bits_per_pixel < high.bits_per_pixel && low.fidelity.mse > high.fidelity.mse,
                "{low:?} {high:?}"
            );
            // A header alone has over 600 bytes, or 12 bits a pixel of these.
            assert!(low.bits_per_pixel < 3.0, "{low:?}");
            assert!(webp(&images, shape).unwrap() > 0.5);
        }
        let strange = ImageShape { height: 2, width: 2, channels: 2 };
        assert!(jpeg(&[0; 8], strange, 50).is_err() && webp(&[0; 8], strange).is_err());
    }

    /// An even grey has a difference of its mean and an end for each block, then ones up to the whole byte.
    #[test]
    fn only_the_coefficients_are_counted() {
        let shape = ImageShape { height: 8, width: 8, channels: 1 };
        // 128 is 0: the category of a difference of 0 has 2 bits, the end of a block 4.
        assert_eq!(jpeg(&[128; 64], shape, 50).unwrap().bits_per_pixel, 8.0 / 64.0);
        assert_eq!(coefficients(b"\xff\xd8\xff\xda\x00\x03x12\xff\x00\xff\xd9"), Some(4));
        assert_eq!(coefficients(b"\xff\xd8\xff\xda\x00\x03x12"), None);
        assert_eq!(coefficients(b"\xff\xd8"), None);
    }
}
