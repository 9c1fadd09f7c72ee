//! The graphs of a run: a training step, an evaluation batch, a reconstruction.

use crate::autodiff::grad;
use crate::config::RunConfig;
use crate::data::Split;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::nn::Autoencoder;
use crate::nn::losses::weight_entropy;
use crate::ops::adam_step::AdamStep;
use crate::ops::batch_gather::BatchGather;
use crate::ops::batch_rows::BatchRows;
use crate::ops::binary::Binary;
use crate::ops::clock;
use crate::ops::clock_advance::ClockAdvance;
use crate::ops::reconstruction_loss::{LossKind, ReconstructionLoss};
use crate::optim::adam::adam;
use crate::tensor::Ty;

/// Loss terms, in the order of the ring's columns.
pub const TERMS: [&str; 2] = ["mse", "entropy"];

/// Steps that the ring remembers: the most that may run between two readings.
pub const RING_STEPS: usize = 4096;

/// Rows and bytes of a data set on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataShape {
    /// Number of rows.
    pub rows: usize,
    /// Bytes of a row.
    pub features: usize,
}

impl DataShape {
    /// Shape of a split.
    pub fn of(split: &Split) -> Self {
        DataShape { rows: split.rows, features: split.row_bytes }
    }
}

/// A batch of a data set, and everything computed from it that all graphs share.
struct Forward {
    clock: Var,
    x: Var,
    model: Autoencoder,
    outputs: Vec<Var>,
}

fn forward(g: &mut Graph, config: &RunConfig, name: &str, data: DataShape, batch: usize) -> Result<Forward> {
    let gather = BatchGather { features: data.features };
    let clock = g.source(Role::State, "clock", clock::ty());
    let bytes = g.source(Role::Data, name, Ty::u8(&[data.rows, gather.stride()]));
    let model = Autoencoder::new(g, data.features, &config.layer_specs()?)?;
    let rows = g.apply(BatchRows(batch), &[clock])?;
    let x = g.apply(gather, &[bytes, rows])?;
    let outputs = model.forward(g, x)?;
    Ok(Forward { clock, x, model, outputs })
}

impl Forward {
    fn mse(&self, g: &mut Graph) -> Result<Var> {
        let reconstruction = self.outputs.last().copied().unwrap_or(self.x);
        g.apply(ReconstructionLoss(LossKind::Mse), &[reconstruction, self.x, self.clock])
    }

    /// Sum of the entropies of the chosen layers.
    fn entropy(&self, g: &mut Graph, config: &RunConfig) -> Result<Var> {
        let settings = &config.entropy;
        let mut total: Option<Var> = None;
        for &number in &settings.layers {
            let (layer, next) = (&self.model.layers[number - 1], &self.model.layers[number]);
            let h = weight_entropy(g, layer, next, settings.activity, settings.alpha, settings.bias_weight)?;
            total = Some(match total {
                Some(sum) => g.apply(Binary::Add, &[sum, h])?,
                None => h,
            });
        }
        total.ok_or_else(|| Error::Usage("entropy.layers: expected at least one layer".into()))
    }
}

/// One step of training: batch, forward, losses, backward, ring and clock, Adam.
///
/// Sources beside parameters and moments: `clock`, `ring`, `learning_rate`, `lambda_mse`,
/// `lambda_entropy`, and the data set `train images`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn training(config: &RunConfig, data: DataShape) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "train images", data, config.step_rows(data.rows))?;
    let ring = g.source(Role::State, "ring", Ty::f32(&[RING_STEPS, 1 + TERMS.len()]));
    let learning_rate = g.source(Role::State, "learning_rate", Ty::f32(&[]));
    let lambda_mse = g.source(Role::State, "lambda_mse", Ty::f32(&[]));
    let lambda_entropy = g.source(Role::State, "lambda_entropy", Ty::f32(&[]));

    let mse = forward.mse(g)?;
    let entropy = forward.entropy(g, config)?;
    let parameters = forward.model.parameters();
    // Without a weight the entropy is only watched.
    let mut losses = vec![(mse, lambda_mse)];
    if config.lambda_entropy > 0.0 {
        losses.push((entropy, lambda_entropy));
    }
    let gradients = grad(g, &losses, &parameters)?;
    let unconnected = || Error::Usage("layers: a parameter has no influence on the loss".into());
    let gradients: Vec<Var> = gradients.into_iter().collect::<Option<_>>().ok_or_else(unconnected)?;

    let settings = AdamStep::new(parameters.len());
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let advanced = g.push(std::sync::Arc::new(advance), &[forward.clock, ring, mse, entropy])?;
    let named: Vec<(String, Var)> = forward
        .model
        .layers
        .iter()
        .flat_map(|layer| {
            [(format!("{}.weight", layer.name), layer.weight), (format!("{}.bias", layer.name), layer.bias)]
        })
        .collect();
    adam(g, settings, advanced[0], learning_rate, &named, &gradients)?;
    Ok(std::mem::take(g))
}

/// One batch of evaluation: losses into the ring, nothing learnt. Sources beside parameters: `clock`,
/// `ring` and the data set `test images`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn evaluation(config: &RunConfig, data: DataShape, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test images", data, batch)?;
    let steps = data.rows.div_ceil(batch);
    let ring = g.source(Role::State, "ring", Ty::f32(&[steps, 1 + TERMS.len()]));
    let mse = forward.mse(g)?;
    let entropy = forward.entropy(g, config)?;
    let advance = ClockAdvance { beta1: 0.0, beta2: 0.0 };
    g.push(std::sync::Arc::new(advance), &[forward.clock, ring, mse, entropy])?;
    Ok(std::mem::take(g))
}

/// The first images of the test set and what the model makes of them: results `x` and
/// `reconstruction`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn reconstruction(config: &RunConfig, data: DataShape, images: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test images", data, images)?;
    g.result("x", forward.x);
    g.result("reconstruction", forward.outputs.last().copied().unwrap_or(forward.x));
    Ok(std::mem::take(g))
}
