//! Arrays whose file is in memory already, as a browser has what is dropped onto a page.

use std::io::Read;
use std::path::Path;

use super::header::Header;
use super::origin::Origin;
use super::values;
use crate::data::format::idx;
use crate::data::found::Silent;
use crate::data::{Encoding, Split};
use crate::error::Result;

/// Most bytes of elements: what is in memory is no larger than that, unless it is packed.
const MOST: u64 = 4 << 30;

/// The rows of a .npy file, packed by gzip or not; `name` is what errors call it.
///
/// # Errors
/// When it is no such file, cut off, or its elements are no numbers.
pub fn npy(name: &str, bytes: &[u8]) -> Result<(Encoding, Split)> {
    let origin = Origin::file(Path::new(name));
    let mut input = idx::decompressed(bytes).map_err(|error| origin.unreadable(error))?;
    let header = Header::read_numpy(&mut input).map_err(|problem| origin.error(problem))?;
    rows(&header, &mut input, &origin)
}

/// Rows without classes, whose input stands at its first element.
fn rows(header: &Header, input: &mut dyn Read, origin: &Origin) -> Result<(Encoding, Split)> {
    let (image, values) = values(header, false, input, origin, &mut Silent)?;
    Ok((Encoding::images(image, Vec::new()), Split::new(image.values(), values, Vec::new(), Vec::new())))
}

/// The rows of an IDX file, with the classes of another one if there is one, which are called by their numbers.
///
/// # Errors
/// When either is no such file, cut off, or they do not belong together.
pub fn idx(name: &str, bytes: &[u8], labels: Option<&[u8]>) -> Result<(Encoding, Split)> {
    let origin = Origin::file(Path::new(name));
    let mut input = idx::decompressed(bytes).map_err(|error| origin.unreadable(error))?;
    let header = idx::header(&mut input, &origin, None, (MOST, ""))?;
    let (encoding, mut split) = rows(&header, &mut input, &origin)?;
    let Some(labels) = labels else { return Ok((encoding, split)) };
    let of_labels = Origin::file(Path::new("labels"));
    let labels = idx::bytes(&of_labels, labels)?;
    if labels.len() != split.rows {
        let problem = format!("expected {} labels, one for each row of {name}, found {}", split.rows, labels.len());
        return Err(of_labels.error(problem));
    }
    let classes = labels.iter().max().map_or(0, |&most| usize::from(most) + 1);
    split.labels = labels.into_iter().map(u16::from).collect();
    Ok((Encoding::numbered(encoding.image, classes), split))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
        let file = idx_file(&[4, 2, 3], &images);
        let (encoding, rows) = idx("x-idx3-ubyte", &file, Some(&idx_file(&[4], &[0, 2, 1, 2]))).unwrap();
        assert_eq!((encoding.image.height, encoding.image.width, encoding.classes.len()), (2, 3, 3));
        assert_eq!((rows.rows, rows.raw(1), &rows.labels[..]), (4, &images[6..12], &[0, 2, 1, 2][..]));
        let few = idx("x", &file, Some(&idx_file(&[3], &[0, 2, 1]))).unwrap_err().to_string();
        assert!(few.contains("expected 4 labels"), "{few}");
        assert!(idx("x", &file[..20], None).unwrap_err().to_string().starts_with("x: "));

        let mut npy_file = b"\x93NUMPY\x01\x00".to_vec();
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
        npy_file.extend((text.len() as u16).to_le_bytes());
        npy_file.extend(text.as_bytes());
        [0.0f32, 0.5, 1.0, -2.0, 3.0, 4.0].iter().for_each(|value| npy_file.extend(value.to_le_bytes()));
        let (encoding, rows) = npy("x.npy", &npy_file).unwrap();
        assert_eq!((encoding.image.width, rows.values(1..2)), (3, vec![-2.0, 3.0, 4.0]));
        let cut = npy("x.npy", &npy_file[..npy_file.len() - 1]).unwrap_err().to_string();
        assert!(cut.starts_with("x.npy: "), "{cut}");
        assert!(npy("x.npy", b"no array").unwrap_err().to_string().contains("NumPy"));
    }
}
