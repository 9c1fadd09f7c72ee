//! What kinds of files there are, and how each is read: a further kind is a module and a line in [`read`].

pub mod array;
pub mod idx;
pub mod image;
pub mod npy;
pub mod table;

use std::path::Path;

use super::found::{Found, Listener};
use super::options::DataOptions;
use crate::error::{Error, Result};

/// Reads whatever lies at a path.
///
/// # Errors
/// When nothing lies there, or nothing that can be read, or it is damaged; the message names the file, and the line or row
/// in it.
pub fn read(path: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Found> {
    let there = std::fs::metadata(path).map_err(Error::io(path, "read"))?;
    if there.is_dir() && !array::is_set(path) {
        let read = if table::is_folder(path) { table::read } else { image::read };
        return read(path, options, listener);
    }
    match array::read(path, options, listener)? {
        Some(found) => Ok(found),
        None => table::read(path, options, listener),
    }
}
