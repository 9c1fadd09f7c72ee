//! A run in a browser: its steps, its epochs, its checkpoint. What the command line's run has in files the page keeps.

use gpu_ae::config::RunConfig;
use gpu_ae::data::{Dataset, Fingerprint};
use gpu_ae::device::Device;
use gpu_ae::model::graph::RING_STEPS;
use gpu_ae::nn::Pass;
use gpu_ae::ops::step::clock;
use gpu_ae::train::epoch::{Epoch, Outcome};
use gpu_ae::train::record::metrics::Weights;
use gpu_ae::train::{Checkpoint, EpochMetrics, Observation, Session, TermSums, Tuning};
use gpu_ae::{Error, Result};
use wasm_bindgen::JsValue;

use crate::said;
use crate::values::{number, text};

/// A run.
pub struct Training {
    /// What is trained.
    pub config: RunConfig,
    /// The rows.
    pub data: Dataset,
    /// The network on its device.
    pub session: Session,
    tuning: Tuning,
    /// Whether a loss was not finite, so that the network is no longer worth anything.
    has_failed: bool,
    /// What tells the rows from others, once it was asked for.
    rows: Option<Fingerprint>,
    clock: Vec<u32>,
    weights: Weights,
    /// Sums of the epoch under way.
    pub sums: TermSums,
    /// Every epoch so far.
    pub metrics: Vec<EpochMetrics>,
    /// The network as it was seen behind the last epoch.
    pub observation: Option<Observation>,
}

/// The configuration that the page asks for, fitted to its rows.
///
/// # Errors
/// When there is no such model, or it does not fit.
pub fn configured(asked: &JsValue, data: &Dataset, seed: u64) -> std::result::Result<RunConfig, JsValue> {
    let name = text(asked, "model").unwrap_or_default();
    let device = text(asked, "device").unwrap_or_else(|| "auto".into());
    let numbers = ["epochs", "batch_size", "lr"].into_iter();
    let numbers = numbers.filter_map(|key| Some((key, number(asked, key)?.to_string())));
    let settings: Vec<(&str, String)> =
        [("seed", seed.to_string()), ("device", device)].into_iter().chain(numbers).collect();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    RunConfig::of_rows(&name, "page:", &settings, data).map_err(said)
}

impl Training {
    /// Begins a run.
    ///
    /// # Errors
    /// When the model fits neither rows nor device.
    pub async fn start(device: Box<dyn Device>, config: RunConfig, data: Dataset) -> Result<Self> {
        let tuning = Tuning::fixed(device.as_ref());
        let session = Session::for_training(device, &config, &data, &tuning.choices, &mut |_, _| ()).await?;
        let mut training = Self::of(config, data, session, tuning).await?;
        training.session.initialise(training.data.train.rows, None).await?;
        training.clock = training.session.clock().await?;
        Ok(training)
    }

    /// Goes on with a run.
    ///
    /// # Errors
    /// When its rows are others, or the checkpoint does not fit.
    pub async fn resume(
        device: Box<dyn Device>,
        checkpoint: Checkpoint,
        data: Dataset,
        metrics: Vec<EpochMetrics>,
    ) -> Result<Self> {
        let Checkpoint { config, tuning, rows, state, sums, .. } = checkpoint;
        let now = Fingerprint::of(&data.train);
        let is_labelled = config.classifier.is_some();
        if let Some(difference) = rows.and_then(|rows| rows.difference(&now, is_labelled)) {
            return Err(Error::Usage(format!("these are not the rows that the run was trained on: {difference}")));
        }
        // Another adapter's kernels may be none that this one has.
        let adapter = device.identity().adapter;
        let tuning = tuning.filter(|tuning| tuning.adapter == adapter);
        let tuning = tuning.unwrap_or_else(|| Tuning::fixed(device.as_ref()));
        let mut session = Session::for_training(device, &config, &data, &tuning.choices, &mut |_, _| ()).await?;
        session.restore(&state).await?;
        let mut training = Self::of(config, data, session, tuning).await?;
        (training.sums, training.metrics, training.rows) = (sums, metrics, Some(now));
        let epoch = training.epoch();
        training.metrics.retain(|metrics| metrics.epoch <= epoch);
        Ok(training)
    }

    async fn of(config: RunConfig, data: Dataset, mut session: Session, tuning: Tuning) -> Result<Self> {
        let (rows, clock, weights) = (None, session.clock().await?, session.weights().await?);
        let (sums, metrics, observation) = (TermSums::default(), Vec::new(), None);
        Ok(Training {
            config,
            data,
            session,
            tuning,
            rows,
            clock,
            weights,
            sums,
            metrics,
            observation,
            has_failed: false,
        })
    }

    /// Epochs completed.
    pub fn epoch(&self) -> u32 {
        self.clock[clock::EPOCH]
    }

    /// Steps completed.
    pub fn step(&self) -> u32 {
        self.clock[clock::STEP]
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u32 {
        let rows = self.data.train.rows;
        rows.div_ceil(self.config.step_rows(rows).max(1)) as u32
    }

    /// What is told of the epoch under way: its loss, or under weights that move its first term, and what it is now.
    pub fn figure(&self) -> (&'static str, f64) {
        let terms = self.config.terms(Pass::Train);
        match terms.first().filter(|_| !self.config.moving_terms().is_empty()) {
            Some((term, _)) => (term, self.sums.mean(term).unwrap_or(f64::NAN)),
            None => ("loss", self.sums.loss(&self.weights)),
        }
    }

    /// Whether the steps of an epoch are done, and it is yet to be ended.
    pub fn is_at_end(&self) -> bool {
        self.clock[clock::BATCH] == 0 && self.sums.rows > 0.0
    }

    /// Takes so many steps, fewer where the epoch ends before.
    ///
    /// # Errors
    /// When the device fails, or a loss is not finite.
    pub async fn advance(&mut self, steps: u32) -> Result<()> {
        let left = self.steps_per_epoch() - self.clock[clock::BATCH];
        let steps = steps.clamp(1, left.min(RING_STEPS as u32));
        let first = self.step();
        self.session.train(steps)?;
        let reading = self.session.begin_losses()?;
        let stretch = self.session.end_losses(reading, first, &mut self.sums).await?;
        self.clock = stretch.clock;
        self.has_failed = stretch.bad.is_some();
        match stretch.bad {
            Some((step, term)) => Err(Error::Failed(format!(
                "step {step}: the {term} term of the loss is not finite; a smaller step size may help"
            ))),
            None => Ok(()),
        }
    }

    /// Judges the network behind an epoch whose steps are done.
    ///
    /// # Errors
    /// When the device fails, or a term is not finite.
    pub async fn end_epoch(&mut self, seconds: f64, samples_per_second: f64) -> Result<()> {
        let labels = &self.data.test.labels;
        let epoch = Epoch { clock: &self.clock, seconds, samples_per_second, sums: &self.sums, labels };
        let Outcome { metrics, observation, weights } = self.session.end_epoch(epoch).await?;
        self.metrics.push(metrics);
        (self.observation, self.weights) = (observation, weights);
        self.sums = TermSums::default();
        Ok(())
    }

    /// The weight of the entropy, where it is one that does not move by itself.
    pub fn entropy_weight(&self) -> Option<f32> {
        let terms = self.config.terms(Pass::Train);
        let (_, weight) = terms.into_iter().find(|(name, _)| *name == "entropy")?;
        (weight.counts && !weight.moves()).then(|| weight.value.abs())
    }

    /// Sets the step size, the largest one where it moves.
    ///
    /// # Errors
    /// When it is none, or moves by itself.
    pub fn set_lr(&mut self, lr: f32) -> Result<()> {
        self.adjust(lr, self.config.lambda_entropy)
    }

    /// Sets the weight of the entropy.
    ///
    /// # Errors
    /// When it is none, or the run has no such weight.
    pub fn set_entropy_weight(&mut self, weight: f32) -> Result<()> {
        if self.entropy_weight().is_none() {
            return Err(Error::Usage("this run has no weight of the entropy that could be set".into()));
        }
        self.adjust(self.config.lr, weight)
    }

    fn adjust(&mut self, lr: f32, lambda_entropy: f32) -> Result<()> {
        self.session.adjust(lr, lambda_entropy)?;
        (self.config.lr, self.config.lambda_entropy) = (lr, lambda_entropy);
        let fixed = self.config.terms(Pass::Train).into_iter().filter(|(_, weight)| weight.counts && !weight.moves());
        self.weights.extend(fixed.map(|(name, weight)| (name.to_string(), f64::from(weight.value))));
        Ok(())
    }

    /// Refuses a network that has failed.
    ///
    /// # Errors
    /// When a loss was not finite.
    pub fn check(&self) -> Result<()> {
        match self.has_failed {
            true => Err(Error::Usage("the network has failed: its last loss was not finite".into())),
            false => Ok(()),
        }
    }

    /// The checkpoint of now.
    ///
    /// # Errors
    /// When the network has failed, or the device does.
    pub async fn checkpoint(&mut self) -> Result<Vec<u8>> {
        self.check()?;
        let state = self.session.state().await?;
        let rows = self.rows.get_or_insert_with(|| Fingerprint::of(&self.data.train)).clone();
        let checkpoint = Checkpoint {
            config: self.config.clone(),
            tuning: Some(self.tuning.clone()),
            encoding: Some(self.data.encoding.clone()),
            rows: Some(rows),
            state,
            sums: self.sums.clone(),
        };
        checkpoint.to_bytes()
    }
}
