//! Bytes become text.

use std::path::Path;

use memchr::memchr;

use super::record::Flaw;
use crate::error::{Error, Result};

/// Bytes in which a zero says that this is no text of UTF-8.
const HEAD: usize = 1024;

/// How a text of UTF-16 is made one that can be read.
const ADVICE: &str = "expected UTF-8: 'iconv -f UTF-16 -t UTF-8' makes it so";

/// What a text of UTF-8 may begin with.
pub const MARK: &[u8] = "\u{feff}".as_bytes();

/// Refuses what is no text, or one in other characters, by its first bytes.
///
/// # Errors
/// When it is none.
pub fn checked(path: &Path, bytes: &[u8]) -> Result<()> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::input(path, format!("a text of UTF-16, {ADVICE}")));
    }
    let head = &bytes[..bytes.len().min(HEAD)];
    let Some(place) = memchr(0, head) else { return Ok(()) };
    let is_wide = head.chunks_exact(2).all(|pair| (pair[0] == 0) != (pair[1] == 0));
    let problem = if is_wide {
        format!("looks like a text of UTF-16, {ADVICE}")
    } else {
        format!("byte {place} is zero, as in no text; expected a table as text, Parquet or Arrow")
    };
    Err(Error::input(path, problem))
}

/// The text that the bytes of a piece are.
///
/// # Errors
/// When they are no UTF-8.
pub fn piece(bytes: &[u8]) -> Result<&str, Flaw> {
    std::str::from_utf8(bytes).map_err(|error| {
        let place = error.valid_up_to();
        let byte = bytes.get(place).copied().unwrap_or_default();
        let advice = "'iconv -f LATIN1 -t UTF-8' makes it so, if that is how it is written";
        Flaw::at(place, format!("byte 0x{byte:02x} is no UTF-8, expected UTF-8: {advice}"))
    })
}
