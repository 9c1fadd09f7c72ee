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
mod layout;
mod look;
mod number;
mod pass;
mod piece;
mod record;
mod rounded;
mod source;
mod stretch;

use std::path::Path;

use self::layout::Layout;
use self::pass::Records;
use self::piece::Whole;
use super::{Column, Places, Table};
use crate::data::found::{Listener, Reading};
use crate::data::options::DataOptions;
use crate::error::Result;

pub use number::{MISSING_WORDS, is_missing};
pub use source::Source;

/// Reads a table from a text.
pub fn read(path: &Path, source: Source, options: &DataOptions, listener: &mut dyn Listener) -> Result<Table> {
    of_source(path, source, options, &mut |rows| listener.reading(Reading { done: rows as u64, of: 0, unit: "rows" }))
}

/// Reads a table. `told` hears how many rows there are.
fn of_source(path: &Path, mut source: Source, options: &DataOptions, told: &mut dyn FnMut(usize)) -> Result<Table> {
    let Some(layout) = Layout::of(path, &mut source, options)? else { return Ok(Table::default()) };
    let Layout { style, names, kinds, header, start, lines, row, counted } = layout;
    let whole = Whole { style, kinds: &kinds, header: header.as_deref(), row };
    let records = Records { path, source: &source, start, lines };
    let read = records.read(&whole, told)?;
    let rows = read.rows;
    let places = if read.lines == rows { Places::Lines(lines + 1) } else { Places::Rows };
    let cells = column::settled(&records, &whole, read, &names, options)?;
    let (mut columns, mut unread) = (Vec::with_capacity(names.len()), Vec::new());
    for (name, cells) in names.into_iter().zip(cells) {
        match cells {
            Some(cells) => columns.push(Column { name, cells }),
            None => unread.push(name),
        }
    }
    if let (Some(counted), Some(last)) = (counted, columns.last_mut()) {
        counted.name(&mut last.cells);
    }
    Ok(Table { rows, columns, unread, places, ..Table::default() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::format::table::Cells;

    fn of_text(text: &str, options: &DataOptions) -> Result<Table> {
        of_source(Path::new("x"), Source::Bytes(text.into()), options, &mut |_| ())
    }

    fn table(text: &str) -> Table {
        of_text(text, &DataOptions::of("x")).unwrap()
    }

    fn problem(text: &str) -> String {
        let message = of_text(text, &DataOptions::of("x")).unwrap_err().to_string();
        message.strip_prefix("x: ").unwrap().to_string()
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
        let table = of_text(text, &options).unwrap();
        assert_eq!(table.columns.len(), 2);
        assert_eq!(table.columns[0].cells, words(&[0, 1], &["007", "010"]));
        let options = DataOptions { header: Some(false), ..DataOptions::of("x") };
        let table = of_text("a,b\nc,d\n", &options).unwrap();
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
        assert_eq!((table("a,b").columns.len(), table("\u{feff}\na,b").rows), (2, 0));
    }

    #[test]
    fn lines_are_ended_somehow_and_what_is_no_text_is_told() {
        let of =
            |bytes: &[u8]| of_source(Path::new("x"), Source::Bytes(bytes.into()), &DataOptions::of("x"), &mut |_| ());
        for text in ["a,b\r1,2\r3,4", "a,b\n1,2\n3,4", "\u{feff}a,b\r\n1,2\r\n3,4\r\n", "\u{feff}a,b\r1,2\r3,4\r"] {
            let table = of(text.as_bytes()).unwrap();
            assert_eq!((table.rows, &table.columns[0].name[..], table.places), (2, "a", Places::Lines(2)), "{text:?}");
            assert_eq!(table.columns[1].cells, Cells::Numbers(vec![2.0, 4.0]), "{text:?}");
        }
        let problem = |bytes: &[u8]| of(bytes).unwrap_err().to_string();
        assert!(problem(b"\xff\xfea\0").contains("iconv -f UTF-16"));
        assert!(problem(b"a\0,\0b\0\n\0").contains("looks like a text of UTF-16"));
        assert!(problem(b"\x89PNG\0\0\0").contains("byte 4 is zero"));
        assert!(problem(b"a,b\n\xe4,1\n").contains("line 2: byte 0xe4 is no UTF-8"));
    }

    #[test]
    fn what_is_wrong_far_behind_is_named_with_its_line() {
        // More than what is looked at first, so some stretches.
        let rows = 600_000;
        let mut text = "\u{feff}x,y\n".to_string();
        (0..rows).for_each(|row| text += &format!("{row},{}\n", row % 1000));
        assert_eq!(table(&text).rows, rows);
        let last = |end: &str| problem(&(text.clone() + end));
        let line = format!("line {}: ", rows + 2);
        assert!(last("1,2,3\n").starts_with(&format!("{line}3 cells, expected 2")));
        assert!(last("1,a\n").starts_with(&format!("{line}column 'y': 'a', expected a number")));
        assert!(last("1,\"2\n").starts_with(&format!("{line}a quote that is not closed")));
        assert!(last("x,y\n").starts_with(&format!("{line}the header once more")));
        let mixed = text.replace(",0\n", ",none at all\n").replace(",1\n", ",one\n");
        let options = DataOptions { label: Some("y".into()), ..DataOptions::of("x") };
        let Cells::Words { codes, words } = &of_text(&mixed, &options).unwrap().columns[1].cells else {
            unreachable!()
        };
        assert_eq!((codes[1001], &words[1][..], words.len()), (1, "one", 1000));
    }
}
