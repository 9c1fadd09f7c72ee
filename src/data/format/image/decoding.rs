//! Decodes all files of a folder, side by side and in order.

use std::cell::Cell;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::decode::decode;
use super::fit::Resizing;
use super::folder::{Folder, Listed};
use super::pixels::{Pixels, coloured};
use super::sink::Sink;
use super::stamp::Stamp;
use super::wanted::Wanted;
use crate::data::cache::Key;
use crate::data::found::{Listener, Reading};
use crate::error::{Error, Result};
use crate::threads::{current_num_threads, prelude::*};

/// So often is told how far decoding is.
const TOLD: Duration = Duration::from_millis(100);
/// Bytes of rows that may wait to be written.
const WAITING: usize = 1 << 26;
/// Bytes that a file may have besides those of its pixels, as they are when decoded.
pub const BESIDES: u64 = 1 << 26;

/// What came of the files.
pub struct Decoded {
    /// Height, width and channels of a row.
    pub shape: [usize; 3],
    /// Which files became rows, by their places.
    pub kept: Vec<usize>,
    /// Of the rest, which and why.
    pub left_out: Vec<String>,
    /// The key of all that was read.
    pub content: Key,
    /// The rows.
    pub rows: Sink,
}

/// Goes through files in pieces of about a tenth of a second, side by side within a piece, and hands on what came of each in
/// the order of the files: whatever the threads do, the first problem is the first.
fn go_through<T: Send>(
    files: &[Listed],
    bytes_of_one: impl Fn() -> usize,
    listener: &mut dyn Listener,
    work: impl Fn(&Listed) -> T + Sync,
    mut hand_on: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let threads = current_num_threads();
    let (mut at, mut piece) = (0, 2 * threads);
    let mut told = Instant::now();
    let mut tell = |done: usize| {
        listener.reading(Reading { done: done as u64, of: files.len() as u64, unit: "files" });
    };
    tell(0);
    while at < files.len() {
        let began = Instant::now();
        let part = &files[at..files.len().min(at + piece)];
        let done: Vec<T> = part.par_iter().map(&work).collect();
        for (number, one) in done.into_iter().enumerate() {
            hand_on(at + number, one)?;
        }
        at += part.len();
        if told.elapsed() >= TOLD || at == files.len() {
            tell(at);
            told = Instant::now();
        }
        let taken = began.elapsed();
        if taken < TOLD / 2 {
            piece *= 2;
        } else if taken > TOLD * 3 / 2 {
            piece /= 2;
        }
        piece = piece.min(WAITING / bytes_of_one().max(1)).max(2 * threads);
    }
    Ok(())
}

/// The bytes of a file, or what is wrong with it.
type Contents = Result<Vec<u8>, String>;

/// Reads a file.
///
/// # Errors
/// When it is not as it was when the folder was looked through.
fn contents(path: &Path, file: &Listed, wanted: &Wanted) -> Result<Contents> {
    let most = (wanted.most_bytes() as u64).saturating_add(BESIDES);
    if !file.stamp.is_file {
        return Ok(Err("no regular file, expected an image".into()));
    }
    if file.stamp.length > most {
        return Ok(Err(format!("{} bytes, expected at most {most}; data.most_pixels allows more", file.stamp.length)));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(file.stamp.length).unwrap_or(0) + 1);
    let read = File::open(path).and_then(|opened| {
        (&opened).take(file.stamp.length + 1).read_to_end(&mut bytes)?;
        opened.metadata()
    });
    match read {
        Ok(seen) if Stamp::of(&seen) == file.stamp && bytes.len() as u64 == file.stamp.length => Ok(Ok(bytes)),
        Err(problem) if problem.kind() != ErrorKind::NotFound => Ok(Err(format!("cannot be read: {problem}"))),
        _ => {
            let problem = "was changed or removed while the folder was read; expected files that stay as they are";
            Err(Error::input(path, problem))
        }
    }
}

/// The key of the bytes of all files.
///
/// # Errors
/// When one is not as it was.
pub fn content(root: &Path, folder: &Folder, wanted: &Wanted, listener: &mut dyn Listener) -> Result<Key> {
    let mut all = Sha256::new();
    let hashed = |file: &Listed| contents(&root.join(&file.path), file, wanted).map(|bytes| hash(&bytes));
    go_through(
        &folder.files,
        || 0,
        listener,
        hashed,
        |_, hash| {
            all.update(hash?);
            Ok(())
        },
    )?;
    Ok(all.finalize().into())
}

/// What a file adds to the key of all.
fn hash(bytes: &Contents) -> Key {
    bytes.as_ref().map_or([0; 32], |bytes| Sha256::digest(bytes).into())
}

thread_local! {
    /// What a thread keeps from file to file. It is taken while it is in use: a decoder that shares out its own work may
    /// begin with another file on the same thread.
    static RESIZING: Cell<Option<Resizing>> = const { Cell::new(None) };
}

/// The key of a file's bytes, and the image or what is wrong with it.
fn one(path: &Path, file: &Listed, wanted: &Wanted) -> Result<(Key, Result<Pixels, String>)> {
    let bytes = contents(path, file, wanted)?;
    let key = hash(&bytes);
    let mut resizing = RESIZING.take().unwrap_or_default();
    let pixels = bytes.and_then(|bytes| decode(&bytes, wanted, &mut resizing));
    RESIZING.set(Some(resizing));
    Ok((key, pixels))
}

/// Decodes all files into `rows`.
///
/// # Errors
/// The first file, in the order of their paths, that is no image or damaged, unless such are left out; that has another
/// size than the first; or that is not as it was. Or that no image is left.
pub fn decode_all(
    root: &Path,
    folder: &Folder,
    wanted: &Wanted,
    skip_broken: bool,
    rows: Sink,
    listener: &mut dyn Listener,
) -> Result<Decoded> {
    let mut all = Sha256::new();
    let width = Cell::new(0);
    let mut maker = Maker { root, files: &folder.files, shape: None, kept: Vec::new(), rows, notices: Vec::new() };
    let mut left_out = Vec::new();
    let work = |file: &Listed| one(&root.join(&file.path), file, wanted);
    go_through(
        &folder.files,
        || width.get(),
        listener,
        work,
        |at, done| {
            let (key, pixels) = done?;
            all.update(key);
            match pixels {
                Ok(pixels) => {
                    width.set(pixels.values.len());
                    maker.add(at, pixels)
                }
                Err(problem) if skip_broken => {
                    left_out.push(format!("{}: {problem}", folder.files[at].name));
                    Ok(())
                }
                Err(problem) => {
                    let problem = format!("{problem}; --skip-broken leaves such files out");
                    Err(Error::input(maker.path(at), problem))
                }
            }
        },
    )?;
    let Maker { shape, kept, rows, notices, .. } = maker;
    notices.into_iter().for_each(|notice| listener.notice(notice));
    let Some(shape) = shape else {
        let count = left_out.len();
        let first = left_out.first().map_or("", |first| first.as_str());
        let problem = format!("none of {count} files is an image that can be decoded; the first is {first}");
        return Err(Error::input(root, problem));
    };
    Ok(Decoded { shape, kept, left_out, content: all.finalize().into(), rows })
}

/// Makes rows of images.
struct Maker<'a> {
    root: &'a Path,
    files: &'a [Listed],
    /// That of all rows so far.
    shape: Option<[usize; 3]>,
    kept: Vec<usize>,
    rows: Sink,
    notices: Vec<String>,
}

impl Maker<'_> {
    fn path(&self, at: usize) -> PathBuf {
        self.root.join(&self.files[at].path)
    }

    /// Appends an image. With the first that has colours, those before it get three channels as well.
    fn add(&mut self, at: usize, pixels: Pixels) -> Result<()> {
        let found = [pixels.height, pixels.width, pixels.channels];
        let shape = *self.shape.get_or_insert(found);
        if shape[..2] != found[..2] {
            let first = self.kept.first().map_or("", |&first| self.files[first].name.as_str());
            let problem = format!(
                "{}x{} pixels, but {first} has {}x{}; expected images of one size, or --size WIDTHxHEIGHT to bring them \
                 to one",
                found[1], found[0], shape[1], shape[0]
            );
            return Err(Error::input(self.path(at), problem));
        }
        let grey_row = shape[0] * shape[1];
        let notice = match (shape[2], pixels.channels) {
            (1, 3) => {
                self.shape = Some(found);
                let change = self.rows.change(grey_row, coloured)?;
                change.or(self.rows.write(&pixels.values)?)
            }
            (3, 1) => self.rows.write(&coloured(&pixels.values))?,
            _ => self.rows.write(&pixels.values)?,
        };
        self.notices.extend(notice);
        self.kept.push(at);
        Ok(())
    }
}
