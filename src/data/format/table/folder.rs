//! A folder of tables: a file for each side, or several of one.

use std::path::{Path, PathBuf};

use super::of_file;
use crate::data::found::{Found, Listener, Side};
use crate::data::options::DataOptions;
use crate::error::{Error, Result};

/// How names of tables end.
const ENDS: [&str; 9] = [".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".feather", ".arrow", ".ipc", ".pq"];
/// How names begin of files that tell of others.
const COMPANIONS: [&str; 2] = ["readme", "license"];

/// Whether a folder holds tables and nothing else, but for hidden files and those that tell of the others.
pub fn is_folder(folder: &Path) -> bool {
    tables(folder).is_ok_and(|tables| tables.is_some_and(|tables| !tables.is_empty()))
}

/// The tables of a folder by name; nothing if there is something else.
fn tables(folder: &Path) -> std::io::Result<Option<Vec<PathBuf>>> {
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        match () {
            () if name.starts_with('.') || COMPANIONS.iter().any(|begin| name.starts_with(begin)) => (),
            () if ENDS.iter().any(|end| name.ends_with(end)) && path.is_file() => tables.push(path),
            () => return Ok(None),
        }
    }
    tables.sort();
    Ok(Some(tables))
}

/// Reads the tables of a folder.
pub fn read(folder: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Found> {
    let paths = tables(folder).map_err(Error::io(folder, "read"))?.unwrap_or_default();
    if paths.is_empty() {
        return Err(Error::input(folder, format!("no table, expected files that end with {}", ENDS.join(", "))));
    }
    let table = |path: PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok((Side::of_name(&name), of_file(&path, options, listener)?))
    };
    Ok(Found::Table(paths.into_iter().map(table).collect::<Result<_>>()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::found::Silent;

    #[test]
    fn files_of_a_folder_are_sides_and_anything_else_makes_it_none() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        assert!(!is_folder(folder.path()));
        write("train.csv", "a,b\n1,2\n");
        write("my-test.csv", "a,b\n3,4\n5,6\n");
        write("README.md", "what this is");
        assert!(is_folder(folder.path()));
        let Found::Table(tables) = read(folder.path(), &DataOptions::of("x"), &mut Silent).unwrap() else {
            unreachable!()
        };
        let sides: Vec<(Side, usize)> = tables.iter().map(|(side, table)| (*side, table.rows)).collect();
        assert_eq!(sides, [(Side::Test, 2), (Side::Train, 1)]);
        write("image.png", "");
        assert!(!is_folder(folder.path()));
    }
}
