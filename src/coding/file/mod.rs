//! The file of the codes of many rows, `.gae`.
//!
//! ```text
//! 89 47 41 45             no text begins so
//! 02                      version
//! byte                    0 gaussian, 1 factorised, 2 hyperprior
//! number × 5              rows, cells, channels, side symbols of a row, rows of a block
//! byte                    1 if the rows are tiles of a picture, else 0
//! number × 4              height and width of the picture, of a tile; of a picture alone
//! 16 bytes                of which model
//! 4 bytes                 CRC-32 of all that
//! for each block:
//!   number                bytes of its streams
//!   number × streams − 1  lengths of all streams but the last
//!   streams               of the side symbols, of the symbols
//!   4 bytes               CRC-32 of the header's, the block's number and all its bytes
//! ```
//!
//! Numbers have seven bits a byte; what else has several bytes has the lowest first. Streams are as [`interleaved`](super::interleaved)
//! has them. A block is of as many rows as have about 64 kB, and no more than 2²² symbols, unless one row has more. So whoever reads
//! a file needs, besides its bytes, what the symbols of one block take: no more than 4 · 2²² bytes for the symbols and as many for the
//! side symbols, or those of one row of the model, whatever the file says of itself.

mod block;
mod checksum;
mod header;
mod numbers;
mod picture;
mod refused;

use block::{Places, Worth};
use checksum::checksum;
pub use header::{Header, Identity};
pub use picture::Picture;
pub use refused::{Refused, Wrong};

use super::prior::Prior;
use crate::error::{Error, Result};

/// Bytes of a block, about.
const BLOCK_BYTES: f64 = 65536.0;
/// Most symbols of a block, and most side symbols, unless a row has more.
const MOST_SYMBOLS: usize = 1 << 22;
/// Symbols by which the size of blocks is decided.
const SAMPLE: usize = 1 << 16;

/// A file that has been made.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its rows.
    pub rows: usize,
    /// Bits that the symbols are worth by the tables they are coded with.
    pub bits: f64,
    /// The same of the side symbols.
    pub side_bits: f64,
}

/// Most rows of a block.
fn most_rows(prior: &Prior) -> usize {
    (MOST_SYMBOLS / prior.symbols().max(prior.side_symbols()).max(1)).max(1)
}

/// The rows that a block has.
fn block_rows(prior: &Prior, places: &Places<'_>, rows: usize, [side, symbols]: [&[i32]; 2]) -> Result<usize> {
    let sample = (SAMPLE / prior.symbols().max(1)).clamp(1, rows.max(1)).min(rows);
    let mut worth = [Worth::default(), Worth::default()];
    let [side_worth, of_symbols] = &mut worth;
    let parts = [&side[..sample * prior.side_symbols()], &symbols[..sample * prior.symbols()]];
    places.encode(0, parts, [side_worth, of_symbols])?;
    let bytes_of_row = worth.iter().map(Worth::bits).sum::<f64>() / 8.0 / sample.max(1) as f64;
    Ok(((BLOCK_BYTES / bytes_of_row.max(1e-9)) as usize).clamp(1, most_rows(prior)))
}

/// Where the bytes of a block count: the header's sum and its number, so that a block of another place or file shows.
fn place_of(header: u32, number: u64) -> [u8; 12] {
    let mut place = [0; 12];
    place[..4].copy_from_slice(&header.to_le_bytes());
    place[4..].copy_from_slice(&number.to_le_bytes());
    place
}

/// Makes a file of the symbols of rows, \[rows, symbols\], and of their side symbols, \[rows, side symbols\].
///
/// # Errors
/// When a symbol is too far from where the model expects it, or a side symbol is beyond what it takes; the row is named.
pub fn write(prior: &Prior, model: Identity, side: &[i32], symbols: &[i32]) -> Result<Written> {
    write_of(prior, model, None, [side, symbols])
}

/// The same of the tiles of a picture.
///
/// # Errors
/// As [`write()`]; and when there are not as many rows as tiles.
pub fn write_picture(prior: &Prior, model: Identity, picture: Picture, coded: [&[i32]; 2]) -> Result<Written> {
    let rows = coded[1].len() / prior.symbols();
    if rows != picture.tiles() {
        return Err(Error::Failed(format!("{rows} tiles: expected {} of a picture", picture.tiles())));
    }
    write_of(prior, model, Some(picture), coded)
}

fn write_of(prior: &Prior, model: Identity, picture: Option<Picture>, [side, symbols]: [&[i32]; 2]) -> Result<Written> {
    let [side_width, width] = [prior.side_symbols(), prior.symbols()];
    let rows = symbols.len() / width;
    if symbols.len() != rows * width || side.len() != rows * side_width {
        let found = format!("{} symbols and {} side symbols", symbols.len(), side.len());
        return Err(Error::Failed(format!("{found}: expected rows of {width} and {side_width}")));
    }
    let places = Places::new(prior);
    let block = block_rows(prior, &places, rows, [side, symbols])?;
    let header = Header {
        kind: prior.kind(),
        rows: rows as u64,
        cells: prior.lie().cells as u64,
        channels: prior.lie().channels as u64,
        side: side_width as u64,
        block: block as u64,
        picture,
        model,
    };
    let mut bytes = header.bytes();
    let sum = checksum(&[&bytes[..bytes.len() - 4]]);
    let mut worth = [Worth::default(), Worth::default()];
    for (number, first) in (0..rows).step_by(block).enumerate() {
        let end = rows.min(first + block);
        let parts = [&side[first * side_width..end * side_width], &symbols[first * width..end * width]];
        let [side_worth, of_symbols] = &mut worth;
        let body = places.encode(first, parts, [side_worth, of_symbols])?;
        numbers::put(&mut bytes, body.len() as u64);
        bytes.extend(&body);
        bytes.extend(checksum(&[&place_of(sum, number as u64), &body]).to_le_bytes());
    }
    Ok(Written { bytes, rows, bits: worth[1].bits(), side_bits: worth[0].bits() })
}

/// A file on its way back to symbols.
pub struct Reader<'a> {
    places: Places<'a>,
    header: Header,
    sum: u32,
    rest: &'a [u8],
    /// Bytes of the whole file.
    length: usize,
    /// Number of the next block.
    number: u64,
}

impl<'a> Reader<'a> {
    /// Begins with the bytes of a file that this model is to have made.
    ///
    /// # Errors
    /// When it is no such file, its header is damaged, or another model made it.
    pub fn new(bytes: &'a [u8], prior: &'a Prior, model: Identity) -> Result<Self, Refused> {
        let mut rest = bytes;
        let (header, sum) = Header::take(&mut rest)?;
        if header.model != model {
            return Err(Refused::Model { found: header.model, expected: model });
        }
        let of = |kind, cells, channels, side| {
            format!("{kind:?} with {cells} × {channels} symbols and {side} side symbols a row")
        };
        let lie = prior.lie();
        let expected = of(prior.kind(), lie.cells as u64, lie.channels as u64, prior.side_symbols() as u64);
        let found = of(header.kind, header.cells, header.channels, header.side);
        if found != expected {
            return Err(Refused::Shape { found, expected });
        }
        let (rows, block, most) = (header.rows, header.block, most_rows(prior) as u64);
        if block == 0 || block > most || usize::try_from(rows).is_err() {
            return Err(Refused::Blocks { rows, block, most });
        }
        Ok(Reader { places: Places::new(prior), header, sum, rest, length: bytes.len(), number: 0 })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The symbols of the rows of the next block, \[rows, symbols\]; none behind the last. After an error there is no more.
    ///
    /// # Errors
    /// When the block is damaged or not there, or something follows the last one.
    pub fn block(&mut self) -> Result<Option<Vec<i32>>, Refused> {
        let blocks = self.header.rows.div_ceil(self.header.block);
        if self.number == blocks {
            return if self.rest.is_empty() { Ok(None) } else { Err(Refused::Longer(self.rest.len())) };
        }
        let (number, offset) = (self.number, self.length - self.rest.len());
        let refused = |what| Refused::Block { number: number + 1, blocks, offset, what };
        let body = self.body().map_err(refused)?;
        self.number += 1;
        let rows = self.header.block.min(self.header.rows - number * self.header.block);
        self.places.decode(body, rows as usize).map(Some).map_err(refused)
    }

    /// The bytes of the next block, which are those that were written.
    fn body(&mut self) -> Result<&'a [u8], Wrong> {
        let mut rest = self.rest;
        let length = numbers::take(&mut rest).and_then(|length| usize::try_from(length).ok()).ok_or(Wrong::Cut)?;
        let body = rest.split_off(..length).ok_or(Wrong::Cut)?;
        let found = rest.split_off(..4).and_then(|found| found.try_into().ok()).ok_or(Wrong::Cut)?;
        if checksum(&[&place_of(self.sum, self.number), body]) != u32::from_le_bytes(found) {
            return Err(Wrong::Checksum);
        }
        self.rest = rest;
        Ok(body)
    }

    /// The symbols of all rows, \[rows, symbols\]. Grows with what has been read, whatever the file says of itself.
    ///
    /// # Errors
    /// As [`block`](Self::block).
    pub fn all(mut self) -> Result<Vec<i32>, Refused> {
        let mut all = Vec::new();
        while let Some(symbols) = self.block()? {
            all.extend(symbols);
        }
        Ok(all)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
