//! What a network looks like from outside while it trains: its paths, and what its neurons do on a batch of
//! test data. All of it is computed on the device; only vectors as long as a layer is wide come back.

use std::collections::BTreeMap;

use super::record::metrics::{active_units, effective_width};
use super::room::{batch_of, evaluation_batch};
use super::session::{Session, load};
use crate::config::RunConfig;
use crate::device::{Device, ProgramId};
use crate::error::{Error, Result};
use crate::model::graph::{self, DataShape};
use crate::model::observation::{observation, readings};
use crate::nn::wired::Wired;
use crate::ops::batch::batch_rows;
use crate::ops::step::clock;
use crate::statistics::normality::Normality;
use crate::statistics::spectrum::{covariance_spectrum, effective_rank};

/// Test rows that a network is observed on, if there are as many: drawn once, the same for every network, since the
/// first of a file need not be like the rest.
pub(super) const ROWS: usize = 1000;

/// A neuron takes part if it makes more than this share of the differences that its layer makes in the next.
const TAKES_PART: f64 = 1e-3;

/// Variance of a code's mean over rows above which the dimension says something about them, in units of the prior's
/// (Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", 2015, §5.2).
const ACTIVE_CODE: f64 = 0.01;

/// A unit whose variance over rows is below this share of its squared mean, or of 1, is dead: the rest is rounding.
const DEAD: f64 = 1e-6;

/// Eigenvalues of the codes' covariance that are told.
const EIGENVALUES: usize = 16;

/// Rows that are observed at a time.
pub(super) fn batch(config: &RunConfig, data: DataShape) -> usize {
    let rows = ROWS.min(data.rows);
    rows / rows.div_ceil(batch_of(ROWS, config, data)).max(1)
}

impl Session {
    /// The network on a thousand test rows, or on all of them if there are fewer; where these are too many to be looked at
    /// at once, on as many whole batches as they make.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn observe(&mut self) -> Result<Observation> {
        let (count, batch) = (self.test.count(), batch(&self.config, self.test.holding.data));
        let batches = ROWS.min(count) / batch;
        let program = match self.further.get("observe") {
            Some(&program) => program,
            None => {
                let graph = observation(&self.config, self.test.holding, batch)?;
                let program = load(self.device.as_mut(), "observe", &graph, &self.choices)?;
                *self.further.entry("observe").or_insert(program)
            }
        };
        let mut clock = clock::start(count, batch, batch < count, 0);
        let (mut rows, mut codes) = (Vec::new(), Vec::new());
        let mut seen = Seen::default();
        for number in 0..batches {
            clock[clock::BATCH] = number as u32;
            let mut numbers = vec![0; batch];
            batch_rows::fill(&clock, 0, &mut numbers);
            rows.extend(numbers.into_iter().map(|row| row as usize));
            self.test.begin(self.device.as_mut(), program, clock, 1)?.run(self.device.as_mut(), 1)?;
            codes.extend(self.device.fetch_f32(program, "codes").await?);
            seen.read(self.device.as_mut(), program).await?;
        }
        let levels = seen.mean("level entropies");
        let mut layers = Vec::new();
        let mut number = 1;
        while let Some([mean, variance]) = seen.moments(number) {
            let [active, strength] = ["active", "strength"].map(|what| seen.mean(&format!("{what} {number}")));
            let path_entropy = levels.as_ref().map(|levels| levels[number]);
            layers.push(LayerObservation { mean, variance, active, strength, path_entropy });
            number += 1;
        }
        let path_entropy = seen.mean("path entropy").map(|entropy| entropy[0]);
        let (code, is_coded) = (self.config.encoder_layers().saturating_sub(1), self.config.rate.is_some());
        Ok(Observation { path_entropy, layers, code, divergences: seen.mean("divergences"), codes, is_coded, rows })
    }

    /// Mean and variance of every number of a row that each of these layers reads, of a channel over all its pixels, on as many
    /// rows as [`observe`](Self::observe) looks at.
    ///
    /// # Errors
    /// When the device fails, or the layers are not those of this network.
    pub async fn observe_readings(&mut self, layers: &[Wired]) -> Result<Vec<[Vec<f64>; 2]>> {
        let (count, batch) = (self.test.count(), batch(&self.config, self.test.holding.data));
        let graph = readings(&self.config, self.test.holding, batch, layers)?;
        let program = load(self.device.as_mut(), "observe readings", &graph, &self.choices)?;
        let mut clock = clock::start(count, batch, batch < count, 0);
        let mut seen = Seen::default();
        for number in 0..ROWS.min(count) / batch {
            clock[clock::BATCH] = number as u32;
            self.test.begin(self.device.as_mut(), program, clock, 1)?.run(self.device.as_mut(), 1)?;
            seen.read(self.device.as_mut(), program).await?;
        }
        let missing = || Error::Failed("nothing was read".into());
        (1..=layers.len()).map(|number| seen.moments(number).ok_or_else(missing)).collect()
    }

    /// The network's answers to all test rows, \[rows, width of an answer\].
    ///
    /// # Errors
    /// When the device fails.
    pub async fn answers(&mut self) -> Result<Vec<f32>> {
        let (count, batch) = (self.test.count(), evaluation_batch(&self.config, self.test.holding.data));
        let program = match self.further.get("answers") {
            Some(&program) => program,
            None => {
                let graph = graph::answers(&self.config, self.test.holding, batch)?;
                let program = load(self.device.as_mut(), "answers", &graph, &self.choices)?;
                *self.further.entry("answers").or_insert(program)
            }
        };
        let (clock, steps) = (clock::start(count, batch, false, 0), count.div_ceil(batch));
        let device = self.device.as_mut();
        let mut passage = self.test.begin(device, program, clock, steps as u32)?;
        let mut answers: Vec<f32> = Vec::new();
        for number in 0..steps {
            passage.run(device, 1)?;
            let valid = batch.min(count - number * batch);
            let read = device.fetch_f32(program, "answers").await?;
            answers.extend_from_slice(&read[..read.len() / batch * valid]);
        }
        Ok(answers)
    }

    /// What the run's objectives make of the answers to all test rows of these classes; nothing if none of them asks.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn judge_answers(&mut self, labels: &[u16]) -> Result<BTreeMap<String, f64>> {
        let config = self.config.clone();
        let asking: Vec<_> = config.objectives().into_iter().filter(|objective| objective.wants_answers()).collect();
        if asking.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answers = self.answers().await?;
        let width = answers.len() / self.test.count().max(1);
        Ok(asking.into_iter().flat_map(|objective| objective.judge(&answers, labels, width)).collect())
    }
}

/// Results of batches of as many rows each, added up.
#[derive(Default)]
struct Seen {
    batches: BTreeMap<String, f64>,
    sums: BTreeMap<String, Vec<f64>>,
    squares: BTreeMap<String, Vec<f64>>,
}

impl Seen {
    /// Adds what a program has found of a batch, but for what is of each row.
    async fn read(&mut self, device: &mut dyn Device, program: ProgramId) -> Result<()> {
        let results: Vec<String> = device.plan(program).results.keys().cloned().collect();
        for name in results.iter().filter(|name| !["codes", "row numbers"].contains(&name.as_str())) {
            self.add(name, &device.fetch_f32(program, name).await?);
        }
        Ok(())
    }

    fn add(&mut self, name: &str, values: &[f32]) {
        *self.batches.entry(name.into()).or_default() += 1.0;
        for (all, power) in [(&mut self.sums, 1), (&mut self.squares, 2)] {
            let all = all.entry(name.into()).or_insert_with(|| vec![0.0; values.len()]);
            all.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(*value).powi(power));
        }
    }

    /// Mean over the batches of a result, if there is one of this name.
    fn mean(&self, name: &str) -> Option<Vec<f64>> {
        let batches = self.batches.get(name)?;
        Some(self.sums.get(name)?.iter().map(|sum| sum / batches).collect())
    }

    /// Mean and variance over all rows of the units of a layer, if it has a number.
    fn moments(&self, number: usize) -> Option<[Vec<f64>; 2]> {
        let (name, within) = (format!("mean {number}"), self.mean(&format!("variance {number}"))?);
        let (means, batches) = (self.mean(&name)?, self.batches.get(&name)?);
        let squares = self.squares.get(&name)?.iter().zip(&means);
        let between = squares.map(|(square, mean)| (square / batches - mean * mean).max(0.0));
        let variances = within.iter().zip(between).map(|(within, between)| within + between).collect();
        Some([means, variances])
    }
}

/// What a hidden layer does.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerObservation {
    /// Mean of each neuron's activation.
    pub mean: Vec<f64>,
    /// Its variance.
    pub variance: Vec<f64>,
    /// Share of rows for which it is active: a ReLU above 0, a sigmoid above one half; none for other layers.
    pub active: Option<Vec<f64>>,
    /// Σ of the squared weights that read it; none where something else than a layer does.
    pub strength: Option<Vec<f64>>,
    /// Shannon entropy in nats of the neurons' shares of the paths, where the network is a chain of layers.
    pub path_entropy: Option<f64>,
}

impl LayerObservation {
    /// The neurons' shares of the differences that the layer makes in the next one: variance times strength, or variance
    /// alone where no layer reads it. Rescaling a ReLU neuron does not change them in a chain of layers.
    pub fn shares(&self) -> Vec<f64> {
        let strength = |neuron: usize| self.strength.as_ref().map_or(1.0, |strength| strength[neuron]);
        let parts = self.variance.iter().enumerate().map(|(neuron, variance)| variance.max(0.0) * strength(neuron));
        let parts: Vec<f64> = parts.collect();
        let sum: f64 = parts.iter().sum();
        parts.into_iter().map(|part| if sum > 0.0 { part / sum } else { 0.0 }).collect()
    }

    /// Neurons that take part: those that make more than a thousandth of the differences.
    pub fn active_units(&self) -> usize {
        self.shares().into_iter().filter(|&share| share > TAKES_PART).count()
    }

    /// Units that are the same for every row.
    pub fn dead_units(&self) -> usize {
        let moments = self.mean.iter().zip(&self.variance);
        moments.filter(|(mean, variance)| **variance <= DEAD * (*mean * *mean).max(DEAD)).count()
    }

    /// Share of its units that are active for a row, mean over rows.
    pub fn active_share(&self) -> Option<f64> {
        self.active.as_ref().map(|active| active.iter().sum::<f64>() / active.len().max(1) as f64)
    }

    /// exp of the entropy of the shares: how many neurons are used evenly.
    pub fn usage(&self) -> f64 {
        let shares = self.shares().into_iter().filter(|&p| p > 0.0);
        shares.map(|p| -p * p.ln()).sum::<f64>().exp()
    }
}

/// A network observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Shannon entropy of all its paths, in nats, where it is a chain of layers.
    pub path_entropy: Option<f64>,
    /// Its hidden layers, in order.
    pub layers: Vec<LayerObservation>,
    /// Index of the layer that makes the code.
    pub code: usize,
    /// Divergence in nats of each dimension of a drawn code from the standard normal distribution.
    pub divergences: Option<Vec<f64>>,
    /// Codes of the observed rows, row by row; of drawn ones the means.
    pub codes: Vec<f32>,
    /// Whether codes are whole numbers, or made of such.
    pub is_coded: bool,
    /// Numbers of the test rows observed, from 0.
    pub rows: Vec<usize>,
}

impl Observation {
    /// As metrics: `path_entropy`, of hidden layer N `effective_width_N` (exp of the entropy of its neurons' shares
    /// of the paths), `active_units_N`, `dead_units_N` and `active_share_N`; of the code layer `latent_usage`, the
    /// largest eigenvalues of its covariance `code_spectrum_1` and so on, and its effective rank `code_rank`, and
    /// `code_ks`, how far it is from normal, and `code_normal`, the share of its hundreds that pass for normal (see
    /// [`Normality`]); of whole numbers `dead_codes`, the dimensions that are the same for every row; of drawn codes the divergences `test_kl_1` and so on,
    /// and `active_codes`.
    pub fn metrics(&self) -> BTreeMap<String, f64> {
        let mut metrics = BTreeMap::new();
        metrics.extend(self.path_entropy.map(|entropy| ("path_entropy".to_string(), entropy)));
        for (index, layer) in self.layers.iter().enumerate() {
            let number = index + 1;
            metrics.extend(layer.path_entropy.map(|entropy| (effective_width(number), entropy.exp())));
            metrics.insert(active_units(number), layer.active_units() as f64);
            metrics.insert(format!("dead_units_{number}"), layer.dead_units() as f64);
            metrics.extend(layer.active_share().map(|share| (format!("active_share_{number}"), share)));
        }
        let spectrum = covariance_spectrum(&self.codes, self.codes.len() / self.rows.len().max(1));
        metrics.insert("code_rank".into(), effective_rank(&spectrum));
        let mut list = |name: &str, values: &[f64]| {
            metrics.extend(values.iter().enumerate().map(|(i, value)| (format!("{name}_{}", i + 1), *value)));
        };
        list("code_spectrum", &spectrum[..spectrum.len().min(EIGENVALUES)]);
        list("test_kl", self.divergences.as_deref().unwrap_or_default());
        let code = self.layers.get(self.code);
        metrics.extend(code.map(|layer| ("latent_usage".to_string(), layer.usage())));
        if let (Some(_), Some(code)) = (&self.divergences, code) {
            let active = code.variance.iter().filter(|&&variance| variance > ACTIVE_CODE).count();
            metrics.insert("active_codes".into(), active as f64);
        }
        let width = self.codes.len() / self.rows.len().max(1);
        if self.is_coded {
            let first = &self.codes[..width.min(self.codes.len())];
            let is_dead =
                |column: &usize| self.codes.iter().skip(*column).step_by(width).all(|code| *code == first[*column]);
            metrics.insert("dead_codes".into(), (0..first.len()).filter(is_dead).count() as f64);
        }
        metrics.insert("code_ks".into(), Normality::of(&self.codes, width).distance);
        metrics.insert("code_normal".into(), Normality::share(&self.codes, width));
        metrics
    }
}
