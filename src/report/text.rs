//! The typeface of every picture, embedded so that text looks the same on a machine without fonts.

use std::fmt::Display;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, ScaleFont};
use plotters::coord::Shift;
use plotters::prelude::{BitMapBackend, DrawingArea, IntoFont, RGBColor, TextStyle};
use plotters::style::{FontStyle, register_font};

use super::fold::{ELLIPSIS, brief, folded};
use crate::error::{Error, Result};

/// Noto Sans Regular; its licence stands beside it.
static TYPEFACE: &[u8] = include_bytes!("../../assets/fonts/NotoSans-Regular.ttf");
/// The name under which plotters knows the embedded typeface.
const FAMILY: &str = "gpu-ae sans";
/// The colour of all text.
const INK: RGBColor = RGBColor(34, 34, 34);

/// Registration is global in plotters, and once per process is enough.
static REGISTERED: LazyLock<bool> = LazyLock::new(|| register_font(FAMILY, FontStyle::Normal, TYPEFACE).is_ok());

/// The embedded typeface with a line height of `size` pixels. Capitals and digits fill the upper
/// half of a line that begins at the given point.
pub(super) fn style(size: f64) -> Result<TextStyle<'static>> {
    if !*REGISTERED {
        return Err(drawing("the embedded typeface is damaged"));
    }
    Ok(TextStyle::from((FAMILY, size).into_font()).color(&INK))
}

/// Width in pixels of one line of `text`.
pub(super) fn width(text: &str, size: f64) -> Result<u32> {
    Ok(pens(text, size)?.1.ceil() as u32)
}

/// Draws one line of `text`, with its upper left corner at `(left, top)` of the area.
///
/// plotters spaces the letters of a text unevenly, as if each began where its ink does; drawn one
/// by one they stand where the typeface wants them.
pub(super) fn draw(
    area: &DrawingArea<BitMapBackend, Shift>,
    text: &str,
    size: f64,
    (left, top): (i32, i32),
) -> Result<()> {
    let style = style(size)?;
    for (letter, pen) in pens(text, size)?.0 {
        let place = (left + pen.round() as i32, top);
        area.draw_text(letter.encode_utf8(&mut [0; 4]), &style, place).map_err(drawing)?;
    }
    Ok(())
}

/// Line height of the titles of pictures.
const TITLE: f64 = 30.0;
/// Space below a title, beside what its last line leaves.
const BELOW: usize = 8;
/// Width that a title may have whatever stands below it.
const TITLE_ROOM: u32 = 640;

/// Letters of a line beyond which none is looked at: far more than any picture has room for.
const MOST_LETTERS: usize = 400;

/// What a picture shows, in as many lines as it takes.
pub(super) struct Title {
    lines: Vec<String>,
    /// Width of the longest line in pixels.
    pub(super) width: usize,
}

impl Title {
    /// `text` above something `width` pixels wide; no line where there is no text.
    pub(super) fn new(text: &str, width: usize) -> Result<Self> {
        let lines = if text.is_empty() { Vec::new() } else { lines(text, TITLE, width.max(TITLE_ROOM as usize))? };
        let mut title = Title { lines, width: 0 };
        for line in &title.lines {
            title.width = title.width.max(self::width(line, TITLE)? as usize);
        }
        Ok(title)
    }

    /// Pixels that it takes, with the space below it.
    pub(super) fn height(&self) -> usize {
        let below = if self.lines.is_empty() { 0 } else { BELOW };
        self.lines.len() * TITLE as usize + below
    }

    /// Draws it with its upper left corner there.
    pub(super) fn draw(&self, area: &DrawingArea<BitMapBackend, Shift>, (left, top): (usize, usize)) -> Result<()> {
        for (number, line) in self.lines.iter().enumerate() {
            draw(area, line, TITLE, (left as i32, (top + number * TITLE as usize) as i32))?;
        }
        Ok(())
    }
}

/// `text` in lines of this size, each at most `width` pixels wide.
pub(super) fn lines(text: &str, size: f64, width: usize) -> Result<Vec<String>> {
    // Whatever is wrong with the typeface is wrong with all of it.
    self::width(text, size)?;
    Ok(folded(text, |line| self::width(line, size).is_ok_and(|pixels| pixels as usize <= width)))
}

/// `text` on one line of at most `width` pixels, with an ellipsis in place of what does not fit.
pub(super) fn fitted(text: &str, size: f64, width: usize) -> Result<String> {
    let text = brief(text, MOST_LETTERS);
    if self::width(&text, size)? as usize <= width {
        return Ok(text.into_owned());
    }
    let letters: Vec<char> = text.trim_end_matches(ELLIPSIS).chars().collect();
    let shown = |count: usize| letters[..count].iter().collect::<String>().trim_end().to_string() + ELLIPSIS;
    let (mut fits, mut exceeds) = (0, letters.len() + 1);
    while exceeds - fits > 1 {
        let middle = usize::midpoint(fits, exceeds);
        if self::width(&shown(middle), size)? as usize <= width { fits = middle } else { exceeds = middle }
    }
    Ok(shown(fits))
}

/// Where the ink of every letter begins, and where the line ends.
fn pens(text: &str, size: f64) -> Result<(Vec<(char, f32)>, f32)> {
    let font = FontRef::try_from_slice(TYPEFACE).map_err(drawing)?;
    let scaled = font.as_scaled(size as f32);
    let mut letters = Vec::new();
    let mut pen = 0.0;
    let mut previous = None;
    for letter in text.chars() {
        let glyph = scaled.scaled_glyph(letter);
        let id = glyph.id;
        pen += previous.map_or(0.0, |previous| scaled.kern(previous, id));
        if let Some(outline) = scaled.outline_glyph(glyph) {
            letters.push((letter, pen + outline.px_bounds().min.x));
        }
        pen += scaled.h_advance(id);
        previous = Some(id);
    }
    Ok((letters, pen))
}

/// An error of the drawing library as one of ours.
pub(super) fn drawing(error: impl Display) -> Error {
    Error::Failed(format!("cannot draw the picture: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};
    use plotters::prelude::IntoDrawingArea;

    #[test]
    fn text_is_inked_between_its_ends_with_capitals_in_the_upper_half_of_the_line() {
        const WHITE: Rgb<u8> = Rgb([255; 3]);
        let (size, text) = (40.0, "HEIZ");
        let width = width(text, size).unwrap();
        let mut picture = RgbImage::from_pixel(200, 60, WHITE);
        let canvas = BitMapBackend::with_buffer(picture.as_mut(), (200, 60)).into_drawing_area();
        draw(&canvas, text, size, (30, 10)).unwrap();
        drop(canvas);
        let inked = || picture.enumerate_pixels().filter(|(.., pixel)| **pixel != WHITE);
        assert!(inked().any(|(.., pixel)| *pixel == Rgb([34; 3])), "no letter is dark");
        let (left, right) = (inked().map(|p| p.0).min(), inked().map(|p| p.0).max());
        assert!((30..36).contains(&left.unwrap()) && right.unwrap() <= 30 + width, "{right:?}");
        let (top, bottom) = (inked().map(|p| p.1).min(), inked().map(|p| p.1).max());
        assert!((8..=12).contains(&top.unwrap()), "{top:?}");
        assert!((28..=32).contains(&bottom.unwrap()), "{bottom:?}");
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(fitted("short", 30.0, 200).unwrap(), "short");
        let long = "a name of sixty characters, as folders of images may well have";
        let shown = fitted(long, 30.0, 200).unwrap();
        assert!(shown.ends_with('…') && long.starts_with(shown.trim_end_matches('…')), "{shown}");
        assert!((170..=200).contains(&width(&shown, 30.0).unwrap()), "{shown}");
        assert_eq!(fitted("wide", 30.0, 1).unwrap(), "…");
        assert_eq!(fitted("", 30.0, 1).unwrap(), "");
        assert!(fitted(&"x".repeat(1 << 20), 30.0, 300).unwrap().chars().count() < 50);
    }

    #[test]
    fn width_grows_with_text_and_size() {
        assert_eq!(width("", 30.0).unwrap(), 0);
        let one = width("epoch", 30.0).unwrap();
        assert!(width("epoch epoch", 30.0).unwrap() > 2 * one);
        assert!(width("epoch", 60.0).unwrap().abs_diff(2 * one) <= 2);
    }
}
