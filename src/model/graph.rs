//! The graphs of a run: a training step, an evaluation batch, answers, moments, a reconstruction.

use std::sync::Arc;

use super::adversarial::{Ending, in_turn};
use super::forward::{Entrance, forward, network};
use super::holding::Holding;
use super::learning::{Learnt, in_parts, learnt, named};
use super::optimiser::{Moving, adam_settings, scheduled, update};
use super::scaling::{Scaled, Scaling, scaled};
use crate::config::{RunConfig, Schedule, Weight};
use crate::data::{Split, ValueKind};
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::nn::Pass;
pub(crate) use crate::nn::batch::weight_name;
use crate::ops::array::sum_all::SumAll;
use crate::ops::array::transpose::TransposeInto;
use crate::ops::array::unary::Unary;
use crate::ops::step::clock;
use crate::ops::step::clock_advance::ClockAdvance;
use crate::ops::step::multiplier_step::{MultiplierStep, memory_ty};
use crate::tensor::Ty;

/// Decay of the running mean of the error that a budget is compared with: about a hundred steps.
const DECAY: f32 = 0.99;

/// Smallest weight of an entropy under a budget, from which it grows.
const FLOOR: f32 = 1e-5;

/// The same of bits that are held to a budget: about twenty steps, since what they follow moves with them.
const HELD_DECAY: f32 = 0.95;

/// Smallest weight of bits under a budget, from which it grows.
const HELD_FLOOR: f32 = 0.01;

/// Share of what a run has behind its warm-up after which their budget is the whole one.
const HELD_FROM: f32 = 0.8;

/// Steps that the ring remembers: the most that may run between two readings.
pub const RING_STEPS: usize = 4096;

/// Rows of a data set on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataShape {
    /// Number of rows.
    pub rows: usize,
    /// Values of a row.
    pub features: usize,
    /// How a value is stored.
    pub kind: ValueKind,
}

impl DataShape {
    /// The rows as a source of a graph: bytes padded to whole words, or f32.
    pub fn ty(&self) -> Ty {
        match self.kind {
            ValueKind::Byte => Ty::u8(&[self.rows, self.features.next_multiple_of(4)]),
            ValueKind::Float => Ty::f32(&[self.rows, self.features]),
        }
    }

    /// Shape of a split.
    pub fn of(split: &Split) -> Self {
        DataShape { rows: split.rows, features: split.width, kind: split.kind() }
    }
}

/// Names of the terms of a batch in a pass: the columns of the ring behind the first, which counts rows.
pub fn terms(config: &RunConfig, pass: Pass) -> Vec<&'static str> {
    config.terms(pass).into_iter().map(|(name, _)| name).collect()
}

/// How a weight moves; not at all if it is constant.
pub fn multiplier_step(config: &RunConfig, weight: &Weight, data: DataShape) -> Option<MultiplierStep> {
    let batches = data.rows.div_ceil(config.step_rows(data.rows).max(1));
    let steps = |epochs: f32| (f64::from(epochs) * batches as f64).round() as u32;
    if !weight.moves() {
        return None;
    }
    match weight.schedule.settled(config.epochs) {
        Schedule::Constant => None,
        Schedule::WarmUp { from, to } => {
            Some(MultiplierStep::Ramp { begin: steps(from), end: steps(to), weight: weight.value })
        }
        Schedule::Budget { warm_up, mse, rate } => Some(MultiplierStep::Budget {
            begin: steps(warm_up.unwrap_or_default()),
            budget: mse,
            rate,
            decay: DECAY,
            floor: FLOOR.min(weight.value),
            ceiling: weight.value,
        }),
        Schedule::Hold { budget, warm_up, pace } => {
            let (begin, way) = (steps(warm_up), steps(HELD_FROM * (config.epochs as f32 - warm_up)));
            Some(MultiplierStep::Hold {
                begin,
                end: begin + way,
                budget,
                rate: pace / way.max(1) as f32,
                decay: HELD_DECAY,
                floor: HELD_FLOOR.min(weight.value),
                ceiling: weight.value,
            })
        }
    }
}

/// The weights of the terms that count, as scalars: those that move are a plan's state, the others its settings. They come
/// before what they are weights of, so that a term and its gradient can be one operation.
fn weights(g: &mut Graph, config: &RunConfig) -> Vec<Option<Var>> {
    let source = |(name, weight): (&'static str, Weight)| {
        let role = if weight.moves() { Role::State } else { Role::Setting };
        weight.counts.then(|| g.source(role, weight_name(name), Ty::f32(&[])))
    };
    config.terms(Pass::Train).into_iter().map(source).collect()
}

/// One step of training: batch, forward, losses, backward, ring and clock, optimiser.
///
/// Sources beside parameters and moments: `clock`, `ring`, `learning_rate`, `lambda_<term>` of every term that counts,
/// the memory of each weight that moves, and the data set `train images`, with what objectives need beside it.
///
/// # Errors
/// When the layers do not fit the data.
pub fn training(config: &RunConfig, holding: impl Into<Holding>) -> Result<Graph> {
    let holding = holding.into();
    let data = holding.data;
    if config.hopfield.is_some() {
        let problem = "a Hopfield network is not trained by steps, so there is no plan of one";
        return Err(Error::Usage(format!("--model {}: {problem}", config.model)));
    }
    config.check_members(holding.member.size)?;
    let g = &mut Graph::new();
    let entrance = Entrance::new(g, config, "train", holding)?;
    let clock = entrance.clock;
    let (rows, parts) = (config.step_rows(data.rows), config.optimiser.accumulate());
    // What goes through in one piece does so before anything else is there, as it always did.
    let whole = match parts * holding.member.size {
        1 => Some(entrance.batch(g, config, clock, rows, Pass::Train)?),
        _ => None,
    };
    let columns = 1 + config.terms(Pass::Train).len();
    let ring = g.source(Role::Setting, "ring", Ty::f32(&[RING_STEPS, columns]));
    let learning_rate = g.source(Role::Setting, "learning_rate", Ty::f32(&[]));
    let rate = scheduled(g, config, data.rows, clock, learning_rate)?;
    let weights = weights(g, config);
    if let (Some(adversarial), Some(batch)) = (config.adversarial, &whole) {
        in_turn(g, config, adversarial, batch, &Ending { ring, rate, weights: &weights })?;
        return Ok(std::mem::take(g));
    }
    let scaling = Scaling::source(g, config, Scaled::Whole);
    let mut of_gradients = weights.clone();
    for (weight, (_, kind)) in of_gradients.iter_mut().zip(config.terms(Pass::Train)) {
        let Some(weight) = weight else { continue };
        if kind.is_pace {
            *weight = g.apply(Unary::Affine { scale: 0.0, shift: 1.0 }, &[*weight])?;
        }
        *weight = scaled(g, scaling, *weight)?;
    }
    let Learnt { terms, gradients } = match &whole {
        Some(batch) => learnt(g, config, batch, &of_gradients)?,
        None => in_parts(g, config, &entrance, rows, &of_gradients)?,
    };
    for (term, weight) in terms.iter().zip(&weights) {
        if let (Some(step), &Some(weight)) = (multiplier_step(config, &term.weight, data), weight) {
            let memory = g.source(Role::State, term.weight.memory, memory_ty());
            let holds_itself = matches!(term.weight.schedule, Schedule::Hold { .. });
            let error = config.error_term().filter(|_| !holds_itself);
            let error = error.and_then(|name| terms.iter().find(|term| term.name == name));
            let error = error.map_or(term.var, |error| error.var);
            g.push(Arc::new(step), &[error, term.var, clock, weight, memory])?;
        }
    }

    let parameters = &entrance.network.parameters;
    let named = named(parameters);
    let settings = adam_settings(config, named.len());
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let values: Vec<Var> = terms.iter().map(|term| term.var).collect();
    let advanced = g.push(Arc::new(advance), &[&[clock, ring][..], &values].concat())?;
    let stepped = update(g, config, Moving { clock: advanced[0], rate, scaling }, &named, gradients)?;
    for parameter in parameters {
        let own = parameter.tied.as_ref().and_then(|of| named.iter().position(|(name, _)| name == of));
        if let Some(own) = own {
            g.apply(TransposeInto, &[stepped[own], parameter.var])?;
        }
    }
    Ok(std::mem::take(g))
}

/// The batch after that of this clock next, these values in a ring of as many steps as all rows take.
fn advance(g: &mut Graph, clock: Var, steps: usize, values: &[Var]) -> Result<()> {
    let ring = g.source(Role::Setting, "ring", Ty::f32(&[steps, 1 + values.len()]));
    let inputs = [&[clock, ring][..], values].concat();
    g.push(Arc::new(ClockAdvance { beta1: 0.0, beta2: 0.0 }), &inputs).map(|_| ())
}

/// One batch of evaluation on a split, `test` or `validation`: losses into the ring, nothing learnt. Sources beside
/// parameters: `clock`, `ring` and the data set, as `test images`, with what objectives need beside it.
///
/// # Errors
/// When the layers do not fit the data.
pub fn evaluation(config: &RunConfig, split: &str, holding: impl Into<Holding>, batch: usize) -> Result<Graph> {
    let holding = holding.into();
    let g = &mut Graph::new();
    let forward = forward(g, config, split, holding, batch, Pass::Judge)?;
    let terms = config.terms_of(g, &forward)?;
    let values: Vec<Var> = terms.iter().map(|term| term.var).collect();
    advance(g, forward.clock, holding.data.rows.div_ceil(batch), &values)?;
    Ok(std::mem::take(g))
}

/// One batch of test rows: result `answers`, and the batch after it next.
///
/// # Errors
/// When the layers do not fit the data.
pub fn answers(config: &RunConfig, holding: impl Into<Holding>, batch: usize) -> Result<Graph> {
    let holding = holding.into();
    let g = &mut Graph::new();
    let forward = forward(g, config, "test", holding, batch, Pass::Show)?;
    g.result("answers", forward.passed.answer);
    let total = g.apply(SumAll, &[forward.passed.answer])?;
    advance(g, forward.clock, holding.data.rows.div_ceil(batch), &[total])?;
    Ok(std::mem::take(g))
}

/// The moments that blocks normalise one batch of training rows by, as results `moments 0`, `moments 1`, …, with the
/// names of the buffers that they are for, and the batch after it next; nothing for a network without such blocks.
///
/// # Errors
/// When the layers do not fit the data.
pub fn moments(
    config: &RunConfig,
    holding: impl Into<Holding>,
    batch: usize,
) -> Result<Option<(Graph, Vec<[String; 2]>)>> {
    let holding = holding.into();
    let g = &mut Graph::new();
    let entrance = Entrance::new(g, config, "train", holding)?;
    let forward = entrance.batch(g, config, entrance.clock, batch, Pass::Train)?;
    if forward.passed.moments.is_empty() {
        return Ok(None);
    }
    let mut names = Vec::new();
    for (index, (buffers, moments)) in forward.passed.moments.iter().enumerate() {
        g.result(format!("moments {index}"), *moments);
        names.push(buffers.clone());
    }
    let total = g.apply(SumAll, &[forward.passed.answer])?;
    advance(g, entrance.clock, holding.data.rows.div_ceil(batch), &[total])?;
    Ok(Some((std::mem::take(g), names)))
}

/// Rows as they are, `originals` \[rows, features\], and as the clock's step changes them while training: result `changed`.
///
/// # Errors
/// When the rows are no images.
pub fn augmented(config: &RunConfig, rows: usize, features: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let clock = g.source(Role::State, "clock", clock::ty());
    let originals = g.source(Role::Input, "originals", Ty::f32(&[rows, features]));
    let changed = config.augmented(g, originals, clock, 0)?;
    g.result("changed", changed);
    Ok(std::mem::take(g))
}

/// What the encoder makes of rows, `originals` \[rows, features\], on its way: of these of its blocks, counted from 0 as
/// [`joined`](crate::nn::network::joined) has them, the result `block N`.
///
/// # Errors
/// When the layers do not fit the rows.
pub fn stages(config: &RunConfig, rows: usize, features: usize, blocks: &[usize]) -> Result<Graph> {
    let g = &mut Graph::new();
    let network = network(g, config, features)?;
    let originals = g.source(Role::Input, "originals", Ty::f32(&[rows, features]));
    let stages = network.stages(g, originals)?;
    for number in blocks {
        g.result(format!("block {number}"), stages[*number]);
    }
    Ok(std::mem::take(g))
}

/// The first images of the test set and what the model makes of them: results `x` and `reconstruction`; where the
/// configuration has noise, of noisy ones, which are the result `noisy`.
///
/// # Errors
/// When the layers do not fit the data.
pub fn reconstruction(config: &RunConfig, holding: impl Into<Holding>, images: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test", holding.into(), images, Pass::Show)?;
    g.result("x", forward.x);
    let reconstruction = match config.corruption {
        Some(corruption) => {
            let (noisy, cleaned) = corruption.cleaned(g, &forward)?;
            g.result("noisy", noisy);
            cleaned.answer
        }
        None => forward.passed.answer,
    };
    g.result("reconstruction", reconstruction);
    Ok(std::mem::take(g))
}
