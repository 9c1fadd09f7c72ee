//! gpu-ae in a browser: what a worker of the page asks of the library.
//!
//! Everything heavy is here, behind one object that the worker owns; the page itself knows numbers and pixels. A call is
//! answered before the next one is made, which the worker sees to.

mod given;
mod look;
mod proof;
mod summary;
mod training;
mod values;

use gpu_ae::Error;
use gpu_ae::data::ImageShape;
use gpu_ae::device::{Choice, Device, absence, adapters, open};
use gpu_ae::train::{Checkpoint, EpochMetrics};
use wasm_bindgen::prelude::*;

use training::Training;
use values::{bytes, number, object, text};

/// The library as a worker of the page has it.
#[wasm_bindgen]
#[derive(Default)]
pub struct Worker {
    training: Option<Training>,
}

/// What the command line calls by a flag and the page by a name.
const NAMES: [(&str, &str); 5] = [
    ("--batch-size", "batch size"),
    ("--epochs", "epochs"),
    ("--lambda-entropy", "entropy weight"),
    ("--lr", "step size"),
    ("--seed", "seed"),
];

/// An error as the page shows it.
fn said(error: Error) -> JsValue {
    let text = NAMES.iter().fold(error.to_string(), |text, (flag, name)| text.replace(flag, name));
    JsError::new(&text).into()
}

/// What is said where there is nothing to ask anything of.
fn nothing() -> JsValue {
    JsError::new("nothing is being trained").into()
}

/// The device that `asked` names as `--device` does: `gpu` through WebGPU, or `cpu`.
async fn device(asked: &str) -> Result<Box<dyn Device>, JsValue> {
    let choice: Choice = asked.parse().map_err(said)?;
    open(&choice).await.map(|(device, _)| device).map_err(said)
}

#[wasm_bindgen]
impl Worker {
    /// Nothing trained yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        console_error_panic_hook::set_once();
        Worker::default()
    }

    /// Which version this is, which GPU there is, and which models.
    ///
    /// # Errors
    /// Never.
    pub async fn open(&self) -> Result<JsValue, JsValue> {
        let found = adapters().await;
        let (gpu, absence) = match found.first() {
            Some(gpu) => (summary::adapter(gpu), JsValue::NULL),
            None => (JsValue::NULL, absence().await.into()),
        };
        let version = option_env!("GPU_AE_VERSION").unwrap_or(env!("CARGO_PKG_VERSION"));
        Ok(object(&[("version", version.into()), ("gpu", gpu), ("absence", absence), ("models", summary::models())]))
    }

    /// Draws the built-in digits, so that whoever begins with them need not wait.
    ///
    /// # Errors
    /// Never.
    pub fn draw(&self) -> Result<(), JsValue> {
        given::digits(0).map(|_| ())
    }

    /// What rows are that are given: how many, their shape, how many classes they have.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn examine(&self, asked: JsValue) -> Result<JsValue, JsValue> {
        let (encoding, rows) = given::all_rows(&asked, &text(&asked, "name").unwrap_or_default())?;
        let ImageShape { height, width, channels } = encoding.image;
        let sides = [("height", height), ("width", width), ("channels", channels)];
        let counts = [("rows", rows.rows), ("classes", encoding.classes.len())];
        let numbers = sides.into_iter().chain(counts).map(|(name, number)| (name, JsValue::from(number as f64)));
        Ok(object(&numbers.collect::<Vec<_>>()))
    }

    /// Begins to train; see `summary` for what comes back.
    ///
    /// # Errors
    /// When the data cannot be read, or the model does not fit it or the device.
    pub async fn start(&mut self, asked: JsValue) -> Result<JsValue, JsValue> {
        let seed = number(&asked, "seed").unwrap_or(0.0) as u64;
        let data = given::read(&asked, seed)?;
        let config = training::configured(&asked, &data, seed)?;
        let device = device(&text(&asked, "device").unwrap_or_default()).await?;
        self.begun(Training::start(device, config, data).await.map_err(said)?)
    }

    /// Goes on with the run of a checkpoint.
    ///
    /// # Errors
    /// When the checkpoint is damaged or another program's, or its rows are not those that are given.
    pub async fn resume(&mut self, asked: JsValue) -> Result<JsValue, JsValue> {
        let checkpoint = Checkpoint::from_bytes(&bytes(&asked, "bytes")?).map_err(|problem| JsError::new(&problem))?;
        let metrics: Vec<EpochMetrics> = values::parsed(&asked, "metrics").unwrap_or_default();
        let data = given::of_run(&asked, &checkpoint)?;
        let device = device(&text(&asked, "device").unwrap_or_default()).await?;
        self.begun(Training::resume(device, checkpoint, data, metrics).await.map_err(said)?)
    }

    /// Takes `steps` steps, fewer where the epoch ends before.
    ///
    /// # Errors
    /// When the device fails, or a loss is not finite.
    pub async fn advance(&mut self, steps: u32) -> Result<JsValue, JsValue> {
        let training = self.training.as_mut().ok_or_else(nothing)?;
        training.advance(steps).await.map_err(said)?;
        Ok(summary::progress(training))
    }

    /// Ends an epoch whose steps are done: judges the network and looks at it. The steps took `seconds`, those whose time tells
    /// the speed made so many samples a second.
    ///
    /// # Errors
    /// When the device fails, or a term is not finite.
    pub async fn end_epoch(&mut self, seconds: f64, samples_per_second: f64) -> Result<JsValue, JsValue> {
        let training = self.training.as_mut().ok_or_else(nothing)?;
        training.end_epoch(seconds, samples_per_second).await.map_err(said)?;
        summary::epoch(training)
    }

    /// Sets what may change while it trains: `lr`, `entropy_weight`.
    ///
    /// # Errors
    /// When a number is none that it may be.
    pub fn set(&mut self, asked: JsValue) -> Result<(), JsValue> {
        let training = self.training.as_mut().ok_or_else(nothing)?;
        if let Some(lr) = number(&asked, "lr") {
            training.set_lr(lr as f32).map_err(said)?;
        }
        if let Some(weight) = number(&asked, "entropy_weight") {
            training.set_entropy_weight(weight as f32).map_err(said)?;
        }
        Ok(())
    }

    /// Trains until so many epochs are done in all.
    ///
    /// # Errors
    /// When nothing is being trained.
    pub fn more(&mut self, epochs: u32) -> Result<JsValue, JsValue> {
        let training = self.training.as_mut().ok_or_else(nothing)?;
        training.config.epochs = epochs.max(training.epoch());
        summary::of(training)
    }

    /// Reconstructions, features, codes and clusters of the network as it is.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn pictures(&mut self) -> Result<JsValue, JsValue> {
        look::pictures(self.training.as_mut().ok_or_else(nothing)?).await.map_err(said)
    }

    /// What the network makes of one row.
    ///
    /// # Errors
    /// When it is no row, or the device fails.
    pub async fn look(&mut self, pixels: Vec<f32>) -> Result<JsValue, JsValue> {
        look::row(self.training.as_mut().ok_or_else(nothing)?, &pixels).await.map_err(said)
    }

    /// What the decoder makes of a code.
    ///
    /// # Errors
    /// When it is no code, or the device fails.
    pub async fn decode(&mut self, code: Vec<f32>) -> Result<JsValue, JsValue> {
        let training = self.training.as_mut().ok_or_else(nothing)?;
        let made = training.session.decode(&code).await.map_err(said)?;
        Ok(object(&[("made", values::shown(training, &made))]))
    }

    /// What is lost without these units, pairs of layer and unit one behind the other.
    ///
    /// # Errors
    /// When one cannot be taken away, or the device fails.
    pub async fn without(&mut self, units: Vec<u32>) -> Result<JsValue, JsValue> {
        look::without(self.training.as_mut().ok_or_else(nothing)?, &units).await.map_err(said)
    }

    /// The checkpoint of now, as the command line reads it.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn checkpoint(&mut self) -> Result<JsValue, JsValue> {
        let training = self.training.as_mut().ok_or_else(nothing)?;
        let bytes = training.checkpoint().await.map_err(said)?;
        // What a run directory calls it, so that a folder with nothing else in it can be gone on with.
        let name = "checkpoint.safetensors";
        Ok(object(&[("name", name.into()), ("bytes", values::buffer(&bytes))]))
    }

    /// Proves every kernel on a device; `tell` hears of how many of how many this is done, and which is next.
    ///
    /// # Errors
    /// When there is no such device.
    pub async fn doctor(&self, name: String, tell: js_sys::Function) -> Result<JsValue, JsValue> {
        proof::of_all(device(&name).await?, &tell).await
    }
}

impl Worker {
    /// Keeps what is trained now, and says what it is.
    fn begun(&mut self, training: Training) -> Result<JsValue, JsValue> {
        summary::of(self.training.insert(training))
    }
}
