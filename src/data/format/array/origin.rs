//! Where an array comes from, as messages say it; and how errors of reading it are told.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{Error, shortened};

/// Most characters that a message quotes of a name in a file.
const QUOTED: usize = 60;

/// A file, or an array or file within it.
#[derive(Clone, Debug)]
pub(in crate::data) struct Origin {
    /// The file on the disk.
    pub path: PathBuf,
    /// What is meant within it; nothing if the file is meant.
    pub part: Option<String>,
}

impl Origin {
    /// A file.
    pub fn file(path: &Path) -> Self {
        Origin { path: path.to_path_buf(), part: None }
    }

    /// What something is called for a sentence: the array's name, or the file's.
    pub fn name(&self) -> String {
        match &self.part {
            Some(part) => shortened(part.strip_suffix(".npy").unwrap_or(part), QUOTED).into_owned(),
            None => self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        }
    }

    /// An error that says what is wrong with it.
    pub fn error(&self, problem: impl Into<String>) -> Error {
        let problem = problem.into();
        match &self.part {
            Some(_) => Error::input(&self.path, format!("'{}': {problem}", self.name())),
            None => Error::input(&self.path, problem),
        }
    }

    /// Tells what is missing or damaged, which is the input's fault, from a failing disk.
    pub fn unreadable(&self, error: io::Error) -> Error {
        match error.kind() {
            ErrorKind::NotFound => self.error("expected an IDX file, found no such file"),
            ErrorKind::OutOfMemory => {
                Error::Failed(format!("{}: there is no memory for all of it", self.path.display()))
            }
            ErrorKind::UnexpectedEof => self.error("truncated: expected a whole gzip stream, found only its beginning"),
            ErrorKind::InvalidInput | ErrorKind::InvalidData if self.part.is_some() => {
                self.error(format!("damaged: expected an intact archive, found: {error}"))
            }
            ErrorKind::InvalidInput | ErrorKind::InvalidData => {
                self.error(format!("damaged: expected an intact gzip stream, found: {error}"))
            }
            _ => Error::io(&self.path, "read")(error),
        }
    }
}
