//! Rows of numbers as NumPy's `.npy` files: how codes and images come in and go out.

use std::io::{BufWriter, Write};
use std::path::Path;

use npyz::WriterBuilder;

use super::array::header::Header;
use crate::error::{Error, Result};
use crate::whole_file;

/// What an error says was attempted.
const ACTION: &str = "write the array";

/// Bytes that are written at a time.
const BUFFER: usize = 1 << 16;

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
    let mut rest = bytes;
    let header = Header::read_numpy(&mut rest)?;
    let expected = || {
        let found = header.spelt();
        format!("is an array {found}, expected [rows, {width}] of float32 or float64, each row {of}")
    };
    if header.is_fortran {
        return Err(format!("{}, in C order; numpy.ascontiguousarray gives one", expected()));
    }
    let [_, inner @ ..] = &header.shape[..] else { return Err(expected()) };
    if inner.is_empty() || inner.iter().product::<usize>() != width || header.count() == 0 {
        return Err(expected());
    }
    if !matches!(header.element.name.as_str(), "float32" | "float64") {
        return Err(format!("{}; {}", expected(), converted(&header.element.name)));
    }
    // What a header promises is allocated only if the file can hold it.
    let Some(values) = rest.get(..header.count() * header.element.size) else {
        let (elements, size) = (header.count(), header.element.size);
        return Err(format!("is cut off: it should hold {elements} values of {size} bytes each"));
    };
    let mut floats = Vec::with_capacity(header.count());
    header.element.floats(values, &mut floats);
    match floats.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(format!("row {} has a value that is not finite", place / width)),
        None => Ok(floats),
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
    let mut values = Some(values);
    write_blocks(path, shape, || Ok(values.take()))
}

/// Writes an array of this shape, f32 or i32, whose values `next` gives block by block until there are no more, so that they need
/// not be held at once.
///
/// # Errors
/// When the file cannot be written, `next` fails, or the values are not as many as the shape has; there is no file then.
pub fn write_blocks<T: npyz::AutoSerialize + Copy, B: AsRef<[T]>>(
    path: &Path,
    shape: &[u64],
    mut next: impl FnMut() -> Result<Option<B>>,
) -> Result<()> {
    whole_file::write_by(path, ACTION, |file| {
        let failed = || Error::io(path, ACTION);
        let mut file = BufWriter::with_capacity(BUFFER, file);
        let begun = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut file).begin_nd();
        let mut writer = begun.map_err(failed())?;
        while let Some(values) = next()? {
            writer.extend(values.as_ref().iter().copied()).map_err(failed())?;
        }
        writer.finish().and_then(|()| file.flush()).map_err(failed())
    })
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
    fn blocks_are_written_one_behind_the_other_or_there_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("symbols.npy");
        let write = |shape: &[u64], blocks: &[Vec<i32>]| {
            let mut blocks = blocks.iter();
            write_blocks(&path, shape, || Ok(blocks.next()))
        };
        write(&[3, 2], &[vec![1, -2], vec![3, i32::MIN, 5, 6]]).unwrap();
        let written = std::fs::read(&path).unwrap();
        let values: Vec<u8> = [1, -2, 3, i32::MIN, 5, 6].iter().flat_map(|value: &i32| value.to_le_bytes()).collect();
        assert!(written.ends_with(&values) && String::from_utf8_lossy(&written).contains("'<i4'"));
        std::fs::remove_file(&path).unwrap();
        assert!(write(&[3, 2], &[vec![1]]).is_err(), "fewer values than the shape has");
        assert!(write_blocks(&path, &[1], || Err::<Option<Vec<i32>>, _>(Error::Failed("no more".into()))).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
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
