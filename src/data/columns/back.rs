//! Values of a network as cells of a table again.

use std::borrow::Cow;
use std::fmt;

use super::{Code, Coded, Columns};
use crate::error::{Error, Result};

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

    /// The same of what a network makes of rows: a number has as many digits behind the point as those of its column that were
    /// learnt from.
    pub fn answers(&self, values: &[f32]) -> Vec<Vec<Cell<'_>>> {
        let mut rows = self.decode(values);
        for row in &mut rows {
            for (cell, column) in row.iter_mut().zip(&self.columns) {
                if let (Cell::Number(number), Code::Number { decimals: Some(decimals), .. }) = (cell, &column.code) {
                    *number = rounded_to(*number, *decimals);
                }
            }
        }
        rows
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

    /// What a network makes of rows, `[rows, width]`, as a CSV in the units and words of the table, behind columns of any other
    /// text: each with its heading, and a cell for each row.
    ///
    /// # Errors
    /// When memory is short.
    pub fn csv(&self, before: &[(&str, &[String])], values: &[f32]) -> Result<Vec<u8>> {
        let failed = |error: csv::Error| Error::Failed(format!("a table cannot be written: {error}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let headings = before.iter().map(|(heading, _)| *heading).chain(self.headings());
        writer.write_record(headings).map_err(failed)?;
        for (row, cells) in self.answers(values).into_iter().enumerate() {
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
            Code::Number { mean, deviation, decimals } => {
                let value = f64::from(values.first().copied().unwrap_or(0.0));
                Cell::Number(told(value * deviation + mean, [*mean, *deviation], *decimals))
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

/// The number of so many digits behind the point that is nearest to this one.
pub(super) fn rounded_to(number: f64, decimals: u8) -> f64 {
    let scale = 10f64.powi(i32::from(decimals));
    let rounded = (number * scale).round() / scale;
    if rounded.is_finite() { rounded } else { number }
}

/// What an f32 of the network says of a number, so that 7.7 is no 7.6999999: the number that the column is written with, if that
/// is as near as the f32 tells, else one of as many digits as it tells.
fn told(number: f64, [mean, deviation]: [f64; 2], decimals: Option<u8>) -> f64 {
    // Half of the f32's last digit, and as much again for what came before.
    let doubt = ((number - mean).abs().max(deviation)) * f64::from(f32::EPSILON);
    let written = decimals.map(|decimals| rounded_to(number, decimals));
    if let Some(written) = written.filter(|written| (written - number).abs() <= doubt) {
        return written;
    }
    let digits = -doubt.log10().ceil();
    if (0.0..=15.0).contains(&digits) { rounded_to(number, digits as u8) } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(mean: f64, deviation: f64, decimals: Option<u8>) -> Columns {
        let code = Code::Number { mean, deviation, decimals };
        Columns { columns: vec![Coded { name: "x".into(), indicator: false, code }], ..Columns::default() }
    }

    #[test]
    fn numbers_come_back_as_they_were_written() {
        for decimals in [Some(1), None] {
            let columns = column(5.843_333_333_3, 0.825_301_291_8, decimals);
            for tenths in 20..120 {
                let number = f64::from(tenths) / 10.0;
                let value = ((number - 5.843_333_333_3) / 0.825_301_291_8) as f32;
                assert_eq!(columns.decode(&[value])[0][0].to_string(), number.to_string(), "{decimals:?}");
                assert_eq!(columns.answers(&[value])[0][0].to_string(), number.to_string());
            }
        }
        // A number of more digits than those that were learnt from is not cut, an answer is.
        let columns = column(5.0, 1.0, Some(1));
        assert_eq!(columns.decode(&[2.75])[0][0].to_string(), "7.75");
        assert_eq!(columns.answers(&[2.74])[0][0].to_string(), "7.7");
        assert_eq!(column(5.0, 1.0, None).answers(&[0.123_456_78])[0][0].to_string(), "5.123457");
    }
}
