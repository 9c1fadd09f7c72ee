//! Files that appear whole or not at all, and every other change of the disk.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::fault;

/// How the names of temporary files begin and end.
const PREFIX: &str = ".gpu-ae-";
const SUFFIX: &str = ".tmp";

/// Whether a file of this name is a temporary one of this program.
pub fn is_leftover(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Removes temporary files that a killed program has left in a folder, which nobody else may be at work in. What cannot
/// be removed is left.
pub fn remove_leftovers(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_leftover) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes a file whole or not at all: to a temporary file beside it, flushed to the disk, renamed over it. A program that
/// is killed leaves what was there before; `action` names the attempt in errors. A link is followed, what is no regular
/// file, such as a pipe, is written into.
///
/// # Errors
/// When there is a folder of this name, none that it could be in, or that one cannot be written.
pub fn write(path: &Path, bytes: &[u8], action: &'static str) -> Result<()> {
    write_by(path, action, |file| file.write_all(bytes).map_err(Error::io(path, action)))
}

/// The same of bytes that `fill` writes bit by bit, so that they need not be held at once.
///
/// # Errors
/// As [`write`](fn@write), and when `fill` fails; nothing is left then of what it wrote, unless it wrote into a pipe.
pub fn write_by(path: &Path, action: &'static str, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let failed = || Error::io(path, action);
    let there = std::fs::metadata(path).ok();
    if there.as_ref().is_some_and(Metadata::is_dir) {
        return Err(Error::Usage(format!("{}: is a folder, expected the name of a file", path.display())));
    }
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        fault::point().map_err(failed())?;
        return fill(&mut OpenOptions::new().write(true).open(path).map_err(failed())?);
    }
    let target = followed(path);
    let folder = folder_of(&target);
    if !folder.is_dir() {
        let problem = format!("there is no such folder; expected one that {} could be in", name_of(path));
        return Err(Error::input(folder, problem));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    if let Some(permissions) = permissions(there.as_ref()) {
        builder.permissions(permissions);
    }
    let begun = fault::point().and_then(|()| builder.tempfile_in(folder));
    let mut file = begun.and_then(|file| fault::point().map(|()| file)).map_err(failed())?;
    fill(&mut file)?;
    let written = (|| {
        fault::point()?;
        file.as_file().sync_all()?;
        fault::point()?;
        give_name(file, &target)
    })();
    written.map_err(failed())?;
    sync_folder(folder);
    Ok(())
}

/// Gives a temporary file its name, in place of what has that name. Where that fails, it is gone.
///
/// # Errors
/// When the folder cannot be written, and on Windows where another program keeps what has the name from being replaced.
pub(crate) fn give_name(file: NamedTempFile, name: &Path) -> std::io::Result<File> {
    // Not by the temporary file itself: on Windows that is refused while anybody reads what is replaced.
    let (file, path) = file.keep().map_err(|failure| failure.error)?;
    match replace(&path, name) {
        Ok(()) => Ok(file),
        Err(error) => {
            drop(file);
            let _ = std::fs::remove_file(&path);
            Err(error)
        }
    }
}

/// Most bytes that are read of what is no regular file, such as a pipe: it may have no end.
const MOST: u64 = 1 << 30;
/// Most bytes of a text, such as a configuration.
const MOST_TEXT: u64 = 1 << 26;

/// Reads a file.
///
/// # Errors
/// When it cannot be read, or is no regular file and does not end within a gigabyte.
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.is_file() { std::fs::read(path) } else { read_most(path, MOST) }
}

/// Reads a file of text.
///
/// # Errors
/// When it cannot be read, is no text, or is larger than 64 megabytes.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    let bytes = read_most(path, MOST_TEXT)?;
    String::from_utf8(bytes).map_err(|_| std::io::Error::new(ErrorKind::InvalidData, "it is no text in UTF-8"))
}

fn read_most(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let problem = format!("it has more than the {most} bytes that such a file may have");
        return Err(std::io::Error::new(ErrorKind::InvalidData, problem));
    }
    Ok(bytes)
}

/// Adds to the end of a file, which is made if there is none, and flushes it to the disk.
///
/// # Errors
/// When it cannot be written.
pub fn append(path: &Path, bytes: &[u8], action: &'static str) -> Result<()> {
    let written = (|| {
        fault::point()?;
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        fault::point()?;
        file.write_all(bytes)?;
        fault::point()?;
        file.sync_data()
    })();
    written.map_err(Error::io(path, action))
}

/// Gives a file a second name, in place of what has that name, so that there is never a moment without either.
///
/// # Errors
/// When the folder cannot be written.
pub fn keep_as(path: &Path, second: &Path, action: &'static str) -> Result<()> {
    let spare = second.with_file_name(format!("{PREFIX}{}{SUFFIX}", name_of(second)));
    let _ = std::fs::remove_file(&spare);
    let kept = (|| {
        fault::point()?;
        if std::fs::hard_link(path, &spare).is_err() {
            std::fs::copy(path, &spare)?;
        }
        fault::point()?;
        replace(&spare, second)
    })();
    kept.map_err(Error::io(second, action))
}

/// Removes a file; one that is not there is fine.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    match fault::point().and_then(|()| std::fs::remove_file(path)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(path, "remove")(error)),
        _ => Ok(()),
    }
}

/// Makes a folder and those above it, where they are not there.
///
/// # Errors
/// When it cannot be made, or there is something else of this name.
pub fn make_folder(path: &Path) -> Result<()> {
    fault::point().and_then(|()| std::fs::create_dir_all(path)).map_err(Error::io(path, "make the folder"))
}

/// The file that a path means in the end: where links lead, whether there is a file or not.
fn followed(path: &Path) -> PathBuf {
    let mut target = path.to_path_buf();
    // As many links as Linux follows.
    for _ in 0..40 {
        match std::fs::read_link(&target) {
            Ok(next) => target = folder_of(&target).join(next),
            Err(_) => break,
        }
    }
    target
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Makes a rename durable where the system can; where a folder cannot be opened there is nothing to do.
pub(crate) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// What a file that is made may be read by: whoever could read the one that was there, else whoever may read any other file that
/// the user makes, of which the umask decides. Temporary files are private by default.
#[cfg(unix)]
pub(crate) fn permissions(there: Option<&Metadata>) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(there.map_or_else(|| Permissions::from_mode(0o666), Metadata::permissions))
}

/// Elsewhere a file takes its permissions from its folder.
#[cfg(not(unix))]
pub(crate) fn permissions(_: Option<&Metadata>) -> Option<Permissions> {
    None
}

/// Renames a file, in place of what has its new name.
#[cfg(not(windows))]
fn replace(path: &Path, name: &Path) -> std::io::Result<()> {
    std::fs::rename(path, name)
}

/// The same on Windows, which refuses for as long as anybody has one of the two open in his own way. What looks for viruses does
/// so with every new file, for a moment.
#[cfg(windows)]
fn replace(path: &Path, name: &Path) -> std::io::Result<()> {
    /// Another program has the file open, of all errors the one that has no kind of its own.
    const SHARING_VIOLATION: i32 = 32;
    // A second in all.
    for _ in 0..20 {
        match std::fs::rename(path, name) {
            Err(error)
                if error.kind() == ErrorKind::PermissionDenied || error.raw_os_error() == Some(SHARING_VIOLATION) =>
            {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            done => return done,
        }
    }
    std::fs::rename(path, name)
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_are_followed_and_stay_links() {
        let folder = tempfile::tempdir().unwrap();
        let [real, link, far, dangling] = ["real", "link", "far", "dangling"].map(|name| folder.path().join(name));
        std::fs::write(&real, "before").unwrap();
        std::fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        symlink(&link, &far).unwrap();
        symlink("new", &dangling).unwrap();
        write(&far, b"after", "write").unwrap();
        write(&dangling, b"made", "write").unwrap();
        assert_eq!(std::fs::read(&real).unwrap(), b"after");
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read(folder.path().join("new")).unwrap(), b"made");
        assert!([link, far, dangling].iter().all(|link| link.is_symlink()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5, "temporary files are left over");
    }

    #[test]
    fn a_pipe_is_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap()
        });
        write(&pipe, b"through", "write").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        assert!(!std::fs::metadata(&pipe).unwrap().is_file());
    }

    #[test]
    fn what_has_no_end_is_not_read_to_its_end() {
        for problem in
            [read_text(Path::new("/dev/zero")).unwrap_err(), read_most(Path::new("/dev/zero"), 9).unwrap_err()]
        {
            assert!(problem.to_string().contains("bytes that such a file may have"), "{problem}");
        }
    }

    #[test]
    fn folders_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = write(folder.path(), b"", "write").unwrap_err().to_string();
        assert!(message.contains("is a folder"), "{message}");
        let missing = folder.path().join("none");
        let message = write(&missing.join("x.png"), b"", "write").unwrap_err().to_string();
        assert!(message.starts_with(&format!("{}: there is no such folder", missing.display())), "{message}");
    }
}
