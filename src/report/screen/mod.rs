//! A run while it trains, as the cells of a terminal: progress above, curves beside images, and below them what the network
//! uses and what there is to warn of. Whatever does not fit is left out, the least important first.

mod curves;
mod pictures;
mod progress;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::line::{Part, fitting};
use super::loss::Curves;
use super::{printable_line, wrapped};

pub use pictures::{Depth, Pictures};
pub use progress::Progress;

/// Least columns, and least lines, of curves that have images beside them.
const BESIDE: (u16, u16) = (60, 10);
/// Least columns, and least lines, of curves and the images below them.
const BELOW: (u16, u16) = (20, 24);
/// Most lines of warnings, by the lines of the screen that one of them takes.
const WARNINGS: (u16, u16) = (4, 6);

/// What is seen of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Screen {
    /// What is trained on what.
    pub run: String,
    /// What computes it.
    pub device: String,
    /// How far it is.
    pub progress: Progress,
    /// The loss and its terms over epochs, the first of them what [`under_way`](Self::under_way) is of.
    pub curves: Vec<Curves>,
    /// The epoch under way, points (epoch, value).
    pub under_way: Vec<(f64, f64)>,
    /// What the network uses of its layers.
    pub widths: Vec<Part>,
    /// What there is to warn of.
    pub warnings: Vec<String>,
    /// Rows that are images, and what the network makes of them.
    pub pictures: Option<Arc<Pictures>>,
    /// Which keys do what.
    pub keys: String,
}

/// Draws all of it into a part of a terminal, of any size.
pub fn draw(screen: &Screen, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let (head, rest) = split(area, progress::lines(area.height));
    progress::draw(screen, head, buffer);
    let body = draw_foot(screen, rest, buffer);
    let (body, beside) = match &screen.pictures {
        Some(pictures) if pictures.is_drawn() => divided(body),
        _ => (body, None),
    };
    curves::draw(screen, body, buffer);
    if let (Some(area), Some(pictures)) = (beside, &screen.pictures) {
        pictures::draw(pictures, area, buffer);
    }
}

/// What is left for curves and, where there is room, for images.
fn divided(body: Rect) -> (Rect, Option<Rect>) {
    if body.width >= BESIDE.0 && body.height >= BESIDE.1 {
        let width = body.width * 2 / 5;
        let left = Rect { width: body.width - width, ..body };
        return (left, Some(Rect { x: left.right(), width, ..body }));
    }
    if body.width >= BELOW.0 && body.height >= BELOW.1 {
        let (upper, lower) = split(body, body.height / 2);
        return (upper, Some(lower));
    }
    (body, None)
}

/// The first `lines` of a part of the terminal, and the others.
fn split(area: Rect, lines: u16) -> (Rect, Rect) {
    let lines = lines.min(area.height);
    let first = Rect { height: lines, ..area };
    (first, Rect { y: area.y + lines, height: area.height - lines, ..area })
}

/// Widths, warnings and keys at the bottom, as far as there is room for them; what is left above them.
fn draw_foot(screen: &Screen, area: Rect, buffer: &mut Buffer) -> Rect {
    let width = usize::from(area.width);
    let most = usize::from((area.height / WARNINGS.1).min(WARNINGS.0));
    let warnings = screen.warnings.iter().rev().flat_map(|warning| {
        let text = wrapped(&format!("warning: {}", printable_line(warning)), width.max(1));
        text.lines().map(|line| (line.to_string(), Style::new().fg(Color::Yellow))).collect::<Vec<_>>()
    });
    let warnings: Vec<_> = warnings.take(most).collect();
    let widths = fitting(&screen.widths, Some(width));
    let widths = (!widths.is_empty() && area.height >= 7).then_some((widths, Style::new()));
    let keys = Style::new().add_modifier(Modifier::DIM);
    let keys = (!screen.keys.is_empty() && area.height >= 9).then_some((screen.keys.clone(), keys));
    let lines: Vec<_> = widths.into_iter().chain(warnings).chain(keys).collect();
    let (body, foot) = split(area, area.height.saturating_sub(lines.len() as u16));
    for (row, (text, style)) in foot.rows().zip(&lines) {
        write(buffer, row, text, *style);
    }
    body
}

/// Writes a line, as much of it as there is room for.
fn write(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    if area.is_empty() {
        return area.x;
    }
    buffer.set_stringn(area.x, area.y, printable_line(text), usize::from(area.width), style).0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
