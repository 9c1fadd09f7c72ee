//! Rows that a network has made up: pictures of images, a table's in its own units and words.

use std::path::{Path, PathBuf};

use gpu_ae::data::columns::Columns;
use gpu_ae::report::check_png;
use gpu_ae::{Error, Result, whole_file};

use crate::cli::output::say;
use crate::cli::pictures::picture_name;
use crate::cli::terminal::table;
use crate::cli::trained::{RunFlags, Trained};

/// Rows and columns of a table that are shown.
const SHOWN: (usize, usize) = (12, 12);

/// A column of a table that is no value of the network: its heading and its cells.
pub type Beside<'a> = (&'a str, &'a [String]);

/// Reads the name of a picture or a table for the command line.
pub fn out_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if is_table(&path) { Ok(path) } else { picture_name(text) }
}

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

/// Where rows go: the file of `--out`, or `stem` in the run directory, as a picture or as a table.
///
/// # Errors
/// When the file's name says that it is the other of the two.
pub fn out_path(out: Option<&Path>, trained: &Trained, stem: &str) -> Result<PathBuf> {
    let of_table = trained.data.encoding.is_table();
    let Some(path) = out else {
        let extension = if of_table { "csv" } else { "png" };
        return Ok(trained.directory.path().join(stem).with_extension(extension));
    };
    match of_table {
        false => check_png(path)?,
        true if is_table(path) => {}
        true => {
            let name = path.with_extension("csv");
            let problem = "this run is of a table, whose rows are written in their own units and words";
            return Err(Error::Usage(format!(
                "--out {}: {problem}, expected a name such as {}",
                path.display(),
                name.display()
            )));
        }
    }
    Ok(path.to_path_buf())
}

/// Writes rows of values as a table behind the columns `beside`, and shows the first of them.
///
/// # Errors
/// When the file cannot be written.
pub fn write_rows(run: &RunFlags, path: &Path, columns: &Columns, beside: &[Beside<'_>], values: &[f32]) -> Result<()> {
    whole_file::write(path, &columns.csv(beside, values)?, "write the table")?;
    if run.quiet {
        return Ok(());
    }
    let (rows, width) = (values.len() / columns.width().max(1), columns.columns.len());
    let first = &values[..values.len().min(SHOWN.0 * columns.width())];
    let cells = columns.answers(first).into_iter().enumerate().map(|(row, cells)| {
        let before = beside.iter().map(|(_, cells)| cells.get(row).cloned().unwrap_or_default());
        before.chain(cells.iter().take(SHOWN.1).map(ToString::to_string)).collect()
    });
    let headings: Vec<&str> =
        beside.iter().map(|(heading, _)| *heading).chain(columns.headings().into_iter().take(SHOWN.1)).collect();
    say(&table(&headings, &cells.collect::<Vec<Vec<String>>>()));
    let more =
        |count: usize, shown: usize, what: &str| (count > shown).then(|| format!("{} more {what}", count - shown));
    let more: Vec<String> = more(rows, SHOWN.0, "rows").into_iter().chain(more(width, SHOWN.1, "columns")).collect();
    if !more.is_empty() {
        say(&format!("and {}", more.join(", ")));
    }
    run.wrote(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_pictures_or_tables() {
        assert!(["a.png", "a.CSV", "a"].iter().all(|name| out_name(name).is_ok()));
        assert!(out_name("a.jpg").is_err_and(|problem| problem.contains("a.png")));
    }
}
