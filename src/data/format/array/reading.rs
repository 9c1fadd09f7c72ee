//! Files and folders of arrays: what kind they are by their names and first bytes, and what is found in them.

use std::io::Read;
use std::path::Path;

use super::files::Files;
use super::header::MAGIC;
use super::label::{self, Labels};
use super::origin::Origin;
use super::{cifar, named, pairs, single};
use crate::data::ImageShape;
use crate::data::format::{begins, idx};
use crate::data::found::{Found, Listener, Part};
use crate::data::kind::Kind;
use crate::data::options::DataOptions;
use crate::error::{Error, Result};

/// How a .zip begins, with files in it and without.
const ZIP_MAGICS: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// Most files of unknown kind that are opened in a folder to find one with arrays.
const MOST_PROBED: usize = 64;

/// Whether a folder holds files of arrays that belong together, which [`read`] reads.
pub fn is_set(folder: &Path) -> bool {
    Files::folder(folder).is_ok_and(|mut files| kind_of(&mut files).is_some())
}

/// What kind of files belong together in a folder.
#[derive(Clone, Copy, PartialEq)]
enum Belonging {
    Cifar,
    Pickles,
    Idx,
    Numpy,
}

fn kind_of(files: &mut Files) -> Option<Belonging> {
    if files.names.iter().any(|name| cifar::record(name).is_some()) {
        return Some(Belonging::Cifar);
    }
    if files.names.iter().any(|name| cifar::is_pickle_name(name)) {
        return Some(Belonging::Pickles);
    }
    let probed: Vec<usize> = (0..files.names.len()).filter(|&place| pairs::may_be(&files.names[place])).collect();
    for place in probed.into_iter().take(MOST_PROBED) {
        let first = files.first_bytes(place);
        match () {
            () if idx::is_magic(&first) => return Some(Belonging::Idx),
            () if cifar::is_pickle(&first) => return Some(Belonging::Pickles),
            () => {}
        }
    }
    let is_known = |name: &String| name.strip_suffix(".npy").is_some_and(named::is_known);
    files.names.iter().any(is_known).then_some(Belonging::Numpy)
}

/// Reads a file of arrays, or a folder of such files that belong together; nothing if it is no such file by its name and
/// its first bytes.
///
/// # Errors
/// When it is damaged or holds nothing that rows can be made of; the message names the file.
pub fn read(path: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Option<Found>> {
    if path.is_dir() {
        let mut files = Files::folder(path)?;
        return match kind_of(&mut files) {
            Some(Belonging::Cifar) => {
                begins(Kind::Cifar, options, listener)?;
                cifar::read(&mut files, None, options, listener).map(Some)
            }
            Some(Belonging::Pickles) => Err(cifar::pickled(path)),
            Some(Belonging::Idx) => {
                begins(Kind::Idx, options, listener)?;
                pairs::read(&mut files, None, None, options, listener).map(Some)
            }
            Some(Belonging::Numpy) => {
                begins(Kind::Arrays, options, listener)?;
                named::read(&mut files, options, listener).map(Some)
            }
            None => Ok(None),
        };
    }
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let lower = name.to_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
    let origin = Origin::file(path);
    let raw = first_bytes(Box::new(std::fs::File::open(path).map_err(Error::io(path, "read"))?));
    if ends(&[".npz", ".zip"]) || ZIP_MAGICS.iter().any(|magic| raw.starts_with(magic)) && !ends(&[".xlsx", ".ods"]) {
        let mut files = Files::zip(path)?;
        let is_idx = |name: &String| pairs::may_be(name) && name.to_lowercase().contains("idx");
        let is_idx = files.names.iter().any(is_idx);
        begins(if is_idx { Kind::Idx } else { Kind::Arrays }, options, listener)?;
        return match is_idx {
            true => pairs::read(&mut files, None, None, options, listener).map(Some),
            false => named::read(&mut files, options, listener).map(Some),
        };
    }
    if ends(&[".tar.gz", ".tgz"]) {
        let mut files = Files::tar(path, options, cifar::is_wanted)?;
        if files.names.iter().any(|name| cifar::record(name).is_some()) {
            begins(Kind::Cifar, options, listener)?;
            return cifar::read(&mut files, None, options, listener).map(Some);
        }
        return Err(origin.error("expected CIFAR's binary batches in such an archive, found none"));
    }
    let opened = idx::content(path).map_err(|error| origin.unreadable(error));
    let first = opened.map(first_bytes).unwrap_or_default();
    if first.starts_with(MAGIC) || ends(&[".npy", ".npy.gz"]) {
        begins(Kind::Array, options, listener)?;
        return single::read(path, options, listener).map(Some);
    }
    if cifar::is_pickle(&first) {
        return Err(cifar::pickled(path));
    }
    if cifar::record(&name).is_none() && idx::is_magic(&first) {
        begins(Kind::Idx, options, listener)?;
        return pairs::read(&mut Files::beside(path)?, Some(&name), None, options, listener).map(Some);
    }
    if cifar::record(&name).is_some() || cifar::may_be(path, &lower) {
        begins(Kind::Cifar, options, listener)?;
        return cifar::read(&mut Files::beside(path)?, Some(&name), options, listener).map(Some);
    }
    Ok(None)
}

/// The first bytes of what is read; fewer if there are fewer, or it cannot be read.
fn first_bytes(input: Box<dyn Read + '_>) -> Vec<u8> {
    let mut first = Vec::new();
    let _ = input.take(8).read_to_end(&mut first);
    first
}

/// Values of rows on one side, with their labels if they have any.
pub(super) struct Rows {
    /// Where the values come from, for messages.
    pub origin: Origin,
    pub image: ImageShape,
    pub part: Part,
    pub labels: Option<Labels>,
}

/// All rows as what is found: of one shape and type, with labels on every side or on none.
pub(super) fn found(all: Vec<Rows>, whole: &Origin, listener: &mut dyn Listener) -> Result<Found> {
    let Some(first) = all.first() else { return Err(whole.error("expected an array of rows, found none")) };
    let (shape, kind, name) = (first.image, first.part.values.kind(), first.origin.name());
    for rows in &all {
        let spelt = |image: ImageShape| format!("{} x {} x {}", image.height, image.width, image.channels);
        if rows.image != shape {
            let found = format!("rows of {}, found {}", spelt(shape), spelt(rows.image));
            return Err(rows.origin.error(format!("expected {found}, other than in {name}")));
        }
        if rows.part.values.kind() != kind {
            return Err(rows
                .origin
                .error(format!("expected values of the type of those in {name}, uint8 or not in both")));
        }
    }
    let is_labelled = all.iter().all(|rows| rows.labels.is_some());
    let without = all.iter().find(|rows| rows.labels.is_none());
    if let Some(rows) = without.filter(|_| all.iter().any(|rows| rows.labels.is_some())) {
        listener.notice(format!("no labels are used, for {} has none", rows.origin.name()));
    }
    let (mut labels, mut parts) = (Vec::new(), Vec::new());
    for rows in all {
        labels.extend(rows.labels.filter(|_| is_labelled));
        parts.push(rows.part);
    }
    let (classes, numbers) = label::classes(&labels, whole)?;
    for (part, numbers) in parts.iter_mut().zip(numbers) {
        part.labels = numbers;
    }
    Ok(Found::Rows { shape, classes, parts })
}
