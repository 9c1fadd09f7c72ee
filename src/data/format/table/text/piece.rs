//! A piece of a text becomes pieces of columns: on a thread of its own, and without a string for every cell.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memchr_iter;

use super::decoded;
use super::number::{Cell, cell as classified, is_missing, plain, scan};
use super::record::{Flaw, Style, cell, skip_empty};
use crate::data::format::table::MISSING;
use crate::error::shortened;

/// Most characters that a message quotes of a cell.
pub const QUOTED: usize = 40;

/// What a column is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Numbers,
    /// Words, whatever they look like.
    Words,
    /// Nothing that anyone needs.
    Unread,
}

/// What every piece of a text needs to know of it.
pub struct Whole<'a> {
    /// How it is written.
    pub style: Style,
    /// What each column is taken for.
    pub kinds: &'a [Kind],
    /// The line that names the columns, without its end, if there is one.
    pub header: Option<&'a str>,
    /// Bytes that a row takes, as far as that is known.
    pub row: usize,
}

/// A part of a column.
pub enum Part<'a> {
    /// Numbers, NaN where one is missing or no number.
    Numbers {
        /// Them.
        numbers: Vec<f64>,
        /// Cells that are neither a number nor missing: how many there are, and where the first is.
        wrong: Option<(usize, usize)>,
        /// Cells that are missing.
        missing: usize,
        /// Where the first infinite one is.
        infinite: Option<usize>,
    },
    /// Words.
    Words(Words<'a>),
    /// Nothing.
    Unread,
}

/// Words of a part of a column, each different one once.
#[derive(Default)]
pub struct Words<'a> {
    /// Of each row, which word.
    pub codes: Vec<u32>,
    /// The different words, and how often each comes.
    pub words: Vec<(Cow<'a, str>, usize)>,
    places: HashMap<Cow<'a, str>, u32>,
    /// The code of the row before: columns are often sorted.
    last: u32,
}

impl<'a> Words<'a> {
    fn push(&mut self, word: Cow<'a, str>) {
        if is_missing(&word) {
            self.codes.push(MISSING);
            return;
        }
        let code = match self.words.get(self.last as usize) {
            Some((last, _)) if *last == word => self.last,
            _ => match self.places.get(&word) {
                Some(code) => *code,
                None => {
                    let code = self.words.len() as u32;
                    self.words.push((word.clone(), 0));
                    self.places.insert(word, code);
                    code
                }
            },
        };
        self.last = code;
        self.words[code as usize].1 += 1;
        self.codes.push(code);
    }
}

/// A piece as it was read.
pub struct Piece<'a> {
    /// What it was read from.
    pub text: &'a str,
    /// Its rows.
    pub rows: usize,
    /// Its line feeds.
    pub lines: usize,
    /// A part of each column.
    pub parts: Vec<Part<'a>>,
}

/// Reads a piece of a text, whose first byte begins a record and whose last ends one. `spare` is memory of earlier numbers.
///
/// # Errors
/// When it is no UTF-8, a record has another number of cells than there are columns, or is the header once more.
pub fn read<'a>(whole: &Whole<'_>, bytes: &'a [u8], spare: &mut Vec<Vec<f64>>) -> Result<Piece<'a>, Flaw> {
    let text = decoded::piece(bytes)?;
    let (style, end) = (whole.style, bytes.len());
    // A tenth more than there should be, so that few grow.
    let likely = end / whole.row.max(1) * 11 / 10 + 1;
    let mut parts: Vec<Part<'a>> = whole.kinds.iter().map(|kind| Part::of(kind, likely, spare)).collect();
    let last = parts.len().saturating_sub(1);
    let mut rows = 0;
    let mut place = skip_empty(text, 0);
    while place < end {
        let record = place;
        if whole.header.is_some_and(|header| is_line(&bytes[record..], header.as_bytes())) {
            return Err(Flaw::at(record, "the header once more, expected a row: two tables in one file?"));
        }
        for (column, part) in parts.iter_mut().enumerate() {
            let stop = part.push(text, place, style)?;
            let is_separated = bytes.get(stop) == Some(&style.separator);
            if is_separated != (column < last) {
                return Err(ragged(text, record, style.separator, last + 1));
            }
            place = stop + 1;
        }
        rows += 1;
        place = skip_empty(text, place);
    }
    Ok(Piece { text, rows, lines: memchr_iter(b'\n', bytes).count(), parts })
}

/// Whether a text begins with this line and its end.
fn is_line(text: &[u8], line: &[u8]) -> bool {
    text.starts_with(line) && matches!(text.get(line.len()), None | Some(b'\n' | b'\r'))
}

/// What is wrong with a record that has too many or too few cells.
fn ragged(text: &str, record: usize, separator: u8, columns: usize) -> Flaw {
    let (mut found, mut place) = (0, record);
    while let Ok((_, end)) = cell(text, place, separator) {
        found += 1;
        if text.as_bytes().get(end) != Some(&separator) {
            break;
        }
        place = end + 1;
    }
    let plural = if found == 1 { "" } else { "s" };
    let advice = "a cell that holds the separator must be in quotes";
    Flaw::at(record, format!("{found} cell{plural}, expected {columns}; {advice}"))
}

impl<'a> Part<'a> {
    fn of(kind: &Kind, rows: usize, spare: &mut Vec<Vec<f64>>) -> Self {
        match kind {
            Kind::Numbers => {
                let mut numbers = spare.pop().unwrap_or_default();
                numbers.clear();
                numbers.reserve(rows);
                Part::Numbers { numbers, wrong: None, missing: 0, infinite: None }
            }
            Kind::Words => Part::Words(Words::default()),
            Kind::Unread => Part::Unread,
        }
    }

    /// The memory of its numbers.
    pub fn memory(self) -> Option<Vec<f64>> {
        if let Part::Numbers { numbers, .. } = self { Some(numbers) } else { None }
    }

    /// Appends the cell at a place, and says where it ends.
    #[inline(always)]
    fn push(&mut self, text: &'a str, place: usize, style: Style) -> Result<usize, Flaw> {
        match self {
            Part::Numbers { numbers, wrong, missing, infinite } => {
                let bytes = text.as_bytes();
                if let Some((number, end)) = plain(bytes, place, style.comma)
                    && let Some(end) = ended(bytes, end, style)
                {
                    numbers.push(number);
                    return Ok(end);
                }
                let (number, end) = other(text, place, style, (wrong, missing, infinite))?;
                numbers.push(number);
                Ok(end)
            }
            Part::Words(words) => {
                let (found, end) = cell(text, place, style.separator)?;
                words.push(found);
                Ok(end)
            }
            Part::Unread => Ok(cell(text, place, style.separator)?.1),
        }
    }
}

/// Where a cell ends whose number ends here, if nothing is between.
#[inline(always)]
fn ended(bytes: &[u8], end: usize, style: Style) -> Option<usize> {
    match bytes.get(end) {
        Some(byte) if *byte == style.separator || *byte == b'\n' => Some(end),
        Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => Some(end + 1),
        Some(_) => None,
        None => Some(end),
    }
}

/// What of a column is no finite number: wrong, missing, and infinite ones.
type Others<'p> = (&'p mut Option<(usize, usize)>, &'p mut usize, &'p mut Option<usize>);

/// The number that the cell at a place is, and where it ends, however it is written.
#[inline(never)]
fn other(text: &str, place: usize, style: Style, (wrong, missing, infinite): Others<'_>) -> Result<(f64, usize), Flaw> {
    let bytes = text.as_bytes();
    if let Some((number, end)) = scan(bytes, place, style.comma)
        && let Some(end) = ended(bytes, end, style)
        && number.is_finite()
    {
        return Ok((number, end));
    }
    let (found, end) = cell(text, place, style.separator)?;
    let number = match classified(&found, style.comma) {
        Cell::Number(number) => number,
        Cell::Missing => {
            *missing += 1;
            f64::NAN
        }
        Cell::Infinite => {
            infinite.get_or_insert(place);
            f64::INFINITY
        }
        Cell::Word => {
            wrong.get_or_insert((0, place)).0 += 1;
            f64::NAN
        }
    };
    Ok((number, end))
}

/// What a cell at a place says, for a message.
pub fn said(text: &str, place: usize, style: Style) -> String {
    let found = cell(text, place, style.separator).map(|(cell, _)| cell.into_owned()).unwrap_or_default();
    shortened(&found, QUOTED).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of<'a>(text: &'a str, kinds: &'a [Kind], header: Option<&'a str>) -> Result<Piece<'a>, Flaw> {
        let whole = Whole { style: Style::of(b','), kinds, header, row: 4 };
        read(&whole, &text.as_bytes()[header.map_or(0, |header| header.len() + 1)..], &mut Vec::new())
    }

    #[test]
    fn cells_become_numbers_and_words() {
        let piece = of("1,red\r\n\n\" 2.5 \",\"\"\n?,red\n", &[Kind::Numbers, Kind::Words], None).unwrap();
        assert_eq!(piece.rows, 3);
        let Part::Numbers { numbers, wrong, missing, .. } = &piece.parts[0] else { unreachable!() };
        // Spaces within quotes are what was quoted.
        assert_eq!((numbers[0], *wrong, *missing), (1.0, Some((1, 8)), 1));
        let Part::Words(words) = &piece.parts[1] else { unreachable!() };
        assert_eq!((&words.codes[..], &words.words[..]), (&[0, MISSING, 0][..], &[("red".into(), 2)][..]));
    }

    #[test]
    fn a_record_of_another_length_is_found_where_it_is() {
        let kinds = [Kind::Numbers, Kind::Numbers];
        for (text, place, found) in
            [("1,2\n3\n", 4, "1 cell,"), ("1,2,\n", 0, "3 cells"), ("1,2\n\n1,2,3,4", 5, "4 cells")]
        {
            let flaw = of(text, &kinds, None).err().unwrap();
            assert_eq!(flaw.place, place, "{text}");
            assert!(flaw.problem.contains(found) && flaw.problem.contains("expected 2"), "{}", flaw.problem);
        }
        let flaw = of("a,b\n1,2\na,b\r\n", &kinds, Some("a,b")).err().unwrap();
        assert_eq!((flaw.place, flaw.problem.contains("header once more")), (4, true));
    }
}
