//! The end of a training step: the learning rate of the step, gradients within their limit, parameters moved.

use std::sync::Arc;

use crate::config::{OptimiserKind, RateKind, RunConfig};
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::step::adam_step::{AdamStep, WeightDecay};
use crate::ops::step::clip_norm::ClipNorm;
use crate::ops::step::learning_rate_step::{Decay, LearningRateStep};
use crate::ops::step::sgd_step::SgdStep;
use crate::optim::adam::{adam, first_moment, second_moment};
use crate::optim::sgd::{sgd, velocity};

/// Names of what any optimiser keeps of a parameter.
pub fn kept_of(parameter: &str) -> [String; 3] {
    [first_moment(parameter), second_moment(parameter), velocity(parameter)]
}

/// How the learning rate moves where there are `rows` to train on; not at all if it is constant. It is a function
/// of the step and of this configuration alone: other `epochs` or another `lr` on resuming count from the first
/// step made then.
pub fn learning_rate_step(config: &RunConfig, rows: usize) -> Option<LearningRateStep> {
    let schedule = &config.lr_schedule;
    let batches = rows.div_ceil(config.step_rows(rows).max(1));
    let steps = |epochs: f32| (f64::from(epochs) * batches as f64).round() as u32;
    let warm_up = steps(schedule.warm_up);
    let decay = match schedule.kind {
        RateKind::Constant if warm_up == 0 => return None,
        RateKind::Constant => Decay::Constant,
        RateKind::Step => {
            Decay::Stairs { every: steps(schedule.every.unwrap_or(1.0)).max(1), factor: schedule.factor() }
        }
        RateKind::Cosine => {
            let end = u32::try_from(batches as u64 * u64::from(config.epochs)).unwrap_or(u32::MAX);
            Decay::Cosine { end, floor: schedule.floor() }
        }
    };
    Some(LearningRateStep { peak: config.lr, warm_up, decay })
}

/// Adam's constants as the configuration has them; those of its bias corrections hold for every optimiser, since
/// they are the clock's.
pub(crate) fn adam_settings(config: &RunConfig, tensors: usize) -> AdamStep {
    let lambda = config.optimiser.weight_decay();
    let decay = match config.optimiser.kind {
        _ if lambda == 0.0 => WeightDecay::None,
        OptimiserKind::AdamW => WeightDecay::Decoupled,
        OptimiserKind::Adam | OptimiserKind::Sgd => WeightDecay::L2,
    };
    AdamStep { beta1: config.optimiser.beta1(), decay, lambda, ..AdamStep::new(tensors) }
}

/// The rate of this step, given the clock before it is advanced and the state that holds the rate.
pub(crate) fn scheduled(g: &mut Graph, config: &RunConfig, rows: usize, clock: Var, rate: Var) -> Result<Var> {
    learning_rate_step(config, rows).map_or(Ok(rate), |step| g.apply(step, &[clock, rate]))
}

/// Parameters moved along their gradients, given the clock after it was advanced.
pub(crate) fn update(
    g: &mut Graph,
    config: &RunConfig,
    clock: Var,
    rate: Var,
    parameters: &[(String, Var)],
    mut gradients: Vec<Var>,
) -> Result<Vec<Var>> {
    let tensors = parameters.len();
    if let Some(limit) = config.optimiser.clip {
        gradients = g.push(Arc::new(ClipNorm { limit, tensors }), &gradients)?;
    }
    let stepped = match config.optimiser.kind {
        OptimiserKind::Adam | OptimiserKind::AdamW => {
            adam(g, adam_settings(config, tensors), clock, rate, parameters, &gradients)?
        }
        OptimiserKind::Sgd => {
            let (momentum, decay) = (config.optimiser.momentum(), config.optimiser.weight_decay());
            sgd(g, SgdStep { momentum, decay, tensors }, clock, rate, parameters, &gradients)?
        }
    };
    Ok(stepped)
}
