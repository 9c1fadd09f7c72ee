//! Pieces of columns become columns.

use indexmap::IndexSet;

use super::number::{Cell, cell as classified};
use super::pass::{Read, Records};
use super::piece::{Kind, Part, QUOTED, Whole, said};
use super::record::Style;
use super::stretch::line_of;
use crate::data::format::table::{Cells, MISSING};
use crate::data::options::DataOptions;
use crate::error::{Error, Result, shortened};

/// From this share of numbers on, a column of more than [`FEW`] rows is meant to be numbers.
const MEANT: f64 = 0.95;
/// Rows of a column that may be anything.
const FEW: usize = 20;

/// Where a part of a column is from.
pub struct Origin<'a> {
    /// The text of its piece.
    pub text: &'a str,
    /// Lines before that.
    pub lines: usize,
    /// How it is written.
    pub style: Style,
}

/// A cell that will have to be spoken of.
pub struct Spot {
    line: usize,
    said: String,
}

impl Origin<'_> {
    fn spot(&self, place: usize) -> Spot {
        let line = self.lines + line_of(self.text.as_bytes(), place);
        Spot { line, said: said(self.text, place, self.style) }
    }
}

/// A column as far as it was read.
pub enum Gathered {
    /// Numbers, NaN where one is missing or no number.
    Numbers {
        /// Them.
        numbers: Vec<f64>,
        /// Cells that are neither a number nor missing: how many there are, and the first.
        wrong: Option<(usize, Spot)>,
        /// Cells that are missing.
        missing: usize,
        /// The first infinite one.
        infinite: Option<Spot>,
    },
    /// Words.
    Words {
        /// Of each row, which word.
        codes: Vec<u32>,
        /// The different ones.
        words: IndexSet<String>,
    },
    /// Nothing that anyone needs.
    Unread,
}

impl Gathered {
    /// A column of this kind that is likely to have so many rows.
    pub fn of(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Numbers => {
                let mut numbers = Vec::new();
                // Without it they grow as they come.
                let _ = numbers.try_reserve_exact(rows);
                Gathered::Numbers { numbers, wrong: None, missing: 0, infinite: None }
            }
            Kind::Words => Gathered::Words { codes: Vec::new(), words: IndexSet::new() },
            Kind::Unread => Gathered::Unread,
        }
    }

    /// Appends a part of it.
    pub fn append(&mut self, part: &Part<'_>, origin: &Origin<'_>) {
        match (self, part) {
            (Gathered::Numbers { numbers, wrong, missing, infinite }, Part::Numbers { numbers: more, .. }) => {
                numbers.extend_from_slice(more);
                let Part::Numbers { wrong: more_wrong, missing: more_missing, infinite: found, .. } = part else {
                    return;
                };
                *missing += more_missing;
                if let Some((more, place)) = more_wrong {
                    wrong.get_or_insert_with(|| (0, origin.spot(*place))).0 += more;
                }
                if let (None, Some(place)) = (&infinite, found) {
                    *infinite = Some(origin.spot(*place));
                }
            }
            (Gathered::Words { codes, words }, Part::Words(part)) => {
                let new = part.words.iter().map(|(word, _)| match words.get_index_of(word.as_ref()) {
                    Some(code) => code as u32,
                    None => words.insert_full(word.to_string()).0 as u32,
                });
                let new: Vec<u32> = new.collect();
                codes.extend(part.codes.iter().map(|code| new.get(*code as usize).copied().unwrap_or(MISSING)));
            }
            _ => {}
        }
    }
}

/// What is done about a column whose cells are none of what it was taken for.
enum Settled {
    /// Nothing: it is this.
    As(Cells),
    /// It is read again, as words.
    Again,
    /// It is nothing that anyone needs.
    Unread,
}

/// The columns of records; none where one is left unread.
///
/// # Errors
/// When a column of numbers holds an infinite one, or a few words, or the file was changed meanwhile.
pub fn settled(
    records: &Records<'_>,
    whole: &Whole<'_>,
    read: Read,
    names: &[String],
    options: &DataOptions,
) -> Result<Vec<Option<Cells>>> {
    let mut settled = Vec::with_capacity(names.len());
    for (place, (column, name)) in read.columns.into_iter().zip(names).enumerate() {
        // Classes and names may be words of any looks.
        let is_free = [&options.label, &options.id].into_iter().flatten().any(|asked| asked == name);
        settled.push(of(records, whole, (place, name), column, is_free)?);
    }
    let again: Vec<Kind> = settled
        .iter()
        .map(|column| if matches!(column, Settled::Again) { Kind::Words } else { Kind::Unread })
        .collect();
    let mut words = Vec::new();
    if again.contains(&Kind::Words) {
        let again = records.read(&Whole { kinds: &again, ..*whole }, &mut |_| ())?;
        if again.rows != read.rows {
            let problem = format!("changed while it was read: {} rows, expected {}", again.rows, read.rows);
            return Err(Error::input(records.path, problem));
        }
        words = again.columns;
    }
    let column = |(place, column): (usize, Settled)| match column {
        Settled::As(cells) => Some(cells),
        Settled::Unread => None,
        Settled::Again => match words.get_mut(place) {
            Some(Gathered::Words { codes, words }) => Some(cells(std::mem::take(codes), std::mem::take(words))),
            _ => None,
        },
    };
    Ok(settled.into_iter().enumerate().map(column).collect())
}

fn cells(codes: Vec<u32>, words: IndexSet<String>) -> Cells {
    Cells::Words { codes, words: words.into_iter().collect() }
}

/// What a column is.
fn of(
    records: &Records<'_>,
    whole: &Whole<'_>,
    (place, name): (usize, &str),
    column: Gathered,
    is_free: bool,
) -> Result<Settled> {
    let quoted = shortened(name, QUOTED);
    let flaw = |line: usize, found: &str, expected: &str| {
        Error::input(records.path, format!("line {line}: column '{quoted}': '{found}', expected {expected}"))
    };
    let slip = |line: usize, found: &str| {
        let advice = "a column of numbers; what is missing is left empty, and";
        let expected = format!("a number as nearly all of it are: {advice} --drop '{quoted}' does without it");
        flaw(line, found, &expected)
    };
    match column {
        Gathered::Unread => Ok(Settled::Unread),
        Gathered::Words { codes, words } => {
            let column = cells(codes, words);
            match first_slip(whole, &column).filter(|_| !is_free) {
                Some((row, word)) => Err(slip(records.line(whole, row, place)?, &shortened(word, QUOTED))),
                None => Ok(Settled::As(column)),
            }
        }
        Gathered::Numbers { numbers, wrong: Some((count, first)), missing, .. } => {
            let is_slip = is_slip(numbers.len() - missing, count) && !is_free;
            if is_slip { Err(slip(first.line, &first.said)) } else { Ok(Settled::Again) }
        }
        Gathered::Numbers { infinite: Some(first), .. } => Err(flaw(first.line, &first.said, "a finite number")),
        Gathered::Numbers { numbers, .. } => Ok(Settled::As(Cells::Numbers(numbers))),
    }
}

/// Whether so few cells of those that are there are no numbers that they must be slips.
fn is_slip(there: usize, wrong: usize) -> bool {
    there > FEW && wrong > 0 && (there - wrong) as f64 >= MEANT * there as f64
}

/// The first row of a column of words that is a slip in a column of numbers, if it is one, and what it says.
fn first_slip<'c>(whole: &Whole<'_>, column: &'c Cells) -> Option<(usize, &'c str)> {
    let Cells::Words { codes, words } = column else { return None };
    let is_word: Vec<bool> = words.iter().map(|word| classified(word, whole.style.comma) == Cell::Word).collect();
    if is_word.iter().all(|is_word| *is_word) {
        return None;
    }
    let there = codes.iter().filter(|code| **code != MISSING);
    let is_wrong = |code: &u32| is_word.get(*code as usize).copied().unwrap_or(false);
    let wrong = codes.iter().filter(|code| is_wrong(code)).count();
    let row = is_slip(there.count(), wrong).then(|| codes.iter().position(is_wrong)).flatten()?;
    Some((row, words.get(codes[row] as usize)?))
}
