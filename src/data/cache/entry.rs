//! A file of rows: the rows from its first byte, then what is known of them, then where that begins.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::Crc;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::found::Side;
use crate::data::{ImageShape, Mapped};
use crate::error::{Error, Result};

/// How such a file ends: these bytes, the length of what is known as a u64 (little-endian), the CRC-32 of the rows as another,
/// the SHA-256 of what is known.
const MAGIC: &[u8; 8] = b"gpuaerw2";
/// Bytes of that end.
const END: u64 = 8 + 8 + 8 + 32;
/// Bytes of rows whose sum is checked before they are used: of more, that would take as long as to read them all, which is
/// what the cache is there to save.
const MOST_CHECKED: u64 = 1 << 30;
/// Bytes that are summed at once.
const STEP: usize = 1 << 18;

/// Rows of one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartIndex {
    /// Its number: training, validation, test, unsaid.
    pub side: u8,
    /// The class of each row, or nothing.
    pub labels: Vec<u16>,
    /// What each row is called.
    pub names: Vec<String>,
}

/// What is known of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Height, width and channels of each.
    pub shape: [usize; 3],
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The rows, one part after the other.
    pub parts: Vec<PartIndex>,
    /// What was left out, and why.
    pub left_out: Vec<String>,
}

/// The sides in the order of their numbers.
const SIDES: [Side; 4] = [Side::Train, Side::Validation, Side::Test, Side::Unsaid];

impl PartIndex {
    /// Nothing yet, on this side.
    pub fn on(side: Side) -> PartIndex {
        let number = SIDES.iter().position(|known| *known == side).unwrap_or_default();
        PartIndex { side: number as u8, labels: Vec::new(), names: Vec::new() }
    }

    /// Where the rows belong.
    pub fn side(&self) -> Side {
        SIDES.get(usize::from(self.side)).copied().unwrap_or_default()
    }
}

impl Index {
    /// Bytes of a row.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// What a row is.
    pub fn image(&self) -> ImageShape {
        let [height, width, channels] = self.shape;
        ImageShape { height, width, channels }
    }

    /// What stands in a file behind so many bytes of rows of this sum.
    pub(super) fn tail(&self, rows: u64, sum: u32) -> Result<Vec<u8>> {
        if !self.fits(rows) {
            return Err(Error::Failed(format!("{rows} bytes of decoded rows, which are not whole rows of the images")));
        }
        let mut tail = serde_json::to_vec(self).map_err(|error| Error::Failed(error.to_string()))?;
        let (length, hash) = (tail.len() as u64, Sha256::digest(&tail));
        tail.extend_from_slice(MAGIC);
        tail.extend_from_slice(&length.to_le_bytes());
        tail.extend_from_slice(&u64::from(sum).to_le_bytes());
        tail.extend_from_slice(&hash);
        Ok(tail)
    }

    /// Whether it is of so many bytes of rows, and makes sense.
    fn fits(&self, bytes: u64) -> bool {
        let width = self.shape.iter().try_fold(1_u64, |product, &side| product.checked_mul(side as u64));
        let rows = self.parts.iter().map(|part| part.names.len() as u64).sum::<u64>();
        let is_right = |part: &PartIndex| {
            (part.labels.is_empty() || part.labels.len() == part.names.len())
                && part.labels.iter().all(|&label| usize::from(label) < self.classes.len())
                && usize::from(part.side) < SIDES.len()
        };
        width.and_then(|width| width.checked_mul(rows)) == Some(bytes) && self.parts.iter().all(is_right)
    }
}

/// The sum of the first bytes of a file.
fn sum_of(file: &mut File, bytes: u64) -> io::Result<u32> {
    file.seek(SeekFrom::Start(0))?;
    let (mut sum, mut held) = (Crc::new(), vec![0; STEP]);
    let mut rest = file.take(bytes);
    loop {
        match rest.read(&mut held)? {
            0 => return Ok(sum.sum()),
            count => sum.update(&held[..count]),
        }
    }
}

/// A file of rows that is whole.
#[derive(Debug)]
pub struct Entry {
    /// What is known of the rows.
    pub index: Index,
    path: PathBuf,
}

impl Entry {
    /// Reads what is known of the rows, and sees whether all are there and, up to a gigabyte of them, as they were written.
    ///
    /// # Errors
    /// When they are not, or the file cannot be read.
    pub(super) fn open(path: &Path) -> Result<Entry> {
        let failed = |error| Error::io(path, "read the cache")(error);
        let damaged = || Error::input(path, "damaged, expected rows that this program has decoded");
        let mut file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let end_at = length.checked_sub(END).ok_or_else(damaged)?;
        let mut end = [0; END as usize];
        file.seek(SeekFrom::Start(end_at)).map_err(failed)?;
        file.read_exact(&mut end).map_err(failed)?;
        let (magic, rest) = end.split_at(8);
        let (known, rest) = rest.split_at(8);
        let (sum, hash) = rest.split_at(8);
        let [known, sum] =
            [known, sum].map(|word| word.iter().rev().fold(0_u64, |sum, &byte| (sum << 8) | u64::from(byte)));
        let rows = end_at.checked_sub(known).filter(|_| magic == MAGIC).ok_or_else(damaged)?;
        let mut json = Vec::new();
        file.seek(SeekFrom::Start(rows)).map_err(failed)?;
        (&file).take(known).read_to_end(&mut json).map_err(failed)?;
        if Sha256::digest(&json)[..] != *hash {
            return Err(damaged());
        }
        let index: Index = serde_json::from_slice(&json).map_err(|_| damaged())?;
        if !index.fits(rows) || (rows <= MOST_CHECKED && u64::from(sum_of(&mut file, rows).map_err(failed)?) != sum) {
            return Err(damaged());
        }
        Ok(Entry { index, path: path.to_path_buf() })
    }

    /// The rows of each part.
    ///
    /// # Errors
    /// When they cannot be mapped.
    pub fn rows(&self) -> Result<Vec<Mapped>> {
        let mut at = 0;
        let mapped = self.index.parts.iter().map(|part| {
            let begin = at;
            at += part.names.len() * self.index.width();
            Mapped::open(&self.path, begin..at)
        });
        mapped.collect()
    }
}
