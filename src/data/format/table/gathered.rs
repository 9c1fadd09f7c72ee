//! Columns gathered from batches of Arrow's arrays: what Parquet and Arrow files have in common.

use std::collections::HashMap;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, Fields, TimeUnit};

use super::text::is_missing;
use super::{Cells, Column, MISSING, MOST_COLUMNS, MOST_ROWS, MOST_UNPACKED, QUOTED, Table};
use crate::data::found::{Listener, Reading};
use crate::data::options::DataOptions;
use crate::error::{Error, Result, shortened};

/// Memory that the values of any table may take; those of a larger file may take [`EXPANSION`] times its size.
const USUAL_MEMORY: u64 = 1 << 30;
/// How often the size of a file its values may take.
const EXPANSION: u64 = 1 << 12;
/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// What the values of a column are read as.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Numbers.
    Numbers,
    /// Whole numbers, so many of which are a day or a second.
    Times(f64),
    /// Words `true` and `false`.
    Truths,
    /// Words.
    Words,
}

/// What the values of this type are read as; none if they are no single values.
fn kind(kind: &DataType) -> Option<Kind> {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 1.0,
        TimeUnit::Millisecond => 1e3,
        TimeUnit::Microsecond => 1e6,
        TimeUnit::Nanosecond => 1e9,
    };
    Some(match kind {
        DataType::Boolean => Kind::Truths,
        DataType::Date32 => Kind::Times(1.0),
        DataType::Date64 => Kind::Times(DAY * 1e3),
        DataType::Timestamp(of, _) | DataType::Time32(of) | DataType::Time64(of) | DataType::Duration(of) => {
            Kind::Times(unit(of))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Words,
        DataType::Dictionary(_, values) => return self::kind(values),
        DataType::Null => Kind::Numbers,
        other if other.is_numeric() => Kind::Numbers,
        _ => return None,
    })
}

/// Columns of a file that are read, and how far that is.
pub struct Gathered<'a> {
    path: &'a Path,
    rows: usize,
    /// What the file's columns are that are read, each by its place in the file.
    columns: Vec<Growing>,
    /// Names of those that are not.
    unread: Vec<String>,
    /// Most rows whose values the memory may hold.
    most: usize,
}

/// A column that grows.
struct Growing {
    place: usize,
    name: String,
    kind: Kind,
    /// What dictionaries hold, or what the array is itself.
    values: DataType,
    cells: Cells,
    words: HashMap<String, u32>,
}

impl<'a> Gathered<'a> {
    /// Nothing yet of a file of `size` bytes with these columns.
    pub fn new(
        path: &'a Path,
        size: usize,
        fields: &Fields,
        options: &DataOptions,
        listener: &mut dyn Listener,
    ) -> Result<Self> {
        if fields.len() > MOST_COLUMNS {
            return Err(Error::input(path, format!("{} columns, expected at most {MOST_COLUMNS}", fields.len())));
        }
        let is = |asked: &Option<String>, field: &Field| asked.as_ref() == Some(field.name());
        let dropped = options.dropped(|asked| fields.iter().any(|field| field.name() == asked));
        let is_read = |field: &Field| {
            is(&options.label, field) || is(&options.id, field) || !dropped.contains(&field.name().as_str())
        };
        let (mut columns, mut unread) = (Vec::new(), Vec::new());
        for (place, field) in fields.iter().enumerate() {
            if !is_read(field) {
                unread.push(field.name().clone());
                continue;
            }
            columns.push(Growing::of(path, place, field, is(&options.id, field))?);
        }
        let times: Vec<String> = columns
            .iter()
            .filter(|column| matches!(column.kind, Kind::Times(_)))
            .map(|column| format!("'{}'", shortened(&column.name, QUOTED)))
            .collect();
        if !times.is_empty() {
            let text = "dates are read as days and times as seconds, since 1970 or midnight";
            listener.notice(format!("{}: {text}: {}", path.display(), times.join(", ")));
        }
        let memory = (size as u64).saturating_mul(EXPANSION).clamp(USUAL_MEMORY, MOST_UNPACKED);
        let most = memory / 8 / columns.len().max(1) as u64;
        Ok(Gathered { path, rows: 0, columns, unread, most: (most as usize).min(MOST_ROWS) })
    }

    /// Places in the file of the columns that are read.
    pub fn places(&self) -> Vec<usize> {
        self.columns.iter().map(|column| column.place).collect()
    }

    /// Refuses a file that says that it holds more rows than there may be.
    pub fn admit(&self, rows: u64) -> Result<()> {
        if rows <= self.most as u64 {
            return Ok(());
        }
        let most = self.most;
        Err(Error::input(
            self.path,
            format!(
                "{rows} rows, expected at most {most} of a file of this size; --drop columns, or a folder may hold it in parts"
            ),
        ))
    }

    /// Appends a batch of the columns that are read, in the order of [`Gathered::places`].
    pub fn push(&mut self, batch: &RecordBatch, listener: &mut dyn Listener) -> Result<()> {
        self.admit(self.rows as u64 + batch.num_rows() as u64)?;
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            column.push(array).map_err(|problem| {
                let name = shortened(&column.name, QUOTED);
                let problem = match problem {
                    Flaw::Arrow(error) => format!("column '{name}': {}", shortened(&error.to_string(), QUOTED)),
                    Flaw::Infinite(row) => {
                        format!("row {}: column '{name}': an infinity, expected a finite number", self.rows + row + 1)
                    }
                };
                Error::input(self.path, problem)
            })?;
        }
        self.rows += batch.num_rows();
        listener.reading(Reading { done: self.rows as u64, of: 0, unit: "rows" });
        Ok(())
    }

    /// The table that was gathered.
    pub fn table(self) -> Table {
        let columns = self.columns.into_iter().map(|column| Column { name: column.name, cells: column.cells });
        Table { rows: self.rows, columns: columns.collect(), unread: self.unread, ..Table::default() }
    }
}

/// Why an array cannot be appended.
enum Flaw {
    Arrow(ArrowError),
    Infinite(usize),
}

impl From<ArrowError> for Flaw {
    fn from(error: ArrowError) -> Self {
        Flaw::Arrow(error)
    }
}

impl Growing {
    fn of(path: &Path, place: usize, field: &Field, is_id: bool) -> Result<Self> {
        let name = field.name().clone();
        let Some(kind) = kind(field.data_type()) else {
            let (name, found) = (shortened(&name, QUOTED), field.data_type().to_string());
            let expected = "numbers, words, truth values, dates or times";
            let problem = format!(
                "column '{name}' holds {}, expected {expected}; --drop '{name}' leaves it out",
                shortened(&found, QUOTED)
            );
            return Err(Error::input(path, problem));
        };
        let values = match field.data_type() {
            DataType::Dictionary(_, values) => (**values).clone(),
            values => values.clone(),
        };
        // A name is what is written.
        let kind = if is_id { Kind::Words } else { kind };
        let cells = match kind {
            Kind::Numbers | Kind::Times(_) => Cells::Numbers(Vec::new()),
            Kind::Truths | Kind::Words => Cells::Words { codes: Vec::new(), words: Vec::new() },
        };
        Ok(Growing { place, name, kind, values, cells, words: HashMap::new() })
    }

    fn push(&mut self, array: &ArrayRef) -> Result<(), Flaw> {
        let plain = if *array.data_type() == self.values { array.clone() } else { cast(array, &self.values)? };
        let Growing { kind, cells, words: places, .. } = self;
        match (cells, kind) {
            (Cells::Numbers(numbers), Kind::Times(unit)) => {
                let whole = cast(&plain, &DataType::Int64)?;
                let whole = whole.as_primitive::<Int64Type>();
                numbers.extend(whole.iter().map(|number| number.map_or(f64::NAN, |number| number as f64 / *unit)));
            }
            (Cells::Numbers(numbers), _) => {
                let floats = cast(&plain, &DataType::Float64)?;
                let floats = floats.as_primitive::<Float64Type>();
                if let Some(row) = floats.iter().position(|number| number.is_some_and(f64::is_infinite)) {
                    return Err(Flaw::Infinite(row));
                }
                numbers.extend(floats.iter().map(|number| number.unwrap_or(f64::NAN)));
            }
            (Cells::Words { codes, words }, _) => {
                let texts = cast(&plain, &DataType::LargeUtf8)?;
                let texts = texts.as_string::<i64>();
                codes.reserve(texts.len());
                for text in texts {
                    let code = match text.filter(|text| !is_missing(text)) {
                        None => MISSING,
                        Some(text) => match places.get(text) {
                            Some(code) => *code,
                            None => {
                                let code = words.len() as u32;
                                words.push(text.to_string());
                                places.insert(text.to_string(), code);
                                code
                            }
                        },
                    };
                    codes.push(code);
                }
            }
        }
        Ok(())
    }
}
