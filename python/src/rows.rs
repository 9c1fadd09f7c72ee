//! Rows of NumPy's as the library has them, without a copy where they lie as it wants them.

use std::sync::Arc;

use gpu_ae::data::{Dataset, Encoding, Foreign, ImageShape, Split, ValueKind, Values, memory};
use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::raised;

/// The memory of an array, which is kept as long as this is there.
struct Array {
    start: *const u8,
    bytes: usize,
    _owner: Py<PyAny>,
}

// SAFETY: only read, and the array that owns it is kept. That nobody writes into it meanwhile is asked of who calls, as of every
// function of NumPy's that releases the lock.
unsafe impl Send for Array {}
// SAFETY: as above.
unsafe impl Sync for Array {}

impl Foreign for Array {
    fn bytes(&self) -> &[u8] {
        // SAFETY: `start` and `bytes` are those of a contiguous array that `_owner` keeps.
        unsafe { std::slice::from_raw_parts(self.start, self.bytes) }
    }
}

/// What a row of an array of this shape is: an image of bytes or floats, or plain values.
fn image(shape: &[usize]) -> PyResult<ImageShape> {
    match *shape {
        [_, width] => Ok(ImageShape::row(width)),
        [_, height, width] => Ok(ImageShape { height, width, channels: 1 }),
        [_, height, width, channels] => Ok(ImageShape { height, width, channels }),
        _ => Err(PyTypeError::new_err(format!("rows of shape {shape:?}, expected [rows, values] or images"))),
    }
}

fn array<T: numpy::Element>(of: &Bound<'_, PyArrayDyn<T>>, kind: ValueKind) -> PyResult<(ImageShape, Values)> {
    if !of.is_c_contiguous() {
        return Err(PyTypeError::new_err(
            "rows have to lie one behind the other: numpy.ascontiguousarray brings them so",
        ));
    }
    let (start, bytes) = (of.data().cast_const().cast(), of.len() * kind.bytes());
    let array = Array { start, bytes, _owner: of.clone().into_any().unbind() };
    Ok((image(of.shape())?, Values::foreign(kind, Arc::new(array))))
}

/// The shape and values of rows, bytes or floats of four bytes, in C order.
pub fn values(rows: &Bound<'_, PyAny>) -> PyResult<(ImageShape, Values)> {
    if let Ok(bytes) = rows.cast::<PyArrayDyn<u8>>() {
        return array(bytes, ValueKind::Byte);
    }
    let floats = rows.cast::<PyArrayDyn<f32>>();
    array(floats.map_err(|_| PyTypeError::new_err("rows have to be uint8 or float32"))?, ValueKind::Float)
}

/// The data set of rows; a share of them is set aside to test with, or if that is 0 all rows are
/// tested with too.
pub fn dataset(rows: &Bound<'_, PyAny>, seed: u64, test: f32) -> PyResult<Dataset> {
    let (image, values) = values(rows)?;
    let all = Split::new(image.values(), values, Vec::new(), Vec::new());
    memory::dataset("array", Encoding::images(image, Vec::new()), &all, seed, test).map_err(raised)
}
