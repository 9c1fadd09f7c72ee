//! Reader of IDX files of unsigned bytes, the format of MNIST, gzipped or not.
//!
//! Format: the magic `00 00 08 <rank>`, a big-endian `u32` for each of the `rank` dimensions, then
//! the bytes, last dimension innermost (<http://yann.lecun.com/exdb/mnist/>). A file is read whole
//! or refused: one that is a byte too short or too long is not what its header says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::data::Split;
use crate::error::{Error, Result};

/// IDX code of the element type "unsigned byte".
const UNSIGNED_BYTE: u8 = 0x08;
/// How a gzip stream begins (RFC 1952), whatever the file is called.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// No header is believed that promises more.
const MAX_BYTES: u64 = 4 << 30;
/// Most memory taken on the word of a header alone; beyond it, memory grows with what arrives.
const MAX_TRUST: u64 = 64 << 20;

/// Reads images of `height` x `width` bytes and their labels, each less than `classes`. Nothing behind the headers is read
/// unless they promise as many of the one as of the other: a small file may unpack to a very large one.
pub fn split(images_path: &Path, labels_path: &Path, height: usize, width: usize, classes: u8) -> Result<Split> {
    let (labels, images) = (Idx::<1>::open(labels_path)?, open_images(images_path, height, width)?);
    let ([found], [rows, ..]) = (labels.dims, images.dims);
    if found != rows {
        let problem = format!("expected {rows} labels, one for each image of {}, found {found}", images_path.display());
        return Err(Error::input(labels_path, problem));
    }
    let labels = checked_labels(labels, classes)?;
    Ok(Split::of_bytes(height * width, images.body()?, labels.into_iter().map(u16::from).collect()))
}

/// Reads a file of images, all `height` x `width`, which must not be zero: `[rows, height, width]`.
pub fn images(path: &Path, height: usize, width: usize) -> Result<Vec<u8>> {
    open_images(path, height, width)?.body()
}

/// A file of images whose header promises such.
fn open_images(path: &Path, height: usize, width: usize) -> Result<Idx<'_, 3>> {
    let file = Idx::<3>::open(path)?;
    let [_, found_height, found_width] = file.dims;
    if (found_height, found_width) != (height as u64, width as u64) {
        let problem = format!("expected images of {height} x {width}, found images of {found_height} x {found_width}");
        return Err(Error::input(path, problem));
    }
    Ok(file)
}

/// Reads a file of labels, each less than `classes`.
pub fn labels(path: &Path, classes: u8) -> Result<Vec<u8>> {
    checked_labels(Idx::<1>::open(path)?, classes)
}

fn checked_labels(file: Idx<'_, 1>, classes: u8) -> Result<Vec<u8>> {
    let path = file.path;
    let labels = file.body()?;
    match labels.iter().position(|&label| label >= classes) {
        Some(row) => {
            let problem = format!("expected labels below {classes}, found {} in row {row}", labels[row]);
            Err(Error::input(path, problem))
        }
        None => Ok(labels),
    }
}

/// The content of a file, decompressed if it begins like gzip. Decompression checks the CRC, and
/// refuses anything that follows the compressed data.
pub(in crate::data) fn content(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut input = BufReader::with_capacity(1 << 16, File::open(path)?);
    if input.fill_buf()?.starts_with(&GZIP_MAGIC) {
        Ok(Box::new(MultiGzDecoder::new(input)))
    } else {
        Ok(Box::new(input))
    }
}

/// A file whose header has been read and found sound.
struct Idx<'a, const RANK: usize> {
    path: &'a Path,
    dims: [u64; RANK],
    /// Bytes the header promises.
    bytes: u64,
    /// What follows the header.
    input: Box<dyn Read>,
}

impl<'a, const RANK: usize> Idx<'a, RANK> {
    fn open(path: &'a Path) -> Result<Self> {
        let mut input = content(path).map_err(|error| unreadable(path, error))?;
        let length = 4 + 4 * RANK;
        let mut header = Vec::with_capacity(length);
        read_up_to(&mut input, length as u64, &mut header).map_err(|error| unreadable(path, error))?;

        let magic = [0, 0, UNSIGNED_BYTE, RANK as u8];
        let found = &header[..header.len().min(4)];
        if !magic.starts_with(found) {
            let problem = format!("expected an IDX file, which begins with the bytes {magic:02x?}, found {found:02x?}");
            return Err(Error::input(path, problem));
        }
        if header.len() < length {
            let problem = format!("truncated: expected a header of {length} bytes, found {}", header.len());
            return Err(Error::input(path, problem));
        }

        let mut dims = [0; RANK];
        for (dim, word) in dims.iter_mut().zip(header[4..].chunks_exact(4)) {
            *dim = word.iter().fold(0, |high, &low| high << 8 | u64::from(low));
        }
        let bytes = dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
        match bytes {
            Some(bytes @ 1..=MAX_BYTES) => Ok(Idx { path, dims, bytes, input }),
            _ => {
                let problem = format!("expected between 1 byte and 4 GiB, the header says {}", by(&dims));
                Err(Error::input(path, problem))
            }
        }
    }

    /// Reads the bytes that the header promises, to the very end of the file.
    fn body(mut self) -> Result<Vec<u8>> {
        let (mut body, mut surplus) = (Vec::new(), Vec::new());
        let trusted = self.bytes.min(MAX_TRUST) as usize;
        // Reading itself takes memory only as far as there is some.
        body.try_reserve_exact(trusted).map_err(|_| Error::memory(self.path.display(), trusted))?;
        // Asking for one byte more also makes a decompressor check its CRC.
        read_up_to(&mut self.input, self.bytes, &mut body)
            .and_then(|()| read_up_to(&mut self.input, 1, &mut surplus))
            .map_err(|error| unreadable(self.path, error))?;
        let expected = || format!("expected {} bytes after the header", by(&self.dims));
        if (body.len() as u64) < self.bytes {
            let problem = format!("truncated: {}, found {}", expected(), body.len());
            return Err(Error::input(self.path, problem));
        }
        if !surplus.is_empty() {
            let problem = format!("too long: {}, found more", expected());
            return Err(Error::input(self.path, problem));
        }
        Ok(body)
    }
}

/// Appends the next `limit` bytes of `input` to `out`, or fewer where the input ends.
fn read_up_to(input: &mut dyn Read, limit: u64, out: &mut Vec<u8>) -> io::Result<()> {
    input.take(limit).read_to_end(out).map(|_| ())
}

/// "10 x 28 x 28".
fn by(dims: &[u64]) -> String {
    dims.iter().map(u64::to_string).collect::<Vec<_>>().join(" x ")
}

/// Tells a missing file and a damaged gzip stream, which are the input's fault, from a failing disk.
fn unreadable(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::input(path, "expected an IDX file, found no such file"),
        ErrorKind::OutOfMemory => Error::Failed(format!("{}: there is no memory for all of it", path.display())),
        ErrorKind::UnexpectedEof => {
            Error::input(path, "truncated: expected a whole gzip stream, found only its beginning")
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            Error::input(path, format!("damaged: expected an intact gzip stream, found: {error}"))
        }
        _ => Error::io(path, "read")(error),
    }
}
