//! A trained network: rows become codes, codes become rows, rows are judged one by one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::Mutex;

use gpu_ae::data::{ImageShape, Split};
use gpu_ae::device::{open, wait};
use gpu_ae::model::part::Part;
use gpu_ae::study::lone_part::LonePart;
use gpu_ae::train::{Checkpoint, RunDir, Tuning};
use numpy::ndarray::Array2;
use numpy::{PyArray2, ToPyArray};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{raised, rows};

/// A trained network of a run.
#[pyclass(module = "gpu_ae._native", frozen)]
pub struct Trained {
    checkpoint: Checkpoint,
    device: String,
    path: PathBuf,
    /// Its parts on a device, once they were asked for.
    parts: Mutex<BTreeMap<Part, LonePart>>,
}

/// The network of a run directory: of its best epoch, if it stopped early.
#[pyfunction]
#[pyo3(signature = (path, device=None))]
pub fn load(py: Python<'_>, path: PathBuf, device: Option<String>) -> PyResult<Trained> {
    let checkpoint = py.detach(|| -> gpu_ae::Result<Checkpoint> {
        let run = RunDir::open_network(&path)?;
        let mut checkpoint = Checkpoint::load(&run.checkpoint())?;
        if run.best_checkpoint().exists() {
            checkpoint = checkpoint.with_state_of(Checkpoint::load(&run.best_checkpoint())?, &run.best_checkpoint())?;
        }
        checkpoint.judged()
    });
    let checkpoint = checkpoint.map_err(raised)?;
    let device = device.unwrap_or_else(|| checkpoint.config.device.clone());
    Ok(Trained { checkpoint, device, path, parts: Mutex::new(BTreeMap::new()) })
}

/// What unpickles, and what it is given: [`from_bytes`] and its arguments.
type Reduced<'py> = (Bound<'py, PyAny>, (Bound<'py, PyBytes>, String, PathBuf));

/// A network of a checkpoint's bytes, which were a run's in this directory.
#[pyfunction]
pub fn from_bytes(bytes: &[u8], device: String, path: PathBuf) -> PyResult<Trained> {
    let checkpoint = Checkpoint::from_bytes(bytes).map_err(PyValueError::new_err)?;
    Ok(Trained { checkpoint, device, path, parts: Mutex::new(BTreeMap::new()) })
}

impl Trained {
    /// What a part makes of rows, as numbers one behind the other.
    fn through(&self, which: Part, rows: &Split) -> gpu_ae::Result<Vec<f32>> {
        let gone = |_| gpu_ae::Error::Failed("an earlier call has failed within the library".into());
        let mut parts = self.parts.lock().map_err(gone)?;
        let part = match parts.entry(which) {
            Entry::Occupied(part) => part.into_mut(),
            Entry::Vacant(place) => {
                let (device, _) = wait(open(&self.device.parse()?))?;
                let choices = Tuning::or_static(self.checkpoint.tuning.as_ref(), device.as_ref());
                place.insert(LonePart::open(device, &self.checkpoint, &choices, which)?)
            }
        };
        part.run_split(rows)
    }

    fn made<'py>(&self, py: Python<'py>, which: Part, of: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (image, values) = rows::values(of)?;
        let count = values.len() / image.values().max(1);
        let features = self.checkpoint.features().map_err(raised)?;
        let wanted = if which == Part::Decode { self.checkpoint.config.code_width() } else { features };
        if image.values() != wanted {
            let problem = format!("rows of {} values, expected {wanted}", image.values());
            return Err(PyValueError::new_err(problem));
        }
        let split = Split::new(image.values(), values, Vec::new(), Vec::new());
        let made = py.detach(|| {
            // Rows reach the network as those did that it learnt from.
            let scale = self.checkpoint.encoding.as_ref().filter(|it| which != Part::Decode && !it.scale.is_empty());
            let split = match scale {
                Some(encoding) => encoding.mapped(&split),
                None => split,
            };
            let mut made = self.through(which, &split)?;
            if let Some(encoding) = self.checkpoint.encoding.as_ref().filter(|_| which == Part::Decode) {
                made = encoding.as_stored(&made);
            }
            Ok(made)
        });
        let made = made.map_err(raised)?;
        let width = made.len() / count.max(1);
        let made = Array2::from_shape_vec((count, width), made);
        Ok(made.map_err(|error| PyRuntimeError::new_err(error.to_string()))?.to_pyarray(py))
    }
}

#[pymethods]
impl Trained {
    /// Codes of rows, [rows, width of the code].
    fn encode<'py>(&self, py: Python<'py>, rows: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        self.made(py, Part::Encode, rows)
    }

    /// Rows of codes, as they were stored where training has mapped them.
    fn decode<'py>(&self, py: Python<'py>, codes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        self.made(py, Part::Decode, codes)
    }

    /// The network's answers: of a classifier or of clusters logits.
    fn answers<'py>(&self, py: Python<'py>, rows: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        self.made(py, Part::Answer, rows)
    }

    /// Mean squared error of each row's reconstruction, [rows, 1], of values as the network sees them.
    fn errors<'py>(&self, py: Python<'py>, rows: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        self.made(py, Part::Judge, rows)
    }

    /// How it is pickled: as its checkpoint.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        let bytes = self.checkpoint.to_bytes().map_err(raised)?;
        let made_by = py.import("gpu_ae._native")?.getattr("from_bytes")?;
        Ok((made_by, (PyBytes::new(py, &bytes), self.device.clone(), self.path.clone())))
    }

    /// The run directory.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// The configuration, as TOML.
    #[getter]
    fn config(&self) -> PyResult<String> {
        self.checkpoint.config.to_toml().map_err(raised)
    }

    /// Values of a row.
    #[getter]
    fn features(&self) -> PyResult<usize> {
        self.checkpoint.features().map_err(raised)
    }

    /// Values of a code.
    #[getter]
    fn code_width(&self) -> usize {
        self.checkpoint.config.encoded_width()
    }

    /// Height, width and channels of a row, if it is an image.
    #[getter]
    fn image(&self) -> PyResult<Option<(usize, usize, usize)>> {
        let ImageShape { height, width, channels } = self.checkpoint.image().map_err(raised)?;
        Ok((height > 1).then_some((height, width, channels)))
    }

    /// Names of the classes that it was trained with.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.checkpoint.encoding.as_ref().map(|encoding| encoding.classes.clone()).unwrap_or_default()
    }

    /// Epochs that it was trained for.
    #[getter]
    fn epoch(&self) -> u32 {
        self.checkpoint.epoch()
    }
}
