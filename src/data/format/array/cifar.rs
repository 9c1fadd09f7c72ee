//! The binary batches of CIFAR-10 and CIFAR-100: records of labels and of three planes of 32 x 32 bytes.

use std::io::Read;
use std::path::Path;

use super::files::{Files, most};
use super::label::Labels;
use super::names::{CIFAR10, CIFAR100_COARSE, CIFAR100_FINE};
use super::origin::Origin;
use super::{Rows, found};
use crate::data::ImageShape;
use crate::data::format::idx;
use crate::data::found::{Found, Listener, Part, Reading, Side};
use crate::data::options::DataOptions;
use crate::data::values::Values;
use crate::error::{Error, Result};

/// Layout of an image.
pub(in crate::data) const IMAGE: ImageShape = ImageShape { height: 32, width: 32, channels: 3 };
/// Bytes of an image's plane.
const PLANE: usize = 32 * 32;
/// Bytes of an image.
const PIXELS: usize = 3 * PLANE;

/// One of the two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Set {
    Ten,
    Hundred,
}

impl Set {
    /// Whether a folder or archive that its publisher calls like this is of the set.
    pub fn is_of(self, name: &str) -> bool {
        let number = if self == Set::Ten { "cifar-10-" } else { "cifar-100-" };
        name.starts_with(number)
    }

    /// Bytes of a record: its labels, then its image.
    fn record(self) -> usize {
        PIXELS + self.counts().len()
    }

    /// How many classes each label of a record is one of.
    fn counts(self) -> &'static [usize] {
        match self {
            Set::Ten => &[10],
            Set::Hundred => &[20, 100],
        }
    }

    /// Whether these are whole records with labels in range.
    fn fits(self, content: &[u8]) -> bool {
        let is_label =
            |record: &[u8]| record.iter().zip(self.counts()).all(|(&label, &count)| usize::from(label) < count);
        !content.is_empty()
            && content.len().is_multiple_of(self.record())
            && content.chunks_exact(self.record()).all(is_label)
    }
}

/// The set and side of a batch of this name; nothing if it is none of their names.
pub(in crate::data) fn record(name: &str) -> Option<(Set, Side)> {
    let name = name.to_lowercase();
    let stem = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".bin")?;
    match stem {
        "train" => Some((Set::Hundred, Side::Train)),
        "test" => Some((Set::Hundred, Side::Test)),
        _ if stem.starts_with("data_batch") => Some((Set::Ten, Side::Train)),
        _ if stem.starts_with("test_batch") => Some((Set::Ten, Side::Test)),
        _ => None,
    }
}

/// Whether a file of an archive is read: a batch, or names of classes.
pub(in crate::data) fn is_wanted(name: &str) -> bool {
    record(name).is_some() || ["batches.meta.txt", "fine_label_names.txt", "coarse_label_names.txt"].contains(&name)
}

/// Whether a file of the Python version is called so.
pub(super) fn is_pickle_name(name: &str) -> bool {
    name == "batches.meta"
        || name == "test_batch"
        || name.strip_prefix("data_batch_").is_some_and(|number| number.len() == 1)
}

/// Whether a file begins like a pickle of Python.
pub(super) fn is_pickle(first: &[u8]) -> bool {
    matches!(first, [0x80, 2..=5, ..])
}

/// The error of data that are pickled.
pub(super) fn pickled(path: &Path) -> Error {
    let advice = "of CIFAR take the binary version, cifar-10-binary.tar.gz or cifar-100-binary.tar.gz, \
                  as `gpu-ae data fetch cifar10` and `gpu-ae data fetch cifar100` do";
    Error::input(path, format!("is pickled by Python and never unpickled, for a pickle can run any program; {advice}"))
}

/// Whether a file of another name, in small letters, holds whole records whose labels are in range.
pub(super) fn may_be(path: &Path, lower: &str) -> bool {
    let is_packed = lower.ends_with(".bin.gz");
    let sets = [Set::Ten, Set::Hundred];
    let is_long = |length: u64| sets.iter().any(|set| length > 0 && length.is_multiple_of(set.record() as u64));
    let is_plain = || lower.ends_with(".bin") && path.metadata().is_ok_and(|there| is_long(there.len()));
    if !(is_packed || is_plain()) {
        return false;
    }
    let Ok(input) = idx::content(path) else { return false };
    let mut content = Vec::new();
    let (most, _) = most(&DataOptions::default());
    input.take(most).read_to_end(&mut content).is_ok() && sets.iter().any(|set| set.fits(&content))
}

/// Reads all batches of a folder or archive, or one.
///
/// # Errors
/// When batches of both sets are there, or one is no whole number of records with labels in range; the message names it.
pub(in crate::data) fn read(
    files: &mut Files,
    only: Option<&str>,
    options: &DataOptions,
    listener: &mut dyn Listener,
) -> Result<Found> {
    let whole = Origin::file(&files.path);
    let mut chosen: Vec<usize> = Vec::new();
    for place in 0..files.names.len() {
        let name = &files.names[place];
        let is_meant = only.map_or_else(|| record(name).is_some(), |only| only == name);
        let packed = name.strip_suffix(".gz").and_then(|plain| files.names.iter().find(|other| *other == plain));
        match packed.filter(|_| only.is_none() && is_meant) {
            Some(plain) => listener.notice(format!("{name} is left out, for {plain} is there")),
            None if is_meant => chosen.push(place),
            None => {}
        }
    }
    let (mut rows, of) = (Vec::new(), chosen.len() as u64);
    let mut first: Option<(Set, String)> = None;
    for place in chosen {
        let origin = files.origin(place);
        let (named, side) = record(&files.names[place]).map_or((None, Side::Unsaid), |(set, side)| (Some(set), side));
        let mut content = Vec::new();
        let (limit, advice) = most(options);
        let input = files.open(place)?;
        input.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(|error| origin.unreadable(error))?;
        if content.len() as u64 > limit {
            return Err(origin.error(format!("unpacks to more than {limit} bytes, which is the most{advice}")));
        }
        let set = set_of(&content, named, &origin)?;
        if let Some((_, other)) = first.as_ref().filter(|(other, _)| *other != set) {
            let problem = format!("is of another set than {other}; --data FILE takes one alone");
            return Err(origin.error(problem));
        }
        first.get_or_insert_with(|| (set, origin.name()));
        let column = column(set, options)?;
        let (mut pixels, mut labels) = (Vec::with_capacity(content.len()), Vec::new());
        for record in content.chunks_exact(set.record()) {
            let (classes, planes) = record.split_at(record.len() - PIXELS);
            labels.push(i64::from(classes[column]));
            pixels
                .extend((0..PLANE).flat_map(|place| [planes[place], planes[PLANE + place], planes[2 * PLANE + place]]));
        }
        let part = Part { side, values: Values::of_bytes(pixels), ..Part::default() };
        let labels = Some(Labels::Places(labels, set.counts()[column]));
        rows.push(Rows { origin, image: IMAGE, part, labels });
        listener.reading(Reading { done: rows.len() as u64, of, unit: "files" });
    }
    let mut found = found(rows, &whole, listener)?;
    if let (Found::Rows { classes, .. }, Some((set, _))) = (&mut found, first) {
        *classes = names(set, column(set, options)?, files, listener);
    }
    Ok(found)
}

/// Which set a batch is of: what its name says if its length does not say otherwise.
fn set_of(content: &[u8], named: Option<Set>, origin: &Origin) -> Result<Set> {
    let sets = [named.unwrap_or(Set::Ten), Set::Ten, Set::Hundred];
    if let Some(set) = sets.into_iter().find(|set| set.fits(content)) {
        return Ok(set);
    }
    let is_whole = |set: &Set| !content.is_empty() && content.len().is_multiple_of(set.record());
    let Some(set) = sets.into_iter().find(is_whole) else {
        let found = content.len();
        let expected = "expected records of 3,073 bytes each (CIFAR-10) or 3,074 (CIFAR-100)";
        return Err(origin.error(format!("{expected}, found {found} bytes, no whole number of them")));
    };
    for (row, record) in content.chunks_exact(set.record()).enumerate() {
        for (&label, &count) in record.iter().zip(set.counts()) {
            if usize::from(label) >= count {
                return Err(origin.error(format!("row {row} has the label {label}, expected labels below {count}")));
            }
        }
    }
    Ok(set)
}

/// Which label of a record `--label` chooses.
fn column(set: Set, options: &DataOptions) -> Result<usize> {
    match (set, options.label.as_deref()) {
        (_, None) => Ok(set.counts().len() - 1),
        (Set::Hundred, Some("coarse")) => Ok(0),
        (Set::Hundred, Some("fine")) => Ok(1),
        (Set::Hundred, Some(other)) => {
            Err(Error::Usage(format!("--label {other}: CIFAR-100 has two kinds of labels, expected coarse or fine")))
        }
        (Set::Ten, Some(other)) => {
            Err(Error::Usage(format!("--label {other}: CIFAR-10 has one kind of label, expected no --label")))
        }
    }
}

/// The names of the classes: those of the text file beside the batches if it has as many, or else the publisher's.
fn names(set: Set, column: usize, files: &mut Files, listener: &mut dyn Listener) -> Vec<String> {
    let (file, own) = match (set, column) {
        (Set::Ten, _) => ("batches.meta.txt", CIFAR10),
        (Set::Hundred, 0) => ("coarse_label_names.txt", CIFAR100_COARSE),
        (Set::Hundred, _) => ("fine_label_names.txt", CIFAR100_FINE),
    };
    let own = || own.iter().map(|name| name.to_string()).collect();
    let Some(place) = files.names.iter().position(|name| name == file) else { return own() };
    let mut text = Vec::new();
    // A name takes a few bytes.
    let read = files.open(place).and_then(|input| {
        let origin = Origin::file(Path::new(file));
        input.take(1 << 16).read_to_end(&mut text).map_err(|error| origin.unreadable(error))
    });
    let text = String::from_utf8_lossy(&text);
    let names: Vec<String> = text.lines().map(str::trim).filter(|name| !name.is_empty()).map(String::from).collect();
    let different: std::collections::BTreeSet<&String> = names.iter().collect();
    if read.is_ok() && names.len() == set.counts()[column] && different.len() == names.len() {
        return names;
    }
    listener.notice(format!("{file} is left out: expected {} names of classes", set.counts()[column]));
    own()
}
