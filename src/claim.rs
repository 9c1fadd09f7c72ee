//! Folders that one process works in, and no other.
//!
//! A claim is a lock on the file [`LOCK`] in the folder. The system takes it away when the process ends, however that
//! happens, so a kill leaves nothing that would have to be cleared away; the file itself stays, and is not the lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::error::{Error, Result};
use crate::{fault, whole_file};

/// The file that is locked; in it, the number of the process that locked it last.
pub const LOCK: &str = ".lock";

/// What a run may have written before its first checkpoint, beside the lock: nothing that was worked for.
const UNBEGUN: &str = "metrics.jsonl";

/// A folder that this process alone works in.
#[derive(Debug)]
pub struct Claim {
    lock: Option<File>,
    folder: Arc<Folder>,
}

/// What is taken away again of a folder unless it is kept.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Folders that were made for it, the innermost first.
    made: Vec<PathBuf>,
    kept: AtomicBool,
}

/// The folders that are claimed now.
static CLAIMED: Mutex<Vec<Weak<Folder>>> = Mutex::new(Vec::new());

/// Takes away all that was made for what has not begun: for a process that ends here and now. Returns whether there is a
/// claimed folder that stays.
pub fn abandon() -> bool {
    let claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
    let folders: Vec<Arc<Folder>> = claimed.iter().filter_map(Weak::upgrade).collect();
    folders.iter().for_each(|folder| folder.abandon());
    folders.iter().any(|folder| folder.kept.load(Ordering::Relaxed))
}

impl Folder {
    fn abandon(&self) {
        if self.kept.load(Ordering::Relaxed) {
            return;
        }
        whole_file::remove_leftovers(&self.path);
        let _ = std::fs::remove_file(self.path.join(UNBEGUN));
        let _ = std::fs::remove_file(self.path.join(LOCK));
        take_away(&self.made);
    }
}

impl Claim {
    /// Makes a folder, or takes an empty one, and claims it. What a killed program has left of something that never
    /// began is removed. Until [`keep`](Self::keep) is called, what was made goes away with the claim.
    ///
    /// # Errors
    /// When there is something in it, when another process works in it, or when it cannot be made.
    pub fn new_folder(path: &Path) -> Result<Self> {
        let made = make(path)?;
        let claim = leftovers(path).and_then(|_| Self::of(path, false, made.clone()));
        let claim = claim.inspect_err(|_| take_away(&made))?;
        // Once more, now that nobody else can write into it: what another process has left meanwhile is its own.
        let names = leftovers(path).inspect_err(|_| claim.keep())?;
        for name in names.iter().filter(|name| *name != LOCK) {
            whole_file::remove(&path.join(name))?;
        }
        Ok(claim)
    }

    /// The same for a folder that nobody has named: `stem`, or `stem-2`, `stem-3`, … if that is there already.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn numbered(stem: &Path) -> Result<Self> {
        let name = stem.file_name().unwrap_or_default().to_string_lossy();
        let further = (2_u32..).map(|number| stem.with_file_name(format!("{name}-{number}")));
        for path in std::iter::once(stem.to_path_buf()).chain(further) {
            let made = make(&path)?;
            // Whoever makes it has it; a folder that was there is somebody's.
            if made.first() == Some(&path) {
                return Self::of(&path, false, made);
            }
        }
        Err(Error::Failed(format!("{}: all names are taken", stem.display())))
    }

    /// Claims a folder that is there, to go on with what is in it.
    ///
    /// # Errors
    /// When another process works in it, or it cannot be written.
    pub fn existing(path: &Path) -> Result<Self> {
        let claim = Self::of(path, true, Vec::new())?;
        whole_file::remove_leftovers(path);
        Ok(claim)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder.path
    }

    /// From now on what is in the folder stays.
    pub fn keep(&self) {
        self.folder.kept.store(true, Ordering::Relaxed);
    }

    fn of(path: &Path, kept: bool, made: Vec<PathBuf>) -> Result<Self> {
        let file = path.join(LOCK);
        let failed = |error| Error::io(&file, "lock the folder by")(error);
        let open = || OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&file);
        let mut lock = fault::point().and_then(|()| open()).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut number = String::new();
                // On Windows the lock keeps others from reading, and the process stays unnamed.
                let _ = lock.read_to_string(&mut number);
                let process = if number.is_empty() { "another process".into() } else { format!("process {number}") };
                return Err(Error::input(path, format!("{process} is at work in this folder; nothing was changed")));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let number = std::process::id().to_string();
        lock.set_len(0).and_then(|()| lock.write_all(number.as_bytes())).map_err(failed)?;
        let folder = Arc::new(Folder { path: path.to_path_buf(), made, kept: kept.into() });
        let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        claimed.retain(|other| other.strong_count() > 0);
        claimed.push(Arc::downgrade(&folder));
        Ok(Claim { lock: Some(lock), folder })
    }
}

impl Drop for Claim {
    /// Takes away what was made for something that did not begin.
    fn drop(&mut self) {
        self.folder.abandon();
        self.lock = None;
    }
}

/// Makes a folder and those above it; returns those that were not there, the innermost first.
fn make(path: &Path) -> Result<Vec<PathBuf>> {
    match fault::point().and_then(|()| std::fs::create_dir(path)) {
        Ok(()) => Ok(vec![path.to_path_buf()]),
        Err(_) if path.is_dir() => Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) else {
                return Err(Error::io(path, "make the folder")(error));
            };
            let made = make(above)?;
            // Once more, whoever made the folder above: another process may have done so meanwhile. Where it was there
            // already, as below /proc, that fails as before.
            let inner = match fault::point().and_then(|()| std::fs::create_dir(path)) {
                Ok(()) => vec![path.to_path_buf()],
                Err(_) if path.is_dir() => Vec::new(),
                Err(error) => {
                    take_away(&made);
                    return Err(Error::io(path, "make the folder")(error));
                }
            };
            Ok([inner, made].concat())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(occupied(path)),
        Err(error) => Err(Error::io(path, "make the folder")(error)),
    }
}

/// Removes folders that are empty.
fn take_away(made: &[PathBuf]) {
    for folder in made {
        let _ = std::fs::remove_dir(folder);
    }
}

/// What is in a folder, if that is nothing but what a killed program leaves of what never began.
fn leftovers(path: &Path) -> Result<Vec<String>> {
    let failed = || Error::io(path, "read the folder");
    let entries = std::fs::read_dir(path).map_err(failed())?;
    let names: Vec<String> = entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<_>>()
        .map_err(failed())?;
    // Metrics alone could be anybody's; beside our lock they are of a run without a checkpoint.
    let was_ours = names.iter().any(|name| name == LOCK);
    let is_ours = |name: &String| name == LOCK || whole_file::is_leftover(name) || (was_ours && name == UNBEGUN);
    if names.iter().all(is_ours) { Ok(names) } else { Err(occupied(path)) }
}

fn occupied(path: &Path) -> Error {
    Error::Usage(format!(
        "{}: exists and is not an empty folder; nothing is overwritten: choose another --out, or go on with a run by \
         'gpu-ae train --resume'",
        path.display()
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_begin_leaves_nothing_and_what_did_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs").join("deep").join("run");
        let claim = Claim::new_folder(&path).unwrap();
        std::fs::write(path.join(UNBEGUN), "half a line").unwrap();
        assert!(path.join(LOCK).exists());
        drop(claim);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "folders are left behind");

        let claim = Claim::new_folder(&path).unwrap();
        claim.keep();
        drop(claim);
        std::fs::write(path.join(UNBEGUN), "half a line").unwrap();
        let claim = Claim::new_folder(&path).unwrap();
        assert!(!path.join(UNBEGUN).exists(), "what never began was not cleared away");
        drop(claim);
        assert!(path.exists(), "a folder that was there is not ours to remove");
    }

    #[test]
    fn one_at_a_time_and_the_other_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let first = Claim::new_folder(&path).unwrap();
        for second in [Claim::new_folder(&path), Claim::existing(&path)] {
            let message = second.unwrap_err().to_string();
            assert!(message.contains("process") && message.contains("is at work"), "{message}");
            let is_named = message.contains(&format!("process {} is", std::process::id()));
            assert_eq!(is_named, cfg!(not(windows)), "{message}");
        }
        first.keep();
        drop(first);
        Claim::existing(&path).unwrap();
    }

    /// Whoever makes the folder above first, all get one of their own.
    #[test]
    fn folders_that_nobody_named_are_made_side_by_side() {
        for _ in 0..100 {
            let folder = tempfile::tempdir().unwrap();
            let stem = folder.path().join("runs").join("digits");
            let all = std::thread::scope(|scope| {
                let claims: Vec<_> = (0..4).map(|_| scope.spawn(|| Claim::numbered(&stem).unwrap())).collect();
                claims.into_iter().map(|claim| claim.join().unwrap()).collect::<Vec<Claim>>()
            });
            let paths: std::collections::BTreeSet<&Path> = all.iter().map(Claim::path).collect();
            assert_eq!(paths.len(), 4);
        }
    }

    #[test]
    fn what_is_somebody_s_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["photo.png", UNBEGUN] {
            let path = folder.path().join(format!("with {name}"));
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join(name), "mine").unwrap();
            let message = Claim::new_folder(&path).unwrap_err().to_string();
            assert!(message.contains("nothing is overwritten"), "{message}");
            let left: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, [name]);
        }
        let file = folder.path().join("file");
        std::fs::write(&file, "mine").unwrap();
        assert!(Claim::new_folder(&file).unwrap_err().to_string().contains("is not an empty folder"));
        assert_eq!(Claim::new_folder(&file.join("below")).unwrap_err().exit_code(), 1);
        // Where there is a folder in which none can be made.
        #[cfg(target_os = "linux")]
        assert_eq!(Claim::new_folder(Path::new("/proc/none/run")).unwrap_err().exit_code(), 1);
    }

    #[test]
    fn names_that_are_taken_are_numbered() {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("run");
        let claims: Vec<Claim> = (0..3).map(|_| Claim::numbered(&stem).unwrap()).collect();
        let names: Vec<_> = claims.iter().map(|claim| claim.path().file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["run", "run-2", "run-3"]);
    }
}
