//! Tables: columns of numbers and of words, whatever file they come from.

use std::path::Path;

use crate::data::found::{Found, Listener};
use crate::data::options::DataOptions;
use crate::error::{Error, Result};

/// A table in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Number of rows.
    pub rows: usize,
    /// Its columns, in the order of the file.
    pub columns: Vec<Column>,
}

/// A column with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What the header calls it, or `column 1` and so on without a header.
    pub name: String,
    /// What it holds.
    pub cells: Cells,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// Words: of each row an index into the different ones, [`MISSING`] where there is none.
    Words {
        /// Of each row, which word.
        codes: Vec<u32>,
        /// The different words, in the order in which they first come.
        words: Vec<String>,
    },
}

/// The code of a word that is missing.
pub const MISSING: u32 = u32::MAX;

/// Reads a table from a file.
///
/// # Errors
/// When it is none; the message names the file and the line.
pub fn read(path: &Path, _options: &DataOptions, _listener: &mut dyn Listener) -> Result<Found> {
    Err(Error::input(path, "expected a table"))
}
