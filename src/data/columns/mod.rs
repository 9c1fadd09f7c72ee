//! The columns of a table as values of a network, and back.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::format::table::Table;
use super::found::{Part, Side};
use super::options::DataOptions;
use crate::error::{Error, Result};

/// How the columns of a table became values: found on the training rows, applied to any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// The columns, in the order of the file.
    pub columns: Vec<Coded>,
}

/// A column and how it became values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coded {
    /// What the table calls it.
    pub name: String,
    /// Whether a further value says that it is missing.
    pub indicator: bool,
    /// What it became.
    pub code: Code,
}

/// What a column became.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Code {
    /// One value: less the mean, over the deviation, of the training rows.
    Number {
        /// Mean in the training rows.
        mean: f64,
        /// Standard deviation there.
        deviation: f64,
    },
    /// One value for each of these words, 1 for that of the row, else 0.
    Words(Vec<String>),
}

impl Columns {
    /// Values of a row.
    pub fn width(&self) -> usize {
        let width = |column: &Coded| match &column.code {
            Code::Number { .. } => 1,
            Code::Words(words) => words.len(),
        };
        self.columns.iter().map(|column| width(column) + usize::from(column.indicator)).sum()
    }
}

/// Tables divided and encoded.
pub struct Encoded {
    /// How.
    pub columns: Columns,
    /// Names of the classes; empty if there is no label.
    pub classes: Vec<String>,
    /// Smallest and largest value of the training rows.
    pub range: [f32; 2],
    /// The rows, on sides that are all decided.
    pub parts: Vec<Part>,
}

/// Divides tables into sides and encodes them: by what their training rows say, or as `known` columns and classes say.
///
/// # Errors
/// When a column that is asked for is not there, or nothing is left, or a row does not fit what is known.
pub fn encode(
    _path: &Path,
    _tables: &[(Side, Table)],
    _options: &DataOptions,
    _seed: u64,
    _known: Option<(&Columns, &[String])>,
) -> Result<Encoded> {
    Err(Error::Usage("--data: tables".into()))
}
