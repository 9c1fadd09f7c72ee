//! Arrays of numbers: NumPy's files, IDX files, CIFAR's batches.

use std::path::Path;

use crate::data::found::{Found, Listener};
use crate::data::options::DataOptions;
use crate::error::Result;

/// Whether a folder holds files of arrays that belong together, which [`read`] reads.
pub fn is_set(_folder: &Path) -> bool {
    false
}

/// Reads a file of arrays, or a folder of such files that belong together; nothing if it is no such file by its name and
/// its first bytes.
///
/// # Errors
/// When it is damaged or holds nothing that rows can be made of; the message names the file.
pub fn read(_path: &Path, _options: &DataOptions, _listener: &mut dyn Listener) -> Result<Option<Found>> {
    Ok(None)
}
