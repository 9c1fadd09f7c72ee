//! Matrices whose rows and columns have names, as pictures: blue where a value is negative, orange where it is positive.

use image::imageops::rotate270;
use image::{Rgb, RgbImage};
use plotters::prelude::{BitMapBackend, IntoDrawingArea};

use super::text::{self, Title, drawing};
use super::weights::{SCALE, SCALE_HEIGHT, color, draw_figures, draw_scale, fill};
use crate::error::{Error, Result};

const GAP: usize = 24;
/// Line height of names.
const LINE: f64 = 24.0;
/// Height of their ink.
const INK: usize = 20;
/// Most pixels of the name of a row, and of that of a column, which is turned.
const ROW_NAME: usize = 360;
const COLUMN_NAME: usize = 300;
/// Pixels of a cell at least and at most, and of a whole matrix if cells may be so small.
const CELL: (usize, usize) = (22, 44);
const SIDE: usize = 640;
/// Space between a name and its cells.
const BESIDE: usize = 8;
/// Where there is no value.
const NOTHING: Rgb<u8> = Rgb([226; 3]);

/// A matrix with the names of its rows and columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heat {
    /// What stands above it.
    pub title: String,
    /// What stands beside its rows; none if they are named elsewhere.
    pub rows: Vec<String>,
    /// What stands above its columns.
    pub columns: Vec<String>,
    /// Its elements, row by row; where one is NaN there is none.
    pub values: Vec<f32>,
    /// The size of a value that has the full colour; if nothing is said, that of the largest.
    pub largest: Option<f32>,
}

/// Where a matrix goes.
struct Placed {
    title: Title,
    rows: Vec<String>,
    columns: Vec<String>,
    /// Upper left corner of its cells.
    at: (usize, usize),
    cell: usize,
    width: usize,
    height: usize,
}

impl Heat {
    fn height(&self) -> usize {
        self.values.len() / self.columns.len().max(1)
    }

    fn full(&self) -> f32 {
        let largest = self.values.iter().filter(|value| value.is_finite()).fold(0.0, |most: f32, x| most.max(x.abs()));
        self.largest.unwrap_or(largest)
    }

    /// Shares of the full colour at the ends of its scale: from 0 on where nothing is negative.
    fn ends(&self) -> [f32; 2] {
        [if self.values.iter().any(|value| *value < 0.0) { -1.0 } else { 0.0 }, 1.0]
    }

    /// Its place, the left edge of its names being at `x` and its cells' upper edge at 0.
    fn placed(&self, x: usize) -> Result<Placed> {
        let fitted = |names: &[String], most: usize| -> Result<Vec<String>> {
            names.iter().map(|name| text::fitted(name, LINE, most)).collect()
        };
        let (rows, columns) = (fitted(&self.rows, ROW_NAME)?, fitted(&self.columns, COLUMN_NAME)?);
        let cell = (SIDE / self.columns.len().max(self.height()).max(1)).clamp(CELL.0, CELL.1);
        let left = x + widest(&rows)? + if rows.is_empty() { 0 } else { BESIDE };
        let cells = (self.columns.len() * cell).max(SCALE as usize);
        let title = Title::new(&self.title, left - x + cells)?;
        let width = (left - x + cells).max(title.width);
        Ok(Placed { title, rows, columns, at: (left, 0), cell, width, height: self.height() * cell })
    }

    /// Linear in the value: the colours of weights go by the square root.
    fn shade(share: f32) -> Rgb<u8> {
        color(share * share.abs())
    }
}

/// Pixels of the longest of these names.
fn widest(names: &[String]) -> Result<usize> {
    names.iter().try_fold(0, |most, name| Ok(most.max(text::width(name, LINE)? as usize)))
}

/// Draws matrices side by side under a title, each with its names and a scale that says what its colours stand for.
///
/// # Errors
/// When there is nothing to draw, or the text cannot be set.
pub fn heat_picture(title: &str, heats: &[Heat]) -> Result<RgbImage> {
    let is_matrix = |heat: &Heat| !heat.values.is_empty() && heat.values.len() == heat.height() * heat.columns.len();
    if heats.is_empty() || !heats.iter().all(is_matrix) {
        return Err(Error::Failed("cannot draw a matrix with names: it has no elements, or a name too few".into()));
    }
    let mut places = Vec::with_capacity(heats.len());
    let (mut x, mut above, mut below) = (GAP, 0, 0);
    for heat in heats {
        let placed = heat.placed(x)?;
        x += placed.width + GAP;
        above = above.max(placed.title.height() + widest(&placed.columns)? + BESIDE);
        below = below.max(placed.height);
        places.push(placed);
    }
    let title = Title::new(title, x - 2 * GAP)?;
    let top = GAP + title.height() + above;
    places.iter_mut().for_each(|place| place.at.1 = top);
    let width = x.max(title.width + 2 * GAP);
    let scale = top + below + BESIDE;
    let height = scale + SCALE_HEIGHT as usize + INK + GAP;
    let mut picture = RgbImage::from_pixel(width as u32, height as u32, Rgb([255; 3]));
    for (heat, place) in heats.iter().zip(&places) {
        draw_cells(&mut picture, heat, place);
        for (number, name) in place.columns.iter().enumerate() {
            let middle = place.at.0 + number * place.cell + place.cell / 2;
            draw_turned(&mut picture, name, (middle, place.at.1 - BESIDE))?;
        }
        draw_scale(&mut picture, (place.at.0 as u32, scale as u32), heat.ends(), Heat::shade);
    }
    let size = picture.dimensions();
    let canvas = BitMapBackend::with_buffer(picture.as_mut(), size).into_drawing_area();
    let mut left = GAP;
    for (heat, place) in heats.iter().zip(&places) {
        place.title.draw(&canvas, (left, GAP + title.height()))?;
        for (number, name) in place.rows.iter().enumerate() {
            let wide = text::width(name, LINE)? as usize;
            let y = place.at.1 + number * place.cell + place.cell / 2;
            text::draw(&canvas, name, LINE, ((place.at.0 - BESIDE - wide) as i32, y as i32 - (0.3 * LINE) as i32))?;
        }
        draw_figures(&canvas, (place.at.0 as u32, scale as u32), heat.ends(), heat.full())?;
        left += place.width + GAP;
    }
    title.draw(&canvas, (GAP, GAP))?;
    canvas.present().map_err(drawing)?;
    drop(canvas);
    Ok(picture)
}

/// Every element as a square, a hair's breadth from the next.
fn draw_cells(picture: &mut RgbImage, heat: &Heat, place: &Placed) {
    let full = heat.full();
    for (index, &value) in heat.values.iter().enumerate() {
        let (row, column) = (index / heat.columns.len(), index % heat.columns.len());
        let color = match value {
            value if value.is_nan() => NOTHING,
            value if full > 0.0 => Heat::shade(value / full),
            _ => Heat::shade(0.0),
        };
        let at = (place.at.0 + column * place.cell, place.at.1 + row * place.cell);
        let side = place.cell as u32 - 1;
        fill(picture, (at.0 as u32, at.1 as u32), (side, side), color);
    }
}

/// Text that is read from below, around a middle, its end at the height of `bottom`.
fn draw_turned(picture: &mut RgbImage, name: &str, (middle, bottom): (usize, usize)) -> Result<()> {
    let size = (text::width(name, LINE)?.max(1) + 2, INK as u32);
    let mut line = RgbImage::from_pixel(size.0, size.1, Rgb([255; 3]));
    let canvas = BitMapBackend::with_buffer(line.as_mut(), size).into_drawing_area();
    text::draw(&canvas, name, LINE, (0, 1))?;
    canvas.present().map_err(drawing)?;
    drop(canvas);
    let turned = rotate270(&line);
    // Letters fill the upper half of a line and a little more.
    let left = middle.saturating_sub(INK / 2 - 2);
    let top = bottom.saturating_sub(turned.height() as usize);
    image::imageops::replace(picture, &turned, left as i64, top as i64);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_value_has_its_cell_and_colour_and_a_scale() {
        let heat = Heat {
            title: String::new(),
            rows: Vec::new(),
            columns: names(&["", ""]),
            values: vec![2.0, -1.0, f32::NAN, 0.0],
            largest: None,
        };
        let picture = heat_picture("", std::slice::from_ref(&heat)).unwrap();
        let at = |row: usize, column: usize| {
            let (x, y) = (GAP + column * CELL.1 + 5, GAP + BESIDE + row * CELL.1 + 5);
            *picture.get_pixel(x as u32, y as u32)
        };
        assert_eq!(
            [at(0, 0), at(0, 1), at(1, 0), at(1, 1)],
            [Rgb([213, 94, 0]), Heat::shade(-0.5), NOTHING, Rgb([255; 3])]
        );
        // Half way from white to blue.
        assert_eq!(Heat::shade(-0.5), Rgb([128, 185, 217]));
        assert!(picture.pixels().filter(|pixel| pixel[0] < 60).count() > 20, "the figures of the scale");
        let halved = heat_picture("", &[Heat { largest: Some(4.0), ..heat }]).unwrap();
        assert_eq!(*halved.get_pixel((GAP + 5) as u32, (GAP + BESIDE + 5) as u32), Heat::shade(0.5));
    }

    #[test]
    fn names_stand_beside_rows_and_above_columns() {
        let long = "a column with a name of more than sixty characters, which is shortened";
        let of = |rows: &[&str], columns: &[&str]| {
            let heat = Heat { rows: names(rows), columns: names(columns), values: vec![0.0; 4], ..Heat::default() };
            heat_picture("", &[heat]).unwrap()
        };
        let bare = of(&[], &["", ""]);
        let named = of(&["one", "two"], &["first", long]);
        assert!(named.width() > bare.width() + 20 && named.width() < bare.width() + ROW_NAME as u32);
        let added = named.height() - bare.height();
        assert!((150..=COLUMN_NAME as u32).contains(&added), "{added}");
        let left = named.width() - GAP as u32 - SCALE;
        let inked = |x: std::ops::Range<u32>| {
            named.enumerate_pixels().filter(|(px, _, pixel)| x.contains(px) && pixel[0] < 90).count()
        };
        assert!(inked(0..left) > 30 && inked(left..left + 2 * CELL.1 as u32) > 100);
    }

    #[test]
    fn matrices_stand_side_by_side_and_what_is_none_is_refused() {
        let heat = |columns: usize, values: usize| Heat {
            title: "a matrix".into(),
            columns: vec!["name".into(); columns],
            values: vec![0.5; values],
            ..Heat::default()
        };
        let [one, two] = [1, 2].map(|count| heat_picture("", &vec![heat(40, 1600); count]).unwrap());
        assert_eq!(two.width() - one.width(), (40 * CELL.0 + GAP) as u32);
        assert_eq!(two.height(), one.height());
        for wrong in [vec![], vec![heat(2, 3)], vec![heat(0, 0)], vec![heat(3, 0)]] {
            assert!(heat_picture("", &wrong).is_err());
        }
    }
}
