//! How far reconstructions of a table's rows are from them, column by column, in the units and words of the table.

use serde::Serialize;

use super::{Cell, Code, Columns};

/// How far the reconstructions of one column are from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnError {
    /// What the table calls it.
    pub column: String,
    /// Share of the squared error of all values that is this column's.
    pub share: f64,
    /// Of numbers: root of the mean squared error, in the units of the table, over the rows that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// Of words: share of the rows that have one and are reconstructed as another or as none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<f64>,
}

/// What is summed up of a column.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Squared errors of all its values.
    squares: f64,
    /// Those of the number itself, in rows that have one.
    number: f64,
    /// Rows that have a number or a word.
    present: usize,
    /// Those whose word is another one.
    wrong: usize,
}

/// The errors of every column, summed up block by block.
pub struct ColumnErrors<'c> {
    columns: &'c Columns,
    sums: Vec<Sums>,
}

impl<'c> ColumnErrors<'c> {
    /// Of no rows yet.
    pub fn new(columns: &'c Columns) -> Self {
        ColumnErrors { columns, sums: vec![Sums::default(); columns.columns.len()] }
    }

    /// Adds rows and what became of them, both `[rows, width]`.
    pub fn add(&mut self, x: &[f32], y: &[f32]) {
        let width = self.columns.width().max(1);
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact(width)) {
            let parts = self.columns.parts(x).zip(self.columns.parts(y));
            for (sums, ((column, x), (_, y))) in self.sums.iter_mut().zip(parts) {
                let square = |(x, y): (&f32, &f32)| (f64::from(*x) - f64::from(*y)).powi(2);
                sums.squares += x.iter().zip(y).map(square).sum::<f64>();
                let before = column.decode(x);
                if before == Cell::Missing {
                    continue;
                }
                sums.present += 1;
                match &column.code {
                    Code::Number { .. } => sums.number += x.first().zip(y.first()).map_or(0.0, square),
                    Code::Words { .. } => sums.wrong += usize::from(before != column.decode(y)),
                }
            }
        }
    }

    /// The error of each column, the one with the largest share first.
    pub fn finish(self) -> Vec<ColumnError> {
        let all: f64 = self.sums.iter().map(|sums| sums.squares).sum();
        let error = |(column, sums): (&super::Coded, &Sums)| {
            let present = sums.present.max(1) as f64;
            let (rmse, wrong) = match &column.code {
                Code::Number { deviation, .. } => (Some(deviation * (sums.number / present).sqrt()), None),
                Code::Words { .. } => (None, Some(sums.wrong as f64 / present)),
            };
            let share = if all > 0.0 { sums.squares / all } else { 0.0 };
            ColumnError { column: column.name.clone(), share, rmse, wrong }
        };
        let mut errors: Vec<ColumnError> = self.columns.columns.iter().zip(&self.sums).map(error).collect();
        errors.sort_by(|a, b| b.share.total_cmp(&a.share));
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::super::Coded;
    use super::*;

    #[test]
    fn errors_are_in_the_units_and_words_of_the_table() {
        let number = Code::Number { mean: 10.0, deviation: 4.0, decimals: None };
        let words = Code::Words { words: vec!["a".into(), "b".into()], other: false };
        let columns = Columns {
            columns: vec![
                Coded { name: "size".into(), indicator: true, code: number },
                Coded { name: "kind".into(), indicator: false, code: words },
            ],
            left_out: Vec::new(),
        };
        let mut errors = ColumnErrors::new(&columns);
        // Sizes 14, missing, 6; kinds a, b, a. Found: 12, anything, 10; a, a, b.
        errors.add(&[1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0], &[0.5, 0.0, 0.9, 0.1, 7.0, 1.0, 0.9, 0.1]);
        errors.add(&[-1.0, 0.0, 1.0, 0.0], &[0.0, 0.0, 0.0, 1.0]);
        let errors = errors.finish();
        assert_eq!([&*errors[0].column, &*errors[1].column], ["size", "kind"]);
        // 4 √((0.5² + 1²)/2) = 4 √0.625, and two of three words are another one.
        assert!(errors[0].rmse.is_some_and(|rmse| (rmse - 4.0 * 0.625f64.sqrt()).abs() < 1e-9), "{errors:?}");
        assert!(errors[1].wrong.is_some_and(|wrong| (wrong - 2.0 / 3.0).abs() < 1e-9), "{errors:?}");
        assert!((errors[0].share + errors[1].share - 1.0).abs() < 1e-9 && errors[0].share > 0.9, "{errors:?}");
    }
}
