//! IDX files: images and labels that belong together by their names.

use super::files::{Files, most, short};
use super::label::{self, Labels};
use super::names::Classes;
use super::origin::Origin;
use super::{Rows, found, values};
use crate::data::format::idx;
use crate::data::found::{Found, Listener, Part, Reading, Side};
use crate::data::options::DataOptions;
use crate::error::{Error, Result};

/// Words of a name that say what the elements are.
const FORMATS: &[&str] = &["gz", "ubyte", "byte", "int", "short", "float", "double", "idx"];
/// Words of a name that say that it holds labels.
const LABELS: &[&str] = &["labels", "label", "targets", "target", "y"];
/// Words of a name that say that it holds rows.
const ROWS: &[&str] = &["images", "image", "imgs", "x", "data"];

/// A file by what its name and its first bytes say.
struct File {
    place: usize,
    side: Side,
    /// The rest of its name: what it shares with those that belong to it.
    group: String,
    is_labels: bool,
}

impl File {
    fn of(name: &str, place: usize, rank: u8) -> File {
        let name = short(name).to_lowercase();
        let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let is_format = |word: &str| FORMATS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()));
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        let is_rest = |word: &&str| {
            !is_format(word) && !LABELS.contains(word) && !ROWS.contains(word) && Side::of_name(word) == Side::Unsaid
        };
        let group = words.iter().copied().filter(is_rest).collect::<Vec<_>>().join("-");
        let is_labels = has(LABELS) || (rank == 1 && !has(ROWS));
        File { place, side: Side::of_name(&name), group, is_labels }
    }

    /// The split of EMNIST that it is of, by its name.
    fn emnist(&self) -> Option<&str> {
        let mut words = self.group.split('-').skip_while(|word| !word.starts_with("emnist"));
        words.next().map(|_| words.next().unwrap_or_default())
    }
}

/// Whether a file of this name may be an IDX file, so that its first bytes are worth looking at.
pub(super) fn may_be(name: &str) -> bool {
    let name = short(name).to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.contains("idx") || name.contains("ubyte") || !name.contains('.')
}

/// Reads all IDX files of a set, or one and the labels beside it. Classes are called as `known` says, or else by their
/// numbers.
///
/// # Errors
/// When there are several sets of which none is chosen, or a file is damaged; the message names it.
pub(in crate::data) fn read(
    files: &mut Files,
    only: Option<&str>,
    known: Option<&Classes>,
    options: &DataOptions,
    listener: &mut dyn Listener,
) -> Result<Found> {
    let mut all: Vec<File> = Vec::new();
    let alone = only.map(|only| File::of(only, 0, 0));
    for place in 0..files.names.len() {
        let name = files.names[place].clone();
        let file = File::of(&name, place, 0);
        let is_near = alone.as_ref().is_none_or(|alone| (alone.side, &alone.group) == (file.side, &file.group));
        if !(may_be(&name) && is_near || only == Some(&name)) {
            continue;
        }
        let first = files.first_bytes(place);
        if idx::is_magic(&first) {
            all.push(File::of(&name, place, first[3]));
        }
    }
    let whole = match only.and_then(|only| files.names.iter().position(|name| name == only)) {
        Some(place) => files.origin(place),
        None => Origin::file(&files.path),
    };
    if let (Some(label), None) = (&options.label, only) {
        let problem = "the labels in a folder or archive of IDX files are found by their names";
        let advice = "--data FILE takes one file of rows, and labels of any name";
        return Err(Error::Usage(format!("--label {label}: {problem}; {advice}")));
    }
    let chosen: Vec<&File> = match only {
        Some(only) => all.iter().filter(|file| files.names[file.place] == only).collect(),
        None => chosen(&all, files, options, &whole, listener)?,
    };
    let emnist = chosen.iter().find_map(|file| file.emnist());
    let named = emnist.and_then(Classes::emnist);
    let known = known.or(named.as_ref());
    let (mut rows, of) = (Vec::new(), chosen.len() as u64);
    for file in chosen {
        let origin = files.origin(file.place);
        if file.is_labels {
            return Err(origin.error("holds labels, expected a file of rows: those beside it are found by their name"));
        }
        let mut input = files.open(file.place)?;
        let header = idx::header(&mut input, &origin, None, most(options))?;
        let (image, values) = values(&header, emnist.is_some(), &mut input, &origin, listener)?;
        drop(input);
        let labels = labels(file, &all, files, (header.rows(), &origin), only.is_some(), known, options)?;
        let part = Part { side: file.side, values, ..Part::default() };
        rows.push(Rows { origin, image, part, labels });
        listener.reading(Reading { done: rows.len() as u64, of, unit: "files" });
    }
    let mut found = found(rows, &whole, listener)?;
    if let (Found::Rows { classes, .. }, Some(known)) = (&mut found, known)
        && classes.len() == known.names.len()
    {
        classes.clone_from(&known.names);
    }
    Ok(found)
}

/// The files of rows of the one set there is, or of the one that `--key` chooses; of the same under two names the first.
fn chosen<'a>(
    all: &'a [File],
    files: &Files,
    options: &DataOptions,
    whole: &Origin,
    listener: &mut dyn Listener,
) -> Result<Vec<&'a File>> {
    let rows: Vec<&File> = all.iter().filter(|file| !file.is_labels).collect();
    let mut groups: Vec<&str> = rows.iter().map(|file| file.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let asked = options.key.as_deref().map(str::to_lowercase);
    let group = match (&asked, &groups[..]) {
        (_, []) => return Err(whole.error("expected IDX files of rows, found only labels")),
        (Some(key), _) => {
            let has = |group: &&str| group == key || group.split('-').any(|word| word == key);
            match groups.iter().copied().filter(has).collect::<Vec<_>>()[..] {
                [group] => group,
                _ => {
                    let problem =
                        format!("expected one set of {}, one of: {}", whole.path.display(), groups.join(", "));
                    return Err(Error::Usage(format!("--key {key}: {problem}")));
                }
            }
        }
        (None, [group]) => group,
        (None, _) => {
            let problem = format!("holds several sets: {}; --key NAME chooses one", groups.join(", "));
            return Err(whole.error(problem));
        }
    };
    let mut chosen: Vec<&File> = Vec::new();
    for file in rows.into_iter().filter(|file| file.group == group) {
        match chosen.iter().find(|other| other.side == file.side) {
            Some(other) => listener.notice(format!(
                "{} is left out, for {} is of the same name",
                files.names[file.place], files.names[other.place]
            )),
            None => chosen.push(file),
        }
    }
    Ok(chosen)
}

/// The labels of a file of rows: those that `--label` names if it is the only one, or those of the same name.
fn labels(
    file: &File,
    all: &[File],
    files: &mut Files,
    (rows, of): (usize, &Origin),
    is_alone: bool,
    known: Option<&Classes>,
    options: &DataOptions,
) -> Result<Option<Labels>> {
    let beside = all.iter().find(|other| other.is_labels && (other.side, &other.group) == (file.side, &file.group));
    let what = of.name();
    let (labels, origin) = match (&options.label, beside) {
        (Some(label), _) if is_alone => {
            let path = label::file_beside(&of.path, label);
            (label::read_file(&path, (rows, &what), options)?, Origin::file(&path))
        }
        (_, None) => return Ok(None),
        (_, Some(beside)) => {
            let origin = files.origin(beside.place);
            let mut input = files.open(beside.place)?;
            let header = idx::header(&mut input, &origin, None, most(options))?;
            (Labels::read(&header, &mut input, &origin, (rows, &what), true)?, origin)
        }
    };
    let (Labels::Numbers(numbers), Some(known)) = (&labels, known) else { return Ok(Some(labels)) };
    let classes = known.first..known.first + known.names.len() as i64;
    match numbers.iter().position(|label| !classes.contains(label)) {
        Some(row) => {
            let expected = format!("expected {} to {}", classes.start, classes.end - 1);
            Err(origin.error(format!("row {row} has the label {}, {expected}", numbers[row])))
        }
        None => {
            let places = numbers.iter().map(|label| label - known.first).collect();
            Ok(Some(Labels::Places(places, known.names.len())))
        }
    }
}
