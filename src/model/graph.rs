//! The graphs of a run: a training step, an evaluation batch, a reconstruction.

use super::forward::{Forward, Pass, forward};
use super::optimiser::{adam_settings, scheduled, update};
use crate::autodiff::grad;
use crate::config::{Averaging, RunConfig, Schedule, Subject};
use crate::data::Split;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::nn::losses::{path_entropy, path_widths, soft_assignment, weight_entropy};
use crate::ops::array::binary::Binary;
use crate::ops::array::transpose::{Transpose, TransposeInto};
use crate::ops::array::unary::Unary;
use crate::ops::entropy::path_entropy::PathEntropy;
use crate::ops::step::clock_advance::ClockAdvance;
use crate::ops::step::multiplier_step::{MultiplierStep, memory_ty};
use crate::tensor::Ty;

/// Loss terms of a configuration, in the order of the ring's columns; the first two are always there.
pub fn terms(config: &RunConfig) -> Vec<&'static str> {
    ["mse", "entropy"].into_iter().chain(config.further_terms().into_iter().map(|(name, _)| name)).collect()
}

/// Decay of the running mean of the error that a budget is compared with: about a hundred steps.
const DECAY: f32 = 0.99;

/// Smallest weight of an entropy under a budget, from which it grows.
const FLOOR: f32 = 1e-5;

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

impl Forward {
    /// The entropy that the configuration asks for: of all paths, or the sum over the chosen layers.
    fn entropy(&self, g: &mut Graph, config: &RunConfig) -> Result<Var> {
        let settings = &config.entropy;
        let layers = &self.model.layers;
        let entropies = match settings.of {
            Subject::Paths => {
                let paths = PathEntropy { alpha: settings.alpha, bias: settings.path_bias };
                vec![path_entropy(g, layers, paths)?.entropy]
            }
            Subject::Widths => {
                let widths = path_widths(g, layers, settings.alpha)?;
                settings.layers.iter().map(|&number| widths[number - 1]).collect()
            }
            Subject::Weights => {
                let entropy = |&number: &usize| {
                    let (layer, next) = (&layers[number - 1], &layers[number]);
                    weight_entropy(g, layer, next, settings.activity, settings.alpha, settings.bias_weight)
                };
                settings.layers.iter().map(entropy).collect::<Result<Vec<Var>>>()?
            }
            Subject::Codes => {
                let code = |&number: &usize| self.code_entropy(g, config, self.flow.outputs[number - 1]);
                settings.layers.iter().map(code).collect::<Result<Vec<Var>>>()?
            }
        };
        let (&first, others) = entropies
            .split_first()
            .ok_or_else(|| Error::Usage("entropy.layers: expected at least one layer".into()))?;
        others.iter().try_fold(first, |sum, &entropy| g.apply(Binary::Add, &[sum, entropy]))
    }

    /// Mean entropy of a layer's activations as soft assignments, and their balance over the batch.
    fn code_entropy(&self, g: &mut Graph, config: &RunConfig, x: Var) -> Result<Var> {
        let codes = soft_assignment(g, x, self.clock, config.entropy.beta)?;
        let width = g.ty(x).shape.matrix().map_or(1, |(_, width)| width) as f32;
        let (term, scale) = match config.entropy.averaging {
            Averaging::Divergence => (codes.divergence, 1.0),
            Averaging::Average => (codes.average, -1.0 / width),
            Averaging::Document => (codes.document, 1.0),
        };
        let balance = Unary::Affine { scale: scale * config.entropy.balance, shift: 0.0 };
        let balance = g.apply(balance, &[term])?;
        g.apply(Binary::Add, &[codes.mean_entropy, balance])
    }
}

/// How the weight of the entropy moves; not at all if it is constant.
pub fn multiplier_step(config: &RunConfig, data: DataShape) -> Option<MultiplierStep> {
    let batches = data.rows.div_ceil(config.step_rows(data.rows).max(1));
    let steps = |epochs: f32| (f64::from(epochs) * batches as f64).round() as u32;
    let weight = config.signed_lambda_entropy();
    if weight == 0.0 {
        return None;
    }
    match config.entropy.schedule.settled(config.epochs) {
        Schedule::Constant => None,
        Schedule::WarmUp { from, to } => Some(MultiplierStep::Ramp { begin: steps(from), end: steps(to), weight }),
        Schedule::Budget { warm_up, mse, rate } => Some(MultiplierStep::Budget {
            begin: steps(warm_up.unwrap_or_default()),
            budget: mse,
            rate,
            decay: DECAY,
            floor: FLOOR.min(weight),
            ceiling: weight,
        }),
    }
}

/// Memory of the ramp of a divergence's weight.
pub(crate) const WARM_UP: &str = "warm-up of lambda_kl";

/// How the weight of a variational network's divergence rises; not at all if it is constant.
fn warm_up(config: &RunConfig, data: DataShape) -> Option<MultiplierStep> {
    let variational = config.variational.filter(|variational| variational.warm_up > 0.0 && variational.beta > 0.0)?;
    let batches = data.rows.div_ceil(config.step_rows(data.rows).max(1));
    let end = (f64::from(variational.warm_up) * batches as f64).round() as u32;
    Some(MultiplierStep::Ramp { begin: 0, end, weight: variational.beta })
}

/// One step of training: batch, forward, losses, backward, ring and clock, optimiser.
///
/// Sources beside parameters and moments: `clock`, `ring`, `learning_rate`, `lambda_mse`,
/// `lambda_entropy`, `multiplier` where that weight moves, `lambda_` of every further term that has a weight, and the
/// data set `train images`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn training(config: &RunConfig, data: DataShape) -> Result<Graph> {
    if config.hopfield.is_some() {
        let problem = "a Hopfield network is not trained by steps, so there is no plan of one";
        return Err(Error::Usage(format!("--model {}: {problem}", config.model)));
    }
    let g = &mut Graph::new();
    let forward = forward(g, config, "train images", data, config.step_rows(data.rows), Pass::Train)?;
    let ring = g.source(Role::State, "ring", Ty::f32(&[RING_STEPS, 1 + terms(config).len()]));
    let learning_rate = g.source(Role::State, "learning_rate", Ty::f32(&[]));
    let rate = scheduled(g, config, data.rows, forward.clock, learning_rate)?;
    let lambda_mse = g.source(Role::State, "lambda_mse", Ty::f32(&[]));
    let lambda_entropy = g.source(Role::State, "lambda_entropy", Ty::f32(&[]));

    let mse = forward.mse(g)?;
    let entropy = forward.entropy(g, config)?;
    let further = forward.further_terms(g, config, Pass::Train)?;
    let ties = forward.model.ties();
    let mut named: Vec<(String, Var)> = Vec::new();
    for (index, layer) in forward.model.layers.iter().chain(&forward.log_variance).enumerate() {
        if !ties.iter().any(|(_, tied)| *tied == index) {
            named.push((format!("{}.weight", layer.name), layer.weight));
        }
        named.push((format!("{}.bias", layer.name), layer.bias));
    }
    let parameters: Vec<Var> = named.iter().map(|(_, var)| *var).collect();
    // Without a weight a term is only watched.
    let mut losses = Vec::new();
    if config.lambda_mse > 0.0 || !config.has_own_objective() {
        losses.push((mse, lambda_mse));
    }
    if config.lambda_entropy > 0.0 {
        losses.push((entropy, lambda_entropy));
    }
    let mut last_weight = None;
    for (&term, (name, weight)) in further.iter().zip(config.further_terms()) {
        if weight > 0.0 {
            let weight = g.source(Role::State, format!("lambda_{name}"), Ty::f32(&[]));
            losses.push((term, weight));
            last_weight = Some(weight);
        }
    }
    let tied: Vec<Var> = ties.iter().map(|(_, tied)| forward.model.layers[*tied].weight).collect();
    let mut gradients = grad(g, &losses, &[&parameters[..], &tied].concat())?;
    if config.classifier.as_ref().is_some_and(|classifier| classifier.frozen) {
        // Moved by nothing, a parameter stays to the bit; two a layer.
        for (gradient, &parameter) in gradients.iter_mut().zip(&parameters).take(2 * config.encoder.len()) {
            *gradient = Some(g.apply(Unary::Affine { scale: 0.0, shift: 0.0 }, &[parameter])?);
        }
    }
    let of_tied = gradients.split_off(parameters.len());
    for ((layer, _), gradient) in ties.iter().zip(of_tied) {
        let own = parameters.iter().position(|var| *var == forward.model.layers[*layer].weight);
        if let (Some(own), Some(gradient)) = (own, gradient) {
            let turned = g.apply(Transpose, &[gradient])?;
            gradients[own] = Some(match gradients[own] {
                Some(first) => g.apply(Binary::Add, &[first, turned])?,
                None => turned,
            });
        }
    }
    let unconnected = || Error::Usage("layers: a parameter has no influence on the loss".into());
    let gradients: Vec<Var> = gradients.into_iter().collect::<Option<_>>().ok_or_else(unconnected)?;

    // The divergence is the last of the terms.
    if let (Some(step), &[.., nll, kl], Some(weight)) = (warm_up(config, data), &further[..], last_weight) {
        let memory = g.source(Role::State, WARM_UP, memory_ty());
        g.push(std::sync::Arc::new(step), &[nll, kl, forward.clock, weight, memory])?;
    }
    if let Some(step) = multiplier_step(config, data) {
        let memory = g.source(Role::State, "multiplier", memory_ty());
        g.push(std::sync::Arc::new(step), &[mse, entropy, forward.clock, lambda_entropy, memory])?;
    }

    let settings = adam_settings(config, parameters.len());
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let terms = [&[forward.clock, ring, mse, entropy][..], &further].concat();
    let advanced = g.push(std::sync::Arc::new(advance), &terms)?;
    let stepped = update(g, config, advanced[0], rate, &named, gradients)?;
    for (layer, tied) in ties {
        let own = parameters.iter().position(|var| *var == forward.model.layers[layer].weight);
        let own = own.map_or(forward.model.layers[layer].weight, |own| stepped[own]);
        g.apply(TransposeInto, &[own, forward.model.layers[tied].weight])?;
    }
    Ok(std::mem::take(g))
}

/// One batch of evaluation: losses into the ring, nothing learnt. Sources beside parameters: `clock`,
/// `ring` and the data set `test images`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn evaluation(config: &RunConfig, data: DataShape, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test images", data, batch, Pass::Judge)?;
    let steps = data.rows.div_ceil(batch);
    let ring = g.source(Role::State, "ring", Ty::f32(&[steps, 1 + terms(config).len()]));
    let mse = forward.mse(g)?;
    let entropy = forward.entropy(g, config)?;
    let further = forward.further_terms(g, config, Pass::Judge)?;
    let advance = ClockAdvance { beta1: 0.0, beta2: 0.0 };
    g.push(std::sync::Arc::new(advance), &[&[forward.clock, ring, mse, entropy][..], &further].concat())?;
    Ok(std::mem::take(g))
}

/// The first images of the test set and what the model makes of them: results `x` and `reconstruction`; where the
/// configuration has noise, of noisy ones, which are the result `noisy`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn reconstruction(config: &RunConfig, data: DataShape, images: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test images", data, images, Pass::Show)?;
    g.result("x", forward.x);
    let reconstruction = match config.corruption {
        Some(corruption) => {
            let (noisy, cleaned) = forward.cleaned(g, config, corruption, Pass::Show)?;
            g.result("noisy", noisy);
            cleaned
        }
        None => forward.flow.outputs.last().copied().unwrap_or(forward.x),
    };
    g.result("reconstruction", reconstruction);
    Ok(std::mem::take(g))
}
