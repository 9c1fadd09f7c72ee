//! Arrays whose file is in memory already, as a browser has what is dropped onto a page.

use std::io::Read;
use std::path::Path;

use super::header::Header;
use super::label::{self, Labels};
use super::origin::Origin;
use super::values;
use crate::data::format::idx;
use crate::data::found::Silent;
use crate::data::{Encoding, Split};
use crate::error::Result;

/// Most bytes of elements: what is in memory is no larger than that, unless it is packed.
const MOST: u64 = 4 << 30;

/// A file: its bytes, packed by gzip or not, and what errors call it.
#[derive(Clone, Copy, Debug)]
pub struct InMemory<'a> {
    /// What errors call it.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// The rows of a .npy or IDX file, with the classes of another one if there is one.
///
/// # Errors
/// When either is no such file, cut off, what it holds are no rows or no classes, or they do not belong together.
pub fn rows(file: InMemory<'_>, labels: Option<InMemory<'_>>) -> Result<(Encoding, Split)> {
    let (origin, header, mut input) = opened(file)?;
    let (image, values) = values(&header, false, &mut input, &origin, &mut Silent)?;
    let (mut classes, mut of_each) = (Vec::new(), Vec::new());
    if let Some(labels) = labels {
        let (origin, of_labels, mut input) = opened(labels)?;
        let read = Labels::read(&of_labels, &mut input, &origin, (header.rows(), file.name), true)?;
        let (names, mut all) = label::classes(&[read], &origin)?;
        (classes, of_each) = (names, all.pop().unwrap_or_default());
    }
    Ok((Encoding::images(image, classes), Split::new(image.values(), values, of_each, Vec::new())))
}

/// A file's header, and what follows it.
fn opened(file: InMemory<'_>) -> Result<(Origin, Header, Box<dyn Read + '_>)> {
    let origin = Origin::file(Path::new(file.name));
    let (header, input) = label::opened(|| idx::decompressed(file.bytes), &origin, (MOST, ""))?;
    Ok((origin, header, input))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of<'a>(name: &'a str, bytes: &'a [u8]) -> InMemory<'a> {
        InMemory { name, bytes }
    }

    /// An IDX file of bytes with these axes.
    fn idx_file(dims: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, dims.len() as u8];
        dims.iter().for_each(|dim| file.extend(dim.to_be_bytes()));
        file.extend(bytes);
        file
    }

    #[test]
    fn files_in_memory_are_read_as_files_on_a_disk_are() {
        let images: Vec<u8> = (0..24).collect();
        let (file, labels) = (idx_file(&[4, 2, 3], &images), idx_file(&[4], &[0, 2, 1, 2]));
        let (encoding, found) = rows(of("x-idx3-ubyte", &file), Some(of("y", &labels))).unwrap();
        assert_eq!((encoding.image.height, encoding.image.width, encoding.classes.len()), (2, 3, 3));
        assert_eq!((found.rows, found.raw(1), &found.labels[..]), (4, &images[6..12], &[0, 2, 1, 2][..]));
        let few = rows(of("x", &file), Some(of("y", &idx_file(&[3], &[0, 2, 1])))).unwrap_err().to_string();
        assert!(few.starts_with("y: ") && few.contains("expected 4 labels, one for each row of x"), "{few}");
        assert!(rows(of("x", &file[..20]), None).unwrap_err().to_string().starts_with("x: "));

        let npy_file = |text: &str, elements: &[u8]| {
            let mut file = b"\x93NUMPY\x01\x00".to_vec();
            file.extend((text.len() as u16).to_le_bytes());
            file.extend(text.as_bytes());
            file.extend(elements);
            file
        };
        let values: Vec<u8> = [0.0f32, 0.5, 1.0, -2.0, 3.0, 4.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let file = npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", &values);
        let labels = npy_file("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }\n", &[9, 0, 4, 0]);
        let (encoding, found) = rows(of("x.npy", &file), Some(of("y.npy", &labels))).unwrap();
        assert_eq!((encoding.image.width, found.values(1..2)), (3, vec![-2.0, 3.0, 4.0]));
        assert_eq!((&encoding.classes[..], &found.labels[..]), (&["4".to_string(), "9".into()][..], &[1, 0][..]));
        let cut = rows(of("x.npy", &file[..file.len() - 1]), None).unwrap_err().to_string();
        assert!(cut.starts_with("x.npy: "), "{cut}");
        assert!(rows(of("x.npy", b"no array"), None).unwrap_err().to_string().contains("NumPy"));
    }
}
