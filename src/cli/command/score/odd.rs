//! What makes a row odd: the columns, or the region of an image, in which most of its error is.

use gpu_ae::data::{Encoding, ImageShape};
use gpu_ae::report::format_number;
use serde::Serialize;

/// Columns of a row that are told.
const COLUMNS: usize = 3;
/// Sides of an image over those of its region.
const SIDES: usize = 4;

/// What makes a row odd.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Odd {
    /// The columns of a table, or the values of plain rows.
    Columns {
        /// Those with the largest shares of the squared error, the largest first; behind them what comes back as it was.
        odd_columns: Vec<OddColumn>,
    },
    /// Part of an image.
    Region {
        /// The part with the largest squared error.
        odd_region: Region,
    },
}

/// A column of a row that is not as it was expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OddColumn {
    /// What it is called; of plain rows, the number of the value, from 0.
    pub column: String,
    /// What the row has.
    pub value: String,
    /// What the network makes of it.
    pub expected: String,
    /// Share of the row's squared error.
    pub share: f64,
}

/// A part of an image, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Region {
    /// Its left edge.
    pub x: usize,
    /// Its upper edge.
    pub y: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Share of the image's squared error.
    pub share: f64,
}

/// Columns of a table that tell what is odd.
pub fn headings(encoding: &Encoding) -> Vec<String> {
    if encoding.image.height > 1 {
        return vec!["odd_region".into()];
    }
    let columns = encoding.columns.as_ref().map_or(encoding.image.values(), |columns| columns.columns.len());
    let of = |number| [format!("odd_{number}"), format!("odd_{number}_value"), format!("odd_{number}_expected")];
    (1..=columns.min(COLUMNS)).flat_map(of).collect()
}

/// What makes a row `x` odd that is reconstructed as `y`, both as the network sees them.
pub fn odd(encoding: &Encoding, x: &[f32], y: &[f32]) -> Odd {
    if encoding.image.height > 1 {
        return Odd::Region { odd_region: region(&squares(encoding.image, x, y), encoding.image) };
    }
    let square = |(x, y): (&f32, &f32)| (f64::from(*x) - f64::from(*y)).powi(2);
    let errors: Vec<f64> = match &encoding.columns {
        Some(columns) => {
            let parts = columns.parts(x).zip(columns.parts(y));
            parts.map(|((_, x), (_, y))| x.iter().zip(y).map(square).sum()).collect()
        }
        None => x.iter().zip(y).map(square).collect(),
    };
    let all: f64 = errors.iter().sum();
    let name = |place: usize| match &encoding.columns {
        Some(columns) => columns.columns[place].name.clone(),
        None => place.to_string(),
    };
    let [before, after] = [(x, false), (y, true)].map(|(row, is_answer)| cells(encoding, row, is_answer));
    let mut order: Vec<usize> = (0..errors.len()).filter(|&place| errors[place] > 0.0).collect();
    // What comes back as it was is odd only where nothing else is, such as a word that was less certain.
    let is_same = |place: usize| before.get(place) == after.get(place);
    order.sort_by(|&a, &b| is_same(a).cmp(&is_same(b)).then(errors[b].total_cmp(&errors[a])));
    order.truncate(COLUMNS);
    let column = |place: usize| OddColumn {
        column: name(place),
        value: before.get(place).cloned().unwrap_or_default(),
        expected: after.get(place).cloned().unwrap_or_default(),
        share: errors[place] / all,
    };
    Odd::Columns { odd_columns: order.into_iter().map(column).collect() }
}

/// The cells of a row that is no image, or of what a network makes of it, in their own units and words.
fn cells(encoding: &Encoding, row: &[f32], is_answer: bool) -> Vec<String> {
    match &encoding.columns {
        Some(columns) => {
            let rows = if is_answer { columns.answers(row) } else { columns.decode(row) };
            rows.into_iter().flatten().map(|cell| cell.to_string()).collect()
        }
        None => encoding.as_stored(row).into_iter().map(|value| format_number(value.into())).collect(),
    }
}

/// The squared error of each pixel, mean over its channels.
pub fn squares(image: ImageShape, x: &[f32], y: &[f32]) -> Vec<f64> {
    let channels = image.channels.max(1);
    let pixel = |(x, y): (&[f32], &[f32])| {
        x.iter().zip(y).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum::<f64>() / channels as f64
    };
    x.chunks_exact(channels).zip(y.chunks_exact(channels)).map(pixel).collect()
}

/// The part of an image, a quarter of its sides, with the largest sum; of several the uppermost, then the leftmost.
fn region(squares: &[f64], image: ImageShape) -> Region {
    let [width, height] = [image.width, image.height].map(|side| side.div_ceil(SIDES));
    // sums[y][x] is that of all pixels above y and left of x.
    let across = image.width + 1;
    let mut sums = vec![0.0; across * (image.height + 1)];
    for y in 0..image.height {
        let mut row = 0.0;
        for x in 0..image.width {
            row += squares[y * image.width + x];
            sums[(y + 1) * across + x + 1] = sums[y * across + x + 1] + row;
        }
    }
    let sum = |x: usize, y: usize| {
        let at = |x: usize, y: usize| sums[y * across + x];
        at(x + width, y + height) - at(x, y + height) - at(x + width, y) + at(x, y)
    };
    let places = (0..=image.height - height).flat_map(|y| (0..=image.width - width).map(move |x| (x, y)));
    let best = places.reduce(|best, other| if sum(other.0, other.1) > sum(best.0, best.1) { other } else { best });
    let (x, y) = best.unwrap_or_default();
    let all = sums.last().copied().unwrap_or(0.0);
    let share = if all > 0.0 { (sum(x, y) / all).clamp(0.0, 1.0) } else { 0.0 };
    Region { x, y, width, height, share }
}

impl Odd {
    /// Cells of a table under so many [`headings`].
    pub fn cells(&self, headings: usize) -> Vec<String> {
        let mut cells = match self {
            Odd::Region { odd_region: Region { x, y, width, height, .. } } => vec![format!("{x} {y} {width} {height}")],
            Odd::Columns { odd_columns } => {
                let cells = |it: &OddColumn| [it.column.clone(), it.value.clone(), it.expected.clone()];
                odd_columns.iter().flat_map(cells).collect()
            }
        };
        cells.resize(headings, String::new());
        cells
    }

    /// In a few words.
    pub fn told(&self) -> String {
        match self {
            Odd::Region { odd_region: Region { x, y, width, height, .. } } => format!("{x} {y} {width} {height}"),
            Odd::Columns { odd_columns } => odd_columns
                .first()
                .map_or(String::new(), |it| format!("{} {}, expected {}", it.column, it.value, it.expected)),
        }
    }
}

/// A cell in a sentence.
pub fn shown(cell: &str) -> &str {
    if cell.is_empty() { "(missing)" } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_where_most_of_the_error_is() {
        let image = ImageShape { height: 8, width: 12, channels: 3 };
        let encoding = Encoding::images(image, Vec::new());
        let x = vec![0.5; image.values()];
        let mut y = x.clone();
        // All of the error is in pixels 7 to 9 across, 5 and 6 down, which the window of 3 x 2 covers in one place alone.
        for (row, column) in [(5, 7), (6, 9), (6, 8)] {
            y[(row * 12 + column) * 3 + 1] = 1.0;
        }
        let Odd::Region { odd_region } = odd(&encoding, &x, &y) else { return };
        assert_eq!(odd_region, Region { x: 7, y: 5, width: 3, height: 2, share: 1.0 });
        assert_eq!(odd(&encoding, &x, &y).cells(1), ["7 5 3 2"]);
        // A row without an error has a region as well, and no share of it.
        let Odd::Region { odd_region } = odd(&encoding, &x, &x) else { return };
        assert_eq!((odd_region.x, odd_region.share), (0, 0.0));
    }

    #[test]
    fn plain_values_are_named_by_their_numbers() {
        let encoding = Encoding::images(ImageShape::row(4), Vec::new());
        let odd = odd(&encoding, &[0.0, 1.0, 2.0, 3.0], &[0.0, 1.5, 0.0, 3.0]);
        let headings = headings(&encoding);
        assert_eq!(headings.len(), 9);
        let cells = odd.cells(9);
        assert_eq!(&cells[..7], ["2", "2.000", "0", "1", "1.000", "1.500", ""]);
    }
}
