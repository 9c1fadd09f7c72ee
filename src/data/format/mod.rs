//! What kinds of files there are, and how each is read: a further kind is a module and a line in [`read`].

pub mod array;
pub mod idx;
#[cfg(feature = "native")]
pub mod image;
#[cfg(feature = "native")]
pub mod npy;
#[cfg(feature = "native")]
pub mod table;

#[cfg(feature = "native")]
use std::path::Path;

#[cfg(feature = "native")]
use super::found::{Found, Listener};
#[cfg(feature = "native")]
use super::kind::Kind;
#[cfg(feature = "native")]
use super::options::DataOptions;
#[cfg(feature = "native")]
use crate::error::{Error, Result};

/// Reads whatever lies at a path.
///
/// # Errors
/// When nothing lies there, or nothing that can be read, or it is damaged; the message names the file, and the line or row
/// in it.
#[cfg(feature = "native")]
pub fn read(path: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Found> {
    let there = std::fs::metadata(path).map_err(Error::io(path, "read"))?;
    if there.is_dir() && !array::is_set(path) {
        if table::is_folder(path) {
            return table::read(path, options, listener);
        }
        begins(Kind::Images, options, listener)?;
        return image::read(path, options, listener);
    }
    match array::read(path, options, listener)? {
        Some(found) => Ok(found),
        None if image::is_image(path) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let problem = format!("is one image; give the folder that it is in, {}", folder.display());
            Err(Error::input(path, problem))
        }
        None => table::read(path, options, listener),
    }
}

/// What is to be read is of this kind: refuses what means nothing to it, and what other data is wanted than.
#[cfg(feature = "native")]
fn begins(kind: Kind, options: &DataOptions, listener: &mut dyn Listener) -> Result<()> {
    listener.begins(kind)?;
    kind.check(options)
}
