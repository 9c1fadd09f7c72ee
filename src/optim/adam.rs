//! Adam and AdamW over all parameters of a model in one operation.

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
    let vars: Vec<Var> = parameters.iter().map(|(_, var)| *var).collect();
    let mut moments = |role: Role, name: fn(&str) -> String| -> Vec<Var> {
        parameters
            .iter()
            .map(|(parameter, var)| {
                let ty = g.ty(*var).clone();
                g.source(role, name(parameter), ty)
            })
            .collect()
    };
    let first = moments(Role::FirstMoment, first_moment);
    let second = moments(Role::SecondMoment, second_moment);
    let inputs = [&[clock, learning_rate][..], &vars, gradients, &first, &second].concat();
    g.push(std::sync::Arc::new(AdamStep { tensors: parameters.len(), ..settings }), &inputs)
}
