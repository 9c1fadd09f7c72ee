//! What a network looks like from outside while it trains: its paths, and what its neurons do on a batch of
//! test data. All of it is computed on the device; only vectors as long as a layer is wide come back.

use std::sync::Arc;

use super::session::{Session, load};
use crate::config::RunConfig;
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::model::forward::{Flow, Forward, Pass, forward};
use crate::model::graph::DataShape;
use crate::nn::autoencoder::parameter_prefix;
use crate::nn::losses::path_entropy;
use crate::ops::array::activation::Activation;
use crate::ops::array::activation_grad::ActivationGrad;
use crate::ops::array::binary::Binary;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::ops::entropy::path_chain::PathBias;
use crate::ops::entropy::path_entropy::PathEntropy;
use crate::ops::loss::gaussian_kl::GaussianKl;
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

/// The value above which a unit with this activation counts as active; none where there is no such value.
fn threshold(activation: Activation) -> Option<f32> {
    match activation {
        Activation::Relu | Activation::LeakyRelu => Some(0.0),
        Activation::Sigmoid => Some(0.5),
        Activation::Identity | Activation::Tanh | Activation::Softplus => None,
    }
}

/// The graph of an observation of `batch` rows, all valid: results `row numbers`, `path entropy`, `level entropies`,
/// `codes`, of every hidden layer `mean N`, `variance N` and `strength N`, Σ of the squared weights that read each
/// of its neurons, and `active N`, the share of rows for which each is active, where that means something; of drawn
/// codes the `divergences` of their dimensions.
pub(super) fn observation(config: &RunConfig, data: DataShape, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test images", data, batch, Pass::Show)?;
    let Forward { model, flow: Flow { outputs, latent, .. }, clock, rows, .. } = forward;
    g.result("row numbers", rows);
    if let Some((mean, log_variance)) = latent {
        let divergence = g.push(Arc::new(GaussianKl { rows_per_sample: 1 }), &[mean, log_variance, clock])?;
        g.result("divergences", divergence[1]);
    }
    let paths = path_entropy(g, &model.layers, PathEntropy { alpha: 1.0, bias: PathBias::Source })?;
    g.result("path entropy", paths.entropy);
    g.result("level entropies", paths.entropies);
    g.result("codes", outputs[model.code_layer()]);
    let mean = Unary::Affine { scale: 1.0 / batch as f32, shift: 0.0 };
    let negative = Unary::Affine { scale: -1.0, shift: 0.0 };
    for (number, layer) in model.layers.iter().enumerate().skip(1) {
        let h = outputs[number - 1];
        let column_mean = |g: &mut Graph, x: Var| {
            let sum = g.apply(SumAxis::Rows, &[x])?;
            g.apply(mean, &[sum])
        };
        let average = column_mean(g, h)?;
        let square = g.apply(Binary::Mul, &[h, h])?;
        let power = column_mean(g, square)?;
        let average_square = g.apply(Binary::Mul, &[average, average])?;
        let average_square = g.apply(negative, &[average_square])?;
        let variance = g.apply(Binary::Add, &[power, average_square])?;
        let squares = g.apply(Binary::Mul, &[layer.weight, layer.weight])?;
        let strength = g.apply(SumAxis::Rows, &[squares])?;
        if let Some(threshold) = threshold(config.layer_specs()[number - 1].activation) {
            let above = g.apply(Unary::Affine { scale: 1.0, shift: -threshold }, &[h])?;
            let ones = g.apply(Unary::Affine { scale: 0.0, shift: 1.0 }, &[h])?;
            let active = g.apply(ActivationGrad(Activation::Relu), &[ones, above])?;
            let active = column_mean(g, active)?;
            g.result(format!("active {number}"), active);
        }
        g.result(format!("mean {number}"), average);
        g.result(format!("variance {number}"), variance);
        g.result(format!("strength {number}"), strength);
    }
    Ok(std::mem::take(g))
}

impl Session {
    /// Rows, columns and elements of every layer's weights.
    ///
    /// # Errors
    /// When the device fails.
    pub fn weights(&mut self) -> Result<Vec<(usize, usize, Vec<f32>)>> {
        let mut inputs = self.test.features;
        let layers: Vec<usize> = self.config.layers().map(|layer| layer.linear).collect();
        let program = self.evaluate;
        let read = |(index, width): (usize, usize)| {
            let columns = std::mem::replace(&mut inputs, width);
            let name = format!("{}.weight", parameter_prefix(index));
            Ok((width, columns, self.device.read_f32(program, &name)?))
        };
        layers.into_iter().enumerate().map(read).collect()
    }

    /// The network on a thousand test rows, or on all of them if there are fewer.
    ///
    /// # Errors
    /// When the device fails.
    pub fn observe(&mut self) -> Result<Observation> {
        let rows = ROWS.min(self.test.rows);
        let program = match self.observe {
            Some(program) => program,
            None => {
                let graph = observation(&self.config, self.test, rows)?;
                let program = load(self.device.as_mut(), "observe", &graph, &self.choices)?;
                let clock = clock::start(self.test.rows, rows, rows < self.test.rows, 0);
                self.device.write(program, "clock", bytemuck::cast_slice(&clock))?;
                *self.observe.insert(program)
            }
        };
        self.device.run(program, 1)?;
        let mut read = |name: &str| -> Result<Vec<f64>> {
            Ok(self.device.read_f32(program, name)?.into_iter().map(f64::from).collect())
        };
        let levels = read("level entropies")?;
        let specs = self.config.layer_specs();
        let layers = (1..self.config.depth()).map(|number| {
            let shares = threshold(specs[number - 1].activation).map(|_| read(&format!("active {number}")));
            Ok(LayerObservation {
                active: shares.transpose()?,
                mean: read(&format!("mean {number}"))?,
                variance: read(&format!("variance {number}"))?,
                strength: read(&format!("strength {number}"))?,
                path_entropy: levels[number],
            })
        });
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let path_entropy = read("path entropy")?[0];
        let divergences = self.config.variational.map(|_| read("divergences")).transpose()?;
        let codes = self.device.read_f32(program, "codes")?;
        let rows = self.device.read_u32(program, "row numbers")?.into_iter().map(|row| row as usize).collect();
        Ok(Observation { path_entropy, layers, code: self.config.code_layer(), divergences, codes, rows })
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
    /// Σ of the squared weights that read it.
    pub strength: Vec<f64>,
    /// Shannon entropy in nats of the neurons' shares of the paths.
    pub path_entropy: f64,
}

impl LayerObservation {
    /// The neurons' shares of the differences that the layer makes in the next one: variance times strength.
    /// Rescaling a ReLU neuron does not change them.
    pub fn shares(&self) -> Vec<f64> {
        let parts: Vec<f64> = self.variance.iter().zip(&self.strength).map(|(v, s)| v.max(0.0) * s).collect();
        let sum: f64 = parts.iter().sum();
        parts.into_iter().map(|part| if sum > 0.0 { part / sum } else { 0.0 }).collect()
    }

    /// Neurons that take part.
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
    /// Shannon entropy of all its paths, in nats.
    pub path_entropy: f64,
    /// Its hidden layers, in order.
    pub layers: Vec<LayerObservation>,
    /// Index of the layer that makes the code.
    pub code: usize,
    /// Divergence in nats of each dimension of a drawn code from the standard normal distribution.
    pub divergences: Option<Vec<f64>>,
    /// Codes of the observed rows, row by row; of drawn ones the means.
    pub codes: Vec<f32>,
    /// Numbers of the test rows observed, from 0.
    pub rows: Vec<usize>,
}

impl Observation {
    /// As metrics: `path_entropy`, of hidden layer N `effective_width_N` (exp of the entropy of its neurons' shares
    /// of the paths), `active_units_N`, `dead_units_N` and `active_share_N`; of the code layer `latent_usage`, the
    /// largest eigenvalues of its covariance `code_spectrum_1` and so on, and its effective rank `code_rank`, and
    /// `code_ks`, how far it is from normal, and `code_normal`, the share of its hundreds that pass for normal (see
    /// [`Normality`]); of drawn codes the divergences `test_kl_1` and so on,
    /// and `active_codes`.
    pub fn metrics(&self) -> std::collections::BTreeMap<String, f64> {
        let mut metrics = std::collections::BTreeMap::from([("path_entropy".to_string(), self.path_entropy)]);
        for (index, layer) in self.layers.iter().enumerate() {
            let number = index + 1;
            metrics.insert(format!("effective_width_{number}"), layer.path_entropy.exp());
            metrics.insert(format!("active_units_{number}"), layer.active_units() as f64);
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
        metrics.insert("code_ks".into(), Normality::of(&self.codes, width).distance);
        metrics.insert("code_normal".into(), Normality::share(&self.codes, width));
        metrics
    }
}
