//! An image file becomes the row that is wanted of it.

use std::io::Cursor;

use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageResult, Limits};

use super::fit::{Resizing, fit};
use super::jpeg;
use super::pixels::Pixels;
use super::wanted::Wanted;
use crate::error::shortened;

/// The formats there are.
pub const FORMATS: [ImageFormat; 6] =
    [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::Gif];
/// Their names.
const EXPECTED: &str = "expected an image: PNG, JPEG, WebP, BMP, TIFF or GIF";

/// An image as it was decoded.
pub struct Picture {
    /// Its pixels, perhaps at a fraction of its size.
    pub pixels: Pixels,
    /// Width and height of what these show, which may end within the last pixel.
    pub content: [f64; 2],
    /// How it is to be turned.
    pub orientation: Orientation,
}

/// Decodes the bytes of a file, whatever its name is, and makes what is wanted of it. A GIF is its first picture, a TIFF
/// its first page.
///
/// # Errors
/// What is wrong with it and what was expected.
pub fn decode(bytes: &[u8], wanted: &Wanted, resizing: &mut Resizing) -> Result<Pixels, String> {
    let picture = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => jpeg::decode(bytes, wanted),
        Ok(format) => foreign::decode(bytes, format, wanted),
        Err(_) if bytes.is_empty() => Err(format!("empty, {EXPECTED}")),
        Err(_) => Err(format!("no image that is known, {EXPECTED}")),
    };
    fit(picture?, wanted, resizing)
}

/// What the crate `image` decodes.
pub mod foreign {
    use super::*;

    /// Decodes any format but JPEG.
    pub fn decode(bytes: &[u8], format: ImageFormat, wanted: &Wanted) -> Result<Picture, String> {
        let input = Cursor::new(bytes);
        let failed = |problem| why(format, problem);
        match format {
            ImageFormat::Png => {
                let decoder = PngDecoder::with_limits(input, limits(wanted)).map_err(failed)?;
                if decoder.is_apng().map_err(failed)? {
                    return Err("an animated PNG, expected one with a single picture".into());
                }
                through(decoder, format, wanted)
            }
            ImageFormat::WebP => {
                let decoder = WebPDecoder::new(input).map_err(failed)?;
                if decoder.has_animation() {
                    return Err("an animated WebP, expected one with a single picture".into());
                }
                through(decoder, format, wanted)
            }
            ImageFormat::Bmp => through(BmpDecoder::new(input).map_err(failed)?, format, wanted),
            ImageFormat::Tiff => through(TiffDecoder::new(input).map_err(failed)?, format, wanted),
            ImageFormat::Gif => through(GifDecoder::new(input).map_err(failed)?, format, wanted),
            other => Err(format!("an image of type {other:?}, {EXPECTED}")),
        }
    }

    /// Decodes a JPEG of an uncommon kind.
    pub fn jpeg(bytes: &[u8], wanted: &Wanted) -> Result<Picture, String> {
        let decoder = image::codecs::jpeg::JpegDecoder::new(Cursor::new(bytes));
        through(decoder.map_err(|problem| why(ImageFormat::Jpeg, problem))?, ImageFormat::Jpeg, wanted)
    }

    fn limits(wanted: &Wanted) -> Limits {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(wanted.most_bytes() as u64);
        limits
    }

    fn through(mut decoder: impl ImageDecoder, format: ImageFormat, wanted: &Wanted) -> Result<Picture, String> {
        let failed = |problem| why(format, problem);
        let (width, height) = decoder.dimensions();
        let size = [width as usize, height as usize];
        wanted.allow(size)?;
        if matches!(decoder.original_color_type(), ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16) {
            return Err("a CMYK image, expected grey or RGB".into());
        }
        decoder.set_limits(limits(wanted)).map_err(failed)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let image: ImageResult<DynamicImage> = DynamicImage::from_decoder(decoder);
        let pixels = Pixels::of(image.map_err(failed)?);
        Ok(Picture { pixels, content: size.map(|side| side as f64), orientation })
    }

    fn why(format: ImageFormat, problem: ImageError) -> String {
        let name = match format {
            ImageFormat::Png => "PNG",
            ImageFormat::Jpeg => "JPEG",
            ImageFormat::WebP => "WebP",
            ImageFormat::Bmp => "BMP",
            ImageFormat::Tiff => "TIFF",
            _ => "GIF",
        };
        let text = problem.to_string();
        let is_cut = ["failed to fill whole buffer", "unexpected EOF", "unexpected end of file"];
        match problem {
            _ if is_cut.iter().any(|part| text.contains(part)) => {
                format!("cut off: expected the rest of a {name} image")
            }
            ImageError::Unsupported(_) => format!("a {name} image of an unknown kind: {}", shortened(&text, 200)),
            _ => format!("a damaged {name} image: {}", shortened(&text, 200)),
        }
    }
}
