//! Brings an image to the size that is wanted, and turns it as it is to be seen.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;

use super::decode::Picture;
use super::pixels::Pixels;
use super::wanted::{Wanted, is_turned};

/// What resizing keeps from image to image.
#[derive(Default)]
pub struct Resizing {
    resizer: Resizer,
}

/// Brings a picture to the size that is wanted, if any, by a triangle as wide as two of its new pixels or two of the old,
/// whichever are larger (PIL's `BILINEAR`), and turns it.
///
/// # Errors
/// When it cannot be resized.
pub fn fit(picture: Picture, wanted: &Wanted, resizing: &mut Resizing) -> Result<Pixels, String> {
    let Picture { pixels, content, orientation, .. } = picture;
    let pixels = if wanted.grey { pixels.grey() } else { pixels.plain() };
    let pixels = match wanted.unturned(orientation) {
        Some(target) => resized(pixels, content, target, wanted, resizing)?,
        None => pixels,
    };
    Ok(turned(pixels, orientation))
}

fn resized(
    pixels: Pixels,
    content: [f64; 2],
    target: [usize; 2],
    wanted: &Wanted,
    resizing: &mut Resizing,
) -> Result<Pixels, String> {
    let whole = [pixels.width as f64, pixels.height as f64];
    let part = wanted.part(content, target);
    if [pixels.width, pixels.height] == target && part == whole {
        return Ok(pixels);
    }
    let [left, top] = [0, 1].map(|axis| (content[axis] - part[axis]) / 2.0);
    let (pixels, [left, top]) = cut(pixels, [left, top], part);
    let kind = if pixels.channels == 1 { PixelType::U8 } else { PixelType::U8x3 };
    let failed = |problem: &dyn std::fmt::Display| format!("cannot be resized: {problem}");
    let from = ImageRef::new(pixels.width as u32, pixels.height as u32, &pixels.values, kind);
    let from = from.map_err(|problem| failed(&problem))?;
    let mut to = Image::new(target[0] as u32, target[1] as u32, kind);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .use_alpha(false)
        .crop(left, top, part[0], part[1]);
    resizing.resizer.resize(&from, &mut to, &options).map_err(|problem| failed(&problem))?;
    Ok(Pixels { width: target[0], height: target[1], channels: pixels.channels, values: to.into_vec() })
}

/// Cuts away whole pixels that lie outside of a part, so that the filter does not see them; with what is left, where the
/// part begins in it.
fn cut(pixels: Pixels, begin: [f64; 2], part: [f64; 2]) -> (Pixels, [f64; 2]) {
    let Pixels { width, height, channels, values } = pixels;
    let first = begin.map(|begin| begin.max(0.0) as usize);
    let end = |axis: usize, most: usize| ((begin[axis] + part[axis]).ceil() as usize).min(most);
    let [right, bottom] = [end(0, width), end(1, height)];
    if first == [0, 0] && [right, bottom] == [width, height] {
        return (Pixels { width, height, channels, values }, begin);
    }
    let rows = values.chunks_exact(width * channels).take(bottom).skip(first[1]);
    let values = rows.flat_map(|row| &row[first[0] * channels..right * channels]).copied().collect();
    let left = Pixels { width: right - first[0], height: bottom - first[1], channels, values };
    (left, [0, 1].map(|axis| begin[axis] - first[axis] as f64))
}

/// The image as it is to be seen.
fn turned(pixels: Pixels, orientation: Orientation) -> Pixels {
    use Orientation::{FlipHorizontal, FlipVertical, NoTransforms, Rotate90, Rotate90FlipH, Rotate180, Rotate270};
    let Pixels { width, height, channels, .. } = pixels;
    // Where the pixel at (x, y) of what is seen comes from.
    let from = |x: usize, y: usize| match orientation {
        NoTransforms => (x, y),
        FlipHorizontal => (width - 1 - x, y),
        FlipVertical => (x, height - 1 - y),
        Rotate180 => (width - 1 - x, height - 1 - y),
        Rotate90 => (y, height - 1 - x),
        Rotate270 => (width - 1 - y, x),
        Rotate90FlipH => (y, x),
        Orientation::Rotate270FlipH => (width - 1 - y, height - 1 - x),
    };
    if orientation == NoTransforms {
        return pixels;
    }
    let [seen_width, seen_height] = if is_turned(orientation) { [height, width] } else { [width, height] };
    let mut values = Vec::with_capacity(pixels.values.len());
    for y in 0..seen_height {
        for x in 0..seen_width {
            let (x, y) = from(x, y);
            values.extend_from_slice(&pixels.values[(y * width + x) * channels..][..channels]);
        }
    }
    Pixels { width: seen_width, height: seen_height, channels, values }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::{DynamicImage, GrayImage};

    use super::*;

    #[test]
    fn every_orientation_is_that_of_the_crate_image() {
        let values: Vec<u8> = (0..6).collect();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut image = DynamicImage::ImageLuma8(GrayImage::from_raw(3, 2, values.clone()).unwrap());
            image.apply_orientation(orientation);
            let ours = turned(Pixels { width: 3, height: 2, channels: 1, values: values.clone() }, orientation);
            assert_eq!(ours, Pixels::of(image), "{exif}");
        }
    }
}
