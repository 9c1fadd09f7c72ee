//! Pieces of columns become columns.

use std::borrow::Cow;
use std::collections::HashMap;

use super::number::{Cell, cell as classified};
use super::piece::{self, Kind, Part, Piece, QUOTED, Whole, Words, said};
use super::record::{Flaw, cell, cells, skip_empty};
use crate::data::format::table::{Cells, MISSING};
use crate::data::options::DataOptions;
use crate::error::shortened;
use crate::threads::prelude::*;

/// From this share of numbers on, a column of more than [`FEW`] rows is meant to be numbers.
const MEANT: f64 = 0.95;
/// Rows of a column that may be anything.
const FEW: usize = 20;

/// What is done about a column whose cells are none of what it was taken for.
enum Settled {
    /// Nothing: it is this.
    As(Cells),
    /// It is read again, as words.
    Again,
    /// It is nothing that anyone needs.
    Unread,
}

/// The columns that pieces from `start` on make; none where one is left unread.
///
/// # Errors
/// When a column of numbers holds an infinite one, or a few words.
pub fn joined(
    whole: &Whole<'_>,
    start: usize,
    pieces: Vec<Piece<'_>>,
    names: &[String],
    options: &DataOptions,
) -> Result<Vec<Option<Cells>>, Flaw> {
    let mut columns: Vec<Vec<Part<'_>>> = names.iter().map(|_| Vec::with_capacity(pieces.len())).collect();
    for piece in pieces {
        columns.iter_mut().zip(piece.parts).for_each(|(column, part)| column.push(part));
    }
    let named: Vec<(usize, Vec<Part<'_>>)> = columns.into_iter().enumerate().collect();
    let settled: Vec<Result<Settled, Flaw>> = named
        .into_par_iter()
        .map(|(column, parts)| {
            // Classes and names may be words of any looks.
            let asked = [&options.label, &options.id];
            let is_free = asked.into_iter().flatten().any(|asked| *asked == names[column]);
            settled(whole, start, (column, &names[column]), parts, is_free)
        })
        .collect();
    let settled = settled.into_iter().collect::<Result<Vec<Settled>, Flaw>>()?;
    let again: Vec<Kind> = settled
        .iter()
        .map(|column| if matches!(column, Settled::Again) { Kind::Words } else { Kind::Unread })
        .collect();
    let mut words = if again.contains(&Kind::Words) {
        let whole = Whole { kinds: &again, ..*whole };
        piece::read(&whole, start, whole.text.len())?.parts
    } else {
        Vec::new()
    };
    let column = |(place, column): (usize, Settled)| match column {
        Settled::As(cells) => Some(cells),
        Settled::Unread => None,
        Settled::Again => match words.get_mut(place) {
            Some(Part::Words(words)) => Some(united(vec![std::mem::take(words)])),
            _ => None,
        },
    };
    Ok(settled.into_iter().enumerate().map(column).collect())
}

/// What the parts of a column are together.
fn settled(
    whole: &Whole<'_>,
    start: usize,
    (place, name): (usize, &str),
    parts: Vec<Part<'_>>,
    is_free: bool,
) -> Result<Settled, Flaw> {
    let (mut numbers, mut words) = (Vec::new(), Vec::new());
    let (mut wrong, mut missing, mut infinite): (Option<(usize, usize)>, usize, Option<usize>) = (None, 0, None);
    let rows = |part: &Part<'_>| if let Part::Numbers { numbers, .. } = part { numbers.len() } else { 0 };
    numbers.reserve_exact(parts.iter().map(rows).sum());
    for part in parts {
        match part {
            Part::Numbers { numbers: more, wrong: more_wrong, missing: more_missing, infinite: found } => {
                numbers.extend_from_slice(&more);
                missing += more_missing;
                infinite = infinite.or(found);
                wrong = match (wrong, more_wrong) {
                    (Some((count, place)), Some((more, _))) => Some((count + more, place)),
                    (wrong, more) => wrong.or(more),
                };
            }
            Part::Words(more) => words.push(more),
            Part::Unread => return Ok(Settled::Unread),
        }
    }
    let quoted = shortened(name, QUOTED);
    let slip = |place: usize| {
        let found = said(whole.text, place, whole.style);
        let advice =
            format!("a column of numbers; what is missing is left empty, and --drop '{quoted}' does without it");
        Flaw::at(place, format!("column '{quoted}': '{found}', expected a number as nearly all of it are: {advice}"))
    };
    if !words.is_empty() {
        let column = united(words);
        return match first_slip(whole, &column).filter(|_| !is_free) {
            Some(row) => Err(slip(place_of(whole, start, row, place))),
            None => Ok(Settled::As(column)),
        };
    }
    if let Some((count, place)) = wrong {
        return if is_slip(numbers.len() - missing, count) && !is_free { Err(slip(place)) } else { Ok(Settled::Again) };
    }
    if let Some(place) = infinite {
        let found = said(whole.text, place, whole.style);
        return Err(Flaw::at(place, format!("column '{quoted}': '{found}', expected a finite number")));
    }
    Ok(Settled::As(Cells::Numbers(numbers)))
}

/// Whether so few cells of those that are there are no numbers that they must be slips.
fn is_slip(there: usize, wrong: usize) -> bool {
    there > FEW && wrong > 0 && (there - wrong) as f64 >= MEANT * there as f64
}

/// The first row of a column of words that is a slip in a column of numbers, if it is one.
fn first_slip(whole: &Whole<'_>, column: &Cells) -> Option<usize> {
    let Cells::Words { codes, words } = column else { return None };
    let is_word: Vec<bool> = words.iter().map(|word| classified(word, whole.style.comma) == Cell::Word).collect();
    if is_word.iter().all(|is_word| *is_word) {
        return None;
    }
    let there = codes.iter().filter(|code| **code != MISSING);
    let is_wrong = |code: &u32| is_word.get(*code as usize).copied().unwrap_or(false);
    let wrong = codes.iter().filter(|code| is_wrong(code)).count();
    is_slip(there.count(), wrong).then(|| codes.iter().position(is_wrong)).flatten()
}

/// Where the cell of a row in a column is in the text: gone through once more, since it is only for a message.
fn place_of(whole: &Whole<'_>, start: usize, row: usize, column: usize) -> usize {
    let mut place = skip_empty(whole.text, start);
    for _ in 0..row {
        let Ok((_, next)) = cells(whole.text, place, whole.style.separator, usize::MAX) else { break };
        place = skip_empty(whole.text, next);
    }
    for _ in 0..column {
        let Ok((_, end)) = cell(whole.text, place, whole.style.separator) else { break };
        place = end + 1;
    }
    place
}

/// Parts of a column of words as one.
fn united(mut parts: Vec<Words<'_>>) -> Cells {
    if parts.len() == 1 {
        let Words { codes, words, .. } = parts.remove(0);
        return Cells::Words { codes, words: words.into_iter().map(|(word, _)| word.into_owned()).collect() };
    }
    let mut codes = Vec::with_capacity(parts.iter().map(|part| part.codes.len()).sum());
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    let mut places: HashMap<Cow<'_, str>, u32> = HashMap::new();
    for part in parts {
        let new = part.words.into_iter().map(|(word, _)| {
            *places.entry(word).or_insert_with_key(|word| {
                words.push(word.clone());
                words.len() as u32 - 1
            })
        });
        let new: Vec<u32> = new.collect();
        codes.extend(part.codes.iter().map(|code| new.get(*code as usize).copied().unwrap_or(MISSING)));
    }
    Cells::Words { codes, words: words.into_iter().map(Cow::into_owned).collect() }
}
