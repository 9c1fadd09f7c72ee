//! Where the bytes of a text are: in a file, of which threads read parts side by side, or in memory.

use std::fs::File;
use std::io::{Error as IoError, ErrorKind, Result as IoResult};
use std::path::Path;

use memchr::{memchr, memchr_iter};

use crate::error::{Error, Result};
use crate::threads::prelude::*;

/// Bytes that a thread reads at once: so few that they stay in its cache.
const STEP: usize = 1 << 19;

/// The bytes of a text.
pub enum Source {
    /// In memory.
    Bytes(Vec<u8>),
    /// In a file, as many as it had when it was opened.
    File(File, usize),
}

impl Source {
    /// Those of a regular file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = || {
            let file = File::open(path)?;
            let length = usize::try_from(file.metadata()?.len()).map_err(IoError::other)?;
            Ok(Source::File(file, length))
        };
        opened().map_err(Error::io(path, "read"))
    }

    /// How many there are.
    pub fn length(&self) -> usize {
        match self {
            Source::Bytes(bytes) => bytes.len(),
            Source::File(_, length) => *length,
        }
    }

    /// The first `most` of them, or all if there are fewer.
    ///
    /// # Errors
    /// When they cannot be read, or memory does not suffice.
    pub fn first(&self, path: &Path, most: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let length = most.min(self.length());
        bytes.try_reserve_exact(length + 1).map_err(|_| Error::memory(path.display(), length))?;
        bytes.resize(length, 0);
        self.fill(path, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills a buffer with the bytes from `place` on, side by side, and says whether a double quote is among them.
    ///
    /// # Errors
    /// When they cannot be read, or the file was cut short meanwhile.
    pub fn fill(&self, path: &Path, place: usize, buffer: &mut [u8]) -> Result<bool> {
        let filled = |(number, step): (usize, &mut [u8])| {
            self.read(place + number * STEP, step)?;
            Ok(memchr(b'"', step).is_some())
        };
        let quotes: Vec<IoResult<bool>> = buffer.par_chunks_mut(STEP).enumerate().map(filled).collect();
        let any = quotes.into_iter().try_fold(false, |any, quotes| Ok(any | quotes?));
        any.map_err(Error::io(path, "read"))
    }

    /// How many lines there are from `place` on, the last ended or not.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn lines(&self, path: &Path, mut place: usize) -> Result<usize> {
        let (mut lines, mut is_ended, mut step) = (0, true, vec![0; STEP]);
        while place < self.length() {
            let read = STEP.min(self.length() - place);
            self.fill(path, place, &mut step[..read])?;
            lines += memchr_iter(b'\n', &step[..read]).count();
            is_ended = step[read - 1] == b'\n';
            place += read;
        }
        Ok(lines + usize::from(!is_ended))
    }

    fn read(&self, mut place: usize, mut buffer: &mut [u8]) -> IoResult<()> {
        match self {
            Source::Bytes(bytes) => {
                let part = bytes.get(place..place + buffer.len()).ok_or(ErrorKind::UnexpectedEof)?;
                buffer.copy_from_slice(part);
            }
            Source::File(file, _) => {
                while !buffer.is_empty() {
                    match read_at(file, buffer, place as u64) {
                        Ok(0) => return Err(IoError::other("it was cut short while it was read")),
                        Ok(read) => {
                            buffer = &mut buffer[read..];
                            place += read;
                        }
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(not(windows))]
fn read_at(file: &File, buffer: &mut [u8], place: u64) -> IoResult<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, place)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], place: u64) -> IoResult<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, place)
}
