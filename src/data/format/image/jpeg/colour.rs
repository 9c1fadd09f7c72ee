//! Planes of brightness and colour become pixels.

use super::header::Header;
use super::scan::{self, Plane};
use crate::data::format::image::pixels::Pixels;

/// The colours of a file, whose planes may have fewer values than the image has pixels.
struct Chroma {
    plane: Plane,
    /// Values across and down that show something of the image.
    real: [usize; 2],
    /// Pixels for each value, across and down: 1 or 2.
    pixels: [usize; 2],
}

/// Decodes the image with `side` × `side` pixels for a block of brightness, in one channel if it is or becomes grey.
/// Nothing comes back where the file is damaged or says its colours in another way than nearly all do.
pub fn decode(header: &Header, bytes: &[u8], side: usize, grey: bool) -> Option<Pixels> {
    let [width, height] = [header.width, header.height].map(|pixels| (pixels * side).div_ceil(8));
    if header.components.len() == 1 {
        let planes = scan::decode(header, bytes, &[Some([side; 2])])?;
        return Some(Pixels { width, height, channels: 1, values: cut(planes.first()?, width, height) });
    }
    let [brightness, colours @ ..] = &header.components[..] else { return None };
    let is_usual = header.adobe != Some(0) && brightness.id != b'R' && colours.len() == 2;
    let ratios = |axis: usize| -> Option<usize> {
        let [first, second] = [colours.first()?, colours.get(1)?].map(|colour| colour.blocks[axis]);
        let ratio = brightness.blocks[axis] / first;
        (first == second && ratio * first == brightness.blocks[axis] && ratio <= 2).then_some(ratio)
    };
    let ratio = [ratios(0)?, ratios(1)?];
    if !is_usual {
        return None;
    }
    let of_colour = ratio.map(|ratio| (side * ratio).min(8));
    let sides = if grey { None } else { Some(of_colour) };
    let mut planes = scan::decode(header, bytes, &[Some([side; 2]), sides, sides])?.into_iter();
    let brightness = planes.next()?;
    if grey {
        return Some(Pixels { width, height, channels: 1, values: cut(&brightness, width, height) });
    }
    let size = [header.width, header.height];
    let chroma = |plane| Chroma {
        plane,
        real: [0, 1].map(|axis| (size[axis].div_ceil(ratio[axis]) * of_colour[axis]).div_ceil(8)),
        pixels: [0, 1].map(|axis| side * ratio[axis] / of_colour[axis]),
    };
    let (blue, red) = (chroma(planes.next()?), chroma(planes.next()?));
    let mut values = vec![0; width * height * 3];
    let mut lines = [vec![0; width], vec![0; width]];
    let mut sums = Vec::new();
    for (row, out) in values.chunks_exact_mut(3 * width).enumerate() {
        blue.line(row, &mut lines[0], &mut sums);
        red.line(row, &mut lines[1], &mut sums);
        let bright = &brightness.values[row * brightness.stride..][..width];
        let colours = lines[0].iter().zip(&lines[1]);
        for ((out, &bright), (&blue, &red)) in out.chunks_exact_mut(3).zip(bright).zip(colours) {
            out.copy_from_slice(&rgb(bright, blue, red));
        }
    }
    Some(Pixels { width, height, channels: 3, values })
}

/// The part of a plane that shows the image.
fn cut(plane: &Plane, width: usize, height: usize) -> Vec<u8> {
    plane.values.chunks_exact(plane.stride).take(height).flat_map(|row| &row[..width]).copied().collect()
}

/// Red, green and blue of brightness and its distances to blue and red, as JFIF has it.
#[inline(always)]
fn rgb(bright: u8, blue: u8, red: u8) -> [u8; 3] {
    let bright = (i32::from(bright) << 16) + (1 << 15);
    let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
    let of = |sum: i32| (sum >> 16).clamp(0, 255) as u8;
    [of(bright + 91_881 * red), of(bright - 22_554 * blue - 46_802 * red), of(bright + 116_130 * blue)]
}

impl Chroma {
    /// The values of a row of pixels. Between two values lies what is three parts the nearer, one part the other.
    fn line(&self, row: usize, out: &mut [u8], sums: &mut Vec<u16>) {
        let [across, down] = self.pixels;
        let real = |row: usize| &self.plane.values[row.min(self.real[1] - 1) * self.plane.stride..][..self.real[0]];
        if self.pixels == [1, 1] {
            return out.copy_from_slice(&real(row)[..out.len()]);
        }
        let near = real(row / down);
        let far = match (down, row % 2) {
            (1, _) => near,
            (_, 0) => real((row / 2).saturating_sub(1)),
            _ => real(row / 2 + 1),
        };
        sums.clear();
        sums.extend(near.iter().zip(far).map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)));
        if across == 1 {
            return out.iter_mut().zip(&*sums).for_each(|(out, sum)| *out = ((sum + 2) / 4) as u8);
        }
        for (at, pair) in out.chunks_mut(2).enumerate() {
            let here = 3 * sums[at];
            pair[0] = ((here + sums[at.saturating_sub(1)] + 8) / 16) as u8;
            if let Some(second) = pair.get_mut(1) {
                *second = ((here + sums[(at + 1).min(sums.len() - 1)] + 7) / 16) as u8;
            }
        }
    }
}
