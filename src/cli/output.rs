//! Printing: results to standard output, everything else to standard error. A reader that went away
//! never makes a panic, and nothing that is printed is obeyed by a terminal: what comes from files and arguments is spelt out.

use std::io::{ErrorKind, Result as IoResult, Write};
use std::path::{Path, PathBuf};
use std::process::exit;

use gpu_ae::error::shortened;
pub use gpu_ae::error::thousands;
use gpu_ae::report::{printable, wrapped};
use gpu_ae::{Error, Result};

use super::terminal::notice_width;

/// Most characters of a line of a notice: what a foreign file says may be longer than anybody reads.
const LONGEST_LINE: usize = 2000;

fn line(text: &str) -> IoResult<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(printable(text).as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Prints a result, which is all the command is for: a reader that has enough ends the program.
pub fn say(text: &str) {
    match line(text) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => {
            complain(&format!("error: cannot print the result: {error}"));
            exit(1)
        }
    }
}

/// Prints how things are going. When nobody reads it the work goes on all the same.
pub fn tell(text: &str) {
    let _ = line(text);
}

/// Prints a notice or an error, on a terminal in lines that fit. When nobody listens there is nobody to tell.
pub fn complain(text: &str) {
    let lines: Vec<_> = text.split('\n').map(|line| shortened(line, LONGEST_LINE)).collect();
    let lines = lines.join("\n");
    let text = printable(&lines);
    let text = notice_width().map_or_else(|| text.to_string(), |width| wrapped(&text, width));
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints the beginning of a notice, which [`complain`] ends.
pub fn begin(text: &str) {
    let mut errors = std::io::stderr().lock();
    let _ = errors.write_all(printable(text).as_bytes());
    let _ = errors.flush();
}

/// Prints a value as one line of JSON.
pub fn say_json(value: &impl serde::Serialize) -> Result<()> {
    say(&serde_json::to_string(value).map_err(|error| Error::Failed(format!("JSON: {error}")))?);
    Ok(())
}

/// Reads the name of a file of one of these kinds for the command line: one of another kind that is there is somebody's.
fn file_name(text: &str, extensions: &[&str]) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match extensions.iter().any(|extension| is_of(&path, extension))
        || path.metadata().is_ok_and(|there| !there.is_file())
    {
        true => Ok(path),
        false => Err(format!("expected a name that ends in .{}", extensions.join(" or ."))),
    }
}

/// Whether a name is that of a file of this kind.
pub fn is_of(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// The name of a NumPy array to write.
pub fn array_name(text: &str) -> Result<PathBuf, String> {
    file_name(text, &["npy"])
}

/// The name of a table to write.
pub fn table_name(text: &str) -> Result<PathBuf, String> {
    file_name(text, &["csv"])
}

/// The name of a file of compressed codes to write.
pub fn codes_name(text: &str) -> Result<PathBuf, String> {
    file_name(text, &["gae"])
}

/// The name of a NumPy array or a picture to write.
pub fn array_or_picture_name(text: &str) -> Result<PathBuf, String> {
    file_name(text, &["npy", "png"])
}

/// The name of a NumPy array or a table to write.
pub fn array_or_table_name(text: &str) -> Result<PathBuf, String> {
    file_name(text, &["npy", "csv"])
}

/// The name of a picture or a table to write.
pub fn picture_or_table_name(text: &str) -> Result<PathBuf, String> {
    file_name(text, &["png", "csv"])
}
