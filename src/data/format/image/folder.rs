//! Which files a folder of images has, on which side of a split each is and of which class.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::stamp::Stamp;
use crate::data::found::Side;
use crate::error::{Error, Result, shortened};

/// Folders within folders that are gone through. Links may make many of few, so that there is an end to them.
const MOST_DEPTH: usize = 16;
/// Most classes there may be.
const MOST_CLASSES: usize = 65_535;
/// Ends and names of files that often lie beside images and are none.
const BESIDE: [&str; 10] = ["csv", "html", "json", "jsonl", "md", "tsv", "txt", "xml", "yaml", "yml"];
const BESIDE_NAMES: [&str; 4] = ["desktop.ini", "license", "readme", "thumbs.db"];

/// A file that should be an image.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its path within the folder.
    pub path: PathBuf,
    /// The same as text.
    pub name: String,
    /// The side its first folder says.
    pub side: Side,
    /// The class its folder says.
    pub class: Option<u16>,
    /// What tells that it is as it was.
    pub stamp: Stamp,
}

/// What a folder has.
#[derive(Debug, Default)]
pub struct Folder {
    /// The files, in the order of their paths.
    pub files: Vec<Listed>,
    /// Names of the classes, in order.
    pub classes: Vec<String>,
    /// Files and folders that were passed over, being hidden or known to be no images.
    pub passed_over: usize,
    /// Of what cannot be looked at, why: only where such is left out.
    pub unreadable: Vec<String>,
}

/// The side that a folder of exactly this name is on.
fn side_of(name: &str) -> Side {
    match name.to_lowercase().as_str() {
        "train" | "training" => Side::Train,
        "val" | "valid" | "validation" | "dev" => Side::Validation,
        "test" | "testing" => Side::Test,
        _ => Side::Unsaid,
    }
}

fn is_beside(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    name.starts_with('.') || BESIDE_NAMES.contains(&&*name) || BESIDE.contains(&end)
}

/// The parts of a path within a folder, as text.
fn parts(path: &Path) -> Vec<String> {
    let texts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
        _ => None,
    });
    texts.collect()
}

/// Finds the files of a folder and of those within it. Links are followed.
///
/// # Errors
/// When there is none, when something cannot be looked at and such is not left out, when a link leads back to where it
/// is, when a folder's name is no text, when some files are in folders of classes and some are not, or when there are too many classes.
pub fn list(root: &Path, skip_broken: bool) -> Result<Folder> {
    let mut folder = Folder::default();
    let mut walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) => {
                let path = problem.path().unwrap_or(root).to_path_buf();
                if let Some(ancestor) = problem.loop_ancestor() {
                    let problem = format!("a link that leads back to {}, which it is in", ancestor.display());
                    return Err(Error::input(path, format!("{problem}; expected folders that end somewhere")));
                }
                let source = problem.into_io_error().unwrap_or_else(|| std::io::Error::other("cannot be looked at"));
                if !skip_broken || path == root {
                    return Err(Error::io(path, "read")(source));
                }
                folder.unreadable.push(format!("{}: cannot be read: {source}", path.display()));
                continue;
            }
        };
        let is_folder = entry.file_type().is_dir();
        if entry.depth() == 0 {
            continue;
        }
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if is_hidden || (!is_folder && is_beside(entry.file_name())) {
            folder.passed_over += 1;
            if is_folder {
                walk.skip_current_dir();
            }
            continue;
        }
        if is_folder && entry.file_name().to_str().is_none() {
            let problem = "a folder whose name is no UTF-8, expected one that a class or a side can be called by";
            return Err(Error::input(entry.path(), problem));
        }
        if entry.depth() > MOST_DEPTH {
            let problem = format!("expected at most {MOST_DEPTH} folders within one another");
            return Err(Error::input(entry.path(), problem));
        }
        if !is_folder {
            folder.files.push(listed(root, &entry)?);
        }
    }
    if folder.files.is_empty() {
        let besides = match folder.passed_over {
            0 => String::new(),
            count => format!("; {count} of other kinds were passed over"),
        };
        let problem = format!("no image in this folder, expected PNG, JPEG, WebP, BMP, TIFF or GIF files{besides}");
        return Err(Error::input(root, problem));
    }
    sort(root, &mut folder)?;
    Ok(folder)
}

fn listed(root: &Path, entry: &DirEntry) -> Result<Listed> {
    let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_path_buf();
    let seen = entry.metadata().map_err(|problem| {
        let source = problem.into_io_error().unwrap_or_else(|| std::io::Error::other("cannot be looked at"));
        Error::io(entry.path(), "read")(source)
    })?;
    let name = parts(&path).join("/");
    Ok(Listed { path, name, side: Side::Unsaid, class: None, stamp: Stamp::of(&seen) })
}

/// Finds the side and the class of every file.
fn sort(root: &Path, folder: &mut Folder) -> Result<()> {
    let parts: Vec<Vec<String>> = folder.files.iter().map(|file| parts(&file.path)).collect();
    let side = |parts: &[String]| if parts.len() > 1 { side_of(&parts[0]) } else { Side::Unsaid };
    let path = |at: usize| root.join(&folder.files[at].path);
    let on_side = |at: &usize| side(&parts[*at]) != Side::Unsaid;
    let has_sides = (0..parts.len()).find(on_side);
    if let (Some(one), Some(other)) = (has_sides, (0..parts.len()).find(|at| !on_side(at))) {
        let problem = format!(
            "lies outside of the folders of a split, which there are, as {}; expected all images within such",
            shortened(&parts[one][0], 80)
        );
        return Err(Error::input(path(other), problem));
    }
    let above = usize::from(has_sides.is_some());
    let class = |at: usize| (parts[at].len() > above + 1).then(|| &parts[at][above]);
    let with = (0..parts.len()).find(|&at| class(at).is_some());
    if let (Some(with), Some(without)) = (with, (0..parts.len()).find(|&at| class(at).is_none())) {
        let problem = format!(
            "lies in no folder of a class, and {} does; expected all images in such folders, or none",
            shortened(&folder.files[with].name, 200)
        );
        return Err(Error::input(path(without), problem));
    }
    let classes: BTreeSet<&String> = (0..parts.len()).filter_map(class).collect();
    if classes.len() > MOST_CLASSES {
        let problem = format!("{} folders of classes, expected at most {MOST_CLASSES}", classes.len());
        return Err(Error::input(root, problem));
    }
    let classes: Vec<String> = classes.into_iter().cloned().collect();
    let known: Vec<_> = (0..parts.len())
        .map(|at| (side(&parts[at]), class(at).and_then(|name| classes.binary_search(name).ok())))
        .collect();
    for (file, (side, class)) in folder.files.iter_mut().zip(known) {
        (file.side, file.class) = (side, class.map(|class| class as u16));
    }
    folder.classes = classes;
    Ok(())
}
