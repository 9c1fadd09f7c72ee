//! Line plots: widths over errors, metrics over epochs, and any other curves.

use image::RgbImage;

use super::chart::{GRADES, PALETTE, Panel, draw_panels};
use crate::error::Result;

/// A named curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend; without one it is not listed.
    pub name: String,
    /// Abscissa and ordinate, in drawing order. Points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

/// Plots `series` in one panel. The vertical axis is logarithmic if all values are positive and
/// the largest is over 20 times the smallest. Nothing to draw is an error.
pub fn line_plot(title: &str, x_label: &str, y_label: &str, series: &[Series]) -> Result<RgbImage> {
    draw_panels(&[Panel { title, x_label, y_label, series: series.to_vec(), ..Panel::default() }])
}

/// One of several panels side by side.
#[derive(Clone, Debug)]
pub struct Plot<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// What its abscissa is.
    pub x_label: &'a str,
    /// What its ordinate is.
    pub y_label: &'a str,
    /// Its curves.
    pub series: Vec<Series>,
}

/// Plots curves in several panels side by side. Nothing to draw in one of them is an error.
pub fn line_plots(plots: &[Plot<'_>]) -> Result<RgbImage> {
    let panels = plots.iter().map(|plot| Panel {
        title: plot.title,
        x_label: plot.x_label,
        y_label: plot.y_label,
        series: plot.series.clone(),
        ..Panel::default()
    });
    draw_panels(&panels.collect::<Vec<_>>())
}

/// The same of shares of a whole, on an axis from 0 to 1 whichever of them there are.
pub fn share_plot(title: &str, x_label: &str, y_label: &str, series: &[Series]) -> Result<RgbImage> {
    draw_panels(&[Panel { title, x_label, y_label, series: series.to_vec(), shares: true, ..Panel::default() }])
}

/// What the colours of points mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// A kind of points each, which have nothing to do with one another.
    Kinds,
    /// The same of so many kinds that the last series, [`KINDS`] behind the first, is all others, in grey.
    KindsAndOthers,
    /// Steps of one quantity, from its smallest values to its largest: [`GRADED`] of them in colours that grow lighter, a
    /// further one, of points that have none, in grey.
    Grades,
}

/// Series that have a colour each where there are others.
pub const KINDS: usize = 9;

/// Plots the points of `series` in one panel, a colour a series; the first are on top. Nothing to draw is an error.
pub fn scatter_plot(title: &str, x_label: &str, y_label: &str, series: &[Series], colors: Colors) -> Result<RgbImage> {
    let kinds: Vec<_> = PALETTE[..KINDS].iter().chain(&GRADES[GRADED..]).copied().collect();
    let palette = match colors {
        Colors::Kinds => &PALETTE[..],
        Colors::KindsAndOthers => &kinds[..],
        Colors::Grades => &GRADES[..],
    };
    let series = series.to_vec();
    draw_panels(&[Panel { title, x_label, y_label, series, joined: false, palette, ..Panel::default() }])
}

/// Steps of a quantity that have a colour each.
pub const GRADED: usize = GRADES.len() - 1;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::chart::{ALONE, LETTERING, MARGIN};
    use image::Rgb;
    use plotters::style::RGBColor;

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
    fn points_of_a_scatter_have_the_colours_of_what_they_are() {
        let many: Vec<Series> = (0..10).map(|x| series("", &[(f64::from(x), 0.0)])).collect();
        let grey = GRADES[GRADED];
        for (colors, last) in
            [(Colors::Kinds, PALETTE[9]), (Colors::KindsAndOthers, grey), (Colors::Grades, GRADES[9 - GRADES.len()])]
        {
            let picture = scatter_plot("", "", "", &many, colors).unwrap();
            let [all, most] = [count(&picture, last, 0), count(&picture, PALETTE[8], 0)];
            assert!(all > 10 && (most > 10) == (colors != Colors::Grades), "{colors:?}: {all}, {most}");
        }
        let pile = [series("", &[(0.0, 0.0)]), series("", &[(0.0, 0.0)])];
        assert_eq!(
            count(&scatter_plot("", "", "", &pile, Colors::Kinds).unwrap(), PALETTE[1], 0),
            0,
            "the first is on top"
        );
    }

    #[test]
    fn the_axis_of_shares_does_not_follow_them() {
        let curve = [series("", &[(0.0, 0.9), (1.0, 0.01)])];
        let shares = share_plot("", "", "", &curve).unwrap();
        // The largest of them would be at the top, and the axis logarithmic.
        assert_ne!(shares, line_plot("", "", "", &curve).unwrap());
        let ends = [series("", &[(0.0, 1.0), (1.0, 0.0)])];
        let [top, all] = [&shares, &share_plot("", "", "", &ends).unwrap()].map(|picture| {
            picture.enumerate_pixels().filter(|(.., pixel)| pixel.0 == [0, 114, 178]).map(|(_, y, _)| y).min().unwrap()
        });
        assert!(top > all + 30, "{top}, {all}");
    }

    #[test]
    fn a_long_legend_leaves_room_for_the_plane() {
        let many: Vec<Series> =
            (0..200).map(|run| series(&format!("run number {run} of {}", "many ".repeat(9)), &[(1.0, 1.0)])).collect();
        let picture = line_plot("", "x", "y", &many).unwrap();
        // Eight lines of names, and below them nothing that is written but the ticks.
        let end = MARGIN + 8 * LETTERING as u32;
        let inked = |rows: std::ops::Range<u32>| {
            let letters = picture.enumerate_pixels().filter(|(x, y, _)| (150..550).contains(x) && rows.contains(y));
            letters.filter(|(.., pixel)| pixel[0] < 90 && pixel[2] < 90).count()
        };
        assert!(inked(0..end) > 1000 && inked(end + 10..640) == 0, "{}, {}", inked(0..end), inked(end + 10..640));
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
