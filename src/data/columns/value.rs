//! Cells of a table as values.

use std::collections::{HashMap, HashSet};

use super::role::{Roles, listed, word};
use super::{Code, Coded, Columns};
use crate::data::format::table::{Cells, Column, MISSING, Table};
use crate::error::{Error, Result, shortened};
use crate::threads::prelude::*;

/// Rows that a thread encodes at once.
const BLOCK: usize = 1 << 10;

/// A column of a table, and how it becomes values.
enum Source<'a> {
    /// Numbers, less the mean, over the deviation.
    Numbers { numbers: &'a [f64], mean: f64, deviation: f64 },
    /// Words: of each, the value that is 1.
    Words { codes: &'a [u32], values: Vec<Option<usize>> },
    /// Numbers where words are known: of each that is known as a word, the value that is 1.
    Numbered { numbers: &'a [f64], values: HashMap<u64, Option<usize>> },
}

impl Columns {
    /// Columns of a table that are not known and have no other part.
    pub(super) fn unknown<'t>(&self, table: &'t Table, roles: &Roles<'_>) -> Vec<&'t str> {
        let names = table.columns.iter().map(|column| column.name.as_str());
        let known: HashSet<&str> =
            self.headings().into_iter().chain(self.left_out.iter().map(String::as_str)).collect();
        names.filter(|name| !(known.contains(name) || roles.has(name))).collect()
    }

    /// Rows of a table as values, `[rows, width]`. Its columns are found by their names.
    ///
    /// # Errors
    /// When a column is not there or holds words instead of numbers, or a number is too large for an f32.
    pub fn encode_rows(&self, table: &Table, rows: &[u32]) -> Result<Vec<f32>> {
        let there = table.by_name();
        let absent: Vec<&str> = self.headings().into_iter().filter(|name| !there.contains_key(name)).collect();
        if !absent.is_empty() {
            let problem = format!("no column {}, expected those of the rows that were learnt from", listed(&absent));
            return Err(Error::input(&table.path, problem));
        }
        let mut sources = Vec::with_capacity(self.columns.len());
        for coded in &self.columns {
            if let Some(column) = there.get(coded.name.as_str()) {
                sources.push(source(coded, column, table)?);
            }
        }
        let width = self.width().max(1);
        let mut values = Vec::new();
        values.try_reserve_exact(rows.len() * width).map_err(|_| {
            Error::memory(
                format!("{}: {} rows of {width} values", table.path.display(), rows.len()),
                rows.len() * width * 4,
            )
        })?;
        values.resize(rows.len() * width, 0.0);
        values.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, values)| {
            let rows = &rows[block * BLOCK..][..values.len() / width];
            let mut start = 0;
            for (coded, source) in self.columns.iter().zip(&sources) {
                let of = coded.width();
                for (values, row) in values.chunks_exact_mut(width).zip(rows) {
                    source.write(*row as usize, coded.indicator, &mut values[start..start + of]);
                }
                start += of;
            }
        });
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(values),
            Some(place) => Err(self.too_large(table, rows[place / width] as usize, place % width)),
        }
    }

    /// That a value of a row is beyond an f32.
    fn too_large(&self, table: &Table, row: usize, place: usize) -> Error {
        let mut end = 0;
        let column = self.columns.iter().find(|column| {
            end += column.width();
            place < end
        });
        let name = column.map_or("", |column| column.name.as_str());
        let found = match table.column(name).map(|column| &column.cells) {
            Some(Cells::Numbers(numbers)) => numbers[row],
            _ => f64::NAN,
        };
        let place = table.place(row);
        let problem = format!("{place}: column '{}': {found:e}", shortened(name, 60));
        Error::input(
            &table.path,
            format!("{problem}, expected a number that a float of 32 bits holds once it is scaled"),
        )
    }
}

/// How the column of a table that is known as `coded` becomes values.
fn source<'a>(coded: &Coded, column: &'a Column, table: &Table) -> Result<Source<'a>> {
    let value_of = |words: &[String], other: bool, word: &str| {
        let known = words.binary_search_by(|known| known.as_str().cmp(word)).ok();
        known.or(other.then_some(words.len()))
    };
    Ok(match (&coded.code, &column.cells) {
        (Code::Number { mean, deviation, .. }, Cells::Numbers(numbers)) => {
            Source::Numbers { numbers, mean: *mean, deviation: *deviation }
        }
        (Code::Number { .. }, Cells::Words { codes, words }) => {
            let row = codes.iter().position(|code| *code != MISSING).unwrap_or(0);
            let found = codes.get(row).and_then(|code| words.get(*code as usize)).map_or("", String::as_str);
            let (name, found) = (shortened(&coded.name, 60), shortened(found, 40));
            let problem = format!(
                "column '{name}' holds words as '{found}', expected numbers as in the rows that were learnt from"
            );
            return Err(Error::input(&table.path, problem));
        }
        (Code::Words { words, other }, Cells::Words { codes, words: found }) => {
            Source::Words { codes, values: found.iter().map(|word| value_of(words, *other, word)).collect() }
        }
        (Code::Words { words, other }, Cells::Numbers(numbers)) => {
            let mut values = HashMap::new();
            for number in numbers.iter().filter(|number| !number.is_nan()) {
                values.entry(number.to_bits()).or_insert_with(|| value_of(words, *other, &word(*number)));
            }
            Source::Numbered { numbers, values }
        }
    })
}

impl Source<'_> {
    /// Writes the values of a row, which are all 0.
    fn write(&self, row: usize, indicator: bool, values: &mut [f32]) {
        let one = |place: Option<usize>, values: &mut [f32]| {
            if let Some(value) = place.and_then(|place| values.get_mut(place)) {
                *value = 1.0;
            }
        };
        let is_missing = match self {
            Source::Numbers { numbers, .. } | Source::Numbered { numbers, .. } => numbers[row].is_nan(),
            Source::Words { codes, .. } => codes[row] == MISSING,
        };
        if is_missing {
            let last = values.len() - 1;
            one(indicator.then_some(last), values);
            return;
        }
        match self {
            Source::Numbers { numbers, mean, deviation } => values[0] = ((numbers[row] - mean) / deviation) as f32,
            Source::Words { codes, values: places } => one(places[codes[row] as usize], values),
            Source::Numbered { numbers, values: places } => {
                one(places.get(&numbers[row].to_bits()).copied().flatten(), values);
            }
        }
    }
}
