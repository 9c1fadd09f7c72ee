//! Named values as bars.

use image::{Rgb, RgbImage};
use plotters::prelude::{BitMapBackend, IntoDrawingArea};

use super::table::format_number;
use super::text::{self, Title, drawing};
use crate::error::{Error, Result};

const GAP: usize = 24;
/// Line height of names and values, and the distance from one bar to the next.
const LINE: f64 = 26.0;
const PITCH: usize = 28;
/// Most pixels of a name, and pixels of the longest bar.
const NAME: usize = 340;
const LONGEST: usize = 640;
/// Height of a bar, and space between it and its lettering.
const THICK: usize = 16;
const BESIDE: usize = 10;
/// The first colour of the palette.
const COLOR: Rgb<u8> = Rgb([0, 114, 178]);

/// A value with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What stands to the left of it.
    pub name: String,
    /// How long it is, 0 or more; one that is not finite has no bar.
    pub value: f64,
}

/// Draws bars one below the other, in their order, each between its name and its value, under a title and above a note, which
/// may both be empty.
///
/// # Errors
/// When there is no bar, or the text cannot be set.
pub fn bar_picture(title: &str, bars: &[Bar], note: &str) -> Result<RgbImage> {
    if bars.is_empty() {
        return Err(Error::Failed("cannot draw bars: there is none".into()));
    }
    let mut lettering = Vec::with_capacity(bars.len());
    let (mut names, mut values) = (0, 0);
    for bar in bars {
        let (name, value) = (text::fitted(&bar.name, LINE, NAME)?, format_number(bar.value));
        let widths = [text::width(&name, LINE)? as usize, text::width(&value, LINE)? as usize];
        (names, values) = (names.max(widths[0]), values.max(widths[1]));
        lettering.push((name, widths[0], value));
    }
    let left = GAP + names + BESIDE;
    let width = left + LONGEST + BESIDE + values + GAP;
    let title = Title::new(title, width - 2 * GAP)?;
    let notes = if note.is_empty() { Vec::new() } else { text::lines(note, LINE, width - 2 * GAP)? };
    let top = GAP + title.height();
    let below = top + bars.len() * PITCH;
    let width = width.max(title.width + 2 * GAP);
    let height = below + notes.len() * PITCH + GAP;
    let mut picture = RgbImage::from_pixel(width as u32, height as u32, Rgb([255; 3]));
    let largest = bars.iter().map(|bar| bar.value).filter(|value| value.is_finite()).fold(0.0, f64::max);
    let length = |bar: &Bar| match bar.value / largest {
        share if share.is_finite() => ((share.max(0.0) * LONGEST as f64).round() as usize).max(1),
        _ => 0,
    };
    for (number, bar) in bars.iter().enumerate() {
        let y = top + number * PITCH;
        for (x, y) in (y..y + THICK).flat_map(|y| (left..left + length(bar)).map(move |x| (x, y))) {
            picture.put_pixel(x as u32, y as u32, COLOR);
        }
    }
    let size = picture.dimensions();
    let canvas = BitMapBackend::with_buffer(picture.as_mut(), size).into_drawing_area();
    title.draw(&canvas, (GAP, GAP))?;
    for (number, (bar, (name, wide, value))) in bars.iter().zip(&lettering).enumerate() {
        let y = (top + number * PITCH) as i32;
        text::draw(&canvas, name, LINE, ((left - BESIDE - wide) as i32, y))?;
        text::draw(&canvas, value, LINE, ((left + length(bar) + BESIDE) as i32, y))?;
    }
    for (number, line) in notes.iter().enumerate() {
        text::draw(&canvas, line, LINE, (left as i32, (below + number * PITCH) as i32))?;
    }
    canvas.present().map_err(drawing)?;
    drop(canvas);
    Ok(picture)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bar(name: &str, value: f64) -> Bar {
        Bar { name: name.into(), value }
    }

    /// Pixels of bars in each row of the picture that has any.
    fn lengths(picture: &RgbImage) -> Vec<usize> {
        let inked = |y: u32| (0..picture.width()).filter(|&x| picture.get_pixel(x, y) == &COLOR).count();
        let rows: Vec<usize> = (0..picture.height()).map(inked).filter(|count| *count > 0).collect();
        rows.chunks(THICK).map(|rows| rows[0]).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        let bars = [bar("one", 2.0), bar("two", 1.0), bar("none", 0.0), bar("not a number", f64::NAN)];
        assert_eq!(lengths(&bar_picture("", &bars, "").unwrap()), [LONGEST, LONGEST / 2, 1]);
        assert!(bar_picture("", &[], "").is_err());
        assert!(lengths(&bar_picture("", &bars[2..3], "").unwrap()).is_empty(), "there is nothing to be a share of");
    }

    #[test]
    fn names_titles_and_notes_have_room() {
        let long = "a column with a name of more than sixty characters, which is shortened";
        let picture = bar_picture(&long.repeat(4), &[bar(long, 1.0), bar("b", 0.5)], long).unwrap();
        assert!(picture.width() < (NAME + LONGEST + 300) as u32, "{}", picture.width());
        let bare = bar_picture("", &[bar(long, 1.0), bar("b", 0.5)], "").unwrap();
        assert!(picture.height() > bare.height() + 60);
    }
}
