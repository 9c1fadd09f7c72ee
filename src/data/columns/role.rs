//! Columns that are asked for by name: the label, the names of rows, what is left out.

use crate::data::format::table::{Cells, Column, MISSING, Table};
use crate::data::found::Side;
use crate::data::options::DataOptions;
use crate::error::{Error, Result, shortened};
use crate::spelling::distance;

/// Most columns that a message names.
const NAMED: usize = 8;
/// Most characters of each.
const QUOTED: usize = 60;
/// Most letters of a name that is compared with others.
const COMPARED: usize = 80;

/// Columns that are no values.
pub(super) struct Roles<'a> {
    /// The column of the classes.
    pub label: Option<&'a str>,
    /// The column that names rows.
    pub id: Option<&'a str>,
    /// Columns that are left out.
    pub drop: Vec<&'a str>,
}

impl<'a> Roles<'a> {
    /// What is asked for, if it is there. Where columns are `known` already, rows may do without what only the run was asked
    /// for: a label, a name, a column that is left out.
    pub fn of(
        tables: &[&(Side, Table)],
        options: &'a DataOptions,
        is_known: bool,
        notices: &mut Vec<String>,
    ) -> Result<Self> {
        let mut asked = |flag: &str, name: &'a Option<String>| -> Result<Option<&'a str>> {
            let Some(name) = name.as_deref() else { return Ok(None) };
            let Some((_, table)) = tables.iter().find(|(_, table)| table.column(name).is_none()) else {
                return Ok(Some(name));
            };
            if !is_known || options.is_asked_anew(&format!("--{flag}")) {
                return Err(Error::Usage(format!("--{flag} '{}': {}", shortened(name, QUOTED), none_of(name, table))));
            }
            let problem = format!("no column '{}' of --{flag}: rows are read without", shortened(name, QUOTED));
            notices.push(format!("{}: {problem}", table.path.display()));
            Ok(None)
        };
        let (label, id) = (asked("label", &options.label)?, asked("id", &options.id)?);
        if label.is_some() && label == id {
            let name = shortened(label.unwrap_or_default(), QUOTED);
            return Err(Error::Usage(format!("--label and --id are both '{name}', expected two columns")));
        }
        let has = |name: &str| {
            tables
                .iter()
                .any(|(_, table)| table.column(name).is_some() || table.unread.iter().any(|other| other == name))
        };
        let drop = options.dropped(has);
        let absent = drop.iter().find(|name| !has(name)).filter(|_| !is_known || options.is_asked_anew("--drop"));
        if let Some((name, (_, table))) = absent.zip(tables.first()) {
            return Err(Error::Usage(format!("--drop '{}': {}", shortened(name, QUOTED), none_of(name, table))));
        }
        let dropped = |asked: Option<&str>| asked.is_some_and(|asked| drop.contains(&asked));
        for (flag, asked) in [("label", label), ("id", id)] {
            if dropped(asked) {
                let name = shortened(asked.unwrap_or_default(), QUOTED);
                return Err(Error::Usage(format!("--drop '{name}': is the column of --{flag}, expected another")));
            }
        }
        Ok(Roles { label, id, drop })
    }

    /// Whether a column is no value of a row.
    pub fn has(&self, name: &str) -> bool {
        self.label == Some(name) || self.id == Some(name) || self.drop.contains(&name)
    }

    /// What the rows of a table are called, if a column says so.
    pub fn names(&self, table: &Table) -> Result<Option<Vec<String>>> {
        let Some(column) = self.id.and_then(|name| table.column(name)) else { return Ok(None) };
        let name = |row: usize| word_of(column, row).ok_or_else(|| missing(table, row, "id", &column.name, "a name"));
        (0..table.rows).map(name).collect::<Result<_>>().map(Some)
    }
}

/// That a row has nothing in a column that a flag names.
pub(super) fn missing(table: &Table, row: usize, flag: &str, name: &str, expected: &str) -> Error {
    let name = shortened(name, QUOTED);
    let problem =
        format!("{}: nothing in column '{name}' of --{flag}, expected {expected} in every row", table.place(row));
    Error::input(&table.path, problem)
}

/// What a cell says as a word: a number without a point if it is whole.
fn word_of(column: &Column, row: usize) -> Option<String> {
    match &column.cells {
        Cells::Numbers(numbers) => numbers.get(row).filter(|number| !number.is_nan()).map(|number| word(*number)),
        Cells::Words { codes, words } => {
            codes.get(row).filter(|code| **code != MISSING).and_then(|code| words.get(*code as usize)).cloned()
        }
    }
}

/// A number as a word: `3`, `2.5`.
pub(super) fn word(number: f64) -> String {
    // An f64 of this size or more may be no whole number that was written.
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{}", number as i64) } else { format!("{number}") }
}

/// That a table has no column of this name, and which it has.
fn none_of(name: &str, table: &Table) -> String {
    let cut = |text: &str| text.to_lowercase().chars().take(COMPARED).collect::<String>();
    let wanted = cut(name);
    let all = table.columns.iter().map(|column| &column.name).chain(&table.unread);
    let mut names: Vec<(usize, &str)> = all.map(|name| (distance(&wanted, &cut(name)), name.as_str())).collect();
    names.sort_by_key(|(distance, _)| *distance);
    let names: Vec<&str> = names.into_iter().map(|(_, name)| name).collect();
    format!("{} has no such column; the nearest are {}", table.path.display(), listed(&names))
}

/// Names for a message, not too many of them.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let quoted: Vec<String> =
        names.iter().take(NAMED).map(|name| format!("'{}'", shortened(name.as_ref(), QUOTED))).collect();
    let more = names.len().saturating_sub(NAMED);
    if more > 0 { format!("{} and {more} more", quoted.join(", ")) } else { quoted.join(", ") }
}
