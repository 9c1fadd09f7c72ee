//! What is wanted of every image of a folder.

use image::metadata::Orientation;

use crate::data::options::{Crop, DataOptions, Size, USUAL_MOST_PIXELS};

/// Most bytes that a pixel takes while it is decoded: four floats.
const PIXEL_BYTES: u64 = 16;

/// What is wanted of every image.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The size it is brought to, if any.
    pub size: Option<Size>,
    /// Whether the largest centred part of that ratio is taken, or else all of it is stretched.
    pub centre: bool,
    /// Whether colours become grey.
    pub grey: bool,
    /// Most pixels it may have.
    pub most_pixels: u64,
}

/// Whether an image is seen with its sides exchanged.
pub fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
}

impl Wanted {
    /// What these options want.
    pub fn of(options: &DataOptions) -> Wanted {
        Wanted {
            size: options.size,
            centre: options.crop == Some(Crop::Centre),
            grey: options.grey,
            most_pixels: options.most_pixels.unwrap_or(USUAL_MOST_PIXELS),
        }
    }

    /// The size that an image is brought to before it is turned.
    pub fn unturned(&self, orientation: Orientation) -> Option<[usize; 2]> {
        let Size { width, height } = self.size?;
        Some(if is_turned(orientation) { [height, width] } else { [width, height] })
    }

    /// Sides of the part of an image that is taken.
    pub fn part(&self, content: [f64; 2], target: [usize; 2]) -> [f64; 2] {
        if !self.centre {
            return content;
        }
        let ratio = target[0] as f64 / target[1] as f64;
        [content[0].min(content[1] * ratio), content[1].min(content[0] / ratio)]
    }

    /// The least size at which an image of `size` is as good as whole: twice what is made of it, so that the filter behind
    /// has something to weigh.
    pub fn least(&self, size: [usize; 2], orientation: Orientation) -> Option<[f64; 2]> {
        let target = self.unturned(orientation)?;
        let size = size.map(|side| side as f64);
        let part = self.part(size, target);
        Some([0, 1].map(|axis| 2.0 * target[axis] as f64 * size[axis] / part[axis]))
    }

    /// Says what is wrong with an image of this size, before anything is decoded.
    pub fn allow(&self, [width, height]: [usize; 2]) -> Result<(), String> {
        let most = self.most_pixels;
        match (width as u64).checked_mul(height as u64) {
            Some(0) => Err(format!("an image of {width}x{height} pixels, expected at least one")),
            Some(pixels) if pixels <= most => Ok(()),
            _ => Err(format!(
                "an image of {width}x{height} pixels, expected at most {most} in all; data.most_pixels allows more"
            )),
        }
    }

    /// Most bytes that decoding an image may take.
    pub fn most_bytes(&self) -> usize {
        usize::try_from(self.most_pixels.saturating_mul(PIXEL_BYTES)).unwrap_or(usize::MAX)
    }
}
