//! Training: a run in a folder, told to Python as it goes.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use gpu_ae::config::RunConfig;
use gpu_ae::device::{open, wait};
use gpu_ae::train::tuning::{Mode, choose};
use gpu_ae::train::{Event, Interrupt, Run, RunDir};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::trained::Trained;
use crate::{raised, rows};

/// The number of the signal that a keyboard interrupt is.
const INTERRUPT: usize = 2;

/// Tells Python of an event; what it raises, or a key that was pressed, ends the run.
fn told(event: &Event<'_>, tell: &Py<PyAny>) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        match event {
            Event::Progress { epoch, samples, figure, samples_per_second } => {
                tell.call1(py, ("progress", *epoch, *samples, figure.0, figure.1, *samples_per_second)).map(|_| ())
            }
            Event::Epoch(metrics) => {
                let line =
                    serde_json::to_string(metrics).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
                tell.call1(py, ("epoch", line)).map(|_| ())
            }
            Event::Stopped(_) | Event::Profile(_) => Ok(()),
        }
    })
}

/// Trains a model on rows and returns it. `settings` are keys of a configuration with their values as TOML has them; `tell` is
/// called as it goes, `("progress", epoch, samples, name, value, samples_per_second)` and `("epoch", line of metrics.jsonl)`;
/// what it raises ends the run, whose checkpoint is kept in `out`.
#[pyfunction]
pub fn train(
    py: Python<'_>,
    model: &str,
    rows: &Bound<'_, PyAny>,
    settings: &Bound<'_, PyDict>,
    out: PathBuf,
    test: f32,
    tell: Py<PyAny>,
) -> PyResult<Trained> {
    let pairs = settings.iter().map(|(key, value)| Ok((key.extract()?, value.extract()?)));
    let settings = pairs.collect::<PyResult<Vec<(String, String)>>>()?;
    let seed = settings.iter().find(|(key, _)| key == "seed").and_then(|(_, seed)| seed.parse().ok()).unwrap_or(0);
    let data = rows::dataset(rows, seed, test)?;
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let config = RunConfig::of_rows(model, "settings", &settings, &data).map_err(raised)?;
    let mut problem = None;
    let trained = py.detach(|| -> gpu_ae::Result<()> {
        let (mut device, _) = wait(open(&config.device.parse()?))?;
        let tuning = choose(Mode::Auto, false, device.as_mut(), &config, &data, &mut |_| ())?;
        let directory = RunDir::create(&out)?;
        let mut run = Run::start(config.clone(), directory, device, &data, tuning, None, &mut |_, _| ())?;
        let interrupt = Interrupt::default();
        let flag = interrupt.flag();
        run.end_on(interrupt);
        run.train(|event| {
            if problem.is_none()
                && let Err(error) = told(&event, &tell)
            {
                problem = Some(error);
                flag.store(INTERRUPT, Ordering::Relaxed);
            }
        })
    });
    match (problem, trained) {
        (Some(problem), _) => Err(problem),
        (None, Err(error)) => Err(raised(error)),
        (None, Ok(())) => crate::trained::load(py, out, None),
    }
}
