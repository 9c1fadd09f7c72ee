//! Stochastic gradient descent with momentum over all parameters of a model in one operation.

use super::{Moment, push_step};
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::ops::step::sgd_step::SgdStep;

/// Name of a parameter's velocity.
pub fn velocity(parameter: &str) -> String {
    format!("sgd.u.{parameter}")
}

/// Adds one step: velocities `sgd.u.<name>` as sources, parameters and velocities updated in place.
///
/// # Errors
/// When a gradient's shape differs from its parameter's.
pub fn sgd(
    g: &mut Graph,
    settings: SgdStep,
    clock: Var,
    learning_rate: Var,
    parameters: &[(String, Var)],
    gradients: &[Var],
) -> Result<Vec<Var>> {
    let step = SgdStep { tensors: parameters.len(), ..settings };
    let moments: [Moment; 1] = [(Role::FirstMoment, velocity)];
    push_step(g, std::sync::Arc::new(step), [clock, learning_rate], parameters, gradients, &moments)
}
