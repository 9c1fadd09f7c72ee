//! Rows that were decoded once: files in the user's cache folder, mapped where they are needed again.
//!
//! A file bears the keys of what it was made of. The `outline` is all that can be told without reading the sources:
//! names, lengths, options; the `content` is that of all bytes. A small file beside it, named by the stamps of the sources
//! (times and lengths), says that sources with these stamps have that content, so that they need not be read to know.

mod draft;
mod entry;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::whole_file;

pub use draft::Draft;
pub use entry::{Entry, Index, PartIndex};

/// Bytes of all files of the cache, unless `GPU_AE_CACHE_LIMIT` says otherwise.
pub const USUAL_LIMIT: u64 = 20_000_000_000;
/// Environment variable that names the cache's folder.
const FOLDER: &str = "GPU_AE_CACHE";
/// Environment variable that limits it.
const LIMIT: &str = "GPU_AE_CACHE_LIMIT";
/// The folder within it for rows.
const DECODED: &str = "decoded";
/// How names of files of rows end, and those that say which file is right for which stamps.
const ROWS: &str = "rows";
const STAMP: &str = "stamp";

/// A key of 256 bits.
pub type Key = [u8; 32];

/// The key of these pieces, in this order; where each ends matters.
pub fn key<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Key {
    let mut hash = Sha256::new();
    for piece in pieces {
        hash.update((piece.len() as u64).to_le_bytes());
        hash.update(piece);
    }
    hash.finalize().into()
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A folder of rows that were decoded.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    limit: u64,
}

impl Cache {
    /// The user's own: in the folder that `GPU_AE_CACHE` names, or else in the usual one; nothing if there is no home for
    /// it. `GPU_AE_CACHE_LIMIT` is the most bytes it may have.
    ///
    /// # Errors
    /// When the limit is no number.
    pub fn usual() -> Result<Option<Cache>> {
        let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let limit = match said(LIMIT) {
            None => USUAL_LIMIT,
            Some(limit) => bytes(&limit.to_string_lossy())?,
        };
        let usual = || Some(directories::ProjectDirs::from("", "", "gpu-ae")?.cache_dir().to_path_buf());
        let folder = said(FOLDER).map(PathBuf::from).or_else(usual);
        Ok(folder.map(|folder| Cache::within(&folder, limit)))
    }

    /// A cache in a folder, with at most so many bytes.
    pub fn within(folder: &Path, limit: u64) -> Cache {
        Cache { folder: folder.join(DECODED), limit }
    }

    /// What was made of sources with this stamp, if it is there and whole.
    pub fn stamped(&self, stamp: &Key) -> Option<Entry> {
        let name = whole_file::read_text(&self.stamp_path(stamp)).ok()?;
        // A name of the cache's own, and no path to anywhere else.
        let is_name = name.len() == 2 * 64 + 2 + ROWS.len()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        self.open(&self.folder.join(Some(name).filter(|_| is_name)?))
    }

    /// Whether something was made of sources of this outline.
    pub fn has(&self, outline: &Key) -> bool {
        let begin = hex(outline);
        self.all().iter().any(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&begin)))
    }

    /// What was made of sources of this content, if it is there and whole; it is known by this stamp from now on.
    pub fn of_content(&self, outline: &Key, content: &Key, stamp: Option<&Key>) -> Option<Entry> {
        let entry = self.open(&self.path(outline, content))?;
        self.know(outline, content, stamp);
        Some(entry)
    }

    /// Begins a file of rows.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn begin(&self) -> Result<Draft> {
        whole_file::make_folder(&self.folder)?;
        draft::sweep(&self.folder);
        Draft::within(&self.folder)
    }

    /// Gives a whole draft its name, and removes what was used longest ago where there is too much.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(
        &self,
        draft: Draft,
        index: &Index,
        outline: &Key,
        content: &Key,
        stamp: Option<&Key>,
    ) -> Result<Entry> {
        let path = self.path(outline, content);
        // The same rows may have got that name meanwhile, and Windows replaces no file that somebody has mapped.
        draft.keep(&path, index).or_else(|error| if Entry::open(&path).is_ok() { Ok(()) } else { Err(error) })?;
        self.know(outline, content, stamp);
        self.tidy(&path);
        Entry::open(&path)
    }

    fn path(&self, outline: &Key, content: &Key) -> PathBuf {
        self.folder.join(format!("{}-{}.{ROWS}", hex(outline), hex(content)))
    }

    fn stamp_path(&self, stamp: &Key) -> PathBuf {
        self.folder.join(format!("{}.{STAMP}", hex(stamp)))
    }

    /// Notes which content a stamp stands for. Without the note it is found by reading, so a failure does no harm.
    fn know(&self, outline: &Key, content: &Key, stamp: Option<&Key>) {
        if let (Some(stamp), Some(name)) = (stamp, self.path(outline, content).file_name()) {
            let _ = whole_file::write(&self.stamp_path(stamp), name.as_encoded_bytes(), "write the cache");
        }
    }

    /// Opens a file and notes that it was used; one that is damaged is removed.
    fn open(&self, path: &Path) -> Option<Entry> {
        if !path.is_file() {
            return None;
        }
        match Entry::open(path) {
            Ok(entry) => {
                let file = File::options().append(true).open(path);
                let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
                Some(entry)
            }
            // What cannot be read now may be somebody's who is at work on it.
            Err(error) => {
                if matches!(error, Error::Input { .. }) {
                    let _ = whole_file::remove(path);
                }
                None
            }
        }
    }

    /// All files of rows.
    fn all(&self) -> Vec<PathBuf> {
        self.files(ROWS)
    }

    fn files(&self, end: &str) -> Vec<PathBuf> {
        let paths = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        paths.filter(|path| path.extension().is_some_and(|found| found == end)).collect()
    }

    /// Removes what was used longest ago until the rest is within the limit, but never `latest`; and notes of stamps whose
    /// rows are not there. What cannot be removed is left.
    fn tidy(&self, latest: &Path) {
        let mut all: Vec<(SystemTime, u64, PathBuf)> = self
            .all()
            .into_iter()
            .filter_map(|path| {
                let seen = fs::metadata(&path).ok()?;
                Some((seen.modified().ok()?, seen.len(), path))
            })
            .collect();
        all.sort();
        let mut sum: u64 = all.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in all.iter().filter(|(_, _, path)| path != latest) {
            if sum <= self.limit {
                break;
            }
            if whole_file::remove(path).is_ok() {
                sum -= bytes;
            }
        }
        for note in self.files(STAMP) {
            let is_there = whole_file::read_text(&note).is_ok_and(|name| self.folder.join(name).is_file());
            if !is_there {
                let _ = whole_file::remove(&note);
            }
        }
    }
}

/// A number of bytes, perhaps with a unit: `500MB`, `20 GB`.
fn bytes(text: &str) -> Result<u64> {
    let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("B", 1), ("", 1)];
    let of =
        |(unit, size): (&str, u64)| text.trim().strip_suffix(unit)?.trim_end().parse::<u64>().ok()?.checked_mul(size);
    units
        .into_iter()
        .find_map(of)
        .ok_or_else(|| Error::Usage(format!("{LIMIT}={text}: expected a number of bytes, such as 20GB or 500MB")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
