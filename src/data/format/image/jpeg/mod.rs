//! JPEG, at a fraction of its size where less is wanted: the lowest frequencies of a block are a small picture of it.
//!
//! What nearly all files are, Huffman codes in one scan, is decoded here; anything else by the crate `jpeg-decoder`, and
//! what that does not know by the crate `image`.

mod colour;
mod header;
mod huffman;
mod scan;
mod transform;

use std::io::Cursor;

use image::metadata::Orientation;
use jpeg_decoder::{Decoder, Error as Problem, PixelFormat};

use super::decode::{Picture, foreign};
use super::pixels::Pixels;
use super::wanted::Wanted;
use header::Header;

/// Values of a block a side, of those there can be, with which an image is still at least as large as it is needed.
fn side(size: [usize; 2], wanted: &Wanted, orientation: Orientation) -> usize {
    let Some(least) = wanted.least(size, orientation) else { return 8 };
    let is_enough = |side: &usize| (0..2).all(|axis| (size[axis] * side) as f64 >= 8.0 * least[axis]);
    [1, 2, 4].into_iter().find(is_enough).unwrap_or(8)
}

/// Decodes a JPEG, perhaps at a fraction of its size.
///
/// # Errors
/// What is wrong with it and what was expected.
pub fn decode(bytes: &[u8], wanted: &Wanted) -> Result<Picture, String> {
    let header = Header::read(bytes);
    let exif = header.as_ref().and_then(|header| header.exif.as_deref());
    let orientation = exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    if let Some(header) = header {
        let size = [header.width, header.height];
        if header.components.len() == 4 {
            return Err("a CMYK image, expected grey or RGB".into());
        }
        wanted.allow(size)?;
        if header.is_sequential() && header.height > 0 {
            let side = side(size, wanted, orientation);
            if let Some(pixels) = colour::decode(&header, bytes, side, wanted.grey) {
                let share = side as f64 / 8.0;
                let content = [size[0] as f64 * share, size[1] as f64 * share];
                return Ok(Picture { pixels, content, orientation });
            }
        }
    }
    uncommon(bytes, wanted, orientation)
}

/// Decodes what is coded in any other way, or is damaged and wants a reason.
fn uncommon(bytes: &[u8], wanted: &Wanted, orientation: Orientation) -> Result<Picture, String> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_max_decoding_buffer_size(wanted.most_bytes());
    let known = match decoder.read_info() {
        Ok(()) => decoder.info(),
        Err(Problem::Unsupported(_)) => None,
        Err(problem) => return Err(damaged(&problem)),
    };
    let Some(info) = known else { return foreign::jpeg(bytes, wanted) };
    if info.pixel_format == PixelFormat::CMYK32 {
        return Err("a CMYK image, expected grey or RGB".into());
    }
    let size = [usize::from(info.width), usize::from(info.height)];
    wanted.allow(size)?;
    let side = side(size, wanted, orientation);
    let scaled = size.map(|size| (size * side).div_ceil(8) as u16);
    let decoded = decoder.scale(scaled[0], scaled[1]).and_then(|(width, _)| Ok((width, decoder.decode()?)));
    let (width, values) = match decoded {
        Ok(decoded) => decoded,
        Err(Problem::Unsupported(_)) => return foreign::jpeg(bytes, wanted),
        Err(problem) => return Err(damaged(&problem)),
    };
    let channels = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        _ => return foreign::jpeg(bytes, wanted),
    };
    let width = usize::from(width);
    let pixels = Pixels { width, height: values.len() / (width * channels).max(1), channels, values };
    let share = side as f64 / 8.0;
    Ok(Picture { pixels, content: size.map(|size| size as f64 * share), orientation })
}

fn damaged(problem: &Problem) -> String {
    let problem = problem.to_string();
    if problem.contains("fill whole buffer") {
        return "cut off: expected the rest of a JPEG image".into();
    }
    format!("a damaged JPEG image: {}", crate::error::shortened(&problem, 200))
}
