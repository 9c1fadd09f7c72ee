//! The codes of test rows in the plane in which they differ most, coloured by what is known of the rows.

use gpu_ae::Result;
use gpu_ae::data::Dataset;
use gpu_ae::data::columns::{Code, Columns};
use gpu_ae::report::plot::{GRADED, KINDS};
use gpu_ae::report::{Colors, Series, brief, format_number, scatter_plot};
use gpu_ae::statistics::principal::principal_plane;
use gpu_ae::train::Observation;
use image::RgbImage;

/// Most classes that have a colour each; of more, the most frequent have.
const CLASSES: usize = KINDS + 1;
/// Most characters of a class's or a column's name.
const NAME: usize = 28;

/// A point of the plane.
type Point = (f64, f64);

/// The codes that were observed; none of codes that are all the same.
pub fn picture(observation: &Observation, data: &Dataset) -> Result<Option<RgbImage>> {
    let width = observation.codes.len() / observation.rows.len().max(1);
    let plane = principal_plane(&observation.codes, width);
    if plane.iter().all(|point| Some(point) == plane.first()) {
        return Ok(None);
    }
    let rows = observation.rows.iter().copied();
    let points: Vec<(usize, Point)> = rows.zip(plane).filter(|(row, _)| *row < data.test.rows).collect();
    let what = format!("Codes of {} test rows", points.len());
    let (across, down) = ("first principal component", "second");
    let plot = if data.test.is_labelled() {
        let (series, colors) = by_class(&points, data);
        scatter_plot(&format!("{what}, coloured by class"), across, down, &series, colors)?
    } else if let Some((name, series)) = by_number(&points, data) {
        let title = format!("{what}, coloured by {}", brief(&name, NAME));
        scatter_plot(&title, across, down, &series, Colors::Grades)?
    } else {
        let all = Series { name: String::new(), points: points.into_iter().map(|(_, point)| point).collect() };
        scatter_plot(&what, across, down, &[all], Colors::Kinds)?
    };
    Ok(Some(plot))
}

/// A series a class in the order of the classes; of very many the most frequent, and one of all others.
fn by_class(points: &[(usize, Point)], data: &Dataset) -> (Vec<Series>, Colors) {
    let class = |row: usize| data.test.labels.get(row).copied();
    let of = |wanted: u16| -> Vec<Point> {
        points.iter().filter(|(row, _)| class(*row) == Some(wanted)).map(|(_, point)| *point).collect()
    };
    let mut there: Vec<u16> = points.iter().filter_map(|(row, _)| class(*row)).collect();
    there.sort_unstable();
    there.dedup();
    let mut classes: Vec<(u16, Vec<Point>)> = there.into_iter().map(|class| (class, of(class))).collect();
    let mut others: Vec<(u16, Vec<Point>)> = Vec::new();
    if classes.len() > CLASSES {
        // Stable, so that of equally frequent ones the first are named.
        classes.sort_by_key(|(_, points)| std::cmp::Reverse(points.len()));
        others = classes.split_off(CLASSES - 1);
        classes.sort_by_key(|(class, _)| *class);
    }
    let named = |(class, points): (u16, Vec<Point>)| {
        let name = brief(data.encoding.class_name(class), NAME).into_owned();
        Series { name, points }
    };
    let mut series: Vec<Series> = classes.into_iter().map(named).collect();
    if others.is_empty() {
        return (series, Colors::Kinds);
    }
    let name = format!("and {} more classes", others.len());
    series.push(Series { name, points: others.into_iter().flat_map(|(_, points)| points).collect() });
    (series, Colors::KindsAndOthers)
}

/// Where the first column of numbers lies in a row of values, with its name, mean and deviation, and whether a value beside it
/// says that it is missing.
fn first_number(columns: &Columns) -> Option<(usize, &str, [f64; 2], bool)> {
    let mut place = 0;
    for column in &columns.columns {
        if let Code::Number { mean, deviation, .. } = column.code {
            return Some((place, &column.name, [mean, deviation], column.indicator));
        }
        place += column.width();
    }
    None
}

/// The rows of a table in steps of its first column of numbers, each of as many rows, and those that lack it.
fn by_number(points: &[(usize, Point)], data: &Dataset) -> Option<(String, Vec<Series>)> {
    let (place, name, [mean, deviation], indicator) = first_number(data.encoding.columns.as_ref()?)?;
    let (mut known, mut missing): (Vec<(f64, Point)>, Vec<Point>) = (Vec::new(), Vec::new());
    for &(row, point) in points {
        let values = data.test.values(row..row + 1);
        if indicator && values[place + 1] > 0.5 {
            missing.push(point);
        } else {
            known.push((f64::from(values[place]) * deviation + mean, point));
        }
    }
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut series = Vec::new();
    let mut rest = &known[..];
    for step in (1..=GRADED).rev() {
        let Some(last) = rest.get((rest.len().div_ceil(step)).saturating_sub(1)).map(|(value, _)| *value) else {
            break;
        };
        // Equal values are not torn apart.
        let end = rest.partition_point(|(value, _)| *value <= last);
        let (own, more) = rest.split_at(end);
        let first = own.first().map_or(last, |(value, _)| *value);
        let range = match first == last {
            true => format_number(last),
            false => format!("{} to {}", format_number(first), format_number(last)),
        };
        let named = if series.is_empty() { format!("{}: {range}", brief(name, NAME)) } else { range };
        series.push(Series { name: named, points: own.iter().map(|(_, point)| *point).collect() });
        rest = more;
    }
    if !missing.is_empty() {
        // The grey stands behind all steps, also those that there are not.
        series.resize(GRADED, Series { name: String::new(), points: Vec::new() });
        series.push(Series { name: "missing".into(), points: missing });
    }
    Some((name.to_string(), series))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use gpu_ae::data::columns::Coded;
    use gpu_ae::data::{Encoding, ImageShape, Split, Values};

    fn data(encoding: Encoding, values: Vec<f32>, labels: Vec<u16>) -> Dataset {
        let test = Split::new(encoding.image.values(), Values::of_floats(values), labels, Vec::new());
        let (train, validation) = (test.clone(), Split::default());
        Dataset { name: "rows".into(), encoding, train, validation, test }
    }

    fn points(count: usize) -> Vec<(usize, Point)> {
        (0..count).map(|row| (row, (row as f64, 0.0))).collect()
    }

    #[test]
    fn very_many_classes_share_a_colour() {
        let labels: Vec<u16> = (0..60).map(|row| if row < 30 { 40 } else { row % 20 }).collect();
        let data = data(Encoding::numbered(ImageShape::row(1), 60), vec![0.0; 60], labels);
        let (series, colors) = by_class(&points(60), &data);
        assert_eq!(colors, Colors::KindsAndOthers);
        assert_eq!((series.len(), series[CLASSES - 1].name.as_str()), (10, "and 12 more classes"));
        assert_eq!((series[8].name.as_str(), series[8].points.len()), ("40", 30));
        assert_eq!(series.iter().map(|series| series.points.len()).sum::<usize>(), 60);
    }

    #[test]
    fn rows_of_a_table_are_coloured_by_its_first_number() {
        let words = Code::Words { words: vec!["a".into(), "b".into()], other: false };
        let columns = Columns {
            columns: vec![
                Coded { name: "kind".into(), indicator: false, code: words },
                Coded {
                    name: "age".into(),
                    indicator: true,
                    code: Code::Number { mean: 10.0, deviation: 2.0, decimals: None },
                },
            ],
            left_out: Vec::new(),
        };
        // Ages 10, 12, …, 28, of which the last is missing.
        let values = (0..10).flat_map(|row| [1.0, 0.0, row as f32, f32::from(u8::from(row == 9))]).collect();
        let encoding = Encoding { columns: Some(columns), ..Encoding::images(ImageShape::row(4), Vec::new()) };
        let (name, series) = by_number(&points(10), &data(encoding, values, Vec::new())).unwrap();
        let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(name, "age");
        assert_eq!(
            names,
            ["age: 10.00 to 12.00", "14.00 to 16.00", "18.00 to 20.00", "22.00 to 24.00", "26.00", "missing"]
        );
        assert_eq!(series[5].points, [(9.0, 0.0)]);
    }

    #[test]
    fn rows_without_classes_have_no_legend() {
        let data = data(Encoding::images(ImageShape::row(1), Vec::new()), vec![0.5; 3], Vec::new());
        assert!(by_number(&points(3), &data).is_none());
        let observation = Observation {
            path_entropy: None,
            layers: Vec::new(),
            code: 0,
            divergences: None,
            codes: vec![0.0, 1.0, 2.0],
            is_coded: false,
            rows: vec![0, 1, 2],
        };
        assert_eq!(picture(&observation, &data).unwrap().unwrap().dimensions(), (1200, 750));
    }
}
