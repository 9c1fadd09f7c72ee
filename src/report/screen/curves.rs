//! Losses over epochs, a panel each, in braille.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Widget};

use super::{Screen, split};
use crate::report::loss::Curves;
use crate::report::table::format_number;

/// Least columns and lines of a panel.
const LEAST: (u16, u16) = (24, 6);
/// Values of which the largest is so many times the smallest are drawn by their logarithms.
const WIDE: f64 = 20.0;
/// What is free above and below curves, as a share of what they span.
const MARGIN: f64 = 0.05;

/// Points (epoch, value).
type Points = Vec<(f64, f64)>;

/// What a curve is of, its points and its colour.
type Series<'a> = (&'a str, &'a [(f64, f64)], Color);

/// Draws as many panels as fit; those that come first are the most important.
pub(super) fn draw(screen: &Screen, area: Rect, buffer: &mut Buffer) {
    let panels = screen.curves.len() as u16;
    if panels == 0 || area.width < LEAST.0 / 2 || area.height < LEAST.1 / 2 {
        return;
    }
    let (most_across, most_down) = ((area.width / LEAST.0).max(1), (area.height / LEAST.1).max(1));
    let across = panels.div_ceil(most_down).min(most_across);
    let down = panels.div_ceil(across).min(most_down);
    let mut rest = area;
    for row in 0..down {
        let lines = rest.height / (down - row);
        let (strip, below) = split(rest, lines);
        rest = below;
        let first = row * across;
        let here = across.min(panels - first);
        let mut left = strip.x;
        for column in 0..here {
            let width = (strip.right() - left) / (here - column);
            let cell = Rect { x: left, width, ..strip };
            left += width;
            // A column apart from the next one.
            let cell = Rect { width: width - u16::from(column + 1 < here), ..cell };
            let number = first + column;
            let under_way: &[(f64, f64)] = if number == 0 { &screen.under_way } else { &[] };
            panel(&screen.curves[usize::from(number)], under_way, cell, buffer);
        }
    }
}

/// How values stand on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    is_logarithm: bool,
    bounds: [f64; 2],
}

impl Scale {
    /// That on which all of these values are seen; whatever is not finite is not.
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let least = finite.clone().fold(f64::INFINITY, f64::min);
        let most = finite.fold(f64::NEG_INFINITY, f64::max);
        if least > most {
            return Scale { is_logarithm: false, bounds: [0.0, 1.0] };
        }
        let is_logarithm = least > 0.0 && most > WIDE * least;
        let [least, most] = if is_logarithm { [least.log10(), most.log10()] } else { [least, most] };
        let span = (most - least).max(1e-6 * most.abs()).max(f64::MIN_POSITIVE);
        Scale { is_logarithm, bounds: [least - MARGIN * span, most + MARGIN * span] }
    }

    fn at(&self, value: f64) -> f64 {
        if self.is_logarithm { value.log10() } else { value }
    }

    /// The value that stands at this share of the axis, in few letters.
    fn label(&self, share: f64) -> String {
        let at = self.bounds[0] + share * (self.bounds[1] - self.bounds[0]);
        let value = if self.is_logarithm { 10f64.powf(at) } else { at };
        // What margins add beyond 0 is rounding.
        format_number(if value.abs() < 1e-9 * self.bounds[1].abs() { 0.0 } else { value })
    }
}

fn panel(curves: &Curves, under_way: &[(f64, f64)], area: Rect, buffer: &mut Buffer) {
    let series: [Series<'_>; 3] = [
        ("train", &curves.train, Color::Cyan),
        ("test", &curves.test, Color::LightRed),
        ("validation", &curves.validation, Color::Green),
    ];
    let all = series.iter().flat_map(|(_, points, _)| points.iter()).chain(under_way);
    let scale = Scale::of(all.clone().map(|(_, value)| *value));
    let shown = |points: &[(f64, f64)]| -> Points {
        let finite = points.iter().filter(|(_, value)| value.is_finite());
        finite.map(|&(epoch, value)| (epoch, scale.at(value))).collect()
    };
    let last = all.clone().map(|(epoch, _)| *epoch).fold(0.0, f64::max);
    let first = all.map(|(epoch, _)| *epoch).fold(last, f64::min);
    // One epoch is a point; what leads to it needs room.
    let x = if first < last { [first, last] } else { [(first - 1.0).max(0.0), first.max(1.0)] };
    let drawn: Vec<(Points, Color)> = series.iter().map(|(_, points, color)| (shown(points), *color)).collect();
    let dots = shown(under_way);
    let lines = drawn.iter().map(|(points, color)| {
        let kind = if points.len() > 1 { GraphType::Line } else { GraphType::Scatter };
        Dataset::default().marker(Marker::Braille).graph_type(kind).style(Style::new().fg(*color)).data(points)
    });
    let faint = Style::new().fg(Color::Cyan).add_modifier(Modifier::DIM);
    let dots = Dataset::default().marker(Marker::Braille).graph_type(GraphType::Scatter).style(faint).data(&dots);
    let dim = Style::new().add_modifier(Modifier::DIM);
    // Marks at both ends, and in the middle where lines are left between them.
    let marks: &[f64] = if area.height >= 2 * LEAST.1 { &[0.0, 0.5, 1.0] } else { &[0.0, 1.0] };
    let y_axis = Axis::default().bounds(scale.bounds).style(dim).labels(marks.iter().map(|&share| scale.label(share)));
    let x_labels = x.map(format_epoch);
    let x_axis = Axis::default().bounds(x).style(dim).labels(x_labels);
    let chart = Chart::new([dots].into_iter().chain(lines).collect());
    let chart = chart.block(Block::new().title(title(curves, &series, area.width))).x_axis(x_axis).y_axis(y_axis);
    chart.legend_position(None).render(area, buffer);
}

/// What a panel is of, and the latest values in the colours of their curves, with names where there is room for them.
fn title<'a>(curves: &'a Curves, series: &[Series<'_>], width: u16) -> Line<'a> {
    let of = |is_named: bool| {
        let latest = series.iter().filter_map(move |&(name, points, color)| {
            let value = format_number(points.last()?.1);
            let text = if is_named { format!(" {name} {value}") } else { format!(" {value}") };
            Some(Span::styled(text, Style::new().fg(color)))
        });
        let title = Span::styled(curves.title.as_str(), Style::new().add_modifier(Modifier::BOLD));
        Line::from([title].into_iter().chain(latest).collect::<Vec<_>>())
    };
    let named = of(true);
    if named.width() <= usize::from(width) { named } else { of(false) }
}

/// An epoch on the axis: whole, but for the one under way.
fn format_epoch(epoch: f64) -> String {
    if epoch.fract() == 0.0 { format!("{epoch}") } else { format!("{epoch:.1}") }
}
