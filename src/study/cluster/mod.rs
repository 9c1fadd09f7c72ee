//! Clustering without labels: an encoder with one output a cluster.
//!
//! Source: Paiton and Lundquist, "Entropy loss function for unsupervised deep learning", corrected as in
//! FORMULAS §2: the loss is the mean entropy of the rows' soft assignments plus λ · KL of their mean to uniform.
//! The first makes every assignment certain, the second keeps all clusters in use; without it everything ends
//! up in one. Neither says what belongs together: virtual adversarial perturbations do, as in IMSAT (Hu et al.,
//! "Learning Discrete Representations via Information Maximizing Self-Augmented Training", 2017).

pub mod assignments;
mod encoder;
mod folding;
pub mod graph;
pub mod neighbours;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::device::{Device, ProgramId};
use crate::error::{Error, Result};
use crate::model::graph::DataShape;
use crate::nn::layers::initial_linear;
use crate::ops::step::clock;
use crate::plan::Plan;
use crate::rng::{Rng, Stream, stream_key};
pub use crate::statistics::agreement::{Agreement, Contingency};
use crate::tensor::Ty;
use crate::train::session::State;
pub use assignments::Assignments;
pub use encoder::StoredEncoder;

/// Virtual adversarial perturbations: what the encoder says of a row must hold for rows near it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adversarial {
    /// Length ε of a perturbation, as a share of the distance from its row to the tenth nearest one.
    pub epsilon: f32,
    /// Length of the step by which its direction is found.
    pub probe: f32,
    /// Weight of the divergence that it causes.
    pub weight: f32,
}

impl Default for Adversarial {
    /// IMSAT's (Hu et al., 2017), the weight relative to that of the entropy; of its length of 0.25 four fifths, which on
    /// MNIST raised the lowest accuracy of five seeds.
    fn default() -> Self {
        Adversarial { epsilon: 0.2, probe: 10.0, weight: 10.0 }
    }
}

/// Everything that decides what a clustering comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// Data set.
    pub data: String,
    /// Folder of its files, if not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Device asked for.
    pub device: String,
    /// Seed of initial parameters and of the order of samples.
    pub seed: u64,
    /// Number of clusters.
    pub clusters: usize,
    /// Widths of the hidden layers; none is a linear encoder.
    pub hidden: Vec<usize>,
    /// Passes over the training data.
    pub epochs: u32,
    /// Samples of a step.
    pub batch_size: usize,
    /// Adam's step size.
    pub lr: f32,
    /// L2 penalty in the gradient.
    pub weight_decay: f32,
    /// Weight λ of the balance.
    pub balance: f32,
    /// Perturbations, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<Adversarial>,
}

impl ClusterConfig {
    /// Refuses values that make no sense, naming the flag.
    ///
    /// # Errors
    /// [`Error::Usage`] for the first such value.
    pub fn check(&self) -> Result<()> {
        let refuse = |problem: String| Err(Error::Usage(problem));
        crate::data::source(&self.data)?;
        if !(2..=4096).contains(&self.clusters) {
            return refuse(format!("--clusters {}: expected 2 to 4096", self.clusters));
        }
        if self.epochs == 0 {
            return refuse("--epochs 0: expected 1 or more".into());
        }
        if self.batch_size < 2 || self.batch_size > 1 << 20 {
            return refuse(format!("--batch-size {}: expected 2 to {}", self.batch_size, 1 << 20));
        }
        if let Some(width) = self.hidden.iter().find(|&&width| width == 0 || width > 1 << 16) {
            return refuse(format!("--hidden {width}: expected 1 to {}", 1 << 16));
        }
        if !(self.lr.is_finite() && self.lr > 0.0) {
            return refuse(format!("--lr {}: expected a positive number", self.lr));
        }
        let augment = self.augment.unwrap_or_default();
        let numbers = [
            ("--weight-decay", self.weight_decay),
            ("--balance", self.balance),
            ("--epsilon", augment.epsilon),
            ("--augment-weight", augment.weight),
        ];
        for (flag, value) in numbers {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(format!("{flag} {value}: expected a number of 0 or more"));
            }
        }
        Ok(())
    }
}

/// Losses of an epoch's training steps, means over samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochLosses {
    /// Mean entropy of the rows' assignments.
    pub entropy: f64,
    /// KL of the mean assignment to uniform.
    pub divergence: f64,
    /// Divergence caused by perturbations, where there are any.
    pub adversarial: Option<f64>,
}

/// A clustering on a device.
pub struct Clustering {
    device: Box<dyn Device>,
    train: ProgramId,
    assign: ProgramId,
    /// What takes the moments of normalised layers, if there are any.
    moments: Option<ProgramId>,
    /// The encoder as it is used, once it was wanted since the last epoch.
    folded: Option<Vec<(String, Vec<f32>)>>,
    config: ClusterConfig,
    batches: u32,
    data: DataShape,
    test: DataShape,
}

/// Rows of a batch of test rows.
const TEST_BATCH: usize = 500;

impl Clustering {
    /// Prepares a device with data and initial parameters.
    ///
    /// # Errors
    /// When the data is empty, or does not fit the device.
    pub fn new(mut device: Box<dyn Device>, config: &ClusterConfig, data: &Dataset) -> Result<Self> {
        let (train_shape, test) = (DataShape::of(&data.train), DataShape::of(&data.test));
        if train_shape.rows == 0 || test.rows == 0 {
            return Err(Error::Usage(format!("data '{}' has no rows to train on or to test with", data.name)));
        }
        let distances = match config.augment {
            Some(_) => neighbours::distances(device.as_mut(), &data.train, config.seed)?,
            None => Vec::new(),
        };
        let mut load = |name: &str, graph| {
            let plan = Plan::new(name, &graph, device.profile())?;
            device.load(plan)
        };
        let train = load("train", graph::training(config, train_shape)?)?;
        let moments = match config.augment {
            Some(_) => {
                let batch = folding::BATCH.min(train_shape.rows);
                Some(load("moments", graph::moments(config, train_shape, batch)?)?)
            }
            None => None,
        };
        let assign = load("assign", graph::assignment(config, test, TEST_BATCH.min(test.rows))?)?;
        device.write(train, "train images", &data.train.device_rows())?;
        device.write(assign, "test images", &data.test.device_rows())?;
        if config.augment.is_some() {
            device.write(train, "neighbour distances", bytemuck::cast_slice(&distances))?;
        }
        let batch = config.batch_size.min(train_shape.rows);
        let clock = clock::start(train_shape.rows, batch, true, config.seed);
        device.write(train, "clock", bytemuck::cast_slice(&clock))?;
        let augmentation = config.augment.map_or(0.0, |augment| augment.weight);
        let settings =
            [("learning_rate", config.lr), ("one", 1.0), ("balance", config.balance), ("augmentation", augmentation)];
        for (name, value) in settings {
            device.write(train, name, &value.to_le_bytes())?;
        }
        let mut rng = Rng::new(stream_key(config.seed, Stream::Init));
        let mut inputs = train_shape.features;
        for (index, width) in graph::widths(config).into_iter().enumerate() {
            let (weight, mut bias) = initial_linear(&mut rng, inputs, width);
            let name = graph::layer_name(index);
            if graph::normalised(config, index) {
                bias.fill(0.0);
                device.write(train, &format!("{name}.scale"), bytemuck::cast_slice(&vec![1.0_f32; width]))?;
            }
            device.write(train, &format!("{name}.weight"), bytemuck::cast_slice(&weight))?;
            device.write(train, &format!("{name}.bias"), bytemuck::cast_slice(&bias))?;
            inputs = width;
        }
        let batches = train_shape.rows.div_ceil(batch) as u32;
        let config = config.clone();
        Ok(Clustering { device, train, assign, moments, folded: None, config, batches, data: train_shape, test })
    }

    /// Name of the device.
    pub fn device_name(&self) -> &str {
        self.device.name()
    }

    /// Trains for an epoch.
    ///
    /// # Errors
    /// When a loss is not finite or the device fails.
    pub fn epoch(&mut self) -> Result<EpochLosses> {
        self.folded = None;
        self.device.run(self.train, self.batches)?;
        let clock = self.device.read_u32(self.train, "clock")?;
        if clock[clock::BAD_STEP] != 0 {
            let terms = graph::terms(&self.config);
            let term = terms[(clock[clock::BAD_TERM] as usize).min(terms.len() - 1)];
            return Err(Error::Failed(format!(
                "step {}: the {term} of the clusters is not finite; a smaller --lr usually helps",
                clock[clock::BAD_STEP]
            )));
        }
        let ring = self.device.read_f32(self.train, "ring")?;
        let width = 1 + graph::terms(&self.config).len();
        let rows: f64 = ring.chunks_exact(width).map(|row| f64::from(row[0])).sum();
        let mean = |term: usize| {
            let sum: f64 = ring.chunks_exact(width).map(|row| f64::from(row[0]) * f64::from(row[term])).sum();
            sum / rows
        };
        let adversarial = self.config.augment.map(|_| mean(3));
        Ok(EpochLosses { entropy: mean(1), divergence: mean(2), adversarial })
    }

    /// Where the test rows go.
    ///
    /// # Errors
    /// When the device fails.
    pub fn assign(&mut self) -> Result<Assignments> {
        if self.moments.is_some() {
            for (name, values) in self.encoder()? {
                self.device.write(self.assign, &name, bytemuck::cast_slice(&values))?;
            }
        }
        let batch = TEST_BATCH.min(self.test.rows);
        let clock = clock::start(self.test.rows, batch, false, 0);
        self.device.write(self.assign, "clock", bytemuck::cast_slice(&clock))?;
        let mut logits = Vec::with_capacity(self.test.rows * self.config.clusters);
        while logits.len() < self.test.rows * self.config.clusters {
            self.device.run(self.assign, 1)?;
            let valid = batch.min(self.test.rows - logits.len() / self.config.clusters);
            let read = self.device.read_f32(self.assign, "logits")?;
            logits.extend_from_slice(&read[..valid * self.config.clusters]);
        }
        Ok(Assignments::new(&logits, self.config.clusters))
    }

    /// Weights and biases of the encoder's layers by name, as they are used: with nothing to normalise.
    fn encoder(&mut self) -> Result<Vec<(String, Vec<f32>)>> {
        if let Some(folded) = &self.folded {
            return Ok(folded.clone());
        }
        let folded = folding::folded(self.device.as_mut(), self.train, self.moments, &self.config, self.data)?;
        Ok(self.folded.insert(folded).clone())
    }

    /// The encoder's parameters by name: plain layers with ReLU between them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn parameters(&mut self) -> Result<State> {
        let mut inputs = self.data.features;
        let mut state = State::new();
        for (name, values) in self.encoder()? {
            let bytes = bytemuck::cast_slice(&values).to_vec();
            let ty = if name.ends_with(".weight") {
                Ty::f32(&[values.len() / inputs, inputs])
            } else {
                Ty::f32(&[values.len()])
            };
            if name.ends_with(".bias") {
                inputs = values.len();
            }
            state.insert(name, (ty, bytes));
        }
        Ok(state)
    }
}
