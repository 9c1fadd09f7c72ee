//! Stochastic gradient descent with momentum over all parameters of a model in one operation.

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
    let vars: Vec<Var> = parameters.iter().map(|(_, var)| *var).collect();
    let velocities: Vec<Var> = parameters
        .iter()
        .map(|(name, var)| {
            let ty = g.ty(*var).clone();
            g.source(Role::FirstMoment, velocity(name), ty)
        })
        .collect();
    let inputs = [&[clock, learning_rate][..], &vars, gradients, &velocities].concat();
    g.push(std::sync::Arc::new(SgdStep { tensors: parameters.len(), ..settings }), &inputs)
}
