//! A file of rows while it is written: it bears no name of the cache before it is whole.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Crc;
use tempfile::NamedTempFile;

use super::entry::Index;
use crate::error::{Error, Result};
use crate::{fault, whole_file};

/// How the names of drafts begin, so that abandoned ones can be told.
const PREFIX: &str = ".gpu-ae-decoded-";
/// So long after it was last written a draft may not be locked yet.
const FRESH: Duration = Duration::from_secs(10);

/// A file of rows that grows. It vanishes unless it is kept.
pub struct Draft {
    folder: PathBuf,
    file: BufWriter<NamedTempFile>,
    bytes: u64,
    sum: Crc,
}

impl Draft {
    /// An empty one.
    pub(super) fn within(folder: &Path) -> Result<Draft> {
        let made = (|| {
            fault::point()?;
            let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder)?;
            // Tells others that somebody is at work on it; the system takes the lock away however that ends.
            let _ = file.as_file().try_lock();
            Ok(BufWriter::with_capacity(1 << 16, file))
        })();
        let file = made.map_err(Error::io(folder, "write the cache"))?;
        Ok(Draft { folder: folder.to_path_buf(), file, bytes: 0, sum: Crc::new() })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, rows: &[u8]) -> Result<()> {
        fault::point().and_then(|()| self.file.write_all(rows)).map_err(Error::io(&self.folder, "write the cache"))?;
        self.bytes += rows.len() as u64;
        self.sum.update(rows);
        Ok(())
    }

    /// The same in another form, a piece of at most `piece` bytes at a time.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn changed(&mut self, piece: usize, change: impl Fn(&[u8]) -> Vec<u8>) -> Result<Draft> {
        let failed = |error| Error::io(&self.folder, "write the cache")(error);
        let mut other = Draft::within(&self.folder)?;
        self.file.flush().map_err(failed)?;
        let mut file = self.file.get_ref().as_file();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut held = vec![0; piece];
        loop {
            let count = file.read(&mut held).map_err(failed)?;
            if count == 0 {
                return Ok(other);
            }
            other.write(&change(&held[..count]))?;
        }
    }

    /// Everything that was written so far, in memory.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn into_memory(self) -> Result<Vec<u8>> {
        let failed = |error| Error::io(&self.folder, "read the cache")(error);
        let (file, rest) = self.file.into_parts();
        let mut bytes = Vec::new();
        let mut file = file.as_file();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        file.read_to_end(&mut bytes).map_err(failed)?;
        bytes.extend(rest.unwrap_or_default());
        // Of what was being written when it failed, a part may be there.
        bytes.truncate(usize::try_from(self.bytes).unwrap_or(usize::MAX));
        Ok(bytes)
    }

    /// Adds what is known of the rows, and gives the file its name.
    pub(super) fn keep(mut self, path: &Path, index: &Index) -> Result<()> {
        let tail = index.tail(self.bytes, self.sum.sum())?;
        let kept = (|| {
            self.file.write_all(&tail)?;
            fault::point()?;
            self.file.flush()?;
            let file = self.file.into_inner().map_err(|failure| failure.into_error())?;
            file.as_file().sync_all()?;
            fault::point()?;
            whole_file::give_name(file, path)
        })();
        let file = kept.map_err(Error::io(path, "write the cache"))?;
        let _ = file.unlock();
        Ok(())
    }
}

/// Removes drafts that nobody is at work on any more. What cannot be removed does no harm.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let is_old = |file: &File| {
            let changed = file.metadata().and_then(|seen| seen.modified());
            changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > FRESH))
        };
        let is_abandoned = File::open(entry.path()).is_ok_and(|file| is_old(&file) && file.try_lock().is_ok());
        if is_abandoned {
            let _ = fs::remove_file(entry.path());
        }
    }
}
