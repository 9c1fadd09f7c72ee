//! The columns of a table as values of a network, and back.
//!
//! * **Numbers** become one value: less the mean, over the deviation, of the training rows, or as they are with
//!   `--scale none`. One that is missing becomes the mean.
//! * **Words** become a value for each different word of the training rows, 1 for that of the row, else 0. Of more than
//!   [`MOST_WORDS`] the rarest are one value together. A word that no training row has is one of these, or 0 throughout.
//! * **Missing** has a value of its own, 1 where a cell is missing, if one is in the training rows.
//! * **Left out**, with a notice, is a column of one value, and one of words that looks like a name of each row: more than
//!   [`MOST_NAMES`] different ones, and more than half as many as rows.

mod back;
mod fit;
mod judged;
mod label;
mod role;
mod value;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::label::Classes;
use self::role::Roles;
use super::divide;
use super::format::table::Table;
use super::found::{Part, Side};
use super::options::DataOptions;
use super::values::Values;
use crate::error::{Error, Result};

pub use back::Cell;
pub use judged::{ColumnError, ColumnErrors};

/// Most words of a column that have a value each, the value for all others among them.
pub const MOST_WORDS: usize = 256;
/// From so many different words on, a column may be taken for one of names.
pub const MOST_NAMES: usize = 50;

/// How the columns of a table became values: found on the training rows, applied to any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// The columns, in the order of the file.
    pub columns: Vec<Coded>,
    /// Further columns of the training rows, which are no values: the label, names, what does not vary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// A column and how it became values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coded {
    /// What the table calls it.
    pub name: String,
    /// Whether a further value, its last, says that it is missing.
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
        /// Digits behind the point that its numbers are written with there; none if they have more than anybody writes, or in a
        /// run from before that was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decimals: Option<u8>,
    },
    /// One value for each of these words, 1 for that of the row, else 0.
    Words {
        /// The words, in the order of their bytes.
        words: Vec<String>,
        /// Whether a value behind them stands for any other word.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        other: bool,
    },
}

impl Coded {
    /// Values that it became.
    pub fn width(&self) -> usize {
        let width = match &self.code {
            Code::Number { .. } => 1,
            Code::Words { words, other } => words.len() + usize::from(*other),
        };
        width + usize::from(self.indicator)
    }
}

impl Columns {
    /// Values of a row.
    pub fn width(&self) -> usize {
        self.columns.iter().map(Coded::width).sum()
    }

    /// What the columns are called.
    pub fn headings(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// What they are called, for a sentence: the first of them, and how many follow.
    pub fn listed(&self) -> String {
        role::listed(&self.headings())
    }

    /// What each value of a row stands for: `size`, `colour=red`, `size missing`.
    pub fn value_names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.width());
        for Coded { name, indicator, code } in &self.columns {
            match code {
                Code::Number { .. } => names.push(name.clone()),
                Code::Words { words, other } => {
                    let others = other.then_some("other words");
                    let words = words.iter().map(String::as_str).chain(others);
                    names.extend(words.map(|word| format!("{name}={word}")));
                }
            }
            names.extend(indicator.then(|| format!("{name} missing")));
        }
        names
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
    /// What is left out, or not as it was expected.
    pub notices: Vec<String>,
}

/// Rows of a table that are on one side.
struct Rows<'a> {
    side: Side,
    table: &'a Table,
    rows: Vec<u32>,
    /// What they are called.
    names: Vec<String>,
}

/// Divides tables into sides and encodes them: by what their training rows say, or as `known` columns and classes say.
///
/// # Errors
/// When a column that is asked for is not there, or nothing is left, or a row does not fit what is known.
pub fn encode(
    path: &Path,
    tables: &[(Side, Table)],
    options: &DataOptions,
    seed: u64,
    known: Option<(&Columns, &[String])>,
) -> Result<Encoded> {
    let tables: Vec<&(Side, Table)> = tables.iter().filter(|(_, table)| table.rows > 0).collect();
    if tables.is_empty() {
        return Err(Error::input(path, "no rows, expected some"));
    }
    if known.is_none() && tables.iter().map(|(_, table)| table.rows).sum::<usize>() == 1 {
        return Err(Error::input(path, divide::ONE_ROW));
    }
    let mut notices = Vec::new();
    let roles = Roles::of(&tables, options, known.is_some(), &mut notices)?;
    let rows = divided(&tables, &roles, options, seed)?;
    let classes = Classes::of(&tables, &roles, known.map_or(&[], |(_, classes)| classes))?;
    let columns = match known {
        Some((columns, _)) => columns.clone(),
        None => fit::columns(path, &rows, &roles, options, &mut notices)?,
    };
    let mut range = [f32::INFINITY, f32::NEG_INFINITY];
    let mut parts = Vec::with_capacity(rows.len());
    for Rows { side, table, rows, names } in rows {
        let extra = columns.unknown(table, &roles);
        if !extra.is_empty() {
            let text = "not in the rows that were learnt from, and ignored";
            notices.push(format!("{}: {text}: {}", table.path.display(), role::listed(&extra)));
        }
        let values = columns.encode_rows(table, &rows)?;
        if side == Side::Train {
            range = values.iter().fold(range, |range, value| [range[0].min(*value), range[1].max(*value)]);
        }
        let labels = classes.labels(table, &rows, &roles)?;
        parts.push(Part { side, values: Values::of_floats(values), labels, names });
    }
    if range[0] > range[1] {
        range = [0.0, 1.0];
    }
    notices.dedup();
    Ok(Encoded { columns, classes: classes.names, range, parts, notices })
}

/// The rows of tables on the sides that their files name, or divided by a hash of their names: what the column says that
/// names them, or else their numbers, from 0 on.
fn divided<'a>(
    tables: &[&'a (Side, Table)],
    roles: &Roles<'_>,
    options: &DataOptions,
    seed: u64,
) -> Result<Vec<Rows<'a>>> {
    let mut before = 0;
    let mut all = Vec::new();
    for (side, table) in tables {
        let names = match roles.names(table)? {
            Some(names) => names,
            None => (before..before + table.rows).map(|row| row.to_string()).collect(),
        };
        before += table.rows;
        all.push((*side, table, names));
    }
    if let Some(told) = divide::told(tables.iter().map(|(side, _)| *side)) {
        let rows = |(side, table, names): (Side, &'a Table, Vec<String>)| {
            // Rows that are together in a file need no names but their numbers there.
            let names = if roles.id.is_some() { names } else { Vec::new() };
            Rows { side: told.side(side), table, rows: (0..table.rows as u32).collect(), names }
        };
        return Ok(all.into_iter().map(rows).collect());
    }
    let names = all.iter().flat_map(|(_, _, names)| names.iter().map(|name| name.as_str().into()));
    let tested = divide::tested(names, seed, options.test_share());
    let (mut rows, mut before) = (Vec::new(), 0);
    for (_, table, mut names) in all {
        for (side, wanted) in [(Side::Train, false), (Side::Test, true)] {
            let chosen: Vec<u32> =
                (0..table.rows as u32).filter(|row| tested[before + *row as usize] == wanted).collect();
            let names = chosen.iter().map(|row| std::mem::take(&mut names[*row as usize])).collect();
            if !chosen.is_empty() {
                rows.push(Rows { side, table, rows: chosen, names });
            }
        }
        before += table.rows;
    }
    Ok(rows)
}
