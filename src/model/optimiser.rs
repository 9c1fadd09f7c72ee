//! The end of a training step: the learning rate of the step, gradients within their limit, parameters moved.

use std::sync::Arc;

use super::scaling::{Scaling, unscaled};
use crate::config::{OptimiserKind, RateKind, RunConfig};
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::step::adam_step::{AdamStep, WeightDecay};
use crate::ops::step::clip_norm::ClipNorm;
use crate::ops::step::decayed::Decayed;
use crate::ops::step::lars_step::LarsStep;
use crate::ops::step::learning_rate_step::{Decay, LearningRateStep};
use crate::ops::step::sgd_step::SgdStep;
use crate::optim::adam::{adam, first_moment, second_moment};
use crate::optim::average::average;
pub use crate::optim::average::average_of;
use crate::optim::lars::{lars, scaled_velocity};
use crate::optim::sgd::{sgd, velocity};

/// Names of what may be kept beside a parameter: what optimisers have of it, and its mean.
pub fn kept_of(parameter: &str) -> [String; 5] {
    [first_moment, second_moment, velocity, scaled_velocity, average_of].map(|kept| kept(parameter))
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
            Decay::Stairs { every: steps(schedule.every(config.epochs)).max(1), factor: schedule.factor() }
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
        OptimiserKind::Adam | OptimiserKind::Sgd | OptimiserKind::Lars => WeightDecay::L2,
    };
    AdamStep { beta1: config.optimiser.beta1(), decay, lambda, decayed: decayed(config), ..AdamStep::new(tensors) }
}

/// The parameters that decay; without a decay it makes no difference.
fn decayed(config: &RunConfig) -> Decayed {
    if config.optimiser.weight_decay() > 0.0 { config.optimiser.decayed() } else { Decayed::All }
}

/// The rate of this step, given the clock before it is advanced and the state that holds the rate.
pub(crate) fn scheduled(g: &mut Graph, config: &RunConfig, rows: usize, clock: Var, rate: Var) -> Result<Var> {
    learning_rate_step(config, rows).map_or(Ok(rate), |step| g.apply(step, &[clock, rate]))
}

/// What moves parameters: the clock after it was advanced, the rate of the step, the scale of the gradients if they have one.
#[derive(Clone, Copy)]
pub(super) struct Moving {
    pub clock: Var,
    pub rate: Var,
    pub scaling: Option<Scaling>,
}

/// Parameters moved along their gradients, and their means with them if there are any.
pub(super) fn update(
    g: &mut Graph,
    config: &RunConfig,
    Moving { clock, rate, scaling }: Moving,
    parameters: &[(String, Var)],
    gradients: Vec<Var>,
) -> Result<Vec<Var>> {
    let tensors = parameters.len();
    let (clock, mut gradients) = unscaled(g, scaling, clock, gradients)?;
    if let Some(limit) = config.optimiser.clip {
        gradients = g.push(Arc::new(ClipNorm { limit, tensors }), &gradients)?;
    }
    let stepped = match config.optimiser.kind {
        OptimiserKind::Adam | OptimiserKind::AdamW => {
            adam(g, adam_settings(config, tensors), clock, rate, parameters, &gradients)?
        }
        OptimiserKind::Sgd => {
            let (momentum, decay) = (config.optimiser.momentum(), config.optimiser.weight_decay());
            let (decayed, nesterov) = (decayed(config), config.optimiser.nesterov);
            let step = SgdStep { momentum, decay, decayed, nesterov, tensors };
            sgd(g, step, clock, rate, parameters, &gradients)?
        }
        OptimiserKind::Lars => {
            let optimiser = &config.optimiser;
            let (momentum, decay, trust) = (optimiser.momentum(), optimiser.weight_decay(), optimiser.trust());
            lars(g, LarsStep { momentum, decay, trust, tensors }, clock, rate, parameters, &gradients)?
        }
    };
    if let Some(decay) = config.optimiser.average {
        average(g, decay, clock, parameters, &stepped)?;
    }
    Ok(stepped)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Of 100 rows in batches of 10, 20 epochs: nothing said is one fall behind the sixteenth.
    #[test]
    fn stairs_without_a_number_of_epochs_are_two() {
        let falls = |keys: &[(&str, &str)]| {
            let mut config = RunConfig { epochs: 20, batch_size: 10, ..RunConfig::recipe("plain").unwrap() };
            config.set_all("test", &[&[("lr_schedule.kind", "step")], keys].concat()).unwrap();
            config.check().unwrap();
            learning_rate_step(&config, 100).unwrap().decay
        };
        assert_eq!(falls(&[]), Decay::Stairs { every: 160, factor: 0.1 });
        assert_eq!(falls(&[("lr_schedule.every", "2.5")]), Decay::Stairs { every: 25, factor: 0.1 });
    }
}
