//! Rows of one side of a data set: their values, labels and names.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::values::{ValueKind, Values};

/// Rows, each perhaps with a label and a name. A clone shares the values.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// Number of rows.
    pub rows: usize,
    /// Values of one row.
    pub width: usize,
    /// The class of each row, `[rows]`; empty if they have none.
    pub labels: Vec<u16>,
    /// What each row is called, `[rows]`; empty if they have only their numbers.
    pub names: Vec<String>,
    values: Values,
    /// Which rows of the values these are; all if nothing is said.
    chosen: Option<Arc<Vec<u32>>>,
    /// The number that each row had where it was read; its own if nothing is said.
    numbers: Option<Arc<Vec<u32>>>,
}

impl Split {
    /// All rows of these values, `width` to a row.
    pub fn new(width: usize, values: Values, labels: Vec<u16>, names: Vec<String>) -> Self {
        let rows = values.len() / width.max(1);
        Split { rows, width, labels, names, values, chosen: None, numbers: None }
    }

    /// The same of bytes that have labels and no names.
    pub fn of_bytes(width: usize, bytes: Vec<u8>, labels: Vec<u16>) -> Self {
        Split::new(width, Values::of_bytes(bytes), labels, Vec::new())
    }

    /// How a value is stored.
    pub fn kind(&self) -> ValueKind {
        self.values.kind()
    }

    /// Whether the values lie in a file.
    pub fn is_mapped(&self) -> bool {
        self.values.is_mapped()
    }

    /// Whether rows have classes.
    pub fn is_labelled(&self) -> bool {
        !self.labels.is_empty()
    }

    /// A row as it is stored.
    pub fn raw(&self, row: usize) -> &[u8] {
        let row = self.chosen.as_ref().map_or(row, |chosen| chosen[row] as usize);
        let bytes = self.width * self.kind().bytes();
        &self.values.raw()[row * bytes..][..bytes]
    }

    /// Bytes from one row to the next on a device: whole words.
    pub fn stride(&self) -> usize {
        (self.width * self.kind().bytes()).next_multiple_of(4)
    }

    /// All rows as a device holds them, where they lie like that already.
    pub fn in_place(&self) -> Option<&[u8]> {
        let bytes = self.width * self.kind().bytes();
        (self.chosen.is_none() && self.stride() == bytes).then(|| &self.values.raw()[..self.rows * bytes])
    }

    /// All rows as a device holds them: each padded to whole words, no copy where they lie like that already.
    pub fn device_rows(&self) -> Cow<'_, [u8]> {
        if let Some(bytes) = self.in_place() {
            return Cow::Borrowed(bytes);
        }
        let mut rows = vec![0; self.rows * self.stride()];
        self.copy_rows(0..self.rows, &mut rows);
        Cow::Owned(rows)
    }

    /// Writes these rows as a device holds them.
    pub fn copy_rows(&self, rows: impl IntoIterator<Item = usize>, out: &mut [u8]) {
        let bytes = self.width * self.kind().bytes();
        for (to, row) in out.chunks_exact_mut(self.stride().max(1)).zip(rows) {
            to[..bytes].copy_from_slice(self.raw(row));
        }
    }

    /// Appends the values of a row as a network sees them: bytes as shares of 255.
    pub fn append(&self, row: usize, out: &mut Vec<f32>) {
        let row = self.chosen.as_ref().map_or(row, |chosen| chosen[row] as usize);
        self.values.append(row * self.width..(row + 1) * self.width, out);
    }

    /// Rows `range` as a network sees them, `[rows, width]`.
    pub fn values(&self, range: Range<usize>) -> Vec<f32> {
        let mut values = Vec::with_capacity(range.len() * self.width);
        range.for_each(|row| self.append(row, &mut values));
        values
    }

    /// The same rows without their names.
    pub fn without_names(&self) -> Split {
        Split {
            rows: self.rows,
            width: self.width,
            labels: self.labels.clone(),
            names: Vec::new(),
            values: self.values.clone(),
            chosen: self.chosen.clone(),
            numbers: self.numbers.clone(),
        }
    }

    /// The same rows with other values, `width` to a row.
    pub fn with_values(self, values: Values) -> Split {
        Split { values, chosen: None, ..self }
    }

    /// These rows, in this order.
    pub fn only(&self, rows: &[usize]) -> Split {
        let of = |all: &Option<Arc<Vec<u32>>>| -> Arc<Vec<u32>> {
            Arc::new(rows.iter().map(|row| all.as_ref().map_or(*row as u32, |all| all[*row])).collect())
        };
        let chosen = of(&self.chosen);
        // Two lists only where they differ.
        let is_same = match (&self.chosen, &self.numbers) {
            (None, None) => true,
            (Some(chosen), Some(numbers)) => Arc::ptr_eq(chosen, numbers),
            _ => false,
        };
        let numbers = if is_same { chosen.clone() } else { of(&self.numbers) };
        Split {
            rows: rows.len(),
            width: self.width,
            labels: if self.is_labelled() { rows.iter().map(|&row| self.labels[row]).collect() } else { Vec::new() },
            names: if self.names.is_empty() {
                Vec::new()
            } else {
                rows.iter().map(|&row| self.names[row].clone()).collect()
            },
            values: self.values.clone(),
            chosen: Some(chosen),
            numbers: Some(numbers),
        }
    }

    /// The first rows.
    pub fn first(&self, rows: usize) -> Split {
        self.only(&(0..rows.min(self.rows)).collect::<Vec<_>>())
    }

    /// The labels as a device holds them: a word each.
    pub fn device_labels(&self) -> Vec<u8> {
        self.labels.iter().flat_map(|&label| u32::from(label).to_le_bytes()).collect()
    }

    /// The classes that its rows have, in order.
    pub fn classes(&self) -> Vec<u16> {
        let mut classes = self.labels.clone();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// The same without the rows of a class.
    pub fn without(&self, class: u16) -> Split {
        let rows = self.labels.iter().enumerate().filter(|(_, label)| **label != class);
        self.only(&rows.map(|(row, _)| row).collect::<Vec<_>>())
    }

    /// What a row is called: its name, or else the number that it had where it was read, the first 0.
    pub fn name(&self, row: usize) -> Cow<'_, str> {
        let number = || self.numbers.as_ref().map_or(row, |numbers| numbers[row] as usize).to_string();
        self.names.get(row).map_or_else(|| number().into(), |name| name.as_str().into())
    }
}

/// Rows are the same that read the same.
impl PartialEq for Split {
    fn eq(&self, other: &Self) -> bool {
        let labelled = (self.rows, self.width, self.kind()) == (other.rows, other.width, other.kind());
        labelled
            && self.labels == other.labels
            && self.names == other.names
            && (0..self.rows).all(|row| self.raw(row) == other.raw(row))
    }
}
