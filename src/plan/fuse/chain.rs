//! Adjacent narrow layers in one kernel, forward and back.

use std::sync::Arc;

use super::finder::Finder;
use super::rewrite::Match;
use crate::graph::{Role, Var};
use crate::ops::array::activation::Activation;
use crate::ops::fused::layer_table::{LONGEST, WIDEST};
use crate::ops::fused::linear_chain::LinearChain;
use crate::ops::fused::linear_chain_grad::LinearChainGrad;
use crate::ops::matmul::matmul_nn::LinearInputGrad;
use crate::ops::matmul::matmul_nt::Linear;

fn value(node: usize) -> Var {
    Var { node, port: 0 }
}

/// Whether a value is a matrix with narrow rows.
fn is_narrow(f: &Finder<'_>, var: Var) -> bool {
    f.ty(var).shape.matrix().is_some_and(|(_, columns)| columns <= WIDEST)
}

fn is_parameter(f: &Finder<'_>, var: Var) -> bool {
    f.role(var).is_some_and(Role::is_parameter)
}

/// Runs of two and more of these nodes in which each reads the one before it first of all.
fn runs(f: &Finder<'_>, candidates: &[usize]) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for &node in candidates {
        let below = f.inputs(node)[0];
        let run =
            runs.iter_mut().find(|run| run.last().is_some_and(|&last| value(last) == below) && run.len() < LONGEST);
        match run {
            Some(run) => run.push(node),
            None => runs.push(vec![node]),
        }
    }
    runs.retain(|run| run.len() > 1);
    runs
}

fn as_outputs(nodes: &[usize]) -> Vec<(Var, usize)> {
    nodes.iter().enumerate().map(|(port, &node)| (value(node), port)).collect()
}

/// Linear layers that feed one another.
pub(in crate::plan) fn chain(f: &Finder<'_>) -> Vec<Match> {
    let narrow = |node: &usize| {
        let inputs = f.inputs(*node);
        is_narrow(f, inputs[0]) && is_narrow(f, value(*node)) && inputs[1..].iter().all(|&var| is_parameter(f, var))
    };
    let candidates: Vec<usize> = f.all::<Linear>().map(|(node, _)| node).filter(narrow).collect();
    runs(f, &candidates)
        .into_iter()
        .filter_map(|nodes| {
            let activations = nodes.iter().map(|&node| Some(f.op(node).downcast::<Linear>()?.0));
            let parameters = nodes.iter().flat_map(|&node| f.inputs(node)[1..].to_vec());
            Some(Match {
                op: Arc::new(LinearChain(activations.collect::<Option<Vec<_>>>()?)),
                inputs: std::iter::once(f.inputs(nodes[0])[0]).chain(parameters).collect(),
                outputs: as_outputs(&nodes),
                nodes,
            })
        })
        .collect()
}

/// Their gradients on the way back. The hidden values must be outputs of one chain, so that one binding
/// spans them.
pub(in crate::plan) fn chain_grad(f: &Finder<'_>) -> Vec<Match> {
    let narrow = |node: &usize| {
        let inputs = f.inputs(*node);
        is_narrow(f, inputs[0]) && is_narrow(f, value(*node)) && is_parameter(f, inputs[1])
    };
    let candidates: Vec<usize> = f.all::<LinearInputGrad>().map(|(node, _)| node).filter(narrow).collect();
    let mut matches = Vec::new();
    for mut nodes in runs(f, &candidates) {
        let dy = f.inputs(nodes[0])[0];
        // From the first layer to the last, as the operation counts.
        nodes.reverse();
        let hidden: Vec<Var> = nodes.iter().map(|&node| f.inputs(node)[2]).collect();
        let chained = |var: &Var| var.node == hidden[1].node && f.op(var.node).downcast::<LinearChain>().is_some();
        if !hidden[1..].iter().all(chained) {
            continue;
        }
        let activations = nodes.iter().map(|&node| Some(f.op(node).downcast::<LinearInputGrad>()?.0));
        let Some(activations) = activations.collect::<Option<Vec<Activation>>>() else { continue };
        let weights = nodes.iter().map(|&node| f.inputs(node)[1]);
        matches.push(Match {
            op: Arc::new(LinearChainGrad(activations)),
            inputs: std::iter::once(dy).chain(hidden.iter().copied()).chain(weights).collect(),
            outputs: as_outputs(&nodes),
            nodes,
        });
    }
    matches
}
