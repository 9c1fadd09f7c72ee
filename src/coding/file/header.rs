//! What a file of codes says of itself.

use std::fmt::{self, Display, Formatter};

use super::checksum::checksum;
use super::numbers::{put, take};
use super::picture::Picture;
use super::refused::Refused;
use crate::coding::prior::Kind;

/// What every file begins with. No text does.
pub const MAGIC: [u8; 4] = [0x89, b'G', b'A', b'E'];

/// The version of the format.
pub const VERSION: u8 = 2;

/// Which model made a file: the first bytes of a hash of all that its reading depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(pub [u8; 16]);

impl Display for Identity {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// How distributions come about.
    pub kind: Kind,
    /// Rows.
    pub rows: u64,
    /// Cells of a row.
    pub cells: u64,
    /// Symbols of a cell.
    pub channels: u64,
    /// Side symbols of a row.
    pub side: u64,
    /// Rows of a block, of all but the last.
    pub block: u64,
    /// The picture whose tiles the rows are, if they are.
    pub picture: Option<Picture>,
    /// The model.
    pub model: Identity,
}

const KINDS: [(u8, Kind); 3] = [(0, Kind::Gaussian), (1, Kind::Factorized), (2, Kind::Hyperprior)];

impl Header {
    /// Its bytes, with their checksum.
    pub fn bytes(&self) -> Vec<u8> {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or(0, |(byte, _)| *byte);
        let mut bytes = [&MAGIC[..], &[VERSION, kind]].concat();
        for number in [self.rows, self.cells, self.channels, self.side, self.block] {
            put(&mut bytes, number);
        }
        bytes.push(self.picture.is_some().into());
        if let Some(picture) = &self.picture {
            picture.put(&mut bytes);
        }
        bytes.extend(self.model.0);
        bytes.extend(checksum(&[&bytes]).to_le_bytes());
        bytes
    }

    /// Takes a header from the front of a file's bytes; with its checksum.
    ///
    /// # Errors
    /// When it is that of another kind of file, or damaged.
    pub fn take(bytes: &mut &[u8]) -> Result<(Self, u32), Refused> {
        let whole = *bytes;
        if !whole.starts_with(&MAGIC) {
            return Err(Refused::NoCodes);
        }
        let &[version, kind] = whole.get(MAGIC.len()..MAGIC.len() + 2).ok_or(Refused::Header)? else {
            return Err(Refused::Header);
        };
        if version != VERSION {
            return Err(Refused::Version(version));
        }
        let mut rest = &whole[MAGIC.len() + 2..];
        let mut numbers = [0; 5];
        for number in &mut numbers {
            *number = take(&mut rest).ok_or(Refused::Header)?;
        }
        // What it says is believed once its sum is right.
        let picture = match rest.split_off_first() {
            Some(0) => Ok(None),
            Some(1) => Picture::take(&mut rest).map(Some),
            _ => Err(Refused::Header),
        };
        let model = rest.split_off(..16).and_then(|model| model.try_into().ok()).ok_or(Refused::Header)?;
        let sum = checksum(&[&whole[..whole.len() - rest.len()]]);
        let found = rest.split_off(..4).and_then(|found| found.try_into().ok()).ok_or(Refused::Header)?;
        let kind = KINDS.iter().find(|(byte, _)| *byte == kind);
        let (Some(&(_, kind)), true) = (kind, sum == u32::from_le_bytes(found)) else { return Err(Refused::Header) };
        let picture = picture?;
        let [rows, cells, channels, side, block] = numbers;
        if let Some(picture) = picture.filter(|picture| picture.tiles() as u64 != rows) {
            return Err(Refused::Tiles { rows, tiles: picture.tiles() });
        }
        *bytes = rest;
        Ok((Header { kind, rows, cells, channels, side, block, picture, model: Identity(model) }, sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_and_any_changed_byte_shows() {
        let header = Header {
            kind: Kind::Factorized,
            rows: 70_000,
            cells: 1,
            channels: 128,
            side: 0,
            block: 512,
            picture: None,
            model: Identity(std::array::from_fn(|at| at as u8 * 17)),
        };
        let picture = Picture::new([33, 7], [32, 32]).ok();
        for header in [header, Header { rows: 2, picture, ..header }] {
            comes_back(header);
        }
        let tiles = Header { rows: 3, picture, ..header }.bytes();
        assert_eq!(Header::take(&mut &tiles[..]), Err(Refused::Tiles { rows: 3, tiles: 2 }));
        assert_eq!(Header::take(&mut &b"PK"[..]), Err(Refused::NoCodes));
        assert_eq!(Header::take(&mut &[&MAGIC[..], &[9, 0]].concat()[..]), Err(Refused::Version(9)));
    }

    fn comes_back(header: Header) {
        let bytes = header.bytes();
        assert!(bytes.len() <= 44, "{}", bytes.len());
        let mut rest = &[&bytes[..], b"more"].concat()[..];
        assert_eq!(Header::take(&mut rest).map(|(header, _)| header), Ok(header));
        assert_eq!(rest, b"more");
        assert_eq!(header.model.to_string(), "00112233445566778899aabbccddeeff");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(Header::take(&mut &damaged[..]).is_err() && Header::take(&mut &bytes[..at]).is_err(), "{at}");
        }
    }
}
