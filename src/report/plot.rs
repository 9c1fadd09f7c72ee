//! Line plots: losses over epochs, and any other curves.

use image::RgbImage;
use plotters::prelude::*;

use super::axis::{Axis, drawable};
use super::canvas::{Canvas, DETAIL, DOT, MARKED_POINTS, draw_curve, draw_dot, draw_line, fine, shrunk};
use super::marks::{Mark, PlacedMark, draw_marks};
use super::text::{self, drawing};
use crate::error::{Error, Result};

/// Width and height of a picture of one panel.
const ALONE: (u32, u32) = (1200, 750);
/// Width and height of each panel of several.
const ABREAST: (u32, u32) = (800, 620);

const TITLE: f64 = 34.0;
const LETTERING: f64 = 28.0;
const MARGIN: u32 = 24;
const AXIS: RGBColor = RGBColor(130, 130, 130);
const MESH: RGBColor = RGBColor(228, 228, 228);
/// Okabe and Ito, "Color Universal Design" (2008), distinct to colour-blind readers as well, and three more.
const PALETTE: [RGBColor; 10] = [
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

/// Name, colour and points.
type Curve<'a> = (&'a str, RGBColor, Vec<(f64, f64)>);

/// A named curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend; without one it is not listed.
    pub name: String,
    /// Abscissa and ordinate, in drawing order. Points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

/// One coordinate system with its curves.
pub(super) struct Panel<'a> {
    pub(super) title: &'a str,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    pub(super) series: Vec<Series>,
    /// Whether the points of a series are joined; else each is a small dot.
    pub(super) joined: bool,
}

/// Plots `series` in one panel. The vertical axis is logarithmic if all values are positive and
/// the largest is over 20 times the smallest. Nothing to draw is an error.
pub fn line_plot(title: &str, x_label: &str, y_label: &str, series: &[Series]) -> Result<RgbImage> {
    draw_panels(&[Panel { title, x_label, y_label, series: series.to_vec(), joined: true }])
}

/// Plots the points of `series` in one panel, a colour a series. Nothing to draw is an error.
pub fn scatter_plot(title: &str, x_label: &str, y_label: &str, series: &[Series]) -> Result<RgbImage> {
    draw_panels(&[Panel { title, x_label, y_label, series: series.to_vec(), joined: false }])
}

impl Panel<'_> {
    /// Whether there is anything to draw.
    pub(super) fn has_curves(&self) -> bool {
        !self.curves().is_empty()
    }

    /// Names and drawable points of the series that have any, each with its colour.
    fn curves(&self) -> Vec<Curve<'_>> {
        let curves = self.series.iter().zip(PALETTE.iter().cycle()).map(|(series, &color)| {
            let points = series.points.iter().copied();
            let points = points.filter(|&(x, y)| drawable(x) && drawable(y)).collect();
            (series.name.as_str(), color, points)
        });
        curves.filter(|(_, _, points): &Curve| !points.is_empty()).collect()
    }
}

/// Draws panels side by side.
pub(super) fn draw_panels(panels: &[Panel]) -> Result<RgbImage> {
    draw(panels, &[])
}

/// Draws a panel whose series have these marks.
pub(super) fn draw_marked(panel: &Panel, marks: &[&[Mark]]) -> Result<RgbImage> {
    draw(std::slice::from_ref(panel), marks)
}

fn draw(panels: &[Panel], marks: &[&[Mark]]) -> Result<RgbImage> {
    if panels.is_empty() {
        return Err(nothing_to_plot());
    }
    let (width, height) = if panels.len() > 1 { ABREAST } else { ALONE };
    let width = width * panels.len() as u32;
    let mut large = RgbImage::new(width * DETAIL, height * DETAIL);
    let size = large.dimensions();
    let canvas = BitMapBackend::with_buffer(large.as_mut(), size).into_drawing_area();
    canvas.fill(&WHITE).map_err(drawing)?;
    for (panel, area) in panels.iter().zip(canvas.split_evenly((1, panels.len()))) {
        draw_panel(&area, panel, marks)?;
    }
    canvas.present().map_err(drawing)?;
    drop(canvas);
    shrunk(large.as_raw(), width, height)
}

fn nothing_to_plot() -> Error {
    Error::Failed("nothing to plot: no series has a finite value".into())
}

fn draw_panel(area: &Canvas, panel: &Panel, marks: &[&[Mark]]) -> Result<()> {
    let curves = panel.curves();
    if curves.is_empty() {
        return Err(nothing_to_plot());
    }
    let marks: Vec<(RGBColor, &Mark)> = marks
        .iter()
        .zip(PALETTE.iter().cycle())
        .flat_map(|(marks, &color)| marks.iter().map(move |mark| (color, mark)))
        .filter(|(_, mark)| mark.ends().iter().all(|&(x, y)| drawable(x) && drawable(y)))
        .collect();
    let ends = marks.iter().flat_map(|(_, mark)| mark.ends());
    let points: Vec<(f64, f64)> = curves.iter().flat_map(|(_, _, points)| points.iter().copied()).chain(ends).collect();
    let x_axis = Axis::linear(&points.iter().map(|&(x, _)| x).collect::<Vec<_>>(), 8);
    let y_axis = Axis::fitting(&points.iter().map(|&(_, y)| y).collect::<Vec<_>>(), 7);
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
    for (_, color, points) in &curves {
        let positions: Vec<_> = points.iter().map(|point| plane.map_coordinate(point)).collect();
        draw_curve(area, &positions, *color, panel.joined)?;
    }
    let placed: Vec<PlacedMark> = marks
        .into_iter()
        .map(|(color, mark)| {
            let ends = mark.ends().map(|end| plane.map_coordinate(&end));
            PlacedMark { mark, color, at: plane.map_coordinate(&mark.at), ends }
        })
        .collect();
    let (across, down) = plane.get_pixel_range();
    draw_marks(&area.use_screen_coord(), &placed, [across.start, down.start, across.end, down.end])
}

/// Draws the title and, below it, the legend: outside the plane, where it hides no curve. Returns
/// the height of both; `left` is where the plane begins.
fn draw_header(area: &Canvas, panel: &Panel, curves: &[Curve], left: u32) -> Result<u32> {
    let (large, small) = (fine(TITLE), fine(LETTERING));
    let mut y = f64::from(MARGIN * DETAIL);
    if !panel.title.is_empty() {
        text::draw(area, panel.title, large, (left as i32, y as i32))?;
        y += large;
    }
    let (sample, gap) = (fine(34.0) as i32, fine(10.0) as i32);
    let right = area.dim_in_pixel().0 as i32 - (MARGIN * DETAIL) as i32;
    let mut x = left as i32;
    let mut listed = false;
    for (name, color, points) in curves.iter().filter(|(name, ..)| !name.is_empty()) {
        let width = sample + gap + text::width(name, small)? as i32;
        if listed && x + width > right {
            (x, y) = (left as i32, y + small);
        }
        let middle = (y + 0.25 * small) as i32;
        let (base_x, base_y) = area.get_base_pixel();
        let ends = [(x, middle), (x + sample, middle)].map(|(x, y)| (x + base_x, y + base_y));
        if panel.joined {
            draw_line(area, &ends, *color)?;
        }
        if !panel.joined || points.len() <= MARKED_POINTS {
            draw_dot(area, (base_x + x + sample / 2, base_y + middle), DOT, *color)?;
        }
        text::draw(area, name, small, (x + sample + gap, y as i32))?;
        x += width + 3 * gap;
        listed = true;
    }
    if listed {
        y += small;
    }
    Ok(y as u32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use image::Rgb;

    fn series(name: &str, points: &[(f64, f64)]) -> Series {
        Series { name: name.into(), points: points.to_vec() }
    }

    /// Number of pixels of exactly `color`, from row `from` on.
    fn count(picture: &RgbImage, color: RGBColor, from: u32) -> usize {
        let color = Rgb([color.0, color.1, color.2]);
        picture.enumerate_pixels().filter(|&(_, y, pixel)| y >= from && *pixel == color).count()
    }

    #[test]
    fn the_title_is_written_in_letters() {
        let curve = [series("", &[(1.0, 2.0), (2.0, 3.0)])];
        let picture = line_plot("Title", "", "", &curve).unwrap();
        assert_eq!(picture.dimensions(), ALONE);
        let dark = picture.enumerate_pixels().filter(|(_, y, pixel)| *y < MARGIN + 20 && pixel[0] < 80);
        assert!(dark.count() > 50);
        let untitled = line_plot("", "", "", &curve).unwrap();
        assert!((0..MARGIN).all(|y| untitled.get_pixel(300, y) == &Rgb([255; 3])));
        let labelled = line_plot("Title", "epoch", "MSE", &curve).unwrap();
        assert_ne!(labelled, picture);
    }

    #[test]
    fn every_curve_has_its_colour_and_a_sample_in_the_legend_above_the_plane() {
        let curves = |names: [&str; 2]| {
            [series(names[0], &[(1.0, 1.0), (2.0, 2.0)]), series(names[1], &[(1.0, 2.0), (2.0, 1.0)])]
        };
        let bare = line_plot("", "x", "y", &curves(["", ""])).unwrap();
        let listed = line_plot("", "x", "y", &curves(["train", "test"])).unwrap();
        let plane = MARGIN + LETTERING as u32;
        for color in &PALETTE[..2] {
            assert!(count(&bare, *color, 0) > 500);
            let above = count(&listed, *color, 0) - count(&listed, *color, plane);
            assert!(above > 50, "{above}");
        }
    }

    #[test]
    fn a_single_point_is_a_dot_in_the_middle() {
        let picture = line_plot("", "", "", &[series("", &[(3.0, 0.02)])]).unwrap();
        let inked: Vec<(u32, u32)> = (picture.enumerate_pixels())
            .filter(|(.., pixel)| pixel.0 == [0, 114, 178])
            .map(|(x, y, _)| (x, y))
            .collect();
        assert!((50..150).contains(&inked.len()), "{}", inked.len());
        assert!(inked.iter().all(|&(x, y)| (550..750).contains(&x) && (300..400).contains(&y)));
    }

    #[test]
    fn points_that_are_not_finite_are_left_out() {
        let clean = [(1.0, 1.0), (2.0, 3.0)];
        let dirty = [(1.0, 1.0), (1.5, f64::NAN), (f64::INFINITY, 1.0), (2.0, 3.0), (3.0, f64::NEG_INFINITY)];
        let [clean, dirty] =
            [&clean[..], &dirty[..]].map(|points| line_plot("t", "x", "y", &[series("s", points)]).unwrap());
        assert!(clean == dirty);
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        let blank = [series("a", &[]), series("b", &[(1.0, f64::NAN), (f64::NAN, 1.0)])];
        for curves in [&[][..], &blank[..]] {
            let error = line_plot("t", "x", "y", curves).unwrap_err();
            assert!(error.to_string().contains("no series has a finite value"), "{error}");
        }
    }

    #[test]
    fn hostile_values_and_names_are_drawn() {
        let long = "a very long name ".repeat(12);
        let wild = [(-1e300, 1e300), (0.0, -1e300), (1e300, f64::MIN_POSITIVE)];
        let curves = [series(&long, &wild), series("", &[(0.0, 0.0); 3]), series("\u{1F600}\n", &wild)];
        line_plot(&long, &long, &long, &curves).unwrap();
        let steep: Vec<(f64, f64)> = (0..3000).map(|x| (f64::from(x), 10f64.powi(x % 600 - 300))).collect();
        line_plot("", "step", "loss", &[series("", &steep)]).unwrap();
    }
}
