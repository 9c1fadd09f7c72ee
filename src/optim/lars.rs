//! LARS over all parameters of a model in one operation.

use super::{Moment, push_step};
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::ops::step::lars_step::LarsStep;

/// Name of a parameter's velocity, which holds the learning rates of the steps that it is made of.
pub fn scaled_velocity(parameter: &str) -> String {
    format!("lars.v.{parameter}")
}

/// Adds one step: velocities `lars.v.<name>` as sources, parameters and velocities updated in place.
///
/// # Errors
/// When a gradient's shape differs from its parameter's.
pub fn lars(
    g: &mut Graph,
    settings: LarsStep,
    clock: Var,
    learning_rate: Var,
    parameters: &[(String, Var)],
    gradients: &[Var],
) -> Result<Vec<Var>> {
    let step = LarsStep { tensors: parameters.len(), ..settings };
    let moments: [Moment; 1] = [(Role::FirstMoment, scaled_velocity)];
    push_step(g, std::sync::Arc::new(step), [clock, learning_rate], parameters, gradients, &moments)
}
