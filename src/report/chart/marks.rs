//! Plots of points that were measured several times: error bars around them, and their names beside them.

use image::RgbImage;
use plotters::prelude::{PathElement, RGBColor, ShapeStyle};

use super::{Canvas, Panel, draw_panels, fine};
use crate::error::Result;
use crate::report::plot::Series;
use crate::report::text::{self, drawing};

/// Line height of names.
const LETTERING: f64 = 22.0;
/// Half the width of the strokes at the ends of an error bar.
const CAP: f64 = 6.0;
/// Distances of a name from its point that are tried, one after the other.
const DISTANCES: [f64; 6] = [12.0, 24.0, 40.0, 60.0, 90.0, 130.0];
/// From this distance on a line leads from the point to its name.
const FAR: f64 = 40.0;
const LEADER: RGBColor = RGBColor(150, 150, 150);

/// A point with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// What stands beside it; may be empty.
    pub name: String,
    /// Means: abscissa and ordinate.
    pub at: (f64, f64),
    /// Standard deviations of both; 0 draws no bar.
    pub deviation: (f64, f64),
}

/// Points that belong together: a colour, a curve through them in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Marked {
    /// Its name in the legend; without one it is not listed.
    pub name: String,
    /// The points.
    pub marks: Vec<Mark>,
}

/// Plots points with a bar of one standard deviation to both sides and their names, which hide no other name and no point;
/// a name that finds no place is left out.
///
/// # Errors
/// When there is nothing to draw, or the text cannot be set.
pub fn marked_plot(title: &str, x_label: &str, y_label: &str, groups: &[Marked]) -> Result<RgbImage> {
    let series = groups
        .iter()
        .map(|group| Series { name: group.name.clone(), points: group.marks.iter().map(|mark| mark.at).collect() });
    let marks = groups.iter().map(|group| group.marks.as_slice()).collect();
    draw_panels(&[Panel { title, x_label, y_label, series: series.collect(), marks, ..Panel::default() }])
}

impl Mark {
    /// The ends of its bars, both of the horizontal one before those of the vertical one.
    pub(super) fn ends(&self) -> [(f64, f64); 4] {
        let ((x, y), (across, up)) = (self.at, self.deviation);
        [(x - across, y), (x + across, y), (x, y - up), (x, y + up)]
    }
}

/// A mark on the canvas: its place and the [ends](Mark::ends) of its bars, in pixels.
pub(super) struct PlacedMark<'a> {
    pub(super) mark: &'a Mark,
    pub(super) color: RGBColor,
    pub(super) at: (i32, i32),
    pub(super) ends: [(i32, i32); 4],
}

/// Left, top, right and bottom, in pixels.
type Rect = [i32; 4];

fn overlaps(a: &Rect, b: &Rect) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// A square around a point.
fn around((x, y): (i32, i32), half: f64) -> Rect {
    let half = fine(half) as i32;
    [x - half, y - half, x + half, y + half]
}

/// Squares along a line from one point to another.
fn along(from: (i32, i32), to: (i32, i32)) -> impl Iterator<Item = Rect> {
    const STEP: f64 = 8.0;
    let (across, down) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let count = (across.hypot(down) / fine(STEP)).ceil() as usize;
    (0..=count).map(move |step| {
        let share = step as f64 / count.max(1) as f64;
        around((from.0 + (share * across) as i32, from.1 + (share * down) as i32), STEP / 2.0)
    })
}

/// Draws bars and names inside `plane`.
pub(super) fn draw_marks(canvas: &Canvas, marks: &[PlacedMark], plane: Rect) -> Result<()> {
    for mark in marks {
        draw_bars(canvas, mark)?;
    }
    let mut taken: Vec<Rect> = marks.iter().map(|mark| around(mark.at, 8.0)).collect();
    for mark in marks {
        let [left, right, below, above] = mark.ends;
        // Lines as thin as they are, a little apart.
        taken.push([left.0, left.1 - fine(4.0) as i32, right.0, right.1 + fine(4.0) as i32]);
        taken.push([above.0 - fine(4.0) as i32, above.1, below.0 + fine(4.0) as i32, below.1]);
    }
    let joined = marks.windows(2).filter(|pair| pair[0].color == pair[1].color);
    let curves: Vec<Rect> = joined.flat_map(|pair| along(pair[0].at, pair[1].at)).collect();
    for mark in marks.iter().filter(|mark| !mark.mark.name.is_empty()) {
        // The lower third of a line is empty.
        let size = (text::width(&mark.mark.name, fine(LETTERING))? as i32, (0.75 * fine(LETTERING)) as i32);
        // Off the curves, if there is room.
        let place = |taken: &[Rect]| place(mark.at, size, taken, plane);
        let Some((rect, distance)) = place(&[&taken[..], &curves[..]].concat()).or_else(|| place(&taken)) else {
            continue;
        };
        if distance >= FAR {
            let end = (mark.at.0.clamp(rect[0], rect[2]), mark.at.1.clamp(rect[1], rect[3]));
            stroke(canvas, [mark.at, end], LEADER, 1.0)?;
        }
        text::draw(canvas, &mark.mark.name, fine(LETTERING), (rect[0], rect[1]))?;
        taken.push(rect);
    }
    Ok(())
}

/// Where a name of this size goes, and how far from its point that is.
fn place((x, y): (i32, i32), (width, height): (i32, i32), taken: &[Rect], plane: Rect) -> Option<(Rect, f64)> {
    let candidate = |distance: f64, [across, down]: [i32; 2]| {
        let gap = fine(distance) as i32;
        // Beside, above or below its point, or off a corner of it.
        let left = [x - gap - width, x - width / 2, x + gap][(across + 1) as usize];
        let top = [y - gap - height, y - height / 2, y + gap][(down + 1) as usize];
        [left, top, left + width, top + height]
    };
    let directions = [[1, 0], [0, -1], [0, 1], [-1, 0], [1, -1], [1, 1], [-1, -1], [-1, 1]];
    let candidates =
        DISTANCES.iter().flat_map(|&distance| directions.map(|direction| (candidate(distance, direction), distance)));
    let inside = |rect: &Rect| rect[0] >= plane[0] && rect[1] >= plane[1] && rect[2] <= plane[2] && rect[3] <= plane[3];
    let is_free = |rect: &Rect| inside(rect) && !taken.iter().any(|other| overlaps(rect, other));
    candidates.into_iter().find(|(rect, _)| is_free(rect))
}

/// The bars of a mark with strokes at their ends.
fn draw_bars(canvas: &Canvas, mark: &PlacedMark) -> Result<()> {
    let [left, right, below, above] = mark.ends;
    let cap = fine(CAP) as i32;
    let (across, up) = mark.mark.deviation;
    if across > 0.0 {
        stroke(canvas, [left, right], mark.color, 2.0)?;
        for (x, y) in [left, right] {
            stroke(canvas, [(x, y - cap), (x, y + cap)], mark.color, 2.0)?;
        }
    }
    if up > 0.0 {
        stroke(canvas, [below, above], mark.color, 2.0)?;
        for (x, y) in [below, above] {
            stroke(canvas, [(x - cap, y), (x + cap, y)], mark.color, 2.0)?;
        }
    }
    Ok(())
}

fn stroke(canvas: &Canvas, ends: [(i32, i32); 2], color: RGBColor, width: f64) -> Result<()> {
    let style = ShapeStyle { color: color.into(), filled: false, stroke_width: fine(width) as u32 };
    canvas.draw(&PathElement::new(ends.to_vec(), style)).map_err(drawing)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mark(name: &str, at: (f64, f64), deviation: (f64, f64)) -> Mark {
        Mark { name: name.into(), at, deviation }
    }

    /// Pixels of a plot of these marks that differ from one of the others.
    fn changed(marks: [&[Mark]; 2]) -> Vec<(u32, u32)> {
        let [a, b] = marks
            .map(|marks| marked_plot("", "x", "y", &[Marked { name: String::new(), marks: marks.to_vec() }]).unwrap());
        let differ = |&(x, y, pixel): &(u32, u32, &image::Rgb<u8>)| pixel != b.get_pixel(x, y);
        a.enumerate_pixels().filter(differ).map(|(x, y, _)| (x, y)).collect()
    }

    #[test]
    fn bars_reach_as_far_as_the_deviations() {
        // The outer points have the widest bars, so that the axes stay what they are.
        let ends = [mark("", (0.0, 0.0), (0.0, 0.0)), mark("", (10.0, 10.0), (0.0, 0.0))];
        let bare = [ends[0].clone(), mark("", (5.0, 5.0), (0.0, 0.0)), ends[1].clone()];
        let barred = [ends[0].clone(), mark("", (5.0, 5.0), (0.0, 2.0)), ends[1].clone()];
        let pixels = changed([&barred, &bare]);
        let (left, right) = (pixels.iter().map(|p| p.0).min().unwrap(), pixels.iter().map(|p| p.0).max().unwrap());
        let (top, bottom) = (pixels.iter().map(|p| p.1).min().unwrap(), pixels.iter().map(|p| p.1).max().unwrap());
        assert!(right - left < 20 && (200..300).contains(&(bottom - top)), "{left}..{right}, {top}..{bottom}");
    }

    #[test]
    fn names_stand_beside_their_points_and_over_nothing() {
        let plain = [mark("", (1.0, 1.0), (0.1, 0.1)), mark("", (2.0, 3.0), (0.1, 0.1))];
        let named = [mark("alpha=0.5", (1.0, 1.0), (0.1, 0.1)), plain[1].clone()];
        let pixels = changed([&named, &plain]);
        assert!(pixels.len() > 150 && pixels.iter().all(|&(x, _)| x < 500), "{}", pixels.len());

        let plane = [0, 0, 6000, 3000];
        let size = (700, 60);
        let points: Vec<(i32, i32)> = (0..12).map(|n| (3000 + 20 * (n % 4), 1500 + 15 * (n / 4))).collect();
        let mut taken: Vec<Rect> = points.iter().map(|&point| around(point, 8.0)).collect();
        for &point in &points {
            let (rect, _) = place(point, size, &taken, plane).unwrap();
            assert!(taken.iter().all(|other| !overlaps(&rect, other)));
            taken.push(rect);
        }
        assert!(along((0, 0), (300, 400)).all(|rect| (rect[2] - rect[0]) >= 24 && rect[3] <= 412));
        assert!(along((0, 0), (300, 400)).collect::<Vec<_>>().windows(2).all(|pair| pair[1][0] <= pair[0][2]), "gaps");
        // At the edge of the plane it goes to the other side, and in a crowd nowhere.
        assert!(place((5990, 1500), size, &[], plane).unwrap().0[2] <= 5990);
        assert_eq!(place((3000, 1500), size, &[plane], plane), None);
    }
}
