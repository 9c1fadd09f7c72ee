//! Tables as text: cells behind separators, a row on each line.
//!
//! * Between cells stands a comma, a tab, a semicolon or a bar, or, where there is none of these, a space. A cell that holds
//!   a separator or a line feed is in double quotes, and a double quote in it is written twice. Spaces around a cell are
//!   none of it. Where a semicolon separates, a comma is a decimal point, as a point is.
//! * Lines end as on any system; empty lines are no rows; a byte-order mark of UTF-8 is skipped.
//! * The first line names the columns where a word of it stands above a column of numbers and no more than half of its cells
//!   are numbers above numbers, or where all its cells are different words and none comes again in its own column.
//!   `--header true` or `false` decides otherwise. A column without a name is called by its number, `column 3`.
//! * A first line of the number of rows, the number of columns but the last, and words is what scikit-learn's files have:
//!   the words are the names of the classes, whose numbers are in the last column, called `class`.

mod column;
mod decoded;
mod look;
mod number;
mod piece;
mod record;

use std::borrow::Cow;
use std::path::Path;

use memchr::memchr_iter;

use self::look::Sample;
use self::piece::{Kind, Piece, Whole};
use self::record::{Flaw, Style};
use super::{Cells, Column, MOST_ROWS, Places, Table};
use crate::data::found::{Listener, Reading};
use crate::data::options::DataOptions;
use crate::error::{Error, Result};
use crate::threads::current_num_threads;
use crate::threads::prelude::*;

pub use number::{MISSING_WORDS, is_missing};

/// Bytes of a piece that a thread reads at once.
const PIECE: usize = 1 << 22;

/// Reads a table from the bytes of a text.
pub fn read(path: &Path, bytes: Vec<u8>, options: &DataOptions, listener: &mut dyn Listener) -> Result<Table> {
    let text = decoded::text(path, bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    of_text(text, options, &mut |rows| listener.reading(Reading { done: rows as u64, of: 0, unit: "rows" })).map_err(
        |flaw| {
            let line = line_of(text, flaw.place);
            Error::input(path, format!("line {line}: {}", flaw.problem))
        },
    )
}

/// The line on which a byte of a text is.
fn line_of(text: &str, place: usize) -> usize {
    memchr_iter(b'\n', &text.as_bytes()[..place.min(text.len())]).count() + 1
}

/// Reads a table from a text whose every line is ended. `told` hears how many rows there are.
fn of_text(text: &str, options: &DataOptions, told: &mut dyn FnMut(usize)) -> Result<Table, Flaw> {
    let style = Style::of(look::separator(text));
    let sample = look::looked_at(text, style.separator)?;
    let Some(first) = sample.records.first() else { return Ok(Table::default()) };
    let counted = Counted::of(text, &sample, options);
    let has_header = match (counted.is_some(), options.header) {
        (true, _) => false,
        (false, Some(said)) => said,
        (false, None) => look::is_header(&sample.records, style),
    };
    let skipped = usize::from(has_header || counted.is_some());
    let columns = sample.records.get(skipped).filter(|_| counted.is_some()).unwrap_or(first).len();
    let names = names(has_header.then_some(first), columns, counted.as_ref());
    let kinds = look::kinds(&sample.records[skipped..], columns, style);
    let dropped = options.dropped(|asked| names.iter().any(|name| name == asked));
    let kinds: Vec<Kind> =
        kinds.into_iter().zip(&names).map(|(kind, name)| wanted(kind, name, options, &dropped)).collect();
    let line = &text[sample.places[0]..sample.places[1.min(sample.places.len() - 1)]];
    let header = has_header.then(|| line.trim_end_matches(['\r', '\n']));
    let start = sample.places[skipped];
    let seen = sample.places.last().map_or(0, |last| last - start) / (sample.records.len() - skipped).max(1);
    let whole = Whole { text, style, kinds: &kinds, header, row: seen.max(columns.min(PIECE)) };
    let pieces = pieces(&whole, start, told)?;
    let rows = pieces.iter().map(|piece| piece.rows).sum();
    if rows > MOST_ROWS {
        return Err(Flaw::at(text.len(), format!("more rows than {MOST_ROWS}, expected fewer")));
    }
    let cells = column::joined(&whole, start, pieces, &names, options)?;
    let (mut columns, mut unread) = (Vec::with_capacity(names.len()), Vec::new());
    for (name, cells) in names.iter().zip(cells) {
        match cells {
            Some(cells) => columns.push(Column { name: name.clone(), cells }),
            None => unread.push(name.clone()),
        }
    }
    if let (Some(counted), Some(last)) = (counted, columns.last_mut()) {
        counted.name(&mut last.cells);
    }
    let first = line_of(text, start);
    let places = if line_of(text, text.len()) - first == rows { Places::Lines(first) } else { Places::Rows };
    Ok(Table { rows, columns, unread, places, ..Table::default() })
}

/// What the columns are called.
fn names(header: Option<&Vec<Cow<'_, str>>>, columns: usize, counted: Option<&Counted>) -> Vec<String> {
    let name = |place: usize| match header.and_then(|header| header.get(place)) {
        Some(name) if !name.is_empty() => name.clone().into_owned(),
        _ if counted.is_some() && place + 1 == columns => "class".to_string(),
        _ => format!("column {}", place + 1),
    };
    (0..columns).map(name).collect()
}

/// What a column is read as, given what it looks like and what is asked for: a name is read as it is written.
fn wanted(kind: Kind, name: &str, options: &DataOptions, dropped: &[&str]) -> Kind {
    let is = |asked: &Option<String>| asked.as_deref() == Some(name);
    match () {
        () if is(&options.id) => Kind::Words,
        () if dropped.contains(&name) && !is(&options.label) => Kind::Unread,
        () => kind,
    }
}

/// Reads all records from `start` on, in pieces.
fn pieces<'a>(whole: &Whole<'a>, start: usize, told: &mut dyn FnMut(usize)) -> Result<Vec<Piece<'a>>, Flaw> {
    let cuts = record::pieces(whole.text, start, whole.style.separator, PIECE)?;
    let ranges: Vec<(usize, usize)> = cuts.windows(2).map(|cut| (cut[0], cut[1])).collect();
    let (mut pieces, mut rows) = (Vec::with_capacity(ranges.len()), 0);
    for ranges in ranges.chunks(4 * current_num_threads()) {
        let read: Vec<Result<Piece<'a>, Flaw>> =
            ranges.par_iter().map(|&(start, end)| piece::read(whole, start, end)).collect();
        for piece in read {
            let piece = piece?;
            rows += piece.rows;
            pieces.push(piece);
        }
        told(rows);
    }
    Ok(pieces)
}

/// What a first line says that counts rows and columns, and names classes.
struct Counted {
    classes: Vec<String>,
}

impl Counted {
    /// What the first line says, if it is such a line: the counts must be right.
    fn of(text: &str, sample: &Sample<'_>, options: &DataOptions) -> Option<Self> {
        let [first, second, ..] = &sample.records[..] else { return None };
        let [rows, columns, classes @ ..] = &first[..] else { return None };
        let (rows, columns): (usize, usize) = (rows.parse().ok()?, columns.parse().ok()?);
        let are_words = classes.iter().all(|class| class.parse::<f64>().is_err() && !class.is_empty());
        if options.header.is_some() || classes.is_empty() || !are_words || Some(second.len()) != columns.checked_add(1)
        {
            return None;
        }
        let lines = memchr_iter(b'\n', &text.as_bytes()[sample.places[1]..]).count();
        let classes = classes.iter().map(|class| class.clone().into_owned()).collect();
        (lines == rows).then_some(Counted { classes })
    }

    /// Numbers of classes become their names, if that is what they are.
    fn name(self, cells: &mut Cells) {
        let Cells::Numbers(numbers) = cells else { return };
        let most = self.classes.len() as f64;
        if numbers.iter().all(|number| number.fract() == 0.0 && (0.0..most).contains(number)) {
            let codes = numbers.iter().map(|number| *number as u32).collect();
            *cells = Cells::Words { codes, words: self.classes };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        of_text(text, &DataOptions::of("x"), &mut |_| ()).unwrap()
    }

    fn problem(text: &str) -> String {
        let flaw = of_text(text, &DataOptions::of("x"), &mut |_| ()).unwrap_err();
        format!("line {}: {}", line_of(text, flaw.place), flaw.problem)
    }

    fn words(codes: &[u32], words: &[&str]) -> Cells {
        Cells::Words { codes: codes.to_vec(), words: words.iter().map(|word| word.to_string()).collect() }
    }

    #[test]
    fn columns_are_named_and_typed() {
        let table = table("size;colour;\r\n1,5;red;?\r\n-2;\"blue\";\r\n");
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((table.rows, names, table.places), (2, vec!["size", "colour", "column 3"], Places::Lines(2)));
        assert_eq!(table.columns[0].cells, Cells::Numbers(vec![1.5, -2.0]));
        assert_eq!(table.columns[1].cells, words(&[0, 1], &["red", "blue"]));
        assert!(matches!(&table.columns[2].cells, Cells::Numbers(numbers) if numbers.iter().all(|x| x.is_nan())));
    }

    #[test]
    fn what_is_asked_for_decides() {
        let text = "a,b,c\n007,1,2\n010,3,4\n";
        let options = DataOptions { id: Some("a".into()), drop: vec!["b".into()], ..DataOptions::of("x") };
        let table = of_text(text, &options, &mut |_| ()).unwrap();
        assert_eq!(table.columns.len(), 2);
        assert_eq!(table.columns[0].cells, words(&[0, 1], &["007", "010"]));
        let options = DataOptions { header: Some(false), ..DataOptions::of("x") };
        let table = of_text("a,b\nc,d\n", &options, &mut |_| ()).unwrap();
        assert_eq!((table.rows, table.columns[1].name.as_str()), (2, "column 2"));
    }

    #[test]
    fn a_line_that_counts_names_the_classes() {
        let table = table("3,1,cat,dog\n1.5,0\n2.5,1\n3.5,0\n");
        assert_eq!((table.rows, table.columns[1].name.as_str()), (3, "class"));
        assert_eq!(table.columns[1].cells, words(&[0, 1, 0], &["cat", "dog"]));
        assert!(problem("4,1,cat,dog\n1.5,0\n2.5,1\n3.5,0\n").starts_with("line 2: 2 cells, expected 4"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let mut many: String = "x,y\n".into();
        (0..100).for_each(|row| many += &format!("{row},{row}\n"));
        let slip = problem(&many.replace("\n50,50\n", "\n50,5o\n"));
        assert!(slip.starts_with("line 52: column 'y': '5o', expected a number"), "{slip}");
        let infinite = problem("x\n1\n\"in\nf\"\n".replace("in\nf", "inf").as_str());
        assert!(infinite.starts_with("line 3: column 'x': 'inf', expected a finite number"), "{infinite}");
        assert!(problem("x,y\n1,2\nx,y\n1,2\n").starts_with("line 3: the header once more"));
        assert!(problem("x,y\n1,2\n\n1,2,3\n").starts_with("line 4: 3 cells, expected 2"));
        assert!(problem("x,y\n1,2\n1,\"2\n").starts_with("line 3: a quote that is not closed"));
    }

    #[test]
    fn few_rows_with_a_word_are_words_and_pieces_make_no_difference() {
        let few = table("x,y\n1,a\n2,b\n?,c\n").columns.remove(1).cells;
        assert_eq!(few, words(&[0, 1, 2], &["a", "b", "c"]));
        let mixed = table("x\n1\n2\nabc\n1\n").columns.remove(0).cells;
        assert_eq!(mixed, words(&[0, 1, 2, 0], &["1", "2", "abc"]));
        assert_eq!(table("").rows, 0);
        assert_eq!(table("a,b\n").columns.len(), 2);
    }
}
