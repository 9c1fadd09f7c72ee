//! Sheets of images in rows that mean something each: a caption beside a row, headings above its images.

use image::RgbImage;
use plotters::prelude::{BitMapBackend, IntoDrawingArea};

use super::grid::{CAPTION, GAP, LARGEST_SIDE, LETTERING, PAPER, SEPARATOR, refused};
use super::text::{self, Title, drawing};
use super::thumbnail::Thumbnail;
use crate::data::ImageShape;
use crate::error::Result;

/// Longest side of an image in a sheet, in pixels of the picture; larger ones are reduced, since rows keep their columns.
const MOST_SIDE: usize = 128;
/// Line height of headings, which stand closer than captions.
const HEADING: f64 = 24.0;
/// Height that a line of headings takes, its lower third being empty.
const HEADING_SPACE: usize = 22;
/// Room that images with headings side by side make for those, if they are narrower.
const HEADED: usize = 112;
/// Height that a caption takes.
const CAPTION_SPACE: usize = 24;
/// Space around the lettering of a narrow sheet, in which a heading is wider than its image.
const CROWDED: usize = 4;

/// One row of a sheet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strip {
    /// What stands to the left; may be empty.
    pub caption: String,
    /// What stands above each image, perhaps in several lines, shortened to the room that there is; a row that has headings
    /// keeps its distance from the row above.
    pub headings: Vec<String>,
    /// Pixels `[images, height · width · channels]` in 0..=1.
    pub pixels: Vec<f32>,
}

/// Draws rows of images one below the other, under `title`, which may be empty. Before each of the columns `gaps`, counted from 0, is some space.
pub fn image_sheet(title: &str, strips: &[Strip], image: ImageShape, gaps: &[usize]) -> Result<RgbImage> {
    let size = image.values();
    if strips.iter().all(|strip| strip.pixels.is_empty()) || size == 0 {
        return Err(refused("there is no image in it".into()));
    }
    if let Some(strip) = strips.iter().find(|strip| !strip.pixels.len().is_multiple_of(size)) {
        return Err(refused(format!("{} values are no images of {size}", strip.pixels.len())));
    }
    let layout = Layout::new(title, strips, image, gaps)?;
    let mut picture = RgbImage::from_pixel(layout.width as u32, layout.height as u32, PAPER);
    for (strip, &top) in strips.iter().zip(&layout.tops) {
        for (column, pixels) in strip.pixels.chunks_exact(size).enumerate() {
            layout.thumbnail.draw(&mut picture, pixels, (layout.x(column), top));
        }
    }
    draw_lettering(&mut picture, strips, &layout)?;
    Ok(picture)
}

/// Where everything is, in pixels of the picture.
struct Layout {
    thumbnail: Thumbnail,
    cell: (usize, usize),
    title: Title,
    /// What stands beside each row.
    captions: Vec<String>,
    left: usize,
    /// Width that an image has for itself and its heading.
    slot: usize,
    gaps: Vec<usize>,
    /// Upper edge of the images of each row.
    tops: Vec<usize>,
    width: usize,
    height: usize,
}

impl Layout {
    fn new(title: &str, strips: &[Strip], image: ImageShape, gaps: &[usize]) -> Result<Self> {
        let thumbnail = Thumbnail::new(image, MOST_SIDE);
        let cell = thumbnail.size();
        let (mut names, mut captions) = (Vec::with_capacity(strips.len()), 0);
        for strip in strips {
            let name = text::fitted(&strip.caption, LETTERING, CAPTION)?;
            captions = captions.max(text::width(&name, LETTERING)? as usize);
            names.push(name);
        }
        let left = GAP + if captions > 0 { captions + GAP } else { 0 };
        let columns = strips.iter().map(|strip| strip.pixels.len() / image.values()).max().unwrap_or(1);
        let slot = cell.0.max(heading_room(strips)?.min(HEADED));
        let mut layout = Layout {
            thumbnail,
            cell,
            title: Title::new("", 0)?,
            captions: names,
            left,
            slot,
            gaps: gaps.to_vec(),
            tops: Vec::with_capacity(strips.len()),
            width: 0,
            height: 0,
        };
        let right = layout.x(columns.saturating_sub(1)) + cell.0 + (slot - cell.0).div_ceil(2);
        layout.title = Title::new(title, right - GAP)?;
        layout.width = right.max(GAP + layout.title.width) + GAP;
        let mut y = GAP + layout.title.height();
        for (row, strip) in strips.iter().enumerate() {
            let lines = strip.headings.iter().map(|heading| heading.split('\n').count()).max().unwrap_or(0);
            if lines > 0 {
                y += lines * HEADING_SPACE + if row > 0 { GAP } else { 0 };
            }
            layout.tops.push(y);
            // Captions of low images stand below one another all the same.
            let lettering = if layout.captions[row].is_empty() { 0 } else { CAPTION_SPACE };
            y += cell.1.max(lettering) + SEPARATOR;
        }
        layout.height = y - SEPARATOR + GAP;
        if layout.width.max(layout.height) > LARGEST_SIDE {
            let (width, height) = (layout.width, layout.height);
            return Err(refused(format!("{width} x {height} pixels are too many for a picture")));
        }
        Ok(layout)
    }

    /// Left edge of the images of a column.
    fn x(&self, column: usize) -> usize {
        let gaps = self.gaps.iter().filter(|&&gap| gap <= column && gap > 0).count();
        self.left + column * (self.slot + SEPARATOR) + gaps * GAP + (self.slot - self.cell.0) / 2
    }

    /// Most pixels of a heading: those of its slot, or a little more where there are none beside it.
    fn room(&self, headings: &[String], column: usize) -> usize {
        let pitch = self.slot + SEPARATOR;
        let is_empty = |place: Option<usize>| place.and_then(|place| headings.get(place)).is_none_or(String::is_empty);
        let is_alone = is_empty(column.checked_sub(1)) && is_empty(Some(column + 1));
        let room = if is_alone { (self.slot + 2 * GAP).min(2 * pitch) } else { pitch };
        room.saturating_sub(CROWDED)
    }
}

/// Pixels of the widest heading that has another one beside it.
fn heading_room(strips: &[Strip]) -> Result<usize> {
    let mut widest = 0;
    for pair in strips.iter().flat_map(|strip| strip.headings.windows(2)) {
        if pair.iter().all(|heading| !heading.is_empty()) {
            for line in pair.iter().flat_map(|heading| heading.split('\n')) {
                widest = widest.max(text::width(&text::fitted(line, HEADING, HEADED)?, HEADING)? as usize + CROWDED);
            }
        }
    }
    Ok(widest)
}

fn draw_lettering(picture: &mut RgbImage, strips: &[Strip], layout: &Layout) -> Result<()> {
    let dimensions = picture.dimensions();
    let canvas = BitMapBackend::with_buffer(picture.as_mut(), dimensions).into_drawing_area();
    layout.title.draw(&canvas, (GAP, GAP))?;
    for ((strip, name), &top) in strips.iter().zip(&layout.captions).zip(&layout.tops) {
        let caption = text::width(name, LETTERING)? as usize;
        let middle = (top + layout.cell.1 / 2) as i32 - (0.25 * LETTERING) as i32;
        text::draw(&canvas, name, LETTERING, ((layout.left - GAP - caption) as i32, middle))?;
        let lines = strip.headings.iter().map(|heading| heading.split('\n').count()).max().unwrap_or(0);
        for (column, heading) in strip.headings.iter().enumerate() {
            let room = layout.room(&strip.headings, column);
            // The last line of each stands next to its image.
            let above = lines - heading.split('\n').count();
            for (line, heading) in heading.split('\n').enumerate() {
                let heading = text::fitted(heading, HEADING, room)?;
                let width = text::width(&heading, HEADING)? as usize;
                let left = (layout.x(column) + layout.cell.0 / 2) as i32 - (width / 2) as i32;
                let down = (lines - above - line) * HEADING_SPACE;
                text::draw(&canvas, &heading, HEADING, (left, (top - down) as i32))?;
            }
        }
    }
    canvas.present().map_err(drawing)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const IMAGE: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };

    fn strip(caption: &str, headings: &[&str], levels: &[f32]) -> Strip {
        let headings = headings.iter().map(ToString::to_string).collect();
        let pixels = levels.iter().flat_map(|&level| [level; 28 * 28]).collect();
        Strip { caption: caption.into(), headings, pixels }
    }

    /// Corners of the block of exactly this grey.
    fn block(picture: &RgbImage, level: u8) -> (u32, u32, u32, u32) {
        let inked = || picture.enumerate_pixels().filter(|(.., pixel)| pixel.0 == [level; 3]);
        let (xs, ys) = (|| inked().map(|p| p.0), || inked().map(|p| p.1));
        (xs().min().unwrap(), ys().min().unwrap(), xs().max().unwrap(), ys().max().unwrap())
    }

    #[test]
    fn images_stand_in_rows_with_space_where_it_was_asked_for() {
        let strips = [strip("", &[], &[0.2, 0.4, 0.6]), strip("", &[], &[0.8])];
        let picture = image_sheet("", &strips, IMAGE, &[1]).unwrap();
        assert_eq!(block(&picture, 51), (16, 16, 99, 99));
        assert_eq!(block(&picture, 102), (16 + 87 + 16, 16, 118 + 84, 99));
        assert_eq!(block(&picture, 153), (16 + 174 + 16, 16, 205 + 84, 99));
        assert_eq!(block(&picture, 204), (16, 16 + 87, 99, 99 + 87));
        assert_eq!(picture.dimensions(), (290 + 16, 187 + 16));
    }

    #[test]
    fn lettering_makes_room_for_itself() {
        let bare = image_sheet("", &[strip("", &[], &[1.0]), strip("", &[], &[1.0])], IMAGE, &[]).unwrap();
        assert!(bare.pixels().all(|pixel| pixel.0 == [255; 3]));
        let strips = [strip("first", &["0.5"], &[1.0]), strip("", &["1"], &[1.0])];
        let lettered = image_sheet("", &strips, IMAGE, &[]).unwrap();
        assert_eq!(lettered.height(), bare.height() + 2 * HEADING_SPACE as u32 + GAP as u32);
        assert!(lettered.width() > bare.width() + 40);
        let left = lettered.width() - (84 + GAP) as u32;
        let ink = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
            let dark =
                |(px, py, pixel): (u32, u32, &image::Rgb<u8>)| x.contains(&px) && y.contains(&py) && pixel[0] < 90;
            lettered.enumerate_pixels().filter(|&(px, py, pixel)| dark((px, py, pixel))).count()
        };
        let first = 16 + HEADING_SPACE as u32;
        assert!(ink(0..left, first..first + 84) > 30, "the caption");
        assert!(ink(left..left + 84, 10..first) > 10, "the first heading");
        assert!(ink(left..left + 84, first + 84..first + 84 + 41) > 5, "the second heading");
        let titled = image_sheet("lines between codes", &strips, IMAGE, &[]).unwrap();
        let (added, width) = (titled.height() - lettered.height(), lettered.width() as usize);
        let below = image::imageops::crop_imm(&titled, 0, added, lettered.width(), lettered.height()).to_image();
        assert!(
            added > 20 && below.iter().skip(3 * GAP * width).eq(lettered.iter().skip(3 * GAP * width)),
            "the title moves all of it down"
        );
    }

    #[test]
    fn headings_take_lines_and_end_in_an_ellipsis_where_there_is_no_room() {
        let sheet = |heading: &str| image_sheet("", &[strip("", &[heading, ""], &[1.0, 1.0])], IMAGE, &[]).unwrap();
        let (one, two) = (sheet("a"), sheet("a\nb"));
        assert_eq!(two.height(), one.height() + HEADING_SPACE as u32);
        let long = sheet("a class whose name is far too long for an image");
        assert_eq!(long.dimensions(), one.dimensions());
        let inked = long.enumerate_pixels().filter(|(.., pixel)| pixel[0] < 90).map(|(x, ..)| x as usize);
        let last = inked.max().unwrap();
        assert!((60..GAP + 84 + SEPARATOR + GAP).contains(&last), "{last}");
        // Side by side they make room for themselves, as far as that goes.
        let side_by_side = |heading: &str| {
            let strips = [strip("", &[heading, heading], &[0.0, 0.1])];
            let narrow = ImageShape { height: 56, width: 14, channels: 1 };
            let picture = image_sheet("", &strips, narrow, &[]).unwrap();
            // Blacker than any letter.
            block(&picture, 26).0 - block(&picture, 0).0
        };
        assert_eq!(side_by_side(""), 14 + SEPARATOR as u32);
        assert_eq!(side_by_side("a class whose name is far too long for an image"), (HEADED + SEPARATOR) as u32);
    }

    #[test]
    fn captions_of_low_images_stand_below_one_another() {
        let row = |caption: &str| Strip { caption: caption.into(), pixels: vec![1.0; 40], ..Strip::default() };
        let image = ImageShape::row(40);
        let [bare, lettered] = ["", "name"].map(|name| image_sheet("", &[row(name), row(name)], image, &[]).unwrap());
        assert_eq!(lettered.height() - bare.height(), 2 * (CAPTION_SPACE as u32 - 2));
    }

    #[test]
    fn what_is_no_sheet_is_refused() {
        assert!(image_sheet("", &[], IMAGE, &[]).is_err());
        assert!(image_sheet("", &[strip("a", &[], &[])], IMAGE, &[]).is_err());
        let torn = Strip { pixels: vec![0.0; 100], ..Strip::default() };
        assert!(image_sheet("", &[torn], IMAGE, &[]).is_err());
        let wide = strip("", &[], &[0.5; 400]);
        assert!(image_sheet("", &[wide], IMAGE, &[]).is_err());
    }
}
