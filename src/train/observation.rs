//! What a network looks like from outside while it trains: its paths, and what its neurons do on a batch of
//! test data. All of it is computed on the device; only vectors as long as a layer is wide come back.

use super::forward::{Flow, Forward, Pass, forward};
use super::graph::DataShape;
use super::session::{Session, load};
use crate::config::RunConfig;
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::autoencoder::parameter_prefix;
use crate::nn::losses::path_entropy;
use crate::ops::binary::Binary;
use crate::ops::clock;
use crate::ops::path_chain::PathBias;
use crate::ops::path_entropy::PathEntropy;
use crate::ops::sum_axis::SumAxis;
use crate::ops::unary::Unary;

/// Test rows that a network is observed on, if there are as many.
pub(super) const ROWS: usize = 1000;

/// A neuron takes part if it makes more than this share of the differences that its layer makes in the next.
const TAKES_PART: f64 = 1e-3;

/// The graph of an observation of `batch` rows, all valid: results `path entropy`, `level entropies`, `codes`,
/// and of every hidden layer `mean N`, `variance N` and `strength N`, Σ of the squared weights that read each
/// of its neurons.
pub(super) fn observation(config: &RunConfig, data: DataShape, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test images", data, batch, Pass::Show)?;
    let Forward { model, flow: Flow { outputs, .. }, .. } = forward;
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

    /// The network on the first test rows.
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
                let clock = clock::start(self.test.rows, rows, false, 0);
                self.device.write(program, "clock", bytemuck::cast_slice(&clock))?;
                *self.observe.insert(program)
            }
        };
        self.device.run(program, 1)?;
        let mut read = |name: &str| -> Result<Vec<f64>> {
            Ok(self.device.read_f32(program, name)?.into_iter().map(f64::from).collect())
        };
        let levels = read("level entropies")?;
        let layers = (1..self.config.depth()).map(|number| {
            Ok(LayerObservation {
                mean: read(&format!("mean {number}"))?,
                variance: read(&format!("variance {number}"))?,
                strength: read(&format!("strength {number}"))?,
                path_entropy: levels[number],
            })
        });
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let path_entropy = read("path entropy")?[0];
        let codes = self.device.read_f32(program, "codes")?;
        Ok(Observation { path_entropy, layers, code: self.config.code_layer(), codes, rows })
    }
}

/// What a hidden layer does.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerObservation {
    /// Mean of each neuron's activation.
    pub mean: Vec<f64>,
    /// Its variance.
    pub variance: Vec<f64>,
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
    /// Codes of the observed rows, row by row.
    pub codes: Vec<f32>,
    /// Rows observed.
    pub rows: usize,
}

impl Observation {
    /// As metrics: `path_entropy`, of hidden layer N `effective_width_N` (exp of the entropy of its neurons' shares
    /// of the paths) and `active_units_N`, and of the code layer `latent_usage`.
    pub fn metrics(&self) -> std::collections::BTreeMap<String, f64> {
        let mut metrics = std::collections::BTreeMap::from([("path_entropy".to_string(), self.path_entropy)]);
        for (index, layer) in self.layers.iter().enumerate() {
            let number = index + 1;
            metrics.insert(format!("effective_width_{number}"), layer.path_entropy.exp());
            metrics.insert(format!("active_units_{number}"), layer.active_units() as f64);
        }
        let code = self.layers.get(self.code);
        metrics.extend(code.map(|layer| ("latent_usage".to_string(), layer.usage())));
        metrics
    }
}
