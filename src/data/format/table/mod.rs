//! Tables: columns of numbers and of words, whatever file they come from.
//!
//! What a file is, its first bytes say: `PAR1` is Parquet, `ARROW1` and a continuation mark are Arrow (Feather is), the mark
//! of gzip is unpacked first, and anything else is text.
//!
//! * **Missing** is a null, a NaN, and whatever [`MISSING_WORDS`] lists, in every format.
//! * **A column is numbers** if every cell of it is one or missing; otherwise it is words. If it is a few cells of many that
//!   are no numbers, that is an error, because it is more often a slip than a wish.
//! * **Truth values** are the words `true` and `false`; dates are days and times are seconds since 1970.

mod arrow;
mod folder;
mod gathered;
mod guarded;
mod packed;
mod parquet;
mod text;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use self::text::Source;
use super::begins;
use crate::data::found::{Found, Listener, Side};
use crate::data::kind::Kind;
use crate::data::options::DataOptions;
use crate::error::{Error, Result, shortened};
use crate::whole_file;

pub use folder::is_folder;
pub use packed::MOST_UNPACKED;
pub use text::MISSING_WORDS;

/// Most columns of a table.
pub const MOST_COLUMNS: usize = 1 << 16;
/// Most rows of a table: what an index of 32 bits counts.
pub const MOST_ROWS: usize = u32::MAX as usize - 1;

/// How files begin that are no text: packed by gzip, Arrow twice, Feather of version 1, a ZIP archive.
const OTHERS: [&[u8]; 5] = [b"\x1f\x8b", b"ARRO", b"\xff\xff\xff\xff", b"FEA1", b"PK\x03\x04"];

/// Most characters that a message quotes of what a file says.
const QUOTED: usize = 120;

/// A table in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The file that it is from.
    pub path: PathBuf,
    /// Number of rows.
    pub rows: usize,
    /// Its columns, in the order of the file.
    pub columns: Vec<Column>,
    /// Names of further ones that were not read, since they are to be left out.
    pub unread: Vec<String>,
    /// Where its rows are in the file.
    pub places: Places,
}

/// Where the rows of a table are in its file, as a person counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Places {
    /// One behind the other, from this line of the text on.
    Lines(usize),
    /// Only their number is known.
    #[default]
    Rows,
}

/// A column with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What the header calls it, or `column 1` and so on where it does not.
    pub name: String,
    /// What it holds.
    pub cells: Cells,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// Words: of each row an index into the different ones, [`MISSING`] where there is none.
    Words {
        /// Of each row, which word.
        codes: Vec<u32>,
        /// The different words, in the order in which they first come.
        words: Vec<String>,
    },
}

/// The code of a word that is missing.
pub const MISSING: u32 = u32::MAX;

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Its columns by their names, for who looks for many.
    pub fn by_name(&self) -> HashMap<&str, &Column> {
        self.columns.iter().map(|column| (column.name.as_str(), column)).collect()
    }

    /// Where a row is, for a message: `line 3`, or `row 2`.
    pub fn place(&self, row: usize) -> Place {
        match self.places {
            Places::Lines(first) => Place { unit: "line", number: first + row },
            Places::Rows => Place { unit: "row", number: row + 1 },
        }
    }
}

/// A line or a row, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    unit: &'static str,
    number: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.unit, self.number)
    }
}

/// Reads a table from a file, or from every file of a folder of tables: what is in `train.csv` is to be learnt from, and so
/// on by [`Side::of_name`]. Of a text the memory it takes, encoded, is at most 64 times the file's size, unpacked, and 64
/// megabytes. What Parquet and Arrow pack away may become 4,096 times the file's size or a gigabyte, whichever is more, and
/// is refused beyond.
///
/// # Errors
/// When it is none; the message names the file and the line.
pub fn read(path: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Found> {
    if path.is_dir() {
        begins(Kind::Table, options, listener)?;
        return folder::read(path, options, listener);
    }
    let is_binary = packed::begins(path, b"PAR1")? || packed::begins(path, b"ARROW1")?;
    begins(if is_binary { Kind::Columns } else { Kind::Table }, options, listener)?;
    Ok(Found::Table(vec![(Side::Unsaid, of_file(path, options, listener)?)]))
}

/// Reads the table of one file.
fn of_file(path: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Table> {
    named_rightly(path)?;
    let mut table = if packed::begins(path, b"PAR1")? {
        parquet::read(path, options, listener)?
    } else {
        match text_of(path)? {
            Some(text) => text::read(path, text, options, listener)?,
            None => {
                let bytes = whole_file::read(path).map_err(Error::io(path, "read"))?;
                of_bytes(path, packed::unpacked(path, bytes)?, options, listener)?
            }
        }
    };
    table.path = path.to_path_buf();
    checked(path, &table)?;
    without_index(&mut table, options, listener);
    Ok(table)
}

/// The text that a regular file is, unless it begins as another table does; it is read as its cells are.
fn text_of(path: &Path) -> Result<Option<Source>> {
    if !std::fs::metadata(path).map_err(Error::io(path, "read"))?.is_file() {
        return Ok(None);
    }
    let source = Source::open(path)?;
    let first = source.first(path, 4)?;
    let is_other = OTHERS.iter().any(|mark| first.starts_with(mark));
    Ok((!is_other).then_some(source))
}

/// Refuses a file whose name says another kind of table than its first bytes do.
fn named_rightly(path: &Path) -> Result<()> {
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    let (kind, marks): (&str, &[&[u8]]) = match end.as_str() {
        "parquet" | "pq" => ("Parquet", &[b"PAR1"]),
        // Feather of version 1 has an answer of its own.
        "feather" | "arrow" | "ipc" => ("Arrow or Feather", &[b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"]),
        _ => return Ok(()),
    };
    for mark in marks {
        if packed::begins(path, mark)? {
            return Ok(());
        }
    }
    let problem =
        format!("is no {kind}, which its name says; a table as text is read where its name ends in .csv or .tsv");
    Err(Error::input(path, problem))
}

/// Reads a table from what a file holds, unpacked.
fn of_bytes(path: &Path, bytes: Vec<u8>, options: &DataOptions, listener: &mut dyn Listener) -> Result<Table> {
    match &bytes[..] {
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, ..] => {
            arrow::read(path, bytes, options, listener)
        }
        [b'F', b'E', b'A', b'1', ..] => {
            let problem = "Feather of version 1, expected version 2: pandas' to_feather writes it today";
            Err(Error::input(path, problem))
        }
        [b'P', b'K', 3, 4, ..] => {
            let problem = "a ZIP archive, as a workbook of a spreadsheet is, expected a table; save the sheet as CSV";
            Err(Error::input(path, problem))
        }
        _ => text::read(path, Source::Bytes(bytes), options, listener),
    }
}

/// Refuses a table that no one can tell the columns of.
fn checked(path: &Path, table: &Table) -> Result<()> {
    let mut names: Vec<(&str, usize)> = table.columns.iter().map(|column| column.name.as_str()).zip(1..).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        if pair[0].0 == pair[1].0 {
            let name = shortened(pair[0].0, QUOTED);
            let problem =
                format!("columns {} and {} are both called '{name}', expected names that differ", pair[0].1, pair[1].1);
            return Err(Error::input(path, problem));
        }
    }
    if table.rows > MOST_ROWS {
        return Err(Error::input(path, format!("{} rows, expected at most {MOST_ROWS}", table.rows)));
    }
    Ok(())
}

/// Leaves out what pandas writes as its index, unless it is asked for: a first column without a name that counts the rows.
fn without_index(table: &mut Table, options: &DataOptions, listener: &mut dyn Listener) {
    let is_index = |column: &Column| {
        let is_wanted = [&options.id, &options.label].into_iter().flatten().any(|name| *name == column.name);
        let counts = |numbers: &[f64]| numbers.iter().enumerate().all(|(row, number)| *number == row as f64);
        let is_counted = matches!(&column.cells, Cells::Numbers(numbers) if counts(numbers));
        let is_nameless = column.name == "column 1" || column.name == "__index_level_0__";
        is_nameless && is_counted && !is_wanted
    };
    if table.rows > 2
        && table.columns.len() > 1
        && let Some(place) = table.columns.iter().position(is_index)
    {
        let name = table.columns.remove(place).name;
        let text = format!("{}: '{name}' only counts the rows and is left out", table.path.display());
        listener.notice(text);
    }
}
