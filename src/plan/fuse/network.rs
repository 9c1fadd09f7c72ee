//! The small-network path: a training step as three operations, `network_pass`, `network_update` and
//! `clock_advance`, where the activations of a few samples fit in workgroup memory.
//!
//! It applies to a graph that is such a step and nothing else, after the other fusions. Every link is
//! checked, so that a graph that merely looks alike keeps its operations.

use std::sync::Arc;

use super::finder::Finder;
use super::rewrite::Builder;
use crate::error::Result;
use crate::graph::{Graph, Op, OpRef, Var};
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::batch::gathered::Gathered;
use crate::ops::entropy::weight_entropies::{WeightEntropies, WeightTerm};
use crate::ops::fused::network::{LAYERS, Network, SUMS};
use crate::ops::fused::network_pass::{NetworkPass, fits};
use crate::ops::fused::network_update::NetworkUpdate;
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::loss::reconstruction_loss::LossKind;
use crate::ops::loss::reconstruction_loss_grad::{ReconstructionLossGrad, ReconstructionLossPair};
use crate::ops::matmul::matmul_nn::LinearInputGrad;
use crate::ops::matmul::matmul_nt::Linear;
use crate::ops::matmul::matmul_tn::LinearWeightGrad;
use crate::ops::step::adam_step::AdamStep;
use crate::ops::step::clock_advance::ClockAdvance;
use crate::ops::step::learning_rate_step::LearningRateStep;

/// A step taken apart.
struct Found {
    network: Network,
    adam: AdamStep,
    advance: ClockAdvance,
    data: Var,
    clock: Var,
    ring: Var,
    rate: Var,
    /// Gradients of the loss and of the entropies.
    seeds: Vec<Var>,
    /// W, b, … then first and second moments.
    tensors: Vec<Var>,
    /// For each column of the ring after the first: 0 the loss, 1 + i the i-th sum of entropies.
    terms: Vec<usize>,
}

fn var(node: usize, port: usize) -> Var {
    Var { node, port }
}

/// The one node of this kind.
fn only<'a, O: Op>(f: &Finder<'a>) -> Option<(usize, &'a O)> {
    let mut all = f.all::<O>();
    all.next().filter(|_| all.next().is_none())
}

/// The one gathered operation of this kind.
fn only_gathered<'a, O: Op>(f: &Finder<'a>) -> Option<(usize, &'a O, BatchGather)> {
    let mut all = f.all::<Gathered>().filter_map(|(node, g)| Some((node, g.op.downcast::<O>()?, g.gather)));
    all.next().filter(|_| all.next().is_none())
}

/// The forward pass: nodes of the layers in order.
fn layers(f: &Finder<'_>) -> Option<Vec<(usize, Linear)>> {
    let (first, linear, _) = only_gathered::<Linear>(f)?;
    let mut layers = vec![(first, *linear)];
    while let Some((node, linear)) =
        f.all::<Linear>().find(|(node, _)| f.inputs(*node)[0].node == layers[layers.len() - 1].0)
    {
        layers.push((node, *linear));
    }
    Some(layers)
}

/// Gradients of W, b, W, b, … as the layers leave them, every link of the backward pass checked.
fn gradients(
    f: &Finder<'_>,
    layers: &[(usize, Linear)],
    parameters: &[Var],
    last_delta: Var,
    batch: &[Var],
) -> Option<Vec<Var>> {
    let mut gradients = Vec::new();
    let mut delta = last_delta;
    for (i, _) in layers.iter().enumerate().rev() {
        let node = if i == 0 {
            let (node, _, _) = only_gathered::<LinearWeightGrad>(f)?;
            (f.inputs(node) == [batch[0], batch[1], delta]).then_some(node)?
        } else {
            let below = var(layers[i - 1].0, 0);
            f.all::<LinearWeightGrad>().find(|(node, _)| f.inputs(*node) == [delta, below])?.0
        };
        gradients.push([var(node, 0), var(node, 1)]);
        if i > 0 {
            let below = var(layers[i - 1].0, 0);
            let (node, op) =
                f.all::<LinearInputGrad>().find(|(node, _)| f.inputs(*node) == [delta, parameters[2 * i], below])?;
            (op.0 == layers[i - 1].1.0).then_some(())?;
            delta = var(node, 0);
        }
    }
    Some(gradients.into_iter().rev().flatten().collect())
}

/// The entropies in terms of the network's parameters, their seeds and values; what they add to the
/// gradients must end as the gradients of the same parameters.
fn entropies(
    f: &Finder<'_>,
    parameters: &[Var],
    gradients: &mut [Var],
) -> Option<(Vec<WeightTerm>, Vec<Var>, Vec<Var>)> {
    let Some((node, op)) = f.all::<WeightEntropies>().next() else { return Some((Vec::new(), Vec::new(), Vec::new())) };
    only::<WeightEntropies>(f)?;
    let [count, seeds, _, values] = op.counts;
    let inputs = f.inputs(node);
    let place = |list: &[Var], var: Var| list.iter().position(|other| *other == var);
    let mut terms = Vec::new();
    for term in &op.terms {
        let mut renumbered = [0; 2];
        for k in 0..2 {
            let parameter = place(parameters, inputs[term.parameters[k]])?;
            (inputs[count + seeds + term.gradients[k]] == gradients[parameter]).then_some(())?;
            renumbered[k] = parameter;
        }
        terms.push(WeightTerm { parameters: renumbered, gradients: renumbered, ..*term });
    }
    let bases = &inputs[count + seeds..];
    for (i, base) in bases.iter().enumerate() {
        gradients[place(gradients, *base)?] = var(node, values + i);
    }
    Some((terms, inputs[count..count + seeds].to_vec(), (0..values).map(|port| var(node, port)).collect()))
}

fn find(f: &Finder<'_>, graph: &Graph) -> Option<Found> {
    let (rows, batch) = only::<BatchRows>(f)?;
    let (adam_node, adam) = only::<AdamStep>(f)?;
    let (advance_node, advance) = only::<ClockAdvance>(f)?;
    let (loss, pair, gather) = only_gathered::<ReconstructionLossPair>(f)?;
    let layers = layers(f)?;
    let [data, rows_var, prediction, clock, seed] = *f.inputs(loss) else { return None };
    let batch_inputs = [data, rows_var];
    let (first, last) = (layers.first()?, layers.last()?);
    let ReconstructionLossGrad { kind, activation, rows_per_sample } = pair.0;
    let linked = rows_var == var(rows, 0)
        && f.inputs(rows) == [clock]
        && f.inputs(first.0)[..2] == batch_inputs
        && prediction == var(last.0, 0)
        && activation == last.1.0
        && rows_per_sample == 1
        && kind != LossKind::Bce;
    linked.then_some(())?;

    let parameters: Vec<Var> = layers
        .iter()
        .enumerate()
        .flat_map(|(i, (node, _))| f.inputs(*node)[if i == 0 { 2 } else { 1 }..].to_vec())
        .collect();
    let mut gradients = gradients(f, &layers, &parameters, var(loss, 1), &batch_inputs)?;
    let (terms, seeds, sums) = entropies(f, &parameters, &mut gradients)?;

    let n = parameters.len();
    let inputs = f.inputs(adam_node);
    let [advanced_clock, rate] = [inputs[0], inputs[1]];
    // A rate that moves is set before anything else happens.
    let moves = f.op(rate.node).downcast::<LearningRateStep>().is_some();
    (!moves || f.inputs(rate.node)[0] == clock).then_some(())?;
    let adam_agrees = adam.tensors == n
        && advanced_clock == var(advance_node, 0)
        && inputs[2..2 + n] == parameters
        && inputs[2 + n..2 + 2 * n] == gradients;
    adam_agrees.then_some(())?;
    let [advanced, ring, columns @ ..] = f.inputs(advance_node) else { return None };
    (*advanced == clock).then_some(())?;
    let column = |value: &Var| {
        if *value == var(loss, 0) { Some(0) } else { Some(1 + sums.iter().position(|sum| sum == value)?) }
    };
    let columns = columns.iter().map(column).collect::<Option<Vec<usize>>>()?;

    let sources = graph.sources().count();
    let expected = sources + 4 + 3 * layers.len() - 1 + usize::from(!terms.is_empty()) + usize::from(moves);
    let network = Network {
        gather,
        batch: batch.0,
        layers: layers.iter().map(|(node, linear)| (graph.ty(var(*node, 0)).shape.dims()[1], linear.0)).collect(),
        loss: kind,
        terms,
        seeds: seeds.len(),
        sums: sums.len(),
    };
    let whole = graph.nodes().len() == expected && graph.results().is_empty();
    (whole && network.layers.len() <= LAYERS && network.sums <= SUMS).then_some(())?;
    Some(Found {
        network,
        adam: *adam,
        advance: *advance,
        data,
        clock,
        ring: *ring,
        rate,
        seeds: [vec![seed], seeds].concat(),
        tensors: [&inputs[2..2 + n], &inputs[2 + 2 * n..]].concat(),
        terms: columns,
    })
}

/// The graph as three operations, if it is a step of a network that fits; else as it was.
pub(in crate::plan) fn small_network(graph: &Graph, profile: &DeviceProfile) -> Result<Graph> {
    let Some(found) = find(&Finder::new(graph), graph).filter(|found| fits(&found.network, profile)) else {
        return Ok(graph.clone());
    };
    let mut builder = Builder::new(graph);
    for (source, _) in graph.sources() {
        builder.copy(source.node)?;
    }
    if !builder.map.contains_key(&found.rate) {
        builder.copy(found.rate.node)?;
    }
    let network = Arc::new(found.network);
    let n = 2 * network.layers.len();
    let [data, clock, ring, rate] = builder.translate(&[found.data, found.clock, found.ring, found.rate])?[..] else {
        return Ok(graph.clone());
    };
    let seeds = builder.translate(&found.seeds)?;
    let tensors = builder.translate(&found.tensors)?;
    let g = &mut builder.graph;
    let inputs = [&[data, clock], &seeds[..], &tensors[..n]].concat();
    let pass = g.push(Arc::new(NetworkPass(network.clone())), &inputs)?;
    let update: OpRef = Arc::new(NetworkUpdate { network, adam: found.adam, advance: found.advance });
    let losses = g.push(update, &[&[data, pass[0], pass[1], clock, rate], &tensors[..]].concat())?;
    let columns: Vec<Var> = found.terms.iter().map(|&term| losses[term]).collect();
    g.push(Arc::new(found.advance), &[&[clock, ring], &columns[..]].concat())?;
    builder.finish()
}
