//! Pictures of tables: what becomes of their columns.

use gpu_ae::Result;
use gpu_ae::data::columns::{Code, Columns};
use gpu_ae::report::{Bar, Heat, bar_picture, format_number, heat_picture};
use gpu_ae::statistics::correlation::correlations as correlation;
use gpu_ae::study::codes::Reconstructions;
use image::RgbImage;

/// Most columns that a picture has room for.
pub const COLUMNS: usize = 40;

/// Values of a row that are drawn, with what they stand for.
pub struct Chosen {
    /// Their places in a row, in order.
    pub places: Vec<usize>,
    /// Their names.
    pub names: Vec<String>,
    /// For a title, that there are more; empty if there are not.
    pub of: String,
}

impl Chosen {
    /// Those of a row's values that weigh most, by their weights: as many as there is room for.
    pub fn heaviest(names: &[impl AsRef<str>], weights: &[f64]) -> Self {
        let mut places: Vec<usize> = (0..names.len().min(weights.len())).collect();
        let all = places.len();
        places.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
        places.truncate(COLUMNS);
        places.sort_unstable();
        let of = if all > COLUMNS { format!(", the {COLUMNS} of {all} that vary most") } else { String::new() };
        Chosen { names: places.iter().map(|&place| names[place].as_ref().to_string()).collect(), places, of }
    }

    /// Of rows of `width` values, those that are drawn.
    pub fn of_rows(&self, values: &[f32], width: usize) -> Vec<f32> {
        values.chunks_exact(width.max(1)).flat_map(|row| self.places.iter().map(|&place| row[place])).collect()
    }
}

/// The error of each column, the largest first.
pub fn errors(columns: &Columns, rows: &Reconstructions, data: &str) -> Result<RgbImage> {
    let errors = columns.errors(&rows.originals, &rows.outputs);
    let mut bars: Vec<Bar> =
        columns.headings().into_iter().zip(errors).map(|(name, value)| Bar { name: name.to_string(), value }).collect();
    bars.sort_by(|a, b| b.value.total_cmp(&a.value));
    let more = bars.split_off(bars.len().min(COLUMNS));
    let note = match more.first() {
        Some(largest) => format!("and {} more, none above {}", more.len(), format_number(largest.value)),
        None => String::new(),
    };
    let count = rows.originals.len() / columns.width().max(1);
    let title = format!(
        "Mean squared error of each column in {count} test rows of {data}: of numbers in deviations of the training rows, so \
         that 1 is no better than the mean, of words as shares"
    );
    bar_picture(&title, &bars, &note)
}

/// How the columns of numbers move with one another in the rows and in what the network makes of them; none of a single one.
pub fn correlations(columns: &Columns, rows: &Reconstructions, data: &str) -> Result<Option<RgbImage>> {
    let (mut places, mut names, mut place) = (Vec::new(), Vec::new(), 0);
    for column in &columns.columns {
        if matches!(column.code, Code::Number { .. }) {
            places.push(place);
            names.push(column.name.clone());
        }
        place += column.width();
    }
    let all = places.len();
    if all < 2 {
        return Ok(None);
    }
    places.truncate(COLUMNS);
    names.truncate(COLUMNS);
    let heat = |title: &str, values: &[f32], rows: &[String]| {
        let column = |&place: &usize| values.iter().skip(place).step_by(columns.width().max(1)).copied().collect();
        Heat {
            title: title.into(),
            rows: rows.to_vec(),
            columns: names.clone(),
            values: correlation(&places.iter().map(column).collect::<Vec<Vec<f32>>>()),
            largest: Some(1.0),
        }
    };
    let more = if all > COLUMNS { format!(", the first {COLUMNS} of {all}") } else { String::new() };
    let title = format!("Correlation of the columns of numbers of {data}{more}");
    let pair = [heat("test rows", &rows.originals, &names), heat("their reconstructions", &rows.outputs, &[])];
    heat_picture(&title, &pair).map(Some)
}

/// How the rows of each group differ from all of them: of each value the mean, less that of all rows, over their deviation.
/// `groups` is the number of the group of each row of `values`, `[rows, width]`.
pub fn groups(
    title: &str,
    columns: &Columns,
    values: &[f32],
    groups: &[usize],
    names: Vec<String>,
) -> Result<RgbImage> {
    let width = columns.width().max(1);
    let rows = groups.len().max(1) as f64;
    let (mut sums, mut squares) = (vec![0.0; width], vec![0.0; width]);
    let (mut of, mut counts) = (vec![0.0; width * names.len()], vec![0.0; names.len()]);
    for (row, &group) in values.chunks_exact(width).zip(groups) {
        counts[group] += 1.0;
        for (place, &x) in row.iter().enumerate() {
            let x = f64::from(x);
            sums[place] += x;
            squares[place] += x * x;
            of[group * width + place] += x;
        }
    }
    let mean = |place: usize| sums[place] / rows;
    let deviation = |place: usize| (squares[place] / rows - mean(place).powi(2)).max(0.0).sqrt();
    let differences: Vec<f32> = (0..of.len())
        .map(|index| {
            let (group, place) = (index / width, index % width);
            let moved = of[index] / counts[group] - mean(place);
            // What does not vary differs nowhere; a group without rows has no mean.
            if moved == 0.0 || deviation(place) > 0.0 {
                (moved / deviation(place).max(f64::MIN_POSITIVE)) as f32
            } else {
                0.0
            }
        })
        .collect();
    let largest = |place: usize| {
        let column = differences.iter().skip(place).step_by(width).filter(|value| value.is_finite());
        column.fold(0.0, |most: f64, value| most.max(f64::from(value.abs())))
    };
    let chosen = Chosen::heaviest(&columns.value_names(), &(0..width).map(largest).collect::<Vec<f64>>());
    let heat = Heat {
        rows: names,
        values: chosen.of_rows(&differences, width),
        columns: chosen.names.clone(),
        ..Heat::default()
    };
    heat_picture(&format!("{title}{}", chosen.of), &[heat])
}

/// The squared errors of rows by column; both are `[rows, width]`.
pub fn row_errors(title: &str, columns: &Columns, x: &[f32], y: &[f32], names: Vec<String>) -> Result<RgbImage> {
    let width = columns.width().max(1);
    let pairs = x.chunks_exact(width).zip(y.chunks_exact(width));
    let errors: Vec<f32> = pairs.flat_map(|(x, y)| columns.errors(x, y)).map(|error| error as f32).collect();
    let count = columns.columns.len().max(1);
    let sum = |place: usize| errors.iter().skip(place).step_by(count).map(|&error| f64::from(error)).sum();
    let chosen = Chosen::heaviest(&columns.headings(), &(0..count).map(sum).collect::<Vec<f64>>());
    let heat =
        Heat { rows: names, values: chosen.of_rows(&errors, count), columns: chosen.names.clone(), ..Heat::default() };
    heat_picture(&format!("{title}{}", chosen.of), &[heat])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use gpu_ae::data::columns::Coded;

    /// So many columns of numbers, and one of two words.
    fn columns(numbers: usize) -> Columns {
        let number = |place| Coded {
            name: format!("number {place}"),
            indicator: false,
            code: Code::Number { mean: 5.0, deviation: 2.0, decimals: None },
        };
        let words = Code::Words { words: vec!["a".into(), "b".into()], other: false };
        let words = Coded { name: "kind".into(), indicator: false, code: words };
        Columns { columns: (0..numbers).map(number).chain([words]).collect(), left_out: Vec::new() }
    }

    fn rows(width: usize, rows: usize) -> Reconstructions {
        let originals: Vec<f32> = (0..width * rows).map(|place| ((place * 37) % 11) as f32 / 5.0).collect();
        let outputs = originals.iter().map(|x| 0.8 * x).collect();
        Reconstructions { originals, noisy: None, outputs }
    }

    #[test]
    fn tables_of_any_width_have_their_pictures() {
        for numbers in [1, 2, 39, 40, 400] {
            let (columns, rows) = (columns(numbers), rows(numbers + 2, 7));
            let drawn = errors(&columns, &rows, "rows").unwrap();
            assert!(drawn.height() < 1400, "{numbers}: {}", drawn.height());
            let drawn = correlations(&columns, &rows, "rows").unwrap();
            assert_eq!(drawn.is_some(), numbers > 1);
            let names = vec!["first".to_string(), "second, without a row".into()];
            groups("groups", &columns, &rows.originals, &[0; 7], names).unwrap();
            let names = (0..7).map(|row| format!("row {row}")).collect();
            let drawn = row_errors("errors", &columns, &rows.originals, &rows.outputs, names).unwrap();
            assert!(drawn.width() < 1600, "{numbers}: {}", drawn.width());
        }
    }

    #[test]
    fn the_heaviest_are_chosen_and_stand_in_the_order_of_the_table() {
        let names: Vec<String> = (0..COLUMNS + 2).map(|place| place.to_string()).collect();
        let mut weights = vec![1.0; names.len()];
        (weights[0], weights[5]) = (0.0, 0.5);
        let chosen = Chosen::heaviest(&names, &weights);
        assert_eq!(chosen.places.len(), COLUMNS);
        assert!(chosen.places.is_sorted() && !chosen.places.contains(&0) && !chosen.places.contains(&5));
        assert_eq!(chosen.of, ", the 40 of 42 that vary most");
        let few = Chosen::heaviest(&names[..2], &weights[..2]);
        assert_eq!((few.of.as_str(), few.of_rows(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3)), ("", vec![1.0, 2.0, 4.0, 5.0]));
    }
}
