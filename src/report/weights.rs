//! Weight matrices as pictures: one cell a weight, blue where it is negative, orange where it is positive.

use image::{Rgb, RgbImage};
use plotters::prelude::{BitMapBackend, IntoDrawingArea};

use super::text::{self, drawing};
use crate::error::Result;

/// A matrix with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What stands above it.
    pub title: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Its elements, row by row.
    pub values: Vec<f32>,
}

/// Most pixels of a matrix's longer side, unless it has more cells than that.
const SIDE: u32 = 400;
const GAP: u32 = 24;
const LINE: f64 = 28.0;
/// Width at which a new row of matrices begins.
const PAGE: u32 = 1400;

/// Place of a matrix's upper left corner, and pixels of a cell.
struct Placed {
    at: (u32, u32),
    cell: u32,
}

/// Draws `matrices` one after the other. Colours are relative to the largest weight of each, by the square
/// root, so that weights a hundredth of it still show.
///
/// # Errors
/// When the text cannot be set.
pub fn weight_picture(matrices: &[Matrix]) -> Result<RgbImage> {
    let (places, (width, height)) = layout(matrices);
    let mut picture = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    {
        let size = picture.dimensions();
        let canvas = BitMapBackend::with_buffer(picture.as_mut(), size).into_drawing_area();
        for (matrix, Placed { at: (x, y), .. }) in matrices.iter().zip(&places) {
            text::draw(&canvas, &matrix.title, LINE, (*x as i32, *y as i32 - LINE as i32))?;
        }
        canvas.present().map_err(drawing)?;
    }
    for (matrix, Placed { at: (left, top), cell }) in matrices.iter().zip(places) {
        let largest = matrix.values.iter().fold(0.0, |most: f32, w| most.max(w.abs()));
        for (index, &w) in matrix.values.iter().enumerate() {
            let (row, column) = ((index / matrix.columns) as u32, (index % matrix.columns) as u32);
            let color = color(if largest > 0.0 { w / largest } else { 0.0 });
            for (x, y) in (0..cell).flat_map(|y| (0..cell).map(move |x| (x, y))) {
                picture.put_pixel(left + column * cell + x, top + row * cell + y, color);
            }
        }
    }
    Ok(picture)
}

/// Where each matrix goes, and the size of the page.
fn layout(matrices: &[Matrix]) -> (Vec<Placed>, (u32, u32)) {
    let line = LINE as u32;
    let (mut x, mut y, mut lowest, mut widest) = (GAP, GAP + line, GAP + line, 0);
    let mut places = Vec::new();
    for matrix in matrices {
        let cell = (SIDE / matrix.rows.max(matrix.columns).max(1) as u32).max(1);
        let (width, height) = (matrix.columns as u32 * cell, matrix.rows as u32 * cell);
        if x > GAP && x + width + GAP > PAGE {
            (x, y) = (GAP, lowest + GAP + line);
        }
        places.push(Placed { at: (x, y), cell });
        // A narrow matrix still needs room for its title.
        x += width.max(160) + GAP;
        lowest = lowest.max(y + height);
        widest = widest.max(x);
    }
    (places, (widest.max(GAP), lowest + GAP))
}

/// White at 0, the palette's blue at −1, its orange at 1.
pub(super) fn color(w: f32) -> Rgb<u8> {
    let far = if w < 0.0 { [0.0, 114.0, 178.0] } else { [213.0, 94.0, 0.0] };
    let share = w.abs().min(1.0).sqrt();
    Rgb(far.map(|channel: f32| (255.0 + share * (channel - 255.0)).round() as u8))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_has_its_cell_and_colour() {
        let values = vec![1.0, -1.0, 0.0, 0.25, 0.0, 0.0];
        let matrix = Matrix { title: "layer 1".into(), rows: 2, columns: 3, values };
        let picture = weight_picture(&[matrix]).unwrap();
        let cell = SIDE / 3;
        let at = |row: u32, column: u32| {
            *picture.get_pixel(GAP + column * cell + cell / 2, GAP + LINE as u32 + row * cell + cell / 2)
        };
        assert_eq!(at(0, 0), Rgb([213, 94, 0]));
        assert_eq!(at(0, 1), Rgb([0, 114, 178]));
        assert_eq!(at(0, 2), Rgb([255; 3]));
        assert_eq!(at(1, 0), color(0.25));
    }

    #[test]
    fn matrices_stand_side_by_side_and_never_overlap() {
        let matrix = |rows: usize, columns: usize| Matrix {
            title: format!("{rows} x {columns}"),
            rows,
            columns,
            values: vec![0.5; rows * columns],
        };
        let matrices = [matrix(64, 784), matrix(20, 64), matrix(20, 20), matrix(1, 1), matrix(784, 64)];
        let (places, (width, height)) = layout(&matrices);
        let spans: Vec<_> = matrices
            .iter()
            .zip(&places)
            .map(|(m, p)| (p.at.0, p.at.1, p.at.0 + m.columns as u32 * p.cell, p.at.1 + m.rows as u32 * p.cell))
            .collect();
        for (i, a) in spans.iter().enumerate() {
            assert!(a.2 <= width && a.3 <= height);
            for b in &spans[i + 1..] {
                assert!(a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1, "{a:?} {b:?}");
            }
        }
        assert_eq!(weight_picture(&matrices).unwrap().dimensions(), (width, height));
    }
}
