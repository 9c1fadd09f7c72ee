//! Rows that belong to one sample: 1 in a matrix of samples, H·W where a row is a pixel of an image.
//!
//! The clock counts valid samples; an operation that leaves out the padding of a last batch counts
//! `rows_per_sample` valid rows for each of them.

use crate::error::{Error, Result};
use crate::ops::step::clock;

/// Rows that hold data, by the words of the clock.
pub fn valid_rows(clock: &[u32], rows_per_sample: usize) -> usize {
    clock::valid_rows(clock) * rows_per_sample
}

/// Attributes of an operation: `others`, and how many rows a sample has if that is not one.
pub(in crate::ops) fn attributes(others: String, rows_per_sample: usize) -> String {
    match rows_per_sample {
        1 => others,
        rows if others.is_empty() => format!("rows_per_sample={rows}"),
        rows => format!("{others} rows_per_sample={rows}"),
    }
}

/// Refuses a number of rows that is not a number of whole samples.
pub(in crate::ops) fn check(op: &str, rows: usize, rows_per_sample: usize) -> Result<()> {
    if rows_per_sample > 0 && rows.is_multiple_of(rows_per_sample) {
        return Ok(());
    }
    Err(Error::graph(op, format!("{rows} rows are not whole samples of {rows_per_sample} rows")))
}
