//! The one error type of the library, and the process exit code each kind of error maps to.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A path as a shell takes it, for commands that are to be pasted: in quotes where it has what a shell would read otherwise.
pub fn pasted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:,@%=\\".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) {
        path
    } else if cfg!(windows) {
        // No name there has such a quote in it.
        format!("\"{path}\"")
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

/// Text that is at most `most` characters long, with what was left out counted: for what a stranger's file says, which
/// may be of any length.
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}… ({} more characters)", &text[..end], text[end..].chars().count())),
    }
}

/// A count with separators: 104,684.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What went wrong, worded for the person at the terminal: it names the file, flag or step and
/// says what was expected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag, a key of a configuration file or a combination of them makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file was read but is not what it should be.
    #[error("{}: {problem}", path.display())]
    Input {
        /// The offending file.
        path: PathBuf,
        /// What is wrong with it and what was expected.
        problem: String,
    },
    /// The operating system refused to read or write a file.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder in question.
        path: PathBuf,
        /// What was attempted, as a verb phrase: "read", "write the checkpoint".
        action: &'static str,
        /// The system's own reason.
        source: std::io::Error,
    },
    /// Shapes or element types that do not fit together, found while building a graph or a plan.
    #[error("{op}: {problem}")]
    Graph {
        /// The operation that was being added.
        op: String,
        /// What does not fit.
        problem: String,
    },
    /// A device could not be found, opened or used.
    #[error("{0}")]
    Device(String),
    /// The work was ended by a signal, and can be gone on with.
    #[error("{done}; '{advice}' goes on")]
    Interrupted {
        /// The signal's number.
        signal: i32,
        /// What was done by then.
        done: String,
        /// The command that goes on.
        advice: String,
    },
    /// What was asked for was tried and did not succeed.
    #[error("{0}")]
    Failed(String),
}

impl Error {
    /// Exit code of the process: 1 when the work itself failed, 2 when the request or its input was wrong, and as shells
    /// have it, 128 and the signal's number when a signal ended it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) | Error::Input { .. } | Error::Device(_) => 2,
            Error::Io { action, .. } if action.starts_with("read") => 2,
            Error::Interrupted { signal, .. } => u8::try_from(128 + signal).unwrap_or(1),
            Error::Io { .. } | Error::Graph { .. } | Error::Failed(_) => 1,
        }
    }

    /// An [`Error::Input`] about `path`.
    pub fn input(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Error::Input { path: path.as_ref().to_path_buf(), problem: problem.into() }
    }

    /// A closure that wraps an [`std::io::Error`], for `map_err`.
    pub fn io(path: impl AsRef<Path>, action: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { path, action, source }
    }

    /// An [`Error::Failed`] for want of memory: `what` needs so many bytes.
    pub fn memory(what: impl Display, bytes: usize) -> Self {
        let megabytes = bytes as f64 / 1e6;
        Error::Failed(format!("{what}: needs {megabytes:.1} MB of memory, which the system does not give"))
    }

    /// An [`Error::Graph`] raised by operation `op`.
    pub fn graph(op: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Graph { op: op.into(), problem: problem.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_a_shell_would_read_is_quoted() {
        for (path, expected) in [
            ("runs/a-1", "runs/a-1"),
            ("runs/Häuser", "runs/Häuser"),
            ("a b", "'a b'"),
            ("$HOME", "'$HOME'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
        ] {
            assert_eq!(pasted(Path::new(path)), expected);
        }
    }

    #[test]
    fn what_is_left_out_is_counted_in_whole_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 2), "äö… (2 more characters)");
        assert_eq!(shortened("", 0), "");
    }
}
