//! Bytes become a text whose every line is ended by a line feed.

use std::path::Path;

use memchr::{memchr, memchr_iter};

use crate::error::{Error, Result};

/// Bytes in which a zero says that this is no text of UTF-8.
const HEAD: usize = 1024;

/// How a text of UTF-16 is made one that can be read.
const ADVICE: &str = "expected UTF-8: 'iconv -f UTF-16 -t UTF-8' makes it so";

/// The text that these bytes are.
pub fn text(path: &Path, mut bytes: Vec<u8>) -> Result<String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::input(path, format!("a text of UTF-16, {ADVICE}")));
    }
    let head = &bytes[..bytes.len().min(HEAD)];
    if let Some(place) = memchr(0, head) {
        let is_wide = head.chunks_exact(2).all(|pair| (pair[0] == 0) != (pair[1] == 0));
        let problem = if is_wide {
            format!("looks like a text of UTF-16, {ADVICE}")
        } else {
            format!("byte {place} is zero, as in no text; expected a table as text, Parquet or Arrow")
        };
        return Err(Error::input(path, problem));
    }
    // Carriage returns alone end the lines of very old files.
    if memchr(b'\n', &bytes).is_none() {
        bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
    }
    if bytes.last().is_some_and(|byte| *byte != b'\n') {
        bytes.try_reserve(1).map_err(|_| Error::memory(path.display(), bytes.len()))?;
        bytes.push(b'\n');
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let line = memchr_iter(b'\n', &error.as_bytes()[..place]).count() + 1;
        let byte = error.as_bytes().get(place).copied().unwrap_or_default();
        let advice = "'iconv -f LATIN1 -t UTF-8' makes it so, if that is how it is written";
        Error::input(path, format!("line {line}: byte 0x{byte:02x} is no UTF-8, expected UTF-8: {advice}"))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_ended_and_what_is_no_text_is_told() {
        let of = |bytes: &[u8]| text(Path::new("x.csv"), bytes.to_vec());
        assert_eq!(of(b"a\rb").unwrap(), "a\nb\n");
        assert_eq!(of(b"a\r\nb\r\n").unwrap(), "a\r\nb\r\n");
        assert_eq!(of(b"").unwrap(), "");
        let problem = |bytes: &[u8]| of(bytes).unwrap_err().to_string();
        assert!(problem(b"\xff\xfea\0").contains("iconv -f UTF-16"));
        assert!(problem(b"a\0,\0b\0\n\0").contains("looks like a text of UTF-16"));
        assert!(problem(b"\x89PNG\0\0\0").contains("byte 4 is zero"));
        assert!(problem(b"a,b\n\xe4,1\n").contains("line 2: byte 0xe4 is no UTF-8"));
    }
}
