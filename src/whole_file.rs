//! Files that appear whole or not at all.

use std::fs::{File, Permissions};
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// How the names of temporary files begin and end.
const PREFIX: &str = ".gpu-ae-";
const SUFFIX: &str = ".tmp";

/// Removes temporary files that a killed program has left in a folder. What cannot be removed is left.
pub fn remove_leftovers(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes a file whole or not at all: to a temporary file beside it, flushed to the disk, renamed over
/// it. A program that is killed leaves what was there before; `action` names the attempt in errors.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(path: &Path, bytes: &[u8], action: &'static str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    if let Some(permissions) = shared_permissions() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(folder).map_err(Error::io(path, action))?;
    file.write_all(bytes).map_err(Error::io(path, action))?;
    file.as_file().sync_all().map_err(Error::io(path, action))?;
    file.persist(path).map_err(|failure| Error::io(path, action)(failure.error))?;
    // Makes the rename durable where the system can; where a folder cannot be opened there is nothing
    // to do.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Temporary files are private by default; these are to be as readable as any other file the user
/// makes. The umask still applies.
#[cfg(unix)]
fn shared_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

/// Elsewhere a file takes its permissions from its folder.
#[cfg(not(unix))]
fn shared_permissions() -> Option<Permissions> {
    None
}
