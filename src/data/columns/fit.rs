//! How columns become values, found on the training rows.

use std::collections::HashMap;
use std::path::Path;

use super::back::rounded_to;
use super::role::{Roles, listed};
use super::{Code, Coded, Columns, MOST_NAMES, MOST_WORDS, Rows};
use crate::data::format::table::{Cells, Column, MISSING};
use crate::data::found::Side;
use crate::data::options::{DataOptions, Scale};
use crate::error::{Error, Result, shortened};
use crate::threads::prelude::*;

/// Most digits behind the point that a column is taken to be written with.
const MOST_DECIMALS: u8 = 9;

/// What becomes of a column.
enum Fitted {
    /// It is values.
    Coded(Coded),
    /// It does not vary.
    Constant,
    /// It is a name of each row; where its first cell looks like a number and is none, that cell and where it is.
    Name(Option<String>),
}

/// A part of a column: its cells, and which of them count.
type Cut<'a> = (&'a Cells, &'a [u32]);

/// The columns of the training rows as values.
pub(super) fn columns(
    path: &Path,
    rows: &[Rows<'_>],
    roles: &Roles<'_>,
    options: &DataOptions,
    notices: &mut Vec<String>,
) -> Result<Columns> {
    let train: Vec<&Rows<'_>> = rows.iter().filter(|rows| rows.side == Side::Train).collect();
    let Some(first) = train.first() else {
        return Err(Error::input(path, "no rows to learn from, expected some; --test says how many are tested with"));
    };
    let wanted: Vec<&Column> = first.table.columns.iter().filter(|column| !roles.has(&column.name)).collect();
    let scale = options.scale != Some(Scale::None);
    let named: Vec<Named<'_>> = train.iter().map(|rows| (*rows, rows.table.by_name())).collect();
    let fitted: Vec<Result<Fitted>> = wanted.par_iter().map(|column| fitted(&named, column, scale)).collect();
    let mut columns = Columns::default();
    columns.left_out.extend([roles.label, roles.id].into_iter().flatten().map(String::from));
    let (mut constant, mut names, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for (column, fitted) in wanted.into_iter().zip(fitted) {
        match fitted? {
            Fitted::Coded(coded) => columns.columns.push(coded),
            Fitted::Constant => constant.push(column.name.clone()),
            Fitted::Name(found) => {
                names.push(match found {
                    Some(found) => format!("{} ({found})", column.name),
                    None => column.name.clone(),
                });
                left_out.push(column.name.clone());
            }
        }
    }
    if !constant.is_empty() {
        let text = "one value in all training rows, left out";
        notices.push(format!("{}: {text}: {}", path.display(), listed(&constant)));
    }
    if !names.is_empty() {
        let text = "nearly as many different words as rows, left out (--id COLUMN takes one as the rows' names)";
        notices.push(format!("{}: {text}: {}", path.display(), listed(&names)));
    }
    if columns.width() == 0 {
        let problem = "no column is left to learn from, expected one whose values differ; see --label, --id and --drop";
        return Err(Error::input(path, problem));
    }
    columns.left_out.extend(constant.into_iter().chain(left_out));
    Ok(columns)
}

/// Rows with the columns of their table by name.
type Named<'a> = (&'a Rows<'a>, HashMap<&'a str, &'a Column>);

/// What becomes of a column of the training rows.
fn fitted(train: &[Named<'_>], column: &Column, scale: bool) -> Result<Fitted> {
    let mut cuts: Vec<Cut<'_>> = Vec::with_capacity(train.len());
    for (rows, columns) in train {
        let name = shortened(&column.name, 60);
        let other = columns.get(column.name.as_str()).ok_or_else(|| {
            Error::input(&rows.table.path, format!("no column '{name}', expected the columns of the other tables"))
        })?;
        if matches!(other.cells, Cells::Numbers(_)) != matches!(column.cells, Cells::Numbers(_)) {
            let problem =
                format!("column '{name}' holds numbers in one table and words in another, expected one of them");
            return Err(Error::input(&rows.table.path, problem));
        }
        cuts.push((&other.cells, &rows.rows));
    }
    let name = &column.name;
    if matches!(column.cells, Cells::Numbers(_)) {
        return Ok(numbers(name, &cuts, scale));
    }
    Ok(match words(name, &cuts) {
        Fitted::Name(_) => Fitted::Name(train.iter().find_map(|(rows, _)| no_number(rows, name))),
        fitted => fitted,
    })
}

/// What the first word of a column says and where, if it begins as a number does: one with separators of thousands, a
/// currency, a percentage, a date.
fn no_number(rows: &Rows<'_>, name: &str) -> Option<String> {
    let Cells::Words { codes, words } = &rows.table.column(name)?.cells else { return None };
    let row = rows.rows.iter().find(|row| codes.get(**row as usize).is_some_and(|code| *code != MISSING))?;
    let word = words.get(*codes.get(*row as usize)? as usize)?;
    let begins = word
        .trim_start_matches(['-', '+', '$', '€', '£', '¥', ' '])
        .starts_with(|letter: char| letter.is_ascii_digit());
    // A name may begin with a digit, as a part's number or a hash does; what stands for a number has no letters.
    let is_plain = begins && !word.chars().any(char::is_alphabetic);
    is_plain.then(|| format!("'{}' is no number at {}", shortened(word, 30), rows.table.place(*row as usize)))
}

/// Numbers by their mean and deviation.
fn numbers(name: &str, cuts: &[Cut<'_>], scale: bool) -> Fitted {
    let all = || {
        cuts.iter().flat_map(|(cells, rows)| {
            let numbers = if let Cells::Numbers(numbers) = cells { &numbers[..] } else { &[] };
            rows.iter().filter_map(|row| numbers.get(*row as usize)).copied()
        })
    };
    let there = || all().filter(|number| !number.is_nan());
    let (rows, count) = (all().count(), there().count());
    let (low, high) = there().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let indicator = count < rows;
    if count == 0 || (low == high && !indicator) {
        return Fitted::Constant;
    }
    let decimals = decimals(there());
    let code = if scale {
        // Divided first, what is summed stays within what is averaged, however large it is.
        let share = 1.0 / count as f64;
        let sum: f64 = there().sum();
        let mean = if sum.is_finite() { sum * share } else { there().map(|x| x * share).sum() };
        let mean = mean.clamp(low, high);
        let largest = (high - mean).max(mean - low).min(f64::MAX);
        let squares: f64 = there().map(|x| ((x - mean) / largest).powi(2)).sum();
        let deviation = if low == high { 1.0 } else { (squares * share).sqrt() * largest };
        // Of numbers too near to each other to be told apart by their squares.
        Code::Number { mean, deviation: if deviation > 0.0 { deviation } else { high - low }, decimals }
    } else {
        Code::Number { mean: 0.0, deviation: 1.0, decimals }
    };
    Fitted::Coded(Coded { name: name.to_string(), indicator, code })
}

/// Digits behind the point that all of these numbers are written with, if no one has more than [`MOST_DECIMALS`].
fn decimals(numbers: impl Iterator<Item = f64>) -> Option<u8> {
    let mut decimals = 0;
    for number in numbers {
        // A number of so many digits is the nearest to itself of those that have them.
        while rounded_to(number, decimals) != number {
            decimals += 1;
            if decimals > MOST_DECIMALS {
                return None;
            }
        }
    }
    Some(decimals)
}

/// Words by which there are.
fn words(name: &str, cuts: &[Cut<'_>]) -> Fitted {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let (mut rows, mut there) = (0, 0);
    for (cells, chosen) in cuts {
        let Cells::Words { codes, words } = cells else { continue };
        let mut of = vec![0usize; words.len()];
        for code in chosen.iter().filter_map(|row| codes.get(*row as usize)) {
            rows += 1;
            if *code != MISSING {
                there += 1;
                of[*code as usize] += 1;
            }
        }
        for (word, count) in words.iter().zip(of).filter(|(_, count)| *count > 0) {
            *counts.entry(word).or_default() += count;
        }
    }
    let indicator = there < rows;
    if counts.is_empty() || (counts.len() == 1 && !indicator) {
        return Fitted::Constant;
    }
    if counts.len() > MOST_NAMES && counts.len() * 2 > rows {
        return Fitted::Name(None);
    }
    let mut words: Vec<(&str, usize)> = counts.into_iter().collect();
    // The most frequent first; of equally many the first by its bytes.
    words.sort_unstable_by(|(a, few), (b, many)| many.cmp(few).then(a.cmp(b)));
    let other = words.len() > MOST_WORDS;
    if other {
        words.truncate(MOST_WORDS - 1);
    }
    let mut words: Vec<String> = words.into_iter().map(|(word, _)| word.to_string()).collect();
    words.sort_unstable();
    Fitted::Coded(Coded { name: name.to_string(), indicator, code: Code::Words { words, other } })
}
