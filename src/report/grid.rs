//! Grids of small images, such as reconstructions under their originals.

use image::{Rgb, RgbImage};
use plotters::prelude::{BitMapBackend, IntoDrawingArea};

use super::text::{self, Title, drawing};
use super::thumbnail::{CELL, Thumbnail};
use crate::data::ImageShape;
use crate::error::{Error, Result};

/// Longest side of an image in a grid, in pixels of the picture; larger ones are reduced.
const MOST_SIDE: usize = 256;
/// Space around the grid, and between one group of rows and the next.
pub(super) const GAP: usize = 16;
/// Space between images of a group, across and down.
pub(super) const SEPARATOR: usize = 3;
/// The largest width and height of a picture.
pub(super) const LARGEST_SIDE: usize = 1 << 15;
/// Line height of the captions.
pub(super) const LETTERING: f64 = 28.0;

pub(super) const PAPER: Rgb<u8> = Rgb([255, 255, 255]);
/// Most pixels of a caption beside a row; what is longer ends in an ellipsis.
pub(super) const CAPTION: usize = 360;

/// Images that share the first, second, … row of every group.
#[derive(Clone, Copy, Debug)]
pub struct Band<'a> {
    /// What stands to the left of its rows; may be empty.
    pub caption: &'a str,
    /// Pixels `[images, height · width · channels]` in 0..=1. Beyond is clamped; NaN is magenta.
    pub pixels: &'a [f32],
}

/// Draws, under a title, test images, the same under noise if there is any, and their reconstructions one above the other,
/// `columns` side by side, then the next.
pub fn reconstruction_grid(
    title: &str,
    originals: &[f32],
    noisy: Option<&[f32]>,
    reconstructions: &[f32],
    image: ImageShape,
    columns: usize,
) -> Result<RgbImage> {
    let originals = Band { caption: "original", pixels: originals };
    let reconstructions = Band { caption: "reconstruction", pixels: reconstructions };
    let noisy = noisy.map(|pixels| Band { caption: "with noise", pixels });
    let bands: Vec<Band> = [originals].into_iter().chain(noisy).chain([reconstructions]).collect();
    image_grid(title, &bands, image, columns)
}

/// Draws the images of all `bands` in groups of rows, one row a band, `columns` images a row: the
/// n-th images of the bands are one above the other. With a single band it is an ordinary grid. Above it all stands `title`,
/// which may be empty. Of large images there are fewer in a row, so that the picture is no wider; images that have neither
/// one channel nor three are drawn channel by channel.
pub fn image_grid(title: &str, bands: &[Band], image: ImageShape, columns: usize) -> Result<RgbImage> {
    let size = image.height * image.width * image.channels;
    let count = bands.first().map_or(0, |band| band.pixels.len()) / size.max(1);
    if count == 0 || columns == 0 {
        return Err(refused("there is no image in it".into()));
    }
    if let Some(band) = bands.iter().find(|band| band.pixels.len() != count * size) {
        let found = band.pixels.len();
        let due = count * size;
        return Err(refused(format!("{count} images of {size} values are {due}, not {found}")));
    }

    let layout = Layout::new(title, bands, image, count, columns)?;
    let mut picture = RgbImage::from_pixel(layout.width as u32, layout.height as u32, PAPER);
    for (row, band) in bands.iter().enumerate() {
        for (index, pixels) in band.pixels.chunks_exact(size).enumerate() {
            layout.thumbnail.draw(&mut picture, pixels, layout.origin(row, index));
        }
    }
    draw_lettering(&mut picture, &layout)?;
    Ok(picture)
}

pub(super) fn refused(problem: String) -> Error {
    Error::Failed(format!("cannot draw a grid of images: {problem}"))
}

/// Where everything is, in pixels of the picture.
struct Layout {
    thumbnail: Thumbnail,
    columns: usize,
    groups: usize,
    /// What stands beside the rows of a group.
    captions: Vec<String>,
    /// An enlarged image.
    cell: (usize, usize),
    title: Title,
    /// Where images begin; captions are to the left.
    left: usize,
    /// Where the first row begins; the title is above.
    top: usize,
    /// Line height of captions, if there are any.
    lettering: Option<f64>,
    width: usize,
    height: usize,
}

impl Layout {
    fn new(title: &str, bands: &[Band], image: ImageShape, count: usize, columns: usize) -> Result<Self> {
        let thumbnail = Thumbnail::new(image, MOST_SIDE);
        let cell = thumbnail.size();
        // As many as take the room of those of usual size.
        let columns = columns.min((columns * (CELL + SEPARATOR) / (cell.0 + SEPARATOR)).max(1));
        // Letters that would touch those of the next row are left out.
        let lettering = (cell.1 as f64 >= LETTERING).then_some(LETTERING);
        let mut names = Vec::with_capacity(bands.len());
        let mut captions = 0;
        for band in bands {
            let name = text::fitted(band.caption, LETTERING, CAPTION)?;
            if let Some(size) = lettering {
                captions = captions.max(text::width(&name, size)? as usize);
            }
            names.push(name);
        }
        let left = GAP + if captions > 0 { captions + GAP } else { 0 };
        let (columns, groups) = (columns.min(count), count.div_ceil(columns));
        let mut layout = Layout {
            thumbnail,
            columns,
            groups,
            captions: names,
            cell,
            title: Title::new("", 0)?,
            left,
            top: GAP,
            lettering: lettering.filter(|_| captions > 0),
            width: 0,
            height: 0,
        };
        let (right, _) = layout.origin(bands.len() - 1, columns * groups - 1);
        layout.title = Title::new(title, right + cell.0 - GAP)?;
        layout.top += layout.title.height();
        let (_, bottom) = layout.origin(bands.len() - 1, columns * groups - 1);
        layout.width = (right + cell.0).max(GAP + layout.title.width) + GAP;
        layout.height = bottom + cell.1 + GAP;
        if layout.width.max(layout.height) > LARGEST_SIDE {
            let (width, height) = (layout.width, layout.height);
            return Err(refused(format!("{width} x {height} pixels are too many for a picture")));
        }
        Ok(layout)
    }

    /// Upper left corner of the image at `index` in a band.
    fn origin(&self, band: usize, index: usize) -> (usize, usize) {
        let (column, group) = (index % self.columns, index / self.columns);
        let pitch = self.cell.1 + SEPARATOR;
        let gap = if self.captions.len() > 1 { GAP } else { SEPARATOR };
        let x = self.left + column * (self.cell.0 + SEPARATOR);
        let y = self.top + group * (self.captions.len() * pitch - SEPARATOR + gap) + band * pitch;
        (x, y)
    }
}

fn draw_lettering(picture: &mut RgbImage, layout: &Layout) -> Result<()> {
    let dimensions = picture.dimensions();
    let canvas = BitMapBackend::with_buffer(picture.as_mut(), dimensions).into_drawing_area();
    layout.title.draw(&canvas, (GAP, GAP))?;
    for (group, size) in (0..layout.groups).flat_map(|group| layout.lettering.map(|size| (group, size))) {
        for (row, caption) in layout.captions.iter().enumerate() {
            let (x, y) = layout.origin(row, group * layout.columns);
            let left = x - GAP - text::width(caption, size)? as usize;
            let top = y + layout.cell.1 / 2 - (0.25 * size) as usize;
            text::draw(&canvas, caption, size, (left as i32, top as i32))?;
        }
    }
    canvas.present().map_err(drawing)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::thumbnail::NOT_A_NUMBER;

    const WHITE: [u8; 3] = [255; 3];

    fn shape(height: usize, width: usize, channels: usize) -> ImageShape {
        ImageShape { height, width, channels }
    }

    /// Grey images of 28 x 28, one for each level.
    fn plain(levels: &[f32]) -> Vec<f32> {
        levels.iter().flat_map(|&level| [level; 28 * 28]).collect()
    }

    fn bare(pixels: &[f32]) -> [Band<'_>; 1] {
        [Band { caption: "", pixels }]
    }

    #[test]
    fn originals_are_above_their_reconstructions() {
        let originals = plain(&[0.0, 0.2, 0.4]);
        let reconstructions = plain(&[0.6, 0.7, 0.8]);
        let picture = reconstruction_grid("", &originals, None, &reconstructions, shape(28, 28, 1), 2).unwrap();
        let right = picture.width() as usize - GAP;
        let columns = [right - SEPARATOR - 2 * 84, right - 84].map(|left| left as u32);
        let first = GAP as u32;
        let second = first + 84 + SEPARATOR as u32;
        let third = second + 84 + GAP as u32;
        let fourth = third + 84 + SEPARATOR as u32;
        assert_eq!(picture.height(), fourth + 84 + GAP as u32);
        let rows = [(first, [0, 51]), (second, [153, 179]), (third, [102, 255]), (fourth, [204, 255])];
        for (top, levels) in rows {
            for (left, level) in columns.into_iter().zip(levels) {
                for (dx, dy) in [(0, 0), (83, 0), (0, 83), (83, 83), (40, 40)] {
                    let found = picture.get_pixel(left + dx, top + dy).0;
                    assert_eq!(found, [level; 3], "at {dx}, {dy} of {left}, {top}");
                }
            }
        }
        // Between and around them is paper.
        for y in [first - 1, first + 84, second - 1, second + 84, third - 1, fourth - 1] {
            assert_eq!(picture.get_pixel(columns[0] + 40, y).0, WHITE);
        }
        for x in [columns[0] - 1, columns[0] + 84, columns[1] - 1, columns[1] + 84] {
            assert_eq!(picture.get_pixel(x, first + 40).0, WHITE);
        }
    }

    #[test]
    fn captions_stand_left_of_their_rows() {
        let images = plain(&[1.0, 1.0]);
        let picture = reconstruction_grid("", &images, Some(&images), &images, shape(28, 28, 1), 1).unwrap();
        // The images are white, so all ink is that of captions.
        let left = picture.width() - (84 + 2 * GAP) as u32;
        let inked = |rows: std::ops::Range<u32>| {
            let pixels = picture.enumerate_pixels().filter(|(.., pixel)| pixel.0 != WHITE);
            let pixels = pixels.filter(|(_, y, _)| rows.contains(y)).map(|(x, ..)| x);
            pixels.fold((u32::MAX, 0, 0), |(min, max, n), x| (min.min(x), max.max(x), n + 1))
        };
        let group = 3 * 87 + 13;
        for top in [16, 16 + 87, 16 + 174].into_iter().flat_map(|top| [top, top + group]) {
            let (first, last, count) = inked(top..top + 84);
            assert!(first >= GAP as u32 - 1 && last <= left && count > 100, "{first}..{last}");
            let (.., middle) = inked(top + 26..top + 58);
            assert_eq!(middle, count, "the caption is not at the middle of its row");
        }
    }

    #[test]
    fn a_title_stands_above_everything_and_makes_room_for_itself() {
        let white = plain(&[1.0]);
        let bare = image_grid("", &bare(&white), shape(28, 28, 1), 1).unwrap();
        assert!(bare.pixels().all(|pixel| pixel.0 == WHITE));
        let title = "test images above what the network makes of them, which is far wider than a single image";
        let titled = image_grid(title, &self::bare(&white), shape(28, 28, 1), 1).unwrap();
        let inked: Vec<(u32, u32)> =
            titled.enumerate_pixels().filter(|(.., pixel)| pixel.0 != WHITE).map(|(x, y, _)| (x, y)).collect();
        let added = titled.height() - bare.height();
        assert!(added >= 60 && titled.width() > bare.width(), "two lines, wider than the image");
        assert!(inked.len() > 1000 && inked.iter().all(|&(x, y)| x < titled.width() - 8 && y < GAP as u32 + added));
    }

    #[test]
    fn pixels_are_enlarged_without_smoothing() {
        let checkers = [0.0, 1.0, 1.0, 0.0];
        let picture = image_grid("", &bare(&checkers), shape(2, 2, 1), 8).unwrap();
        assert_eq!(picture.dimensions(), (84 + 2 * GAP as u32, 84 + 2 * GAP as u32));
        for (x, y, pixel) in picture.enumerate_pixels() {
            let inside = (16..100).contains(&x) && (16..100).contains(&y);
            let black = inside && (x < 58) == (y < 58);
            assert_eq!(pixel.0, if black { [0; 3] } else { WHITE }, "at {x}, {y}");
        }
        let large = vec![0.5; 100 * 90];
        let picture = image_grid("", &bare(&large), shape(90, 100, 1), 8).unwrap();
        assert_eq!(picture.dimensions(), (132, 122));
    }

    #[test]
    fn colours_are_interleaved_clamped_and_nan_is_seen() {
        let row = [[1.0, 0.5, 0.0], [7.0, -3.0, 0.2], [f32::INFINITY, f32::NEG_INFINITY, 0.0], [0.0, f32::NAN, 1.0]];
        let picture = image_grid("", &bare(row.as_flattened()), shape(1, 4, 3), 1).unwrap();
        let found: Vec<[u8; 3]> = (0..4).map(|n| picture.get_pixel(16 + n * 21, 16).0).collect();
        assert_eq!(found, [[255, 128, 0], [255, 0, 51], [255, 0, 0], NOT_A_NUMBER.0]);
        let picture = image_grid("", &bare(&[f32::NAN]), shape(1, 1, 1), 1).unwrap();
        assert_eq!(picture.get_pixel(50, 50), &NOT_A_NUMBER);
    }

    #[test]
    fn what_is_no_grid_is_refused() {
        let image = shape(2, 2, 1);
        let refused: [(&[f32], &[f32], ImageShape, usize); 6] = [
            (&[], &[], image, 4),
            (&[0.0; 4], &[0.0; 4], image, 0),
            (&[0.0; 4], &[0.0; 8], image, 4),
            (&[0.0; 6], &[0.0; 6], image, 4),
            (&[0.0; 4], &[0.0; 4], shape(0, 2, 1), 4),
            (&[0.0; 4 * 500], &[0.0; 4 * 500], image, 500),
        ];
        for (originals, reconstructions, image, columns) in refused {
            let error = reconstruction_grid("", originals, None, reconstructions, image, columns);
            assert!(error.is_err(), "{image:?}, {} values", originals.len());
        }
        assert!(image_grid("", &[], image, 4).is_err());
    }
}
