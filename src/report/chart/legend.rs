//! What stands above a coordinate system: its title, and what its colours mean.

use plotters::prelude::*;

use super::{Canvas, Curve, DETAIL, DOT, LETTERING, MARGIN, MARKED_POINTS, Panel, SHADE, draw_dot, draw_line, fine};
use crate::error::Result;
use crate::report::text::{self, drawing};

const TITLE: f64 = 34.0;
/// Most lines of a legend; what is beyond is counted.
const LINES: usize = 8;
/// Share of the width that a name may take.
const SHARE: f64 = 0.4;

/// Draws the title and, below it, the legend: outside the plane, where it hides no curve. Returns
/// the height of both; `left` is where the plane begins.
pub(super) fn draw_header(area: &Canvas, panel: &Panel, curves: &[Curve], left: u32) -> Result<u32> {
    let (large, small) = (fine(TITLE), fine(LETTERING));
    let mut y = f64::from(MARGIN * DETAIL);
    let right = area.dim_in_pixel().0 as i32 - (MARGIN * DETAIL) as i32;
    let room = usize::try_from(right - left as i32).unwrap_or(0);
    if !panel.title.is_empty() {
        text::draw(area, &text::fitted(panel.title, large, room)?, large, (left as i32, y as i32))?;
        y += large;
    }
    let (sample, gap) = (fine(34.0) as i32, fine(10.0) as i32);
    let (base_x, base_y) = area.get_base_pixel();
    let mut x = left as i32;
    let mut lines = 0;
    let named: Vec<&Curve> = curves.iter().filter(|(name, ..)| !name.is_empty()).collect();
    for (place, (name, color, points)) in named.iter().enumerate() {
        let name = text::fitted(name, small, (SHARE * room as f64) as usize)?;
        let width = sample + gap + text::width(&name, small)? as i32;
        let more = format!("and {} more", named.len() - place);
        // On the last line there is room for what says that there are more.
        let reserved = match (lines, place + 1 < named.len()) {
            (LINES, true) => 3 * gap + text::width(&more, small)? as i32,
            _ => 0,
        };
        if lines > 0 && x + width + reserved > right {
            if lines == LINES {
                text::draw(area, &more, small, (x, y as i32))?;
                break;
            }
            (x, y) = (left as i32, y + small);
            lines += 1;
        }
        lines = lines.max(1);
        let middle = (y + 0.25 * small) as i32;
        let ends = [(x, middle), (x + sample, middle)].map(|(x, y)| (x + base_x, y + base_y));
        if panel.joined {
            draw_line(area, &ends, *color)?;
        }
        if !panel.joined || points.len() <= MARKED_POINTS {
            draw_dot(area, (base_x + x + sample / 2, base_y + middle), DOT, *color)?;
        }
        text::draw(area, &name, small, (x + sample + gap, y as i32))?;
        x += width + 3 * gap;
    }
    if !panel.shaded.is_empty() && !panel.shading.is_empty() {
        let width = sample + gap + text::width(panel.shading, small)? as i32;
        if lines > 0 && x + width > right {
            (x, y) = (left as i32, y + small);
        }
        let corners = [(x, y + 0.1 * small), (x + sample, y + 0.6 * small)];
        let corners = corners.map(|(x, y)| (x + base_x, y as i32 + base_y));
        area.use_screen_coord().draw(&Rectangle::new(corners, SHADE.filled())).map_err(drawing)?;
        text::draw(area, panel.shading, small, (x + sample + gap, y as i32))?;
        lines += 1;
    }
    if lines > 0 {
        y += small;
    }
    Ok(y as u32)
}
