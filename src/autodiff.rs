//! Reverse-mode differentiation, graph to graph: a gradient is more nodes, nothing else.
//!
//! So a gradient with respect to an input, a loss of weights only and a gradient of a gradient need
//! no machinery of their own.

use std::collections::HashMap;

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops;
use crate::ops::array::stop_gradient::StopGradient;

/// Adds to `graph` the gradient of Σ seed · output with respect to each of `wrt`.
///
/// `outputs` pairs each value with the gradient that arrives at it (a scalar weight for a scalar
/// loss). `None` stands for a gradient that is zero because nothing connects the two.
///
/// # Errors
/// When an operation on the way has no gradient rule.
pub fn grad(graph: &mut Graph, outputs: &[(Var, Var)], wrt: &[Var]) -> Result<Vec<Option<Var>>> {
    let count = graph.nodes().len();
    let mut needed = vec![false; count];
    for var in wrt {
        needed[var.node] = true;
    }
    for index in 0..count {
        // Behind it nothing depends on anything any more.
        if graph.nodes()[index].op.downcast::<StopGradient>().is_some() {
            continue;
        }
        if graph.nodes()[index].inputs.iter().any(|v| needed[v.node]) {
            needed[index] = true;
        }
    }

    let mut gradients: HashMap<Var, Var> = HashMap::new();
    for &(output, seed) in outputs {
        accumulate(graph, &mut gradients, output, seed)?;
    }
    for index in (0..count).rev() {
        let node = &graph.nodes()[index];
        // Behind a value that is differentiated by, nothing is wanted any more.
        if !node.inputs.iter().any(|v| needed[v.node]) {
            continue;
        }
        let node = node.clone();
        let y: Vec<Var> = (0..node.outputs.len()).map(|port| Var { node: index, port }).collect();
        let dy: Vec<Option<Var>> = y.iter().map(|v| gradients.get(v).copied()).collect();
        if dy.iter().all(Option::is_none) {
            continue;
        }
        let dx = node.op.vjp(graph, &node.inputs, &y, &dy)?;
        for (&input, gradient) in node.inputs.iter().zip(dx) {
            if let Some(gradient) = gradient
                && needed[input.node]
            {
                accumulate(graph, &mut gradients, input, gradient)?;
            }
        }
    }
    Ok(wrt.iter().map(|v| gradients.get(v).copied()).collect())
}

fn accumulate(graph: &mut Graph, gradients: &mut HashMap<Var, Var>, var: Var, gradient: Var) -> Result<()> {
    let total = match gradients.get(&var) {
        Some(&earlier) => graph.apply(ops::array::binary::Binary::Add, &[earlier, gradient])?,
        None => gradient,
    };
    gradients.insert(var, total);
    Ok(())
}
