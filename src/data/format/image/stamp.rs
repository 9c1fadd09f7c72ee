//! What tells that a file is as it was, without reading it.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file changed so shortly ago might change again within the same tick of a file system's clock.
const SETTLED: Duration = Duration::from_secs(3);

/// Length and times of a file, and its number where files have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes of it.
    pub length: u64,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// When it was changed, since 1970.
    changed: Option<Duration>,
    /// Seconds and nanoseconds when anything about it was changed, and its number.
    inner: [i64; 3],
}

impl Stamp {
    /// Of what the system says of a file.
    pub fn of(seen: &Metadata) -> Stamp {
        let changed = seen.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Stamp { length: seen.len(), is_file: seen.is_file(), changed, inner: inner(seen) }
    }

    /// All of it as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let changed = self.changed.map_or(u128::MAX, |changed| changed.as_nanos());
        let inner = self.inner.iter().flat_map(|word| word.to_le_bytes());
        self.length.to_le_bytes().into_iter().chain(changed.to_le_bytes()).chain(inner).collect()
    }

    /// Whether a change now would give it another stamp.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let changed = self.changed.max(u64::try_from(self.inner[0]).ok().map(Duration::from_secs));
        let age = |changed| now.duration_since(UNIX_EPOCH + changed).unwrap_or_default();
        changed.is_some_and(|changed| age(changed) > SETTLED)
    }
}

#[cfg(unix)]
fn inner(seen: &Metadata) -> [i64; 3] {
    use std::os::unix::fs::MetadataExt;
    [seen.ctime(), seen.ctime_nsec(), seen.ino() as i64]
}

#[cfg(not(unix))]
fn inner(_: &Metadata) -> [i64; 3] {
    [0; 3]
}
