//! Pixels from black, 0, to white, 1, and the values of a row that a network sees for them.

use crate::data::Encoding;
use crate::error::{Error, Result};

/// The affine map of each channel of an image, or of each value of a plain row, from pixels to what a network sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    maps: Vec<Map>,
}

/// value = scale · pixel + shift
#[derive(Clone, Copy, Debug, PartialEq)]
struct Map {
    scale: f32,
    shift: f32,
}

impl Pixels {
    /// Those of a run's data: bytes as shares of 255, other numbers as shares of the range that the training rows have.
    ///
    /// # Errors
    /// When rows are those of a table, whose columns have units and words of their own.
    pub fn of(encoding: &Encoding) -> Result<Self> {
        if encoding.is_table() {
            let problem = "expected images or rows of numbers, whose values can all move by as much; the columns of a table have \
                           units and words of their own";
            return Err(Error::Usage(problem.into()));
        }
        let [least, most] = encoding.stored.unwrap_or([0.0, 1.0]);
        let range = if most > least { most - least } else { 1.0 };
        let mut maps: Vec<Map> = encoding
            .scale
            .iter()
            .map(|map| Map { scale: range / map.deviation, shift: (least - map.mean) / map.deviation })
            .collect();
        if maps.is_empty() {
            maps.push(Map { scale: range, shift: least });
        }
        Ok(Pixels { maps })
    }

    fn map(&self, place: usize) -> Map {
        self.maps[place % self.maps.len()]
    }

    /// Whole rows as pixels.
    pub fn of_rows(&self, rows: &[f32]) -> Vec<f32> {
        let pixel = |(place, &x): (usize, &f32)| (x - self.map(place).shift) / self.map(place).scale;
        rows.iter().enumerate().map(pixel).collect()
    }

    /// Whole rows of pixels as a network sees them, behind what is there already.
    pub fn append(&self, pixels: &[f32], rows: &mut Vec<f32>) {
        rows.extend(pixels.iter().enumerate().map(|(place, &x)| self.map(place).scale * x + self.map(place).shift));
    }

    /// The gradient with respect to pixels, of whole rows, where it was that with respect to values.
    pub fn of_gradient(&self, gradient: &mut [f32]) {
        gradient.iter_mut().enumerate().for_each(|(place, g)| *g *= self.map(place).scale);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::ImageShape;
    use crate::data::encoding::Affine;

    fn back(pixels: &Pixels, values: &[f32]) -> Vec<f32> {
        let mut rows = Vec::new();
        pixels.append(values, &mut rows);
        rows
    }

    #[test]
    fn shares_are_pixels_already() {
        let plain = Pixels::of(&Encoding::images(ImageShape::row(3), Vec::new())).unwrap();
        let rows = [0.0, 0.3, 1.0];
        assert_eq!(plain.of_rows(&rows), rows);
        assert_eq!(back(&plain, &rows), rows);
        let mut gradient = [1.0, -2.0, 0.0];
        plain.of_gradient(&mut gradient);
        assert_eq!(gradient, [1.0, -2.0, 0.0]);
    }

    #[test]
    fn epsilon_is_in_pixels_before_any_map() {
        let image = ImageShape { height: 1, width: 2, channels: 2 };
        let mut encoding = Encoding::images(image, Vec::new());
        encoding.scale = vec![Affine { mean: 0.5, deviation: 0.25 }, Affine { mean: 0.0, deviation: 2.0 }];
        let pixels = Pixels::of(&encoding).unwrap();
        // Black, half and white of the first channel are -2, 0 and 2; of the second 0, 0.25 and 0.5.
        assert_eq!(back(&pixels, &[0.0, 0.0, 1.0, 1.0]), [-2.0, 0.0, 2.0, 0.5]);
        assert_eq!(pixels.of_rows(&[-2.0, 0.25, 2.0, 0.5]), [0.0, 0.5, 1.0, 1.0]);
        let mut gradient = [1.0; 4];
        pixels.of_gradient(&mut gradient);
        assert_eq!(gradient, [4.0, 0.5, 4.0, 0.5]);
        // Numbers that are no shares: pixels are shares of the range of the training rows.
        encoding.stored = Some([0.0, 255.0]);
        encoding.scale = vec![Affine { mean: 127.5, deviation: 51.0 }];
        let pixels = Pixels::of(&encoding).unwrap();
        assert_eq!(back(&pixels, &[0.0, 1.0]), [-2.5, 2.5]);
        assert_eq!(pixels.of_rows(&[-2.5, 2.5]), [0.0, 1.0]);
    }
}
