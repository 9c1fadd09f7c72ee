//! JPEG, at a fraction of its size where less is wanted: the lowest frequencies of a block are a small picture of it.
//!
//! The crate `jpeg-decoder` decodes fractions; a whole image, and what that crate does not know, is decoded by the crate
//! `image`.

use std::io::Cursor;

use image::metadata::Orientation;
use jpeg_decoder::{Decoder, Error as Problem, PixelFormat};

use super::decode::{Picture, foreign};
use super::pixels::Pixels;
use super::wanted::Wanted;

/// Values of a block a side.
const WHOLE: usize = 8;
/// The marker that begins the coefficients, and the one that ends the image (ITU T.81, table B.1).
const BEGIN: [u8; 2] = [0xFF, 0xDA];
const END: [u8; 2] = [0xFF, 0xD9];

/// Values of a block a side, of those there can be, with which an image is still at least as large as it is needed.
fn side(size: [usize; 2], wanted: &Wanted, orientation: Orientation) -> usize {
    let Some(least) = wanted.least(size, orientation) else { return WHOLE };
    let is_enough = |side: &usize| (0..2).all(|axis| (size[axis] * side) as f64 >= WHOLE as f64 * least[axis]);
    [1, 2, 4].into_iter().find(is_enough).unwrap_or(WHOLE)
}

/// Decodes a JPEG, perhaps at a fraction of its size.
///
/// # Errors
/// What is wrong with it and what was expected.
pub fn decode(bytes: &[u8], wanted: &Wanted) -> Result<Picture, String> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_max_decoding_buffer_size(wanted.most_bytes());
    let known = match decoder.read_info() {
        Ok(()) => decoder.info(),
        Err(Problem::Unsupported(_)) => None,
        Err(problem) => return Err(damaged(&problem)),
    };
    let Some(info) = known else { return whole(bytes, wanted) };
    if info.pixel_format == PixelFormat::CMYK32 {
        return Err("a CMYK image, expected grey or RGB".into());
    }
    let size = [usize::from(info.width), usize::from(info.height)];
    wanted.allow(size)?;
    let exif = decoder.exif_data().and_then(Orientation::from_exif_chunk);
    let orientation = exif.unwrap_or(Orientation::NoTransforms);
    let side = side(size, wanted, orientation);
    let channels = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        _ => return whole(bytes, wanted),
    };
    if side == WHOLE {
        return whole(bytes, wanted);
    }
    let scaled = size.map(|size| (size * side).div_ceil(WHOLE) as u16);
    let decoded = decoder.scale(scaled[0], scaled[1]).and_then(|(width, _)| Ok((width, decoder.decode()?)));
    let (width, values) = match decoded {
        Ok(decoded) => decoded,
        Err(Problem::Unsupported(_)) => return whole(bytes, wanted),
        Err(problem) => return Err(damaged(&problem)),
    };
    let width = usize::from(width);
    let pixels = Pixels { width, height: values.len() / (width * channels).max(1), channels, values };
    let share = side as f64 / WHOLE as f64;
    Ok(Picture { pixels, content: size.map(|size| size as f64 * share), orientation })
}

/// Decodes all of it, if it has an end: the decoder takes a file that is cut off for a picture with a grey rest.
fn whole(bytes: &[u8], wanted: &Wanted) -> Result<Picture, String> {
    // Among the coefficients no other marker is spelt like the end.
    let begin = bytes.windows(2).rposition(|pair| pair == BEGIN).unwrap_or(0);
    if !bytes[begin..].windows(2).any(|pair| pair == END) {
        return Err("cut off: expected the rest of a JPEG image".into());
    }
    foreign::jpeg(bytes, wanted)
}

fn damaged(problem: &Problem) -> String {
    let problem = problem.to_string();
    if problem.contains("fill whole buffer") {
        return "cut off: expected the rest of a JPEG image".into();
    }
    format!("a damaged JPEG image: {}", crate::error::shortened(&problem, 200))
}
