//! Files that commands write where they were told to: their names, and tables.

use std::path::{Path, PathBuf};

use gpu_ae::config::RunConfig;
use gpu_ae::data::{Encoding, Split, is_named};
use gpu_ae::{Error, Result, whole_file};

/// The columns that every table of rows begins with.
pub const OF_EACH_ROW: [&str; 3] = ["row", "name", "class"];

/// A row's number, what it is called, and its class, empty if it has none.
pub fn of_each_row(split: &Split, encoding: &Encoding, row: usize) -> [String; 3] {
    let class = split.labels.get(row).map_or("", |&class| encoding.class_name(class));
    [row.to_string(), split.name(row).into_owned(), class.to_string()]
}

/// A table on its way to a file.
pub struct Table {
    writer: csv::Writer<Vec<u8>>,
}

impl Table {
    /// A table with these columns and no row yet.
    pub fn new<T: AsRef<[u8]>>(headings: impl IntoIterator<Item = T>) -> Result<Self> {
        let mut table = Table { writer: csv::Writer::from_writer(Vec::new()) };
        table.push(headings)?;
        Ok(table)
    }

    /// Adds a row.
    pub fn push<T: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = T>) -> Result<()> {
        self.writer.write_record(cells).map_err(|error| Error::Failed(format!("a table cannot be written: {error}")))
    }

    /// Writes it; `action` names the attempt in errors.
    pub fn write(self, path: &Path, action: &'static str) -> Result<()> {
        let bytes = self.writer.into_inner();
        let bytes = bytes.map_err(|error| Error::Failed(format!("a table cannot be written: {error}")))?;
        whole_file::write(path, &bytes, action)
    }
}

/// Refuses outputs, each with its flag, that would be written over one another, over what is read, or over a file of the
/// data.
pub fn check_outputs(config: &RunConfig, inputs: &[&Path], outputs: &[(&str, &Path)]) -> Result<()> {
    let refuse =
        |(flag, path): (&str, &Path), problem: &str| Err(Error::Usage(format!("{flag} {}: {problem}", path.display())));
    let data = Path::new(&config.data.path);
    let data = (!is_named(&config.data.path)).then(|| data.canonicalize().ok()).flatten();
    for (number, &(flag, path)) in outputs.iter().enumerate() {
        if let Some((other, _)) = outputs[..number].iter().find(|(_, other)| is_same(path, other)) {
            return refuse((flag, path), &format!("is the file of {other} too"));
        }
        if inputs.iter().any(|input| is_same(path, input)) {
            return refuse((flag, path), "is the file that is read, expected another name");
        }
        let there = path.canonicalize().ok().filter(|there| there.is_file());
        if there.zip(data.as_ref()).is_some_and(|(there, data)| there.starts_with(data)) {
            return refuse((flag, path), "is a file of the data, expected another name");
        }
    }
    Ok(())
}

/// Whether two names are those of one file, which need not be there.
fn is_same(path: &Path, other: &Path) -> bool {
    let whole = |path: &Path| -> Option<PathBuf> { path.canonicalize().or_else(|_| std::path::absolute(path)).ok() };
    path == other || whole(path).is_some_and(|path| whole(other) == Some(path))
}
