//! What plots are drawn on, larger than they are shown, and strokes and dots on it.

use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::text::drawing;
use crate::error::{Error, Result};

/// Pictures are drawn this much larger and averaged down: plotters smooths thin lines only.
pub(super) const DETAIL: u32 = 3;
/// Radius of a point of a curve, and of one of a scatter.
pub(super) const DOT: f64 = 5.5;
pub(super) const SMALL_DOT: f64 = 3.5;
/// Up to this many points of a series are marked one by one.
pub(super) const MARKED_POINTS: usize = 40;

/// An area to draw on.
pub(super) type Canvas<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// The finished picture of a canvas: the mean of each of its squares of [`DETAIL`] pixels.
pub(super) fn shrunk(canvas: &[u8], width: u32, height: u32) -> Result<RgbImage> {
    let (detail, channels) = (DETAIL as usize, 3);
    let stride = width as usize * detail * channels;
    let area = DETAIL * DETAIL;
    let mut sums = vec![0; width as usize * channels];
    let mut bytes = Vec::with_capacity(sums.len() * height as usize);
    for rows in canvas.chunks_exact(stride * detail) {
        sums.fill(area / 2);
        for row in rows.chunks_exact(stride) {
            for (sum, pixels) in sums.chunks_exact_mut(channels).zip(row.chunks_exact(channels * detail)) {
                for (place, &byte) in pixels.iter().enumerate() {
                    sum[place % channels] += u32::from(byte);
                }
            }
        }
        bytes.extend(sums.iter().map(|sum| (sum / area) as u8));
    }
    RgbImage::from_raw(width, height, bytes).ok_or_else(|| Error::Failed("a plot has lost its pixels".into()))
}

/// `pixels` of the finished picture as pixels of the canvas.
pub(super) fn fine(pixels: f64) -> f64 {
    pixels * f64::from(DETAIL)
}

/// Draws a curve through `positions`, in pixels of the whole canvas.
pub(super) fn draw_curve(area: &Canvas, positions: &[(i32, i32)], color: RGBColor, joined: bool) -> Result<()> {
    if !joined {
        return positions.iter().try_for_each(|&position| draw_dot(area, position, SMALL_DOT, color));
    }
    draw_line(area, positions, color)?;
    if positions.len() <= MARKED_POINTS {
        for &position in positions {
            draw_dot(area, position, DOT, color)?;
        }
    }
    Ok(())
}

/// Draws segment after segment with round joints: plotters' own joints grow spikes on noisy curves.
pub(super) fn draw_line(area: &Canvas, positions: &[(i32, i32)], color: RGBColor) -> Result<()> {
    const WIDTH: f64 = 3.0;
    let canvas = area.use_screen_coord();
    for segment in positions.windows(2) {
        let stroke = color.stroke_width(fine(WIDTH) as u32);
        canvas.draw(&PathElement::new(segment.to_vec(), stroke)).map_err(drawing)?;
    }
    for &position in positions {
        let joint = Circle::new(position, fine(WIDTH / 2.0) as i32, color.filled());
        canvas.draw(&joint).map_err(drawing)?;
    }
    Ok(())
}

pub(super) fn draw_dot(area: &Canvas, position: (i32, i32), radius: f64, color: RGBColor) -> Result<()> {
    let dot = Circle::new(position, fine(radius) as i32, color.filled());
    area.use_screen_coord().draw(&dot).map_err(drawing)
}
