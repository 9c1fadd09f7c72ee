//! A running mean of all parameters of a model in one operation.

use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::ops::step::average_step::AverageStep;

/// Name of a parameter's mean.
pub fn average_of(parameter: &str) -> String {
    format!("average.{parameter}")
}

/// Adds one step: means `average.<name>` as sources, updated in place with parameters that were moved. `clock` must be the clock
/// after it was advanced.
///
/// # Errors
/// When there is no parameter.
pub fn average(
    g: &mut Graph,
    decay: f32,
    clock: Var,
    parameters: &[(String, Var)],
    stepped: &[Var],
) -> Result<Vec<Var>> {
    let tensors = parameters.len();
    let mut inputs = vec![clock];
    inputs.extend(&stepped[..tensors]);
    for (name, var) in parameters {
        let ty = g.ty(*var).clone();
        inputs.push(g.source(Role::Average, average_of(name), ty));
    }
    g.push(std::sync::Arc::new(AverageStep { decay, tensors }), &inputs)
}
