//! Coordinate systems with curves or points, one or several in a picture.

mod axis;
mod legend;
mod marks;
mod shrink;

use std::ops::Range;

use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::*;

use self::axis::{Axis, drawable};
use self::legend::draw_header;
use self::marks::{PlacedMark, draw_marks};
use self::shrink::shrunk;
use super::plot::Series;
use super::text::{self, drawing};
use crate::error::{Error, Result};

pub use self::marks::{Mark, Marked, marked_plot};

/// Pictures are drawn this much larger and averaged down: plotters smooths thin lines only.
pub(super) const DETAIL: u32 = 3;
/// Width and height of a picture of one panel.
pub(super) const ALONE: (u32, u32) = (1200, 750);
/// Width and height of each panel of several.
pub(super) const ABREAST: (u32, u32) = (800, 620);

pub(super) const LETTERING: f64 = 28.0;
pub(super) const MARGIN: u32 = 24;
/// Radius of a point of a curve, and of one of a scatter.
pub(super) const DOT: f64 = 5.5;
const SMALL_DOT: f64 = 3.5;
/// Up to this many points of a series are marked one by one.
pub(super) const MARKED_POINTS: usize = 40;

/// Most panels side by side.
const MOST_ABREAST: usize = 3;

const AXIS: RGBColor = RGBColor(130, 130, 130);
const MESH: RGBColor = RGBColor(228, 228, 228);
pub(super) const SHADE: RGBColor = RGBColor(255, 241, 208);
/// Okabe and Ito, "Color Universal Design" (2008), distinct to colour-blind readers as well, and three more.
pub(super) const PALETTE: [RGBColor; 10] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(148, 103, 189),
    RGBColor(140, 140, 140),
    RGBColor(188, 189, 34),
];
/// Colours of what grows from one series to the next, and of what has no place among them: viridis (Smith and van der Walt,
/// 2015) at even distances, and a light grey.
pub(super) const GRADES: [RGBColor; 6] = [
    RGBColor(68, 1, 84),
    RGBColor(59, 82, 139),
    RGBColor(33, 145, 140),
    RGBColor(94, 201, 98),
    RGBColor(224, 207, 40),
    RGBColor(205, 205, 205),
];

pub(super) type Canvas<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, BitMapBackend<'b>, Cartesian2d<Axis, Axis>>;
/// Name, colour and points.
pub(super) type Curve<'a> = (&'a str, RGBColor, Vec<(f64, f64)>);

/// One coordinate system with its curves.
pub(super) struct Panel<'a> {
    pub(super) title: &'a str,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    pub(super) series: Vec<Series>,
    /// Colours of the series, which repeat where there are more of them.
    pub(super) palette: &'a [RGBColor],
    /// Whether the points of a series are joined; else each is a small dot.
    pub(super) joined: bool,
    /// Stretches of the abscissa that are shaded, in order.
    pub(super) shaded: Vec<Range<f64>>,
    /// What the shading means, in the legend.
    pub(super) shading: &'a str,
    /// Whether points are joined across what is shaded.
    pub(super) across: bool,
    /// Bars and names of points, a series after the other.
    pub(super) marks: Vec<&'a [Mark]>,
    /// Whether ordinates are shares of a whole: the axis goes from 0 to 1, whichever of them there are.
    pub(super) shares: bool,
}

impl Default for Panel<'_> {
    fn default() -> Self {
        Panel {
            title: "",
            x_label: "",
            y_label: "",
            series: Vec::new(),
            palette: &PALETTE,
            joined: true,
            shaded: Vec::new(),
            shading: "",
            across: true,
            marks: Vec::new(),
            shares: false,
        }
    }
}

impl Panel<'_> {
    /// Whether there is anything to draw.
    pub(super) fn has_curves(&self) -> bool {
        !self.curves().is_empty()
    }

    /// Names and drawable points of the series that have any, each with its colour.
    fn curves(&self) -> Vec<Curve<'_>> {
        let curves = self.series.iter().zip(self.palette.iter().cycle()).map(|(series, &color)| {
            let points = series.points.iter().copied();
            let points = points.filter(|&(x, y)| drawable(x) && drawable(y)).collect();
            (series.name.as_str(), color, points)
        });
        curves.filter(|(_, _, points): &Curve| !points.is_empty()).collect()
    }

    /// The marks that can be drawn, each with the colour of its series.
    fn marks(&self) -> Vec<(RGBColor, &Mark)> {
        let of_series = self.marks.iter().zip(self.palette.iter().cycle());
        let marks = of_series.flat_map(|(marks, &color)| marks.iter().map(move |mark| (color, mark)));
        marks.filter(|(_, mark)| mark.ends().iter().all(|&(x, y)| drawable(x) && drawable(y))).collect()
    }

    /// The pieces of a curve that are joined.
    fn pieces<'a>(&self, points: &'a [(f64, f64)]) -> Vec<&'a [(f64, f64)]> {
        let between = |from: f64, to: f64| self.shaded.iter().any(|shaded| shaded.start < to && from < shaded.end);
        points.chunk_by(|a, b| self.across || !between(a.0, b.0)).collect()
    }
}

/// Draws panels side by side, in two or more rows where they are many.
pub(super) fn draw_panels(panels: &[Panel]) -> Result<RgbImage> {
    if panels.is_empty() {
        return Err(nothing_to_plot());
    }
    let (width, height) = if panels.len() > 1 { ABREAST } else { ALONE };
    let rows = panels.len().div_ceil(MOST_ABREAST);
    let columns = panels.len().div_ceil(rows);
    let (width, height) = (width * columns as u32, height * rows as u32);
    let mut large = RgbImage::new(width * DETAIL, height * DETAIL);
    let size = large.dimensions();
    let canvas = BitMapBackend::with_buffer(large.as_mut(), size).into_drawing_area();
    canvas.fill(&WHITE).map_err(drawing)?;
    for (panel, area) in panels.iter().zip(canvas.split_evenly((rows, columns))) {
        draw_panel(&area, panel)?;
    }
    canvas.present().map_err(drawing)?;
    drop(canvas);
    shrunk(large.as_raw(), [width, height], DETAIL)
}

fn nothing_to_plot() -> Error {
    Error::Failed("nothing to plot: no series has a finite value".into())
}

/// `pixels` of the finished picture as pixels of the canvas.
pub(super) fn fine(pixels: f64) -> f64 {
    pixels * f64::from(DETAIL)
}

fn draw_panel(area: &Canvas, panel: &Panel) -> Result<()> {
    let curves = panel.curves();
    if curves.is_empty() {
        return Err(nothing_to_plot());
    }
    let marks = panel.marks();
    let ends = marks.iter().flat_map(|(_, mark)| mark.ends());
    let points: Vec<(f64, f64)> = curves.iter().flat_map(|(_, _, points)| points.iter().copied()).chain(ends).collect();
    let x_axis = Axis::under(&points.iter().map(|&(x, _)| x).collect::<Vec<_>>(), 8);
    let whole = [0.0, 1.0].into_iter().filter(|_| panel.shares);
    let y_axis = Axis::fitting(&points.iter().map(|&(_, y)| y).chain(whole).collect::<Vec<_>>(), 7);
    let y_label = match (panel.y_label, y_axis.logarithmic) {
        ("", true) => "log scale".to_owned(),
        (label, true) => format!("{label} (log scale)"),
        (label, false) => label.to_owned(),
    };

    let lettering = text::style(fine(LETTERING))?;
    let mut widest = 0;
    for label in y_axis.labels() {
        widest = widest.max(text::width(label, fine(LETTERING))?);
    }
    let line = (LETTERING * f64::from(DETAIL)) as u32;
    let tick = fine(6.0) as u32;
    let margin = MARGIN * DETAIL;
    let beside = widest + 2 * tick + if y_label.is_empty() { 0 } else { line };
    let under = line + 2 * tick + if panel.x_label.is_empty() { 0 } else { line };
    let header = draw_header(area, panel, &curves, margin + beside)?;

    let mut chart = ChartBuilder::on(area)
        .margin(margin)
        .margin_top(header)
        .set_label_area_size(LabelAreaPosition::Left, beside)
        .set_label_area_size(LabelAreaPosition::Bottom, under)
        .build_cartesian_2d(x_axis, y_axis)
        .map_err(drawing)?;
    shade(area, panel, &chart)?;
    chart
        .configure_mesh()
        .bold_line_style(MESH.stroke_width(DETAIL))
        .axis_style(AXIS.stroke_width(DETAIL))
        .set_all_tick_mark_size(tick)
        .label_style(lettering.clone())
        .axis_desc_style(lettering.clone())
        // plotters centres the line's box, whose lower third is mostly empty.
        .y_label_offset((0.15 * fine(LETTERING)) as i32)
        .x_desc(panel.x_label)
        .y_desc(y_label)
        .draw()
        .map_err(drawing)?;

    let plane = chart.plotting_area();
    // The first points of a scatter are on top.
    let order: Vec<&Curve> = if panel.joined { curves.iter().collect() } else { curves.iter().rev().collect() };
    for (_, color, points) in order {
        for piece in panel.pieces(points) {
            let positions: Vec<_> = piece.iter().map(|point| plane.map_coordinate(point)).collect();
            draw_curve(area, &positions, *color, panel.joined)?;
        }
    }
    let place = |(color, mark): (RGBColor, _)| {
        let ends = Mark::ends(mark).map(|end| plane.map_coordinate(&end));
        PlacedMark { mark, color, at: plane.map_coordinate(&mark.at), ends }
    };
    let placed: Vec<PlacedMark> = marks.into_iter().map(place).collect();
    let (across, down) = plane.get_pixel_range();
    draw_marks(&area.use_screen_coord(), &placed, [across.start, down.start, across.end, down.end])
}

/// Shades what is to be shaded, as far as it lies within the plane.
fn shade(area: &Canvas, panel: &Panel, chart: &Chart) -> Result<()> {
    let plane = chart.plotting_area();
    let (across, down) = plane.get_pixel_range();
    let position = |x: f64| plane.map_coordinate(&(x, chart.y_range().start)).0.clamp(across.start, across.end);
    for Range { start, end } in &panel.shaded {
        let corners = [(position(*start), down.start), (position(*end), down.end)];
        if corners[0].0 < corners[1].0 {
            area.use_screen_coord().draw(&Rectangle::new(corners, SHADE.filled())).map_err(drawing)?;
        }
    }
    Ok(())
}

/// Draws a curve through `positions`, in pixels of the whole canvas.
fn draw_curve(area: &Canvas, positions: &[(i32, i32)], color: RGBColor, joined: bool) -> Result<()> {
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
