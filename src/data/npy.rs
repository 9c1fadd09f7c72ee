//! Rows of numbers as NumPy's `.npy` files: how codes and images come in and go out.

use std::path::Path;

use crate::error::{Error, Result};
use crate::whole_file;

/// What an error says was attempted.
const ACTION: &str = "write the array";
/// What a file begins with.
const MAGIC: &[u8] = b"\x93NUMPY";
/// A header with all that is before it takes a multiple of so many bytes.
const ALIGNMENT: usize = 64;

/// A file taken apart.
struct Array<'a> {
    /// The type of its elements as NumPy writes it, as "<f4".
    kind: String,
    /// Whether the first axis is the innermost.
    is_fortran: bool,
    shape: Vec<u64>,
    data: &'a [u8],
}

impl<'a> Array<'a> {
    /// Reads the header: version, length, and a dictionary as Python writes it. `None` if it is no such file.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (&[version, _], rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<2>()?;
        let (length, rest) = if version == 1 {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (u16::from_le_bytes(*length) as usize, rest)
        } else {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (u32::from_le_bytes(*length) as usize, rest)
        };
        let (dictionary, data) = rest.split_at_checked(length)?;
        let dictionary = std::str::from_utf8(dictionary).ok()?.replace('"', "'");
        let value = |key: &str| -> Option<&str> {
            let (_, rest) = dictionary.split_once(&format!("'{key}'"))?;
            Some(rest.trim_start().strip_prefix(':')?.trim_start())
        };
        let kind = match value("descr")?.strip_prefix('\'') {
            Some(rest) => rest.split_once('\'')?.0.to_string(),
            None => "records".to_string(),
        };
        let order = value("fortran_order")?;
        let is_fortran = order.starts_with("True");
        let (shape, _) = value("shape")?.strip_prefix('(')?.split_once(')')?;
        let extents = shape.split(',').map(str::trim).filter(|extent| !extent.is_empty());
        let shape = extents.map(|extent| extent.parse().ok()).collect::<Option<Vec<u64>>>()?;
        (is_fortran || order.starts_with("False")).then_some(Array { kind, is_fortran, shape, data })
    }

    /// Bytes of an element, and its value; `None` for what is no float.
    fn element(&self) -> Option<(usize, fn(&[u8]) -> f32)> {
        fn of<const N: usize>(bytes: &[u8]) -> [u8; N] {
            bytes.first_chunk().copied().unwrap_or([0; N])
        }
        match self.kind.as_str() {
            "<f4" => Some((4, |bytes| f32::from_le_bytes(of(bytes)))),
            ">f4" => Some((4, |bytes| f32::from_be_bytes(of(bytes)))),
            "<f8" => Some((8, |bytes| f64::from_le_bytes(of(bytes)) as f32)),
            ">f8" => Some((8, |bytes| f64::from_be_bytes(of(bytes)) as f32)),
            _ => None,
        }
    }
}

/// Reads rows of `width` floats, f32 or f64 in C order; axes behind the first count together, so that images may be
/// `[rows, 28, 28]`. `of` says what a row should be, as "a code of this run".
///
/// # Errors
/// When the file cannot be read, is no such array, has no row or a value that is not finite; the message names the
/// file and says what was expected.
pub fn read_rows(path: &Path, width: usize, of: &str) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path).map_err(Error::io(path, "read"))?;
    rows(&bytes, width, of).map_err(|problem| Error::input(path, problem))
}

fn rows(bytes: &[u8], width: usize, of: &str) -> Result<Vec<f32>, String> {
    let array = Array::of(bytes).ok_or("is no .npy file of NumPy")?;
    let Array { kind, shape, data, .. } = &array;
    let expected = || format!("is an array {shape:?} of {kind}, expected [rows, {width}] of floats, each row {of}");
    if array.is_fortran {
        return Err(format!("{}, in C order; numpy.ascontiguousarray gives one", expected()));
    }
    let product = |dims: &[u64]| dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
    let [_, inner @ ..] = &shape[..] else { return Err(expected()) };
    let elements = product(shape).ok_or_else(expected)?;
    if inner.is_empty() || product(inner) != Some(width as u64) || elements == 0 {
        return Err(expected());
    }
    let (size, value) = array.element().ok_or_else(expected)?;
    // What a header promises is allocated only if the file can hold it.
    let length = elements.checked_mul(size as u64).filter(|&length| length <= data.len() as u64);
    let length = length.ok_or_else(|| format!("is cut off: it should hold {elements} values"))?;
    let values: Vec<f32> = data[..length as usize].chunks_exact(size).map(value).collect();
    match values.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(format!("row {} has a value that is not finite", place / width)),
        None => Ok(values),
    }
}

/// Writes `values`, rows of `width` floats, as an f32 array `[rows, width]`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_rows(path: &Path, width: usize, values: &[f32]) -> Result<()> {
    let rows = values.len() / width.max(1);
    write(path, "<f4", &format!("({rows}, {width})"), values.iter().flat_map(|value| value.to_le_bytes()))
}

/// Writes the classes of rows as an array of bytes `[rows]`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_labels(path: &Path, labels: &[u8]) -> Result<()> {
    write(path, "|u1", &format!("({},)", labels.len()), labels.iter().copied())
}

/// Writes a file of version 1.0.
fn write(path: &Path, kind: &str, shape: &str, data: impl Iterator<Item = u8>) -> Result<()> {
    let dictionary = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let before = MAGIC.len() + 4;
    // With the line's end, as NumPy writes it.
    let length = (before + dictionary.len() + 1).next_multiple_of(ALIGNMENT) - before;
    let mut bytes = [MAGIC, &[1, 0], &(length as u16).to_le_bytes(), dictionary.as_bytes()].concat();
    bytes.resize(before + length - 1, b' ');
    bytes.push(b'\n');
    bytes.extend(data);
    whole_file::write(path, &bytes, ACTION)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A version 1.0 file as NumPy writes it, byte by byte.
    fn by_hand(kind: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn what_is_written_reads_back_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("codes.npy");
        let values = [0.1, -2.5, f32::MIN_POSITIVE, 3e38, 0.0, 7.0];
        write_rows(&path, 3, &values).unwrap();
        assert_eq!(read_rows(&path, 3, "a code").unwrap(), values);
        let written = std::fs::read(&path).unwrap();
        assert_eq!(&written[written.len() - 24..], floats(&values));
        let header = String::from_utf8_lossy(&written[10..written.len() - 24]).to_string();
        assert!(header.contains("'<f4'") && header.contains("(2, 3") && header.contains("False"), "{header}");
        write_labels(&path, &[3, 1, 4]).unwrap();
        let written = std::fs::read(&path).unwrap();
        assert!(written.ends_with(&[3, 1, 4]) && String::from_utf8_lossy(&written).contains("'|u1'"));
    }

    #[test]
    fn files_of_numpy_are_read() {
        let single = by_hand("<f4", "False", "(2, 2)", &floats(&[1.0, 2.0, 3.0, 4.0]));
        assert_eq!(rows(&single, 2, "a code").unwrap(), [1.0, 2.0, 3.0, 4.0]);
        let double: Vec<u8> = [0.25f64, -1.5].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(rows(&by_hand("<f8", "False", "(1, 2)", &double), 2, "a code").unwrap(), [0.25, -1.5]);
        let big: Vec<u8> = [0.25f32, -1.5].iter().flat_map(|value| value.to_be_bytes()).collect();
        assert_eq!(rows(&by_hand(">f4", "False", "(2, 1)", &big), 1, "a code").unwrap(), [0.25, -1.5]);
        let images = by_hand("<f4", "False", "(1, 2, 2)", &floats(&[0.0, 0.5, 1.0, 0.25]));
        assert_eq!(rows(&images, 4, "an image").unwrap(), [0.0, 0.5, 1.0, 0.25]);
    }

    #[test]
    fn what_is_no_such_array_is_refused_with_what_was_expected() {
        let four = floats(&[1.0, 2.0, 3.0, 4.0]);
        let cases = [
            (by_hand("<f4", "False", "(2, 2)", &four), 3, "[2, 2]"),
            (by_hand("<f4", "False", "(4,)", &four), 4, "[4]"),
            (by_hand("<f4", "False", "()", &four), 1, "[]"),
            (by_hand("<f4", "False", "(0, 2)", &[]), 2, "[0, 2]"),
            (by_hand("<f4", "True", "(2, 2)", &four), 2, "C order"),
            (by_hand("<i4", "False", "(2, 2)", &four), 2, "<i4"),
            (by_hand("|u1", "False", "(4, 4)", &four), 4, "|u1"),
            (by_hand("<f4", "False", "(3, 2)", &four), 2, "cut off"),
            (by_hand("<f8", "False", "(2, 2)", &four), 2, "cut off"),
            (by_hand("<f4", "False", "(4000000000, 2)", &four), 2, "cut off"),
            (by_hand("<f4", "False", "(2, 2)", &floats(&[1.0, 2.0, f32::NAN, 4.0])), 2, "row 1"),
            (by_hand("<c8", "False", "(2, 1)", &four), 1, "<c8"),
            (b"PNG".to_vec(), 2, ".npy"),
            (b"\x93NUMPY\x01\x00\xff\xff{'descr': '<f4'".to_vec(), 2, ".npy"),
            (by_hand("<f4", "Maybe", "(2, 2)", &four), 2, ".npy"),
            (by_hand("<f4", "False", "(2, -2)", &four), 2, ".npy"),
        ];
        for (bytes, width, named) in cases {
            let message = rows(&bytes, width, "a code").unwrap_err();
            assert!(message.contains(named), "{message} does not name {named}");
        }
    }
}
