//! Folders of images: each file a row of bytes, sub-folders classes, `train`, `val` and `test` sides.
//!
//! Images are told by what is in them, not by their names. Colours are three channels as soon as one pixel has any; what
//! is transparent is seen over white; 16 bits are rounded to 8; a camera's note of how it was held is followed.
//!
//! Whatever a file says of itself, the memory it takes on its way to a row is at most its own size, 64 bytes for each of
//! `data.most_pixels`, and 32 megabytes, for each thread.

mod alone;
mod decode;
mod decoding;
mod fit;
mod folder;
mod jpeg;
mod pixels;
mod sink;
mod stamp;
mod wanted;

use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use crate::data::cache::{self, Cache, Entry, Index, Key, PartIndex};
use crate::data::found::{Found, Listener, Part};
use crate::data::kind::Kind;
use crate::data::options::{Crop, DataOptions};
use crate::data::values::{ValueKind, Values};
use crate::error::{Error, Result};
pub use alone::read_picture;
pub use pixels::Pixels;

use decoding::{Decoded, content, decode_all};
use folder::{Folder, list};
use sink::Sink;
use wanted::Wanted;

/// What makes the same files other rows: goes up with every change of how they are decoded.
const VERSION: u64 = 2;
/// Files that are left out and are named; of more the count is told.
const NAMED: usize = 20;

/// Reads a folder of images, or what the cache has of it.
///
/// # Errors
/// When there is none in it, or one cannot be decoded or has another size than the rest; the message names it.
pub fn read(path: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Found> {
    read_with(path, options, Cache::usual()?.as_ref(), listener)
}

/// Whether a file is an image by its first bytes, of a bitmap also by its name: two letters begin a word as well.
pub fn is_image(path: &Path) -> bool {
    let mut first = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(16).read_to_end(&mut first));
    let is_named = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("bmp"));
    match image::guess_format(&first) {
        Ok(image::ImageFormat::Bmp) => read.is_ok() && is_named,
        Ok(format) => read.is_ok() && decode::FORMATS.contains(&format),
        Err(_) => false,
    }
}

/// The same with this cache, or with none.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    path: &Path,
    options: &DataOptions,
    cache: Option<&Cache>,
    listener: &mut dyn Listener,
) -> Result<Found> {
    check(options)?;
    let now = SystemTime::now();
    let folder = list(path, options.skip_broken)?;
    if folder.passed_over > 0 {
        let count = folder.passed_over;
        listener.notice(format!("{}: passed over {count} hidden files or files of text", path.display()));
    }
    let wanted = Wanted::of(options);
    let outline = outline(&folder, options, &wanted);
    let is_settled = folder.files.iter().all(|file| file.stamp.is_settled(now));
    let stamp = is_settled.then(|| {
        let stamps = folder.files.iter().flat_map(|file| file.stamp.bytes());
        cache::key([&outline[..], &stamps.collect::<Vec<u8>>()])
    });
    let Some(cache) = cache else {
        listener.notice("decoded images are kept in memory alone: this user has no home folder for a cache".into());
        return fresh(path, options, &folder, None, listener).map(|(found, _)| found);
    };
    if let Some(found) = stamp.and_then(|stamp| cache.stamped(&stamp)).and_then(|entry| found(entry, listener)) {
        return Ok(found);
    }
    if cache.has(&outline) {
        let content = content(path, &folder, &wanted, listener)?;
        let entry = cache.of_content(&outline, &content, stamp.as_ref());
        if let Some(found) = entry.and_then(|entry| found(entry, listener)) {
            return Ok(found);
        }
    }
    let keys = Keys { cache, outline, stamp };
    match fresh(path, options, &folder, Some(&keys), listener)? {
        (found, None) => Ok(found),
        (_, Some(problem)) => {
            listener.notice(sink::notice(&problem));
            fresh(path, options, &folder, None, listener).map(|(found, _)| found)
        }
    }
}

/// Where rows are kept.
struct Keys<'a> {
    cache: &'a Cache,
    outline: Key,
    stamp: Option<Key>,
}

/// Refuses what only other data have.
fn check(options: &DataOptions) -> Result<()> {
    Kind::Images.check(options)?;
    if options.crop == Some(Crop::Centre) && options.size.is_none() {
        return Err(Error::Usage("--crop centre: expected --size WIDTHxHEIGHT beside it, whose ratio is cut".into()));
    }
    Ok(())
}

/// The key of all that is known without reading the files.
fn outline(folder: &Folder, options: &DataOptions, wanted: &Wanted) -> Key {
    let [width, height] = options.size.map_or([0; 2], |size| [size.width, size.height]);
    let flags = u64::from(wanted.centre) | u64::from(wanted.grey) << 1 | u64::from(options.skip_broken) << 2;
    let numbers = [VERSION, width as u64, height as u64, flags, wanted.most_pixels].map(u64::to_le_bytes).concat();
    let lengths = folder.files.iter().flat_map(|file| file.stamp.length.to_le_bytes()).collect::<Vec<u8>>();
    let paths = folder.files.iter().map(|file| file.path.as_os_str().as_encoded_bytes());
    let unreadable = folder.unreadable.iter().map(String::as_bytes);
    cache::key([&numbers[..], &lengths].into_iter().chain(paths).chain(unreadable))
}

/// Decodes a folder, and keeps the rows if there is a cache. With what is found comes why the cache could not keep them,
/// if they are lost by that.
fn fresh(
    path: &Path,
    options: &DataOptions,
    folder: &Folder,
    keys: Option<&Keys<'_>>,
    listener: &mut dyn Listener,
) -> Result<(Found, Option<Error>)> {
    let rows = match keys.map(|keys| keys.cache.begin()) {
        Some(Ok(draft)) => Sink::Draft(draft),
        Some(Err(problem)) => {
            listener.notice(sink::notice(&problem));
            Sink::Memory(Vec::new())
        }
        None => Sink::Memory(Vec::new()),
    };
    let wanted = Wanted::of(options);
    let decoded = decode_all(path, folder, &wanted, options.skip_broken, rows, listener)?;
    let index = index(folder, &decoded);
    let Decoded { rows, content, .. } = decoded;
    match (rows, keys) {
        (Sink::Draft(draft), Some(keys)) => {
            let kept = keys.cache.keep(draft, &index, &keys.outline, &content, keys.stamp.as_ref());
            match kept.and_then(|entry| Ok((entry.rows()?, entry))) {
                Ok((rows, entry)) => {
                    tell(&entry.index.left_out, listener);
                    let values = rows.into_iter().map(|rows| Values::mapped(ValueKind::Byte, rows));
                    Ok((of_parts(entry.index, values), None))
                }
                Err(problem) => Ok((of_parts(index, std::iter::empty()), Some(problem))),
            }
        }
        (Sink::Draft(draft), None) => Ok((in_memory(index, draft.into_memory()?, listener), None)),
        (Sink::Memory(memory), _) => Ok((in_memory(index, memory, listener), None)),
    }
}

/// What is known of rows: a part for each stretch of files on one side.
fn index(folder: &Folder, decoded: &Decoded) -> Index {
    let mut parts: Vec<PartIndex> = Vec::new();
    for &at in &decoded.kept {
        let file = &folder.files[at];
        if parts.last().is_none_or(|part| part.side() != file.side) {
            parts.push(PartIndex::on(file.side));
        }
        if let Some(part) = parts.last_mut() {
            part.labels.extend(file.class);
            part.names.push(file.name.clone());
        }
    }
    let left_out = folder.unreadable.iter().chain(&decoded.left_out).cloned().collect();
    Index { shape: decoded.shape, classes: folder.classes.clone(), parts, left_out }
}

/// Tells what was left out.
fn tell(left_out: &[String], listener: &mut dyn Listener) {
    if left_out.is_empty() {
        return;
    }
    let mut text = format!("left out {} files that cannot be decoded:", left_out.len());
    left_out.iter().take(NAMED).for_each(|problem| text.push_str(&format!("\n  {problem}")));
    if left_out.len() > NAMED {
        text.push_str(&format!("\n  and {} more", left_out.len() - NAMED));
    }
    listener.notice(text);
}

/// What the cache has; nothing if it cannot be mapped.
fn found(entry: Entry, listener: &mut dyn Listener) -> Option<Found> {
    let rows = entry.rows().ok()?;
    tell(&entry.index.left_out, listener);
    Some(of_parts(entry.index, rows.into_iter().map(|rows| Values::mapped(ValueKind::Byte, rows))))
}

fn in_memory(index: Index, mut memory: Vec<u8>, listener: &mut dyn Listener) -> Found {
    tell(&index.left_out, listener);
    let mut values = Vec::new();
    // From the last part to the first, so that the first stays where it is.
    for part in index.parts.iter().skip(1).rev() {
        let at = memory.len() - part.names.len() * index.width();
        values.push(Values::of_bytes(memory.split_off(at)));
    }
    values.push(Values::of_bytes(memory));
    of_parts(index, values.into_iter().rev())
}

fn of_parts(index: Index, values: impl Iterator<Item = Values>) -> Found {
    let shape = index.image();
    let parts = index.parts.into_iter().zip(values).map(|(part, values)| {
        let side = part.side();
        Part { side, values, labels: part.labels, names: part.names }
    });
    let parts = parts.collect();
    Found::Rows { shape, classes: index.classes, parts }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod strangers;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod change_tests;
