//! The library behind the package `gpu_ae`: rows of NumPy in, a trained network out, which encodes, decodes and judges rows.
//!
//! What people type is Python (`python/gpu_ae`); here is only what needs the library, with Python's lock released while it
//! works.

mod rows;
mod trained;
mod training;

use gpu_ae::data::ImageShape;
use gpu_ae::report::Band;
use numpy::PyReadonlyArray2;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// An error as the exception that says whose fault it is.
fn raised(error: gpu_ae::Error) -> PyErr {
    let text = error.to_string();
    match error {
        gpu_ae::Error::Usage(_) | gpu_ae::Error::Input { .. } => PyValueError::new_err(text),
        gpu_ae::Error::Io { .. } => PyOSError::new_err(text),
        _ => PyRuntimeError::new_err(text),
    }
}

/// The devices that training can have, best first, as the names that `device=` takes a part of.
#[pyfunction]
fn devices(py: Python<'_>) -> Vec<String> {
    let found = py.detach(|| gpu_ae::device::wait(gpu_ae::device::adapters()));
    found.into_iter().map(|adapter| adapter.name).chain(["cpu".into()]).collect()
}

/// A picture of images, a list of captions with as many rows of pixels from 0 to 1 each: the bytes of a PNG file.
#[pyfunction]
fn image_grid<'py>(
    py: Python<'py>,
    title: &str,
    bands: Vec<(String, PyReadonlyArray2<'py, f32>)>,
    image: (usize, usize, usize),
    columns: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut rows = Vec::new();
    for (_, pixels) in &bands {
        rows.push(pixels.as_slice().map_err(|error| PyValueError::new_err(error.to_string()))?);
    }
    let captions = bands.iter().map(|(caption, _)| caption.as_str());
    let bands: Vec<Band<'_>> = captions.zip(rows).map(|(caption, pixels)| Band { caption, pixels }).collect();
    let (height, width, channels) = image;
    let picture = gpu_ae::report::image_grid(title, &bands, ImageShape { height, width, channels }, columns);
    let png = picture.and_then(|picture| gpu_ae::report::png_bytes(&picture)).map_err(raised)?;
    Ok(PyBytes::new(py, &png))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("MODELS", gpu_ae::config::MODELS.iter().chain(gpu_ae::config::RECIPES).collect::<Vec<_>>())?;
    module.add_function(wrap_pyfunction!(devices, module)?)?;
    module.add_function(wrap_pyfunction!(image_grid, module)?)?;
    module.add_function(wrap_pyfunction!(trained::from_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(training::train, module)?)?;
    module.add_function(wrap_pyfunction!(trained::load, module)?)?;
    module.add_class::<trained::Trained>()
}
