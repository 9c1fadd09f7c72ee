//! Weight matrices as pictures: one cell a weight, blue where it is negative, orange where it is positive, and below them
//! what the colours stand for.

use image::{Rgb, RgbImage};
use plotters::coord::Shift;
use plotters::prelude::{BitMapBackend, DrawingArea, IntoDrawingArea};

use super::matrix::Matrix;
use super::table::format_number;
use super::text::{self, Title, drawing};
use crate::error::Result;

/// Most pixels of a matrix's longer side, unless it has more cells than that; of one that is made of images, twice that.
const SIDE: u32 = 400;
const GAP: u32 = 24;
/// Line height of the titles of matrices.
const LINE: f64 = 26.0;
/// Room of a title, however narrow its matrix is.
const ROOM: u32 = 300;
/// Width at which a new row of matrices begins.
const PAGE: u32 = 1400;
/// Width and height of a scale, and line height of what stands below it.
pub(super) const SCALE: u32 = 260;
pub(super) const SCALE_HEIGHT: u32 = 12;
const FIGURES: f64 = 22.0;
/// Space above a scale.
const ABOVE: u32 = 10;
/// Where a matrix has no element.
const NOTHING: Rgb<u8> = Rgb([226; 3]);

/// Where a matrix goes: its upper left corner, pixels of a cell, and the lines of its title.
struct Placed {
    at: (u32, u32),
    cell: u32,
    title: Vec<String>,
}

impl Placed {
    /// Pixels of a matrix here.
    fn size(&self, matrix: &Matrix) -> (u32, u32) {
        (matrix.columns as u32 * self.cell, matrix.rows as u32 * self.cell)
    }
}

/// Draws `matrices` one after the other under a title. Colours are relative to the largest weight of each, by the square
/// root, so that weights a hundredth of it still show; a scale below each says what they stand for.
///
/// # Errors
/// When the text cannot be set.
pub fn weight_picture(title: &str, matrices: &[Matrix]) -> Result<RgbImage> {
    let (mut places, (width, height)) = layout(matrices)?;
    let title = Title::new(title, (width - 2 * GAP) as usize)?;
    let down = title.height() as u32;
    places.iter_mut().for_each(|place| place.at.1 += down);
    let width = width.max(title.width as u32 + 2 * GAP);
    let mut picture = RgbImage::from_pixel(width, height + down, Rgb([255; 3]));
    for (matrix, place) in matrices.iter().zip(&places) {
        let (largest, (left, top)) = (largest(matrix), place.at);
        for (index, &w) in matrix.values.iter().enumerate() {
            let (row, column) = ((index / matrix.columns) as u32, (index % matrix.columns) as u32);
            let color = if w.is_nan() { NOTHING } else { color(if largest > 0.0 { w / largest } else { 0.0 }) };
            fill(&mut picture, (left + column * place.cell, top + row * place.cell), (place.cell, place.cell), color);
        }
        draw_scale(&mut picture, scale_at(matrix, place), ends(matrix), color);
    }
    let size = picture.dimensions();
    let canvas = BitMapBackend::with_buffer(picture.as_mut(), size).into_drawing_area();
    title.draw(&canvas, (GAP as usize, GAP as usize))?;
    for (matrix, place) in matrices.iter().zip(&places) {
        draw_lettering(&canvas, matrix, place)?;
    }
    canvas.present().map_err(drawing)?;
    drop(canvas);
    Ok(picture)
}

pub(super) fn fill(picture: &mut RgbImage, (left, top): (u32, u32), (width, height): (u32, u32), color: Rgb<u8>) {
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        picture.put_pixel(left + x, top + y, color);
    }
}

/// The largest size of an element.
fn largest(matrix: &Matrix) -> f32 {
    matrix.values.iter().fold(0.0, |most: f32, w| most.max(w.abs()))
}

/// Shares of the largest element at the ends of the scale: from 0 on where nothing is negative.
fn ends(matrix: &Matrix) -> [f32; 2] {
    [if matrix.values.iter().any(|w| *w < 0.0) { -1.0 } else { 0.0 }, 1.0]
}

/// Upper left corner of the scale of a matrix.
fn scale_at(matrix: &Matrix, place: &Placed) -> (u32, u32) {
    (place.at.0, place.at.1 + place.size(matrix).1 + ABOVE)
}

/// Every colour between these shares, the upper left corner there.
pub(super) fn draw_scale(
    picture: &mut RgbImage,
    (left, top): (u32, u32),
    [low, high]: [f32; 2],
    color: impl Fn(f32) -> Rgb<u8>,
) {
    // A frame, without which the white of nothing has no edge.
    fill(picture, (left, top), (SCALE, SCALE_HEIGHT), NOTHING);
    for x in 1..SCALE - 1 {
        let share = low + (high - low) * (x - 1) as f32 / (SCALE - 3) as f32;
        fill(picture, (left + x, top + 1), (1, SCALE_HEIGHT - 2), color(share));
    }
}

/// The values below a scale between these shares of the largest.
pub(super) fn draw_figures(
    canvas: &DrawingArea<BitMapBackend, Shift>,
    (left, top): (u32, u32),
    [low, high]: [f32; 2],
    largest: f32,
) -> Result<()> {
    let places = if low < 0.0 { vec![low, 0.0, high] } else { vec![0.0, high] };
    for share in places {
        let value = format_number(f64::from(share * largest));
        let (width, wide) = (text::width(&value, FIGURES)? as f32, SCALE as f32);
        // Within the scale at its ends, around its place between them.
        let x = ((share - low) / (high - low) * wide - width / 2.0).clamp(0.0, wide - width);
        text::draw(canvas, &value, FIGURES, (left as i32 + x as i32, (top + SCALE_HEIGHT) as i32 + 3))?;
    }
    Ok(())
}

/// The title above a matrix, and the values below its scale.
fn draw_lettering(canvas: &DrawingArea<BitMapBackend, Shift>, matrix: &Matrix, place: &Placed) -> Result<()> {
    for (number, line) in place.title.iter().enumerate() {
        let above = (place.title.len() - number) as f64 * LINE;
        text::draw(canvas, line, LINE, (place.at.0 as i32, place.at.1 as i32 - above as i32))?;
    }
    draw_figures(canvas, scale_at(matrix, place), ends(matrix), largest(matrix))
}

/// Where each matrix goes, and the size of the page.
fn layout(matrices: &[Matrix]) -> Result<(Vec<Placed>, (u32, u32))> {
    let mut rows: Vec<Vec<Placed>> = Vec::new();
    let mut x = PAGE;
    let mut widest = 0;
    for matrix in matrices {
        let side = if matrix.values.iter().any(|w| w.is_nan()) { 2 * SIDE } else { SIDE };
        let cell = (side / matrix.rows.max(matrix.columns).max(1) as u32).max(1);
        let room = (matrix.columns as u32 * cell).max(ROOM);
        let title = text::lines(&matrix.title, LINE, room as usize)?;
        if rows.is_empty() || x + room + GAP > PAGE {
            rows.push(Vec::new());
            x = GAP;
        }
        rows.last_mut().into_iter().for_each(|row| row.push(Placed { at: (x, 0), cell, title: title.clone() }));
        x += room + GAP;
        widest = widest.max(x);
    }
    let mut y = GAP;
    let mut places = Vec::with_capacity(matrices.len());
    for mut row in rows {
        let lines = row.iter().map(|place| place.title.len()).max().unwrap_or(0);
        let top = y + (lines as f64 * LINE) as u32;
        for (place, matrix) in row.iter_mut().zip(&matrices[places.len()..]) {
            place.at.1 = top;
            let below = place.size(matrix).1 + ABOVE + SCALE_HEIGHT + FIGURES as u32;
            y = y.max(top + below + GAP);
        }
        places.append(&mut row);
    }
    Ok((places, (widest.max(2 * GAP), y)))
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
    use image::GenericImageView;

    fn matrix(title: &str, rows: usize, columns: usize, values: &[f32]) -> Matrix {
        Matrix { title: title.into(), rows, columns, values: values.to_vec() }
    }

    #[test]
    fn every_weight_has_its_cell_and_colour() {
        let picture = weight_picture("", &[matrix("layer 1", 2, 3, &[1.0, -1.0, 0.0, 0.25, f32::NAN, 0.0])]).unwrap();
        let cell = 2 * SIDE / 3;
        let at = |row: u32, column: u32| {
            *picture.get_pixel(GAP + column * cell + cell / 2, GAP + LINE as u32 + row * cell + cell / 2)
        };
        assert_eq!(at(0, 0), Rgb([213, 94, 0]));
        assert_eq!(at(0, 1), Rgb([0, 114, 178]));
        assert_eq!(at(0, 2), Rgb([255; 3]));
        assert_eq!(at(1, 0), color(0.25));
        assert_eq!(at(1, 1), NOTHING);
    }

    #[test]
    fn a_scale_says_what_the_colours_stand_for() {
        for (values, low) in [([1.0, -0.5], color(-1.0)), ([1.0, 0.5], color(0.0))] {
            let matrices = [matrix("", 1, 2, &values)];
            let place = &layout(&matrices).unwrap().0[0];
            let (left, top) = scale_at(&matrices[0], place);
            let picture = weight_picture("", &matrices).unwrap();
            let at = |x: u32| *picture.get_pixel(left + x, top + SCALE_HEIGHT / 2);
            assert_eq!([at(1), at(SCALE - 2)], [low, color(1.0)]);
            // The values at both ends, and 0 between them only where it is there.
            let ink =
                |x: u32| picture.view(left + x, top + SCALE_HEIGHT, SCALE / 5, 20).pixels().any(|(.., p)| p[0] < 90);
            assert_eq!([ink(0), ink(2 * SCALE / 5), ink(4 * SCALE / 5)], [true, values[1] < 0.0, true]);
        }
    }

    #[test]
    fn matrices_with_titles_and_scales_stand_side_by_side_and_never_overlap() {
        let sizes = [(64, 784), (20, 64), (1, 1), (20, 20), (784, 64), (20, 20)];
        let matrices: Vec<Matrix> = sizes
            .iter()
            .map(|&(rows, columns)| {
                let title = format!("layer of {rows} x {columns} with a long name, which takes more than a line here");
                matrix(&title, rows, columns, &vec![0.5; rows * columns])
            })
            .collect();
        let (places, (width, height)) = layout(&matrices).unwrap();
        let spans: Vec<_> = matrices
            .iter()
            .zip(&places)
            .map(|(matrix, place)| {
                let ((x, y), (w, h)) = (place.at, place.size(matrix));
                let title = text::width(&place.title[0], LINE).unwrap();
                let above = (place.title.len() as f64 * LINE) as u32;
                assert!(place.title.len() > 1 || w > ROOM);
                (x, y - above, x + w.max(SCALE).max(title), y + h + ABOVE + SCALE_HEIGHT + FIGURES as u32)
            })
            .collect();
        for (i, a) in spans.iter().enumerate() {
            assert!(a.2 <= width && a.3 <= height);
            for b in &spans[i + 1..] {
                assert!(a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1, "{a:?} {b:?}");
            }
        }
        let picture = weight_picture("weights", &matrices).unwrap();
        assert_eq!(picture.dimensions(), (width, height + Title::new("weights", 1000).unwrap().height() as u32));
    }
}
