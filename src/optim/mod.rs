//! Optimisers, as plain functions over a graph.

pub mod adam;
pub mod average;
pub mod lars;
pub mod sgd;

use crate::error::Result;
use crate::graph::{Graph, OpRef, Role, Var};

/// A moment of every parameter: what it is for, and its name by the parameter's.
type Moment = (Role, fn(&str) -> String);

/// Adds a step for inputs (clock, learning rate, parameters, gradients, moments), with a source of a role and a name
/// for every moment of every parameter.
fn push_step(
    g: &mut Graph,
    op: OpRef,
    state: [Var; 2],
    parameters: &[(String, Var)],
    gradients: &[Var],
    moments: &[Moment],
) -> Result<Vec<Var>> {
    let mut inputs = state.to_vec();
    inputs.extend(parameters.iter().map(|(_, var)| *var));
    inputs.extend(gradients);
    for (role, name) in moments {
        for (parameter, var) in parameters {
            let ty = g.ty(*var).clone();
            inputs.push(g.source(*role, name(parameter), ty));
        }
    }
    g.push(op, &inputs)
}
