//! Reader of IDX files, the format of MNIST, gzipped or not: of any type what they hold, of unsigned bytes images and labels.
//!
//! Format: the magic `00 00 <type> <rank>`, type 08 for unsigned bytes, a big-endian `u32` for each of the `rank` dimensions,
//! then the elements, last dimension innermost (<http://yann.lecun.com/exdb/mnist/>). A file is read whole
//! or refused: one that is a byte too short or too long is not what its header says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::array::element::Element;
use super::array::header::Header;
use super::array::origin::Origin;
use crate::data::Split;
use crate::error::{Error, Result};

/// IDX code of the element type "unsigned byte".
const UNSIGNED_BYTE: u8 = 0x08;
/// How a gzip stream begins (RFC 1952), whatever the file is called.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// No header is believed that promises more.
pub(super) const MAX_BYTES: u64 = 4 << 30;
/// Most memory taken on the word of a header alone; beyond it, memory grows with what arrives.
const MAX_TRUST: u64 = 64 << 20;

/// Reads images of `height` x `width` bytes and their labels, each less than `classes`. Nothing behind the headers is read
/// unless they promise as many of the one as of the other: a small file may unpack to a very large one.
pub fn split(images_path: &Path, labels_path: &Path, height: usize, width: usize, classes: u8) -> Result<Split> {
    let (labels, images) = (Idx::open(labels_path, 1)?, open_images(images_path, height, width)?);
    let (found, rows) = (labels.header.rows(), images.header.rows());
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
fn open_images(path: &Path, height: usize, width: usize) -> Result<Idx<'static>> {
    let file = Idx::open(path, 3)?;
    match file.header.shape[1..] {
        [found_height, found_width] if (found_height, found_width) != (height, width) => {
            let found = format!("found images of {found_height} x {found_width}");
            Err(Error::input(path, format!("expected images of {height} x {width}, {found}")))
        }
        _ => Ok(file),
    }
}

/// Reads a file of labels, each less than `classes`.
pub fn labels(path: &Path, classes: u8) -> Result<Vec<u8>> {
    checked_labels(Idx::open(path, 1)?, classes)
}

fn checked_labels(file: Idx<'_>, classes: u8) -> Result<Vec<u8>> {
    let path = file.origin.path.clone();
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
    decompressed(File::open(path)?)
}

/// The same of anything that is read.
pub(in crate::data) fn decompressed<'a>(input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    if input.fill_buf()?.starts_with(&GZIP_MAGIC) {
        Ok(Box::new(MultiGzDecoder::new(input)))
    } else {
        Ok(Box::new(input))
    }
}

/// Whether a file begins like this that is an IDX file of any type.
pub(super) fn is_magic(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, code, rank, ..] if *rank > 0 && Element::of_idx(*code).is_some())
}

/// Reads the header of a file of these four first bytes, or of any type and rank if none are said, and leaves `input` at the
/// first element. `advice` says what allows more than `most` bytes.
pub(super) fn header(
    input: &mut dyn Read,
    origin: &Origin,
    magic: Option<[u8; 4]>,
    (most, advice): (u64, &str),
) -> Result<Header> {
    let mut header = Vec::new();
    let mut more = |count: usize| {
        read_up_to(input, count as u64, &mut header).map_err(|error| origin.unreadable(error)).map(|()| header.clone())
    };
    let found = more(4)?;
    let is_known = magic.map_or(found.len() < 4 || is_magic(&found), |magic| magic.starts_with(&found));
    if !is_known {
        let bytes = magic.unwrap_or([0, 0, 8, 3]);
        return Err(
            origin.error(format!("expected an IDX file, which begins with the bytes {bytes:02x?}, found {found:02x?}"))
        );
    }
    let magic = magic.unwrap_or_else(|| <[u8; 4]>::try_from(&found[..]).unwrap_or([0, 0, 8, 1]));
    let length = 4 + 4 * usize::from(magic[3]);
    let header = more(length - found.len())?;
    if header.len() < length {
        return Err(origin.error(format!("truncated: expected a header of {length} bytes, found {}", header.len())));
    }
    let dims: Vec<u64> =
        header[4..].chunks_exact(4).map(|word| word.iter().fold(0, |high, &low| high << 8 | u64::from(low))).collect();
    let header = Element::of_idx(magic[2]).and_then(|element| Header::new(&dims, element, false, length));
    match header {
        Some(header) if (1..=most).contains(&header.bytes()) => Ok(header),
        _ => {
            let limit = if most == MAX_BYTES { "4 GiB".to_string() } else { format!("{most} bytes") };
            Err(origin.error(format!("expected between 1 byte and {limit}{advice}, the header says {}", by(&dims))))
        }
    }
}

/// A file of unsigned bytes whose header has been read and found sound.
struct Idx<'a> {
    origin: Origin,
    header: Header,
    /// What follows the header.
    input: Box<dyn Read + 'a>,
}

impl Idx<'_> {
    fn open(path: &Path, rank: u8) -> Result<Idx<'static>> {
        let origin = Origin::file(path);
        let mut input = content(path).map_err(|error| origin.unreadable(error))?;
        let header = header(&mut input, &origin, Some([0, 0, UNSIGNED_BYTE, rank]), (MAX_BYTES, ""))?;
        Ok(Idx { origin, header, input })
    }

    /// Reads the bytes that the header promises, to the very end of the file.
    fn body(mut self) -> Result<Vec<u8>> {
        let (mut body, mut surplus) = (Vec::new(), Vec::new());
        let (bytes, path) = (self.header.bytes(), &self.origin.path);
        let trusted = bytes.min(MAX_TRUST) as usize;
        // Reading itself takes memory only as far as there is some.
        body.try_reserve_exact(trusted).map_err(|_| Error::memory(path.display(), trusted))?;
        // Asking for one byte more also makes a decompressor check its CRC.
        read_up_to(&mut self.input, bytes, &mut body)
            .and_then(|()| read_up_to(&mut self.input, 1, &mut surplus))
            .map_err(|error| self.origin.unreadable(error))?;
        let dims: Vec<u64> = self.header.shape.iter().map(|&dim| dim as u64).collect();
        let expected = || format!("expected {} bytes after the header", by(&dims));
        if (body.len() as u64) < bytes {
            return Err(self.origin.error(format!("truncated: {}, found {}", expected(), body.len())));
        }
        if !surplus.is_empty() {
            return Err(self.origin.error(format!("too long: {}, found more", expected())));
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
