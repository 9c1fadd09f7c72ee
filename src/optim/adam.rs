//! Adam and AdamW over all parameters of a model in one operation.

use super::{Moment, push_step};
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::ops::step::adam_step::AdamStep;

/// Name of a parameter's first moment.
pub fn first_moment(parameter: &str) -> String {
    format!("adam.m.{parameter}")
}

/// Name of a parameter's second moment.
pub fn second_moment(parameter: &str) -> String {
    format!("adam.v.{parameter}")
}

/// Adds one step: moments `adam.m.<name>`, `adam.v.<name>` as sources, parameters and moments updated
/// in place. `clock` must be the clock after it was advanced.
///
/// # Errors
/// When a gradient's shape differs from its parameter's.
pub fn adam(
    g: &mut Graph,
    settings: AdamStep,
    clock: Var,
    learning_rate: Var,
    parameters: &[(String, Var)],
    gradients: &[Var],
) -> Result<Vec<Var>> {
    let step = AdamStep { tensors: parameters.len(), ..settings };
    let moments: [Moment; 2] = [(Role::FirstMoment, first_moment), (Role::SecondMoment, second_moment)];
    push_step(g, std::sync::Arc::new(step), [clock, learning_rate], parameters, gradients, &moments)
}
