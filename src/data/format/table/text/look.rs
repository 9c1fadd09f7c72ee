//! What a text looks like: what separates its cells, whether its first line names the columns, what each column holds.

use std::borrow::Cow;
use std::collections::HashSet;

use super::number::{Cell, cell as classified};
use super::piece::Kind;
use super::record::{Flaw, Style, cells, skip_empty};
use crate::data::format::table::MOST_COLUMNS;

/// What may separate cells, the first of those that fit as well as any.
const SEPARATORS: [u8; 4] = [b'\t', b';', b'|', b','];

/// Records that decide what separates.
const SEPARATING: usize = 32;
/// Most records that are looked at, and most bytes of them: two are in any case.
const LOOKED_AT: (usize, usize) = (1000, 1 << 20);

/// Records at the beginning of a text.
pub struct Sample<'a> {
    /// The cells of each.
    pub records: Vec<Vec<Cow<'a, str>>>,
    /// Where each begins, and where the one behind the last does.
    pub places: Vec<usize>,
}

/// The first records of a text.
///
/// # Errors
/// When quotes are not as they should be, or there are too many columns.
pub fn sample(text: &str, separator: u8, most: usize) -> Result<Sample<'_>, Flaw> {
    let mut place = skip_empty(text, 0);
    let mut sample = Sample { records: Vec::new(), places: vec![place] };
    while place < text.len() && sample.records.len() < most && (sample.records.len() < 2 || place < LOOKED_AT.1) {
        let (record, next) = cells(text, place, separator, MOST_COLUMNS)?;
        place = skip_empty(text, next);
        sample.records.push(record);
        sample.places.push(place);
    }
    Ok(sample)
}

/// What separates the cells: what the most of the first records have equally often; of several, a tab before a semicolon,
/// that before a bar, that before a comma. A space does where nothing else does and all have it equally often. A comma if
/// nothing separates.
pub fn separator(text: &str) -> u8 {
    let counts = |separator: u8| -> Vec<usize> {
        // A quote that is not closed is no cell: what it is will be said when the text is read.
        sample(text, separator, SEPARATING)
            .map_or_else(|_| Vec::new(), |sample| sample.records.iter().map(|record| record.len() - 1).collect())
    };
    let agreeing = |separator: u8| {
        let counts = counts(separator);
        let most = counts.iter().filter(|count| **count > 0);
        most.map(|count| counts.iter().filter(|other| *other == count).count()).max().unwrap_or(0)
    };
    let mut best = (0, b',');
    for separator in SEPARATORS {
        let agreeing = agreeing(separator);
        if agreeing > best.0 {
            best = (agreeing, separator);
        }
    }
    if best.0 == 0 {
        let spaces = counts(b' ');
        if spaces.len() > 1 && spaces[0] > 0 && spaces.iter().all(|count| *count == spaces[0]) {
            return b' ';
        }
    }
    best.1
}

/// What the looked-at records of a text are.
pub fn looked_at(text: &str, separator: u8) -> Result<Sample<'_>, Flaw> {
    sample(text, separator, LOOKED_AT.0)
}

/// Whether a column holds numbers, as far as these cells say: none of them is anything else, and one is.
fn is_numbers<'a>(cells: impl Iterator<Item = &'a str>, style: Style) -> bool {
    let mut has = false;
    for cell in cells {
        match classified(cell, style.comma) {
            Cell::Word => return false,
            Cell::Number(_) | Cell::Infinite => has = true,
            Cell::Missing => {}
        }
    }
    has
}

/// The cells of a column in records.
fn column<'s>(records: &'s [Vec<Cow<'s, str>>], column: usize) -> impl Iterator<Item = &'s str> {
    records.iter().filter_map(move |record| record.get(column)).map(AsRef::as_ref)
}

/// Whether the first record names the columns: a word of it stands above a column of numbers, and no more than half of
/// its cells are themselves numbers above numbers; or all its cells are different words, no number among them, and none
/// comes again in its own column.
pub fn is_header(records: &[Vec<Cow<'_, str>>], style: Style) -> bool {
    let Some((first, rest)) = records.split_first() else { return false };
    let (mut named, mut numbered) = (0, 0);
    for (place, cell) in first.iter().enumerate() {
        if is_numbers(column(rest, place), style) {
            match classified(cell, style.comma) {
                Cell::Word => named += 1,
                Cell::Number(_) | Cell::Infinite => numbered += 1,
                Cell::Missing => {}
            }
        }
    }
    if named > 0 {
        return numbered * 2 <= first.len();
    }
    let words = || first.iter().filter(|cell| !cell.is_empty());
    let is_word = |cell: &Cow<'_, str>| classified(cell, style.comma) == Cell::Word;
    let different: HashSet<&str> = words().map(AsRef::as_ref).collect();
    let comes_again = |(place, cell): (usize, &Cow<'_, str>)| {
        // The header once more is an error later, not a row.
        let others = rest.iter().filter(|record| *record != first);
        !cell.is_empty() && others.filter_map(|record| record.get(place)).any(|other| other == cell)
    };
    !different.is_empty()
        && words().all(is_word)
        && different.len() == words().count()
        && !first.iter().enumerate().any(comes_again)
}

/// What each of these columns is taken for, until all of it is known: numbers unless a cell is something else.
pub fn kinds(records: &[Vec<Cow<'_, str>>], columns: usize, style: Style) -> Vec<Kind> {
    let is_word = |place: usize| column(records, place).any(|cell| classified(cell, style.comma) == Cell::Word);
    (0..columns).map(|place| if is_word(place) { Kind::Words } else { Kind::Numbers }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_separates_is_found() {
        let texts = [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n3,5;4,5\n", b';'),
            ("a\tb c\n1\t2,0\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("title,genres\nx,a|b\ny,a\nz,a|b|c\n", b','),
            ("\"a;b\",c\n1,2\n", b','),
            ("178,13,x,y\n1,2,3\n1,2,3\n", b','),
            ("a b c\n1 2 3\n", b' '),
            ("word\nwords here\n", b','),
            ("", b','),
        ];
        texts.iter().for_each(|(text, wanted)| assert_eq!(separator(text), *wanted, "{text:?}"));
    }

    #[test]
    fn a_first_line_is_a_header_by_the_rule() {
        let texts = [
            ("a,b\n1,2\n", true),
            ("1,2\n3,4\n", false),
            ("name,colour\nx,red\ny,red\n", true),
            ("red,circle\nblue,square\nred,square\n", false),
            ("x,x\ny,z\n", false),
            (",a\n0,1\n", true),
            ("name,2019,2020\nx,1,2\n", false),
            ("size,2019,name\n1,1,x\n", true),
            ("unknown,1,2\n1,1,2\n", false),
            ("a,b\nx,y\na,b\n", true),
            ("?,a\n1,2\n", true),
            ("", false),
        ];
        for (text, wanted) in texts {
            let sample = looked_at(text, b',').unwrap();
            assert_eq!(is_header(&sample.records, Style::of(b',')), wanted, "{text:?}");
        }
    }
}
