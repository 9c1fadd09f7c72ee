//! Files that are written thousands of times.

use std::path::Path;

/// Writes a file that was perhaps there before as a new one: some file systems bring one that is cut to nothing and written
/// again to the disk at once, which takes 30 times as long.
pub fn write_anew(path: &Path, bytes: &[u8]) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}
