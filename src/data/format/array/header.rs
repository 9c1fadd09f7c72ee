//! What an array says of itself before its elements: shape, type, order; and how NumPy's files say it.

use std::io::Read;

use super::element::{Element, Kind};
use crate::error::shortened;

/// How a file of NumPy begins.
pub(in crate::data::format) const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest header that is read; NumPy itself reads 10,000 bytes.
const MOST_HEADER: usize = 1 << 20;
/// Longest text that describes an element, such as `<M8[25us]`.
const MOST_SPELT: usize = 32;
/// Most characters that a message quotes of a file's header.
const QUOTED: usize = 80;

/// What is known of an array before its elements.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data::format) struct Header {
    /// Sizes along its axes, rows first.
    pub shape: Vec<usize>,
    /// What it is made of.
    pub element: Element,
    /// Whether the first index runs fastest.
    pub is_fortran: bool,
    /// Bytes before the first element.
    pub start: usize,
}

impl Header {
    /// A header, if the bytes of such an array can be counted.
    pub fn new(shape: &[u64], element: Element, is_fortran: bool, start: usize) -> Option<Header> {
        // Axes of no size hide how large the others are.
        let counted =
            shape.iter().try_fold(element.size.max(1) as u64, |count, &size| count.checked_mul(size.max(1)))?;
        isize::try_from(counted).ok()?;
        let shape = shape.iter().map(|&size| size as usize).collect();
        Some(Header { shape, element, is_fortran, start })
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Bytes of the elements.
    pub fn bytes(&self) -> u64 {
        (self.count() as u64).saturating_mul(self.element.size as u64)
    }

    /// "[2, 3] of float32", of a length that a message can have.
    pub fn spelt(&self) -> String {
        let shape = format!("{:?}", self.shape);
        format!("{} of {}", shortened(&shape, QUOTED), shortened(&self.element.name, QUOTED))
    }

    /// Reads the header of a file of NumPy and leaves `input` at the first element.
    ///
    /// # Errors
    /// When there is none; the message says what such a file lacks.
    pub fn read_numpy(input: &mut dyn Read) -> Result<Header, String> {
        let mut head = Vec::new();
        let mut take = |most: usize| -> Result<Vec<u8>, String> {
            let mut bytes = Vec::new();
            (&mut *input).take(most as u64).read_to_end(&mut bytes).map_err(|error| not_numpy(&error.to_string()))?;
            Ok(bytes)
        };
        head.extend(take(10)?);
        if head.len() < 10 || !head.starts_with(MAGIC) {
            return Err(not_numpy("it does not begin like one"));
        }
        let length = match (head[6], head[7]) {
            (1, 0) => usize::from(u16::from_le_bytes([head[8], head[9]])),
            (2 | 3, 0) => {
                head.extend(take(2)?);
                let Some(&[a, b, c, d]) = head.get(8..12) else { return Err(not_numpy("its header is cut off")) };
                u32::from_le_bytes([a, b, c, d]) as usize
            }
            (major, minor) => return Err(not_numpy(&format!("it is of version {major}.{minor}"))),
        };
        if length > MOST_HEADER {
            return Err(not_numpy(&format!("its header has {length} bytes, expected at most {MOST_HEADER}")));
        }
        let text = take(length)?;
        if text.len() < length {
            return Err(not_numpy("its header is cut off"));
        }
        let text = String::from_utf8_lossy(&text);
        let said = Said::read(&text)
            .ok_or_else(|| not_numpy(&format!("its header says: {}", shortened(text.trim(), QUOTED))))?;
        Header::new(&said.shape, said.element, said.is_fortran, head.len() + length)
            .ok_or_else(|| not_numpy("its header has more values than can be counted"))
    }
}

fn not_numpy(reason: &str) -> String {
    format!("is no .npy file of NumPy ({reason})")
}

/// What the text of a header says.
struct Said {
    shape: Vec<u64>,
    element: Element,
    is_fortran: bool,
}

impl Said {
    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, keys in any order.
    fn read(text: &str) -> Option<Said> {
        let (mut shape, mut element, mut is_fortran) = (None, None, None);
        let mut rest = text.trim().strip_prefix('{')?.trim_start();
        while !rest.starts_with('}') {
            let (key, after) = quoted(rest)?;
            rest = after.trim_start().strip_prefix(':')?.trim_start();
            match key {
                "descr" => {
                    let (found, after) = described(rest)?;
                    (element, rest) = (Some(found), after);
                }
                "fortran_order" => {
                    let (value, after) = [("True", true), ("False", false)]
                        .into_iter()
                        .find_map(|(word, value)| Some((value, rest.strip_prefix(word)?)))?;
                    (is_fortran, rest) = (Some(value), after);
                }
                "shape" => {
                    let (sizes, after) = rest.strip_prefix('(')?.split_once(')')?;
                    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
                    // Old versions of Python write whole numbers as 3L.
                    let sizes: Option<Vec<u64>> = sizes.map(|size| size.trim_end_matches('L').parse().ok()).collect();
                    (shape, rest) = (Some(sizes?), after);
                }
                _ => return None,
            }
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        Some(Said { shape: shape?, element: element?, is_fortran: is_fortran? })
    }
}

/// A text in quotes at the beginning, and what comes behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// The type that a header describes, and what comes behind: a text, or a list of fields, which are no numbers.
fn described(text: &str) -> Option<(Element, &str)> {
    if let Some((spelt, rest)) = quoted(text) {
        return Some((Element::of_numpy(spelt), rest)).filter(|_| spelt.len() <= MOST_SPELT);
    }
    let mut depth = 0usize;
    for (place, letter) in text.char_indices() {
        match letter {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            let (spelt, rest) = text.split_at(place + letter.len_utf8());
            return Some((Element { kind: Kind::Other, size: 0, is_big: false, name: spelt.into() }, rest))
                .filter(|_| spelt.len() > 1);
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Header, String> {
        let bytes = [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat();
        Header::read_numpy(&mut &bytes[..])
    }

    #[test]
    fn headers_say_shape_type_and_order_in_any_order() {
        let header = read("{'shape': (2, 3L), 'fortran_order': True, 'descr': \">i4\"}   \n").unwrap();
        assert_eq!((&header.shape[..], header.is_fortran, header.element.is_big), (&[2, 3][..], true, true));
        assert_eq!((header.count(), header.rows(), header.bytes()), (6, 2, 24));
        let fields =
            read("{'descr': [('a', '<f4'), ('b', '<i4', (2,))], 'fortran_order': False, 'shape': (3,), }").unwrap();
        assert_eq!(fields.element.kind, Kind::Other);
    }

    #[test]
    fn what_is_no_header_is_refused_and_depth_is_no_danger() {
        let deep = format!("{{'descr': {}", "[".repeat(60_000));
        for text in ["", "{", "{'descr': '<f4'}", "{'shape': (a,)}", "{'other': 1}", "{'shape': (-1,)}", &deep] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(".npy") && problem.len() < 250, "{problem}");
        }
        let huge = [MAGIC, &[2, 0], &u32::MAX.to_le_bytes()].concat();
        assert!(Header::read_numpy(&mut &huge[..]).unwrap_err().contains("at most"));
    }
}
