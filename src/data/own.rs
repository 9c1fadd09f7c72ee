//! Data of one's own: what a reader finds at a path, divided into what is trained on and what is tested with, and mapped.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::divide::ONE_ROW;
use super::found::{Found, Listener, Part, Reading, Side};
use super::kind::Kind;
use super::options::DataOptions;
use super::scaling::{self, Scaling};
use super::values::{ValueKind, Values};
use super::{Dataset, Encoding, ImageShape, SOURCES, Split, columns, divide, format};
use crate::error::{Error, Result};

/// Data that was read: of what, by which seed and encoding, and what came of it.
type Known = (DataOptions, u64, Option<Encoding>, Dataset);

/// What was read last: a command that needs a shape before it needs the rows reads once.
static LAST: Mutex<Option<Known>> = Mutex::new(None);

/// Who hears how far reading is, wherever in the program it is read.
static LISTENER: Mutex<Option<Box<dyn Listener + Send>>> = Mutex::new(None);

/// Says who hears how far the reading of files is, and what is left out of it; nobody if nothing was said.
pub fn listen(listener: Box<dyn Listener + Send>) {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
}

/// Passes on to whoever listens, and lets nothing be read that is no data of a run which that is wanted for.
struct Listening<'a> {
    options: &'a DataOptions,
    known: Option<&'a Encoding>,
}

impl Listener for Listening<'_> {
    fn begins(&mut self, kind: Kind) -> Result<()> {
        let Some(known) = self.known.filter(|known| known.is_table() != kind.is_table()) else { return Ok(()) };
        let run = self.options.of_run.as_ref().map_or("the run", |run| run.name.as_str());
        let (path, found) = (&self.options.path, kind.words());
        Err(Error::Usage(format!("--data {path}: is {found}; {run} was trained on {}", known.described())))
    }

    fn reading(&mut self, reading: Reading) {
        if let Some(listener) = LISTENER.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            listener.reading(reading);
        }
    }

    fn notice(&mut self, text: String) {
        if let Some(listener) = LISTENER.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            listener.notice(text);
        }
    }
}

/// Reads what lies at a path, or remembers it.
pub(super) fn load(options: &DataOptions, seed: u64, known: Option<&Encoding>) -> Result<Dataset> {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    // What is set aside of it later, and how it gets to a device, is nothing to the reader.
    let asked = DataOptions { validation: None, on_device: None, ..options.clone() };
    let is_same = |(options, of, encoding, _): &&Known| *options == asked && *of == seed && encoding.as_ref() == known;
    if let Some((.., data)) = last.as_ref().filter(is_same) {
        return Ok(data.clone());
    }
    let path = Path::new(&options.path);
    if let Some(run) = options.of_run.as_ref().filter(|_| !path.exists() && !options.is_asked("--data")) {
        let problem = format!("the run's data '{}' is gone; --data PATH names it anew", options.path);
        return Err(Error::Usage(format!("{}: {problem}", run.name)));
    }
    if !path.exists() {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
        let problem = format!("no such data set, file or folder; data sets are {}", names.join(", "));
        return Err(Error::Usage(format!("--data '{}': {problem}", options.path)));
    }
    let mut listening = Listening { options, known };
    let found = format::read(path, &asked, &mut listening)?;
    let data = match found {
        Found::Rows { shape, classes, parts } => of_rows(path, options, seed, known, shape, classes, parts)?,
        Found::Table(tables) => {
            let range = known.and_then(|known| known.range);
            let known = known.and_then(|known| Some((known.columns.as_ref()?, &known.classes[..])));
            let encoded = columns::encode(path, &tables, options, seed, known)?;
            encoded.notices.into_iter().for_each(|notice| listening.notice(notice));
            let width = encoded.columns.width();
            let encoding = Encoding {
                range: range.or(Some(encoded.range)),
                columns: Some(encoded.columns),
                ..Encoding::images(ImageShape::row(width), encoded.classes)
            };
            sides(path, width, encoding, encoded.parts)?
        }
    };
    *last = Some((asked, seed, known.cloned(), data.clone()));
    Ok(data)
}

/// All parts on one side as one.
fn joined(width: usize, parts: Vec<Part>) -> Split {
    let kind = parts.first().map_or(ValueKind::Byte, |part| part.values.kind());
    let (mut labels, mut names) = (Vec::new(), Vec::new());
    let mut parts = parts.into_iter().filter(|part| !part.values.is_empty()).collect::<Vec<_>>();
    if parts.len() == 1 {
        let Part { values, labels, names, .. } = parts.remove(0);
        return Split::new(width, values, labels, names);
    }
    let mut raw: Vec<u8> = Vec::new();
    for part in parts {
        raw.extend_from_slice(part.values.raw());
        labels.extend(part.labels);
        names.extend(part.names);
    }
    let values = match kind {
        ValueKind::Byte => Values::of_bytes(raw),
        ValueKind::Float => Values::of_floats(bytemuck::pod_collect_to_vec(&raw)),
    };
    Split::new(width, values, labels, names)
}

/// The data set of parts whose sides are all decided.
pub(super) fn sides(path: &Path, width: usize, encoding: Encoding, parts: Vec<Part>) -> Result<Dataset> {
    let mut of = [Side::Train, Side::Validation, Side::Test].map(|side| {
        let on_side = parts.iter().filter(|part| part.side == side).cloned().collect();
        joined(width, on_side)
    });
    let [train, validation, test] = of.each_mut().map(std::mem::take);
    if test.rows == 0 {
        return Err(Error::input(path, ONE_ROW));
    }
    Ok(Dataset { name: DataOptions::of(path.to_string_lossy()).short_name(), encoding, train, validation, test })
}

/// Divides and maps rows of plain values.
fn of_rows(
    path: &Path,
    options: &DataOptions,
    seed: u64,
    known: Option<&Encoding>,
    shape: ImageShape,
    classes: Vec<String>,
    parts: Vec<Part>,
) -> Result<Dataset> {
    let (shape, parts) = as_known(path, known, shape, parts)?;
    let width = shape.values();
    let told = divide::told(parts.iter().filter(|part| !part.values.is_empty()).map(|part| part.side));
    let on = |side: Side| told.map_or(Side::Unsaid, |told| told.side(side));
    let gather = |wanted: Side| {
        let of = parts.iter().filter(|part| on(part.side) == wanted);
        joined(width, of.cloned().collect())
    };
    let [train, validation, test] = if told.is_some() {
        [Side::Train, Side::Validation, Side::Test].map(gather)
    } else {
        let all = gather(Side::Unsaid);
        let names = (0..all.rows).map(|row| all.name(row));
        let tested = divide::tested(names, seed, options.test_share());
        let (test, train): (Vec<usize>, Vec<usize>) = (0..all.rows).partition(|&row| tested[row]);
        [all.only(&train), all.only(&[]), all.only(&test)]
    };
    if train.rows + test.rows == 0 {
        return Err(Error::input(path, "no rows, expected some"));
    }
    if test.rows == 0 {
        return Err(Error::input(path, ONE_ROW));
    }
    let Scaling { maps, stored, range } = match known {
        Some(known) => Scaling { maps: known.scale.clone(), stored: known.stored, range: known.range },
        None => scaling::find(&train, shape, options.scale),
    };
    let names = known.map_or_else(Vec::new, |known| known.classes.clone());
    let (classes, numbers) = renamed(names, classes);
    let map = |split: Split| {
        let mut split = scaling::apply(split, shape, &maps);
        split.labels.iter_mut().for_each(|label| *label = numbers[usize::from(*label)]);
        split
    };
    let [train, validation, test] = [train, validation, test].map(map);
    let encoding = Encoding { scale: maps, stored, range, ..Encoding::images(shape, classes) };
    Ok(Dataset { name: DataOptions::of(path.to_string_lossy()).short_name(), encoding, train, validation, test })
}

/// Rows of the shape that the rows of a run have, if that is known: grey ones become colours where those have such.
fn as_known(
    path: &Path,
    known: Option<&Encoding>,
    shape: ImageShape,
    mut parts: Vec<Part>,
) -> Result<(ImageShape, Vec<Part>)> {
    let Some(known) = known.filter(|known| known.image.values() != shape.values()) else { return Ok((shape, parts)) };
    let wanted = known.image;
    if (ImageShape { channels: 3, ..shape }) == wanted && shape.channels == 1 {
        for part in &mut parts {
            part.values = part.values.repeated(wanted.channels);
        }
        return Ok((wanted, parts));
    }
    let is_colour = shape.channels == 3 && (ImageShape { channels: 1, ..shape }) == wanted;
    let remedy = match () {
        () if is_colour => "; --grey makes them so".to_string(),
        () if wanted.height > 1 && shape.height > 1 => {
            format!("; --size {}x{} brings images to it", wanted.width, wanted.height)
        }
        () => String::new(),
    };
    let (found, expected) = (Encoding::images(shape, Vec::new()).described(), known.described());
    Err(Error::input(path, format!("{found}, expected those of the run: {expected}{remedy}")))
}

/// Names of classes known and found, those known first, and the new number of each that was found.
fn renamed(known: Vec<String>, found: Vec<String>) -> (Vec<String>, Vec<u16>) {
    let mut all = known;
    let numbers = found.into_iter().map(|name| {
        let place = all.iter().position(|known| *known == name).unwrap_or_else(|| {
            all.push(name);
            all.len() - 1
        });
        place as u16
    });
    let numbers = numbers.collect();
    (all, numbers)
}
