//! Images as half blocks: a cell of the terminal is two pixels, one above the other.

use image::RgbImage;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::{Block, Widget};

use crate::data::ImageShape;
use crate::report::sheet::Strip;
use crate::report::thumbnail::Thumbnail;

/// Images that are seen at least, if that can be without drawing them smaller than this.
const SEEN: (usize, usize) = (2, 7);
/// Six levels of each colour, of 256 colours.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The colours that a terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Any of 16 million.
    Full,
    /// Those of the table of 256.
    #[default]
    Table,
}

/// Images, and what a network makes of each below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictures {
    /// Their layout.
    pub image: ImageShape,
    /// Rows of images, as many in each; one that has none yet keeps its place.
    pub strips: Vec<Strip>,
    /// What the terminal can show.
    pub depth: Depth,
}

impl Pictures {
    /// Images of a row.
    fn count(&self) -> usize {
        self.strips.iter().map(|strip| strip.pixels.len()).max().unwrap_or(0) / self.image.values().max(1)
    }

    /// Whether there is anything to see.
    pub(super) fn is_drawn(&self) -> bool {
        self.count() > 0
    }
}

/// How images lie in a part of the terminal.
#[derive(Clone, Copy, Debug)]
struct Layout {
    thumbnail: Thumbnail,
    across: usize,
    down: usize,
}

/// The largest images of which enough are seen; nothing where not even one fits.
fn layout(image: ImageShape, strips: usize, count: usize, room: Rect) -> Option<Layout> {
    let (width, height) = (usize::from(room.width), usize::from(room.height));
    let of = |side: usize| {
        let thumbnail = Thumbnail::within(image, side);
        let (wide, high) = thumbnail.size();
        let lines = strips * high.div_ceil(2);
        Layout { thumbnail, across: (width + 1) / (wide + 1), down: (height + 1) / (lines + 1) }
    };
    let sides = || (1..=width.max(2 * height)).rev();
    let enough = SEEN.0.min(count);
    let large = sides().filter(|&side| side >= SEEN.1).map(of).find(|layout| layout.across * layout.down >= enough);
    large.or_else(|| sides().map(of).find(|layout| layout.across * layout.down > 0))
}

/// Draws as many of the images as there is room for, each over what is made of it.
pub(super) fn draw(pictures: &Pictures, area: Rect, buffer: &mut Buffer) {
    let captions: Vec<&str> = pictures.strips.iter().map(|strip| strip.caption.as_str()).collect();
    let block = Block::new().title(format!(" {}", captions.join(" over ")));
    let mut room = block.inner(area);
    block.render(area, buffer);
    // A column apart from what is beside it.
    (room.x, room.width) = (room.x + 1, room.width.saturating_sub(1));
    let (count, size) = (pictures.count(), pictures.image.values());
    let Some(Layout { thumbnail, across, down }) = layout(pictures.image, pictures.strips.len(), count, room) else {
        return;
    };
    let (wide, high) = thumbnail.size();
    let lines = high.div_ceil(2);
    for number in 0..count.min(across * down) {
        let left = usize::from(room.x) + number % across * (wide + 1);
        let top = usize::from(room.y) + number / across * (pictures.strips.len() * lines + 1);
        for (place, strip) in pictures.strips.iter().enumerate() {
            let Some(values) = strip.pixels.chunks_exact(size).nth(number) else { continue };
            let mut drawn = RgbImage::new(wide as u32, high as u32);
            thumbnail.draw(&mut drawn, values, (0, 0));
            half_blocks(&drawn, pictures.depth, (left, top + place * lines), buffer);
        }
    }
}

/// An image at a cell: its even rows of pixels are the upper halves of cells, the odd ones the lower halves.
fn half_blocks(drawn: &RgbImage, depth: Depth, (left, top): (usize, usize), buffer: &mut Buffer) {
    for (x, y, upper) in drawn.enumerate_pixels().filter(|(_, y, _)| y % 2 == 0) {
        let at = (left as u16 + x as u16, top as u16 + y as u16 / 2);
        let Some(cell) = buffer.cell_mut(at) else { continue };
        let lower = drawn.get_pixel_checked(x, y + 1).map_or(Color::Reset, |pixel| color(pixel.0, depth));
        cell.set_symbol("▀").set_style(Style::new().fg(color(upper.0, depth)).bg(lower));
    }
}

/// A colour as the terminal can show it: of the table, the nearest among its cube and its greys.
fn color(rgb: [u8; 3], depth: Depth) -> Color {
    if depth == Depth::Full {
        return Color::Rgb(rgb[0], rgb[1], rgb[2]);
    }
    let distance = |other: [u8; 3]| rgb.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
    let nearest =
        rgb.map(|value| (0..6u8).min_by_key(|&level| LEVELS[usize::from(level)].abs_diff(value)).unwrap_or(0));
    let cube = nearest.map(|level| LEVELS[usize::from(level)]);
    let mean = rgb.iter().map(|&value| u32::from(value)).sum::<u32>() / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    match distance([8 + 10 * grey; 3]) < distance(cube) {
        true => Color::Indexed(232 + grey),
        false => Color::Indexed(16 + 36 * nearest[0] + 6 * nearest[1] + nearest[2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_a_table_are_the_nearest_ones() {
        let found = |rgb| color(rgb, Depth::Table);
        assert_eq!(found([0, 0, 0]), Color::Indexed(16));
        assert_eq!(found([255; 3]), Color::Indexed(231));
        assert_eq!(found([128; 3]), Color::Indexed(244), "a grey of the ramp");
        assert_eq!(found([255, 0, 0]), Color::Indexed(196));
        assert_eq!(color([1, 2, 3], Depth::Full), Color::Rgb(1, 2, 3));
    }

    #[test]
    fn images_are_as_large_as_lets_two_of_them_be_seen() -> Result<(), &'static str> {
        let digits = ImageShape { height: 28, width: 28, channels: 1 };
        let room = |width, height| Rect { x: 0, y: 0, width, height };
        let of = |room| layout(digits, 2, 8, room).map(|it| (it.thumbnail.size(), it.across, it.down));
        assert_eq!(of(room(30, 18)), Some(((14, 14), 2, 1)));
        assert_eq!(of(room(60, 60)), Some(((28, 28), 2, 2)));
        assert_eq!(of(room(0, 5)), None);
        let (size, ..) = of(room(4, 2)).ok_or("one that is hardly seen")?;
        assert!(size.0 <= 4 && size.1 <= 4, "{size:?}");
        Ok(())
    }
}
