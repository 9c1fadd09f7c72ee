//! One .npy file: read, or mapped where it is large and lies as memory has it.

use std::path::Path;

use super::files::check_size;
use super::header::Header;
use super::label;
use super::layout::Layout;
use super::origin::Origin;
use super::{Rows, elements, found, values};
use crate::data::format::idx;
use crate::data::found::{Found, Listener, Part, Side};
use crate::data::mapped::Mapped;
use crate::data::options::DataOptions;
use crate::data::values::{ValueKind, Values};
use crate::error::{Error, Result};

/// Values of more bytes than this are not read into memory where the file can stand for it.
const MAPPED_FROM: u64 = 1 << 30;

/// Reads the rows of a .npy file, and their labels from the file that `--label` names.
pub(super) fn read(path: &Path, options: &DataOptions, listener: &mut dyn Listener) -> Result<Found> {
    read_with(path, options, listener, MAPPED_FROM)
}

fn read_with(path: &Path, options: &DataOptions, listener: &mut dyn Listener, mapped_from: u64) -> Result<Found> {
    let origin = Origin::file(path);
    let mut input = idx::content(path).map_err(|error| origin.unreadable(error))?;
    let header = Header::read_numpy(&mut input).map_err(|problem| origin.error(problem))?;
    elements::is_numeric(&header, &origin)?;
    let length = std::fs::metadata(path).map_err(Error::io(path, "read"))?.len();
    let is_whole = header.bytes().checked_add(header.start as u64) == Some(length);
    let (image, values) = if is_whole && header.element.is_native() && header.bytes() > mapped_from {
        let layout = Layout::of(&header, false, &origin, listener)?;
        if layout.is_in_order() {
            (layout.image, mapped(&header, &origin)?)
        } else {
            values(&header, false, &mut input, &origin, listener)?
        }
    } else {
        // What a file of this length cannot hold is packed.
        if header.bytes() > length {
            check_size(header.bytes(), options, &origin)?;
        }
        values(&header, false, &mut input, &origin, listener)?
    };
    let rows = (header.rows(), origin.name());
    let labels = match &options.label {
        Some(label) => Some(label::read_file(&label::file_beside(path, label), (rows.0, &rows.1), options)?),
        None => None,
    };
    let part = Part { side: Side::Unsaid, values, ..Part::default() };
    found(vec![Rows { origin: origin.clone(), image, part, labels }], &origin, listener)
}

/// The values of a file that lie as memory has them. They are looked at once, so that one that is not finite is found.
fn mapped(header: &Header, origin: &Origin) -> Result<Values> {
    let part = header.start..header.start + header.count() * header.element.size;
    let mapped = Mapped::open(&origin.path, part)?;
    if header.element.is_byte() {
        return Ok(Values::mapped(ValueKind::Byte, mapped));
    }
    let is_finite = |word: &[u8]| f32::from_le_bytes([word[0], word[1], word[2], word[3]]).is_finite();
    match mapped.bytes().chunks_exact(4).position(|word| !is_finite(word)) {
        Some(place) => Err(elements::not_finite(header, place, origin)),
        None => Ok(Values::mapped(ValueKind::Float, mapped)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::format::npy;
    use crate::data::found::Silent;

    #[test]
    fn a_mapped_file_has_the_rows_of_one_that_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let options = DataOptions::of("x.npy");
        npy::write_rows(&path, 3, &[0.5, -1.0, 2.0, 7.0, 1e-3, 9.0]).unwrap();
        let [read, mapped] = [u64::MAX, 0].map(|from| read_with(&path, &options, &mut Silent, from).unwrap());
        assert_eq!(read, mapped);
        npy::write_labels(&path, &[3, 1, 4]).unwrap();
        assert!(read_with(&path, &options, &mut Silent, 0).is_err(), "rows of no values");
        npy::write_rows(&path, 2, &[0.5, 1.0, 2.0, f32::NAN]).unwrap();
        for from in [u64::MAX, 0] {
            let message = read_with(&path, &options, &mut Silent, from).unwrap_err().to_string();
            assert!(message.contains("row 1") && message.contains("x.npy"), "{message}");
        }
    }
}
