//! Rows of numbers as NumPy's `.npy` files: how codes and images come in and go out.

use std::path::Path;

use npyz::{DType, NpyFile, Order, WriterBuilder};

use crate::error::{Error, Result, shortened};
use crate::whole_file;

/// What an error says was attempted.
const ACTION: &str = "write the array";
/// Most characters that a message quotes of a file's header.
const QUOTED: usize = 80;

/// Reads rows of `width` floats, f32 or f64 in C order; axes behind the first count together, so that images may be
/// `[rows, 28, 28]`. `of` says what a row should be, as "a code of this run".
///
/// # Errors
/// When the file cannot be read, is no such array, has no row or a value that is not finite; the message names the
/// file and says what was expected.
pub fn read_rows(path: &Path, width: usize, of: &str) -> Result<Vec<f32>> {
    let bytes = whole_file::read(path).map_err(Error::io(path, "read"))?;
    rows(&bytes, width, of).map_err(|problem| Error::input(path, problem))
}

fn rows(bytes: &[u8], width: usize, of: &str) -> Result<Vec<f32>, String> {
    let damaged =
        |error: std::io::Error| format!("is no .npy file of NumPy ({})", shortened(&error.to_string(), QUOTED));
    if !is_countable(bytes) {
        return Err("is no .npy file of NumPy (its header has more values than can be counted)".into());
    }
    let file = NpyFile::new(bytes).map_err(damaged)?;
    let (shape, kind) = (file.shape().to_vec(), element(&file.dtype()));
    let found = || {
        let shape = format!("{shape:?}");
        format!("is an array {} of {}", shortened(&shape, QUOTED), shortened(&kind, QUOTED))
    };
    let expected = || format!("{}, expected [rows, {width}] of float32 or float64, each row {of}", found());
    if file.order() != Order::C {
        return Err(format!("{}, in C order; numpy.ascontiguousarray gives one", expected()));
    }
    let product = |dims: &[u64]| dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
    let [_, inner @ ..] = &shape[..] else { return Err(expected()) };
    let elements = product(&shape).ok_or_else(expected)?;
    if inner.is_empty() || product(inner) != Some(width as u64) || elements == 0 {
        return Err(expected());
    }
    let size = match kind.as_str() {
        "float32" => 4,
        "float64" => 8,
        other => return Err(format!("{}; {}", expected(), converted(other))),
    };
    // What a header promises is allocated only if the file can hold it.
    if elements.saturating_mul(size) > bytes.len() as u64 {
        return Err(format!("is cut off: it should hold {elements} values of {size} bytes each"));
    }
    let cut = |error: std::io::Error| format!("is cut off or damaged ({error})");
    let values = match file.try_data::<f32>() {
        Ok(data) => data.collect::<std::io::Result<Vec<f32>>>().map_err(cut)?,
        Err(file) => {
            let data = file.data::<f64>().map_err(|_| expected())?;
            data.map(|value| Ok(value? as f32)).collect::<std::io::Result<Vec<f32>>>().map_err(cut)?
        }
    };
    match values.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(format!("row {} has a value that is not finite", place / width)),
        None => Ok(values),
    }
}

/// Whether the number of values that a header promises can be counted, which the reader takes for granted.
fn is_countable(bytes: &[u8]) -> bool {
    let header = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]);
    let shape = header.split_once("'shape'").and_then(|(_, rest)| rest.split_once('(')?.1.split_once(')'));
    let Some((shape, _)) = shape else { return true };
    let mut sizes = shape.split(',').filter_map(|size| size.trim().parse::<u64>().ok());
    sizes.try_fold(8u64, |product, size| product.checked_mul(size.max(1))).is_some()
}

/// The element type of an array by NumPy's name, such as `float32`; of what has none, as the file spells it.
fn element(dtype: &DType) -> String {
    let spelt = match dtype {
        DType::Plain(plain) => plain.to_string(),
        other => other.descr(),
    };
    let short = spelt.trim_start_matches(['<', '>', '|', '=']);
    let bits = short.get(1..).and_then(|bytes| bytes.parse::<u32>().ok()).map(|bytes| 8 * bytes);
    match (short.chars().next(), bits) {
        (Some('b'), Some(8)) => "bool".into(),
        (Some('i'), Some(bits)) => format!("int{bits}"),
        (Some('u'), Some(bits)) => format!("uint{bits}"),
        (Some('f'), Some(bits)) => format!("float{bits}"),
        (Some('c'), Some(bits)) => format!("complex{bits}"),
        _ => spelt,
    }
}

/// How NumPy makes floats of elements of this type: bytes are those of an image, 255 of them white.
fn converted(kind: &str) -> &'static str {
    match kind {
        "uint8" => "in NumPy, array.astype('float32') gives floats, of an image's bytes array.astype('float32') / 255",
        kind if ["bool", "int", "uint", "float"].iter().any(|number| kind.starts_with(number)) => {
            "in NumPy, array.astype('float32') gives floats"
        }
        _ => "such elements are no real numbers",
    }
}

/// Writes `values`, rows of `width` floats, as an f32 array `[rows, width]`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_rows(path: &Path, width: usize, values: &[f32]) -> Result<()> {
    let rows = values.len() / width.max(1);
    write(path, &[rows as u64, width as u64], values)
}

/// Writes the classes of rows as an array `[rows]` of bytes, or where there are more than 256 classes of u16.
///
/// # Errors
/// When the file cannot be written.
pub fn write_labels(path: &Path, labels: &[u16]) -> Result<()> {
    let bytes: Result<Vec<u8>, _> = labels.iter().map(|&label| u8::try_from(label)).collect();
    match bytes {
        Ok(bytes) => write(path, &[labels.len() as u64], &bytes),
        Err(_) => write(path, &[labels.len() as u64], labels),
    }
}

fn write<T: npyz::AutoSerialize + Copy>(path: &Path, shape: &[u64], values: &[T]) -> Result<()> {
    let mut bytes = Vec::new();
    let begun = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd();
    begun
        .and_then(|mut writer| {
            writer.extend(values.iter().copied())?;
            writer.finish()
        })
        .map_err(Error::io(path, ACTION))?;
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
        let images = by_hand("<f4", "False", "(1, 2, 2)", &floats(&[0.0, 0.5, 1.0, 0.25]));
        assert_eq!(rows(&images, 4, "an image").unwrap(), [0.0, 0.5, 1.0, 0.25]);
    }

    #[test]
    fn a_header_that_promises_more_than_can_be_counted_is_refused() {
        for shape in ["(18446744073709551615, 20)", "(4294967296, 4294967296)", "(9223372036854775807, 20)"] {
            let problem = rows(&by_hand("<f4", "False", shape, &floats(&[1.0])), 20, "a code").unwrap_err();
            assert!(problem.contains("more values than can be counted"), "{shape}: {problem}");
        }
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
            (by_hand("<i4", "False", "(2, 2)", &four), 2, "array [2, 2] of int32"),
            (by_hand("<i4", "False", "(2, 2)", &four), 2, "astype('float32')"),
            // Shorter elements than a float's: what they hold is all there.
            (by_hand("|u1", "False", "(4, 4)", &[0; 16]), 4, "array [4, 4] of uint8"),
            (by_hand("|u1", "False", "(4, 4)", &[0; 16]), 4, "astype('float32') / 255"),
            (by_hand("|b1", "False", "(40, 40)", &[0; 1600]), 40, "array [40, 40] of bool"),
            (by_hand("<f2", "False", "(40, 40)", &[0; 3200]), 40, "array [40, 40] of float16"),
            (by_hand("<f2", "False", "(40, 40)", &[0; 3200]), 40, "astype('float32')"),
            (by_hand("<c8", "False", "(2, 1)", &four), 1, "complex64"),
            (by_hand("<U4", "False", "(1, 1)", &four), 1, "no real numbers"),
            (by_hand("<f4", "False", "(3, 2)", &four), 2, "cut off"),
            (by_hand("<f8", "False", "(2, 2)", &four), 2, "cut off"),
            (by_hand("<f8", "False", "(40, 4)", &[0; 700]), 4, "160 values of 8 bytes"),
            (by_hand("<f4", "False", "(4000000000, 2)", &four), 2, "cut off"),
            (by_hand("<f4", "False", "(2, 2)", &floats(&[1.0, 2.0, f32::NAN, 4.0])), 2, "row 1"),
            (b"PNG".to_vec(), 2, ".npy"),
            (by_hand("<f4", "False", &format!("({})", "1, ".repeat(5000)), &four), 2, "1, 1"),
            (by_hand(&"no kind ".repeat(1000), "False", "(2, 2)", &four), 2, ".npy"),
            (by_hand("<f4", &"Perhaps".repeat(1000), "(2, 2)", &four), 2, ".npy"),
        ];
        for (bytes, width, named) in cases {
            let message = rows(&bytes, width, "a code").unwrap_err();
            assert!(message.contains(named), "{message} does not name {named}");
            assert!(message.len() < 300, "{message}");
        }
    }
}
