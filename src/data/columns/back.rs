//! Values of a network as cells of a table again.

use std::borrow::Cow;
use std::fmt;

use super::{Code, Coded, Columns};
use crate::error::{Error, Result};

/// Decimal digits of a deviation that an f32 tells apart.
const DIGITS: i32 = 6;

/// A cell in the units and words of its table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A number, to the digits that its value tells apart.
    Number(f64),
    /// A word.
    Word(&'a str),
    /// One of the words that have no value each.
    Other,
    /// Nothing.
    Missing,
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Number(number) if *number != 0.0 && !(1e-6..1e16).contains(&number.abs()) => write!(f, "{number:e}"),
            Cell::Number(number) => write!(f, "{number}"),
            Cell::Word(word) => f.write_str(word),
            Cell::Other => f.write_str("(another)"),
            Cell::Missing => Ok(()),
        }
    }
}

impl Columns {
    /// Rows of values, `[rows, width]`, in the units and words of the table: of words the one whose value is largest,
    /// another where all are 0, nothing where the value for what is missing is above a half.
    pub fn decode(&self, values: &[f32]) -> Vec<Vec<Cell<'_>>> {
        let rows = values.chunks_exact(self.width().max(1));
        rows.map(|row| self.parts(row).map(|(column, values)| column.decode(values)).collect()).collect()
    }

    /// Of each column, the mean over rows and over its values of (x − y)²: of a number the squared error in deviations of
    /// the training rows, of words the squared error of what is 0 or 1. Both are `[rows, width]`. The mean of these, each as
    /// often as its column has values, is the mean squared error.
    pub fn errors(&self, x: &[f32], y: &[f32]) -> Vec<f64> {
        let width = self.width().max(1);
        let mut sums = vec![0.0; self.columns.len()];
        let mut rows = 0usize;
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact(width)) {
            rows += 1;
            for (sum, ((_, x), (_, y))) in sums.iter_mut().zip(self.parts(x).zip(self.parts(y))) {
                let squares: f64 = x.iter().zip(y).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
                *sum += squares / x.len().max(1) as f64;
            }
        }
        sums.into_iter().map(|sum| sum / rows.max(1) as f64).collect()
    }

    /// Rows of values, `[rows, width]`, as a CSV in the units and words of the table, behind columns of any other text:
    /// each with its heading, and a cell for each row.
    ///
    /// # Errors
    /// When memory is short.
    pub fn csv(&self, before: &[(&str, &[String])], values: &[f32]) -> Result<Vec<u8>> {
        let failed = |error: csv::Error| Error::Failed(format!("a table cannot be written: {error}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let headings = before.iter().map(|(heading, _)| *heading).chain(self.headings());
        writer.write_record(headings).map_err(failed)?;
        for (row, cells) in self.decode(values).into_iter().enumerate() {
            let texts = before.iter().map(|(_, texts)| Cow::Borrowed(texts.get(row).map_or("", String::as_str)));
            let cells = cells.iter().map(|cell| Cow::Owned(cell.to_string()));
            writer.write_record(texts.chain(cells).map(|text| text.into_owned().into_bytes())).map_err(failed)?;
        }
        writer.into_inner().map_err(|error| Error::Failed(format!("a table cannot be written: {error}")))
    }

    /// The columns with their values of a row.
    pub fn parts<'c, 'v>(&'c self, row: &'v [f32]) -> impl Iterator<Item = (&'c Coded, &'v [f32])> {
        let mut rest = row;
        self.columns.iter().map(move |column| {
            let (part, more) = rest.split_at(column.width().min(rest.len()));
            rest = more;
            (column, part)
        })
    }
}

impl Coded {
    /// What its values of a row say.
    pub(super) fn decode(&self, values: &[f32]) -> Cell<'_> {
        let (values, missing) = match values.split_last() {
            Some((missing, values)) if self.indicator => (values, *missing),
            _ => (values, 0.0),
        };
        if missing > 0.5 {
            return Cell::Missing;
        }
        match &self.code {
            Code::Number { mean, deviation } => {
                let value = values.first().copied().unwrap_or(0.0);
                Cell::Number(rounded(f64::from(value) * deviation + mean, *deviation))
            }
            Code::Words { words, .. } => {
                let largest =
                    values.iter().enumerate().reduce(|best, other| if other.1 > best.1 { other } else { best });
                // A word that no row had which was learnt from has no value: all are 0.
                if values.iter().all(|value| *value == 0.0) {
                    return Cell::Other;
                }
                match largest.map(|(place, _)| words.get(place)) {
                    Some(Some(word)) => Cell::Word(word),
                    Some(None) => Cell::Other,
                    None => Cell::Missing,
                }
            }
        }
    }
}

/// A number to the digits that values of this deviation tell apart, so that 5.1 is no 5.0999998.
fn rounded(number: f64, deviation: f64) -> f64 {
    let decimals = DIGITS - deviation.log10().floor() as i32;
    if !(0..=15).contains(&decimals) {
        return number;
    }
    let scale = 10f64.powi(decimals);
    let scaled = (number * scale).round() / scale;
    if scaled.is_finite() { scaled } else { number }
}
