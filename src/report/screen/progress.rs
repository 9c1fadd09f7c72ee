//! How far a run is: what it is, what computes it, a bar of the epoch under way and one of all of them.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::{Screen, write};
use crate::error::thousands;
use crate::report::line::{Part, fitting, time};
use crate::report::table::format_number;

/// Widest bar, and the columns of a line of which a bar takes one.
const BAR: (u16, u16) = (32, 5);
/// Least columns of a line that has a bar; in fewer there is the percentage alone.
const LEAST: u16 = 24;
/// What a column of a bar is filled with, by eighths from the left.
const EIGHTHS: [&str; 9] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// The epoch under way, from 1; 0 before the first step.
    pub epoch: u32,
    /// Epochs that are wanted.
    pub epochs: u32,
    /// Share of the epoch that is done.
    pub of_epoch: f64,
    /// Share of the run that is done.
    pub of_run: f64,
    /// What the epoch and the run still take, once that can be told.
    pub left: [Option<Duration>; 2],
    /// Mean of the epoch so far, and of what.
    pub figure: Option<(String, f64)>,
    /// Samples a second of the epoch so far.
    pub samples_per_second: Option<f64>,
}

/// Lines that progress takes of a terminal of so many.
pub(super) fn lines(height: u16) -> u16 {
    match height {
        0..=5 => height.min(1),
        6..=9 => 2,
        10..=15 => 3,
        _ => 4,
    }
}

/// Draws as many lines as there are: where they are few, the epoch alone, then what is trained with it.
pub(super) fn draw(screen: &Screen, area: Rect, buffer: &mut Buffer) {
    let progress = &screen.progress;
    let [epoch_left, run_left] =
        progress.left.map(|left| left.map_or(String::new(), |left| format!("{} left", time(left))));
    let figure =
        progress.figure.as_ref().map_or(String::new(), |(name, value)| format!("{name} {}", format_number(*value)));
    let speed =
        progress.samples_per_second.map_or(String::new(), |speed| format!("{} samples/s", thousands(speed as u64)));
    let epoch = match progress.epoch {
        0 => "before the first step".to_string(),
        epoch => format!("epoch {epoch}/{}", progress.epochs),
    };
    let of_epoch = Line { name: &epoch, share: progress.of_epoch, parts: &[(0, epoch_left), (1, figure), (2, speed)] };
    let of_run = Line { name: "run", share: progress.of_run, parts: &[(0, run_left)] };
    let name = epoch.chars().count();
    let title = |buffer: &mut Buffer, row| write(buffer, row, &screen.run, Style::new().add_modifier(Modifier::BOLD));
    let rows: Vec<Rect> = area.rows().collect();
    match rows[..] {
        [row] => draw_line(&of_epoch, name, row, buffer),
        [first, second] => {
            title(buffer, first);
            draw_line(&of_epoch, name, second, buffer);
        }
        [first, .., second, third] => {
            title(buffer, first);
            if rows.len() > 3 {
                write(buffer, rows[1], &format!("on {}", screen.device), Style::new().add_modifier(Modifier::DIM));
            }
            draw_line(&of_epoch, name, second, buffer);
            draw_line(&of_run, name, third, buffer);
        }
        [] => {}
    }
}

/// A bar with a name before it and what there is to say behind it.
struct Line<'a> {
    name: &'a str,
    share: f64,
    parts: &'a [Part],
}

fn draw_line(line: &Line<'_>, name: usize, row: Rect, buffer: &mut Buffer) {
    let width = if row.width < LEAST { 0 } else { (row.width / BAR.1).min(BAR.0) };
    let at = write(buffer, row, &format!("{:name$} ", line.name), Style::new());
    let bar = Rect { x: at, width: width.min(row.right().saturating_sub(at)), ..row };
    let filled = (line.share.clamp(0.0, 1.0) * f64::from(bar.width) * 8.0) as usize;
    let ground = Style::new().fg(Color::Cyan).bg(Color::DarkGray);
    for (number, cell) in bar.columns().enumerate() {
        let eighths = filled.saturating_sub(8 * number).min(8);
        write(buffer, cell, EIGHTHS[eighths], ground);
    }
    let rest = Rect { x: bar.right(), width: row.right().saturating_sub(bar.right()), ..row };
    let percent: Part = (0, format!(" {:>3.0}%", (100.0 * line.share.clamp(0.0, 1.0)).floor()));
    let parts: Vec<Part> = [percent].into_iter().chain(line.parts.iter().cloned()).collect();
    write(buffer, rest, &fitting(&parts, Some(usize::from(rest.width))), Style::new());
}
