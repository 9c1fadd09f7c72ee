//! The fusions, each a rewrite of a graph into one with fewer, larger operations.
//!
//! A fused operation has a twin of its own that is composed of the twins it replaces, so every
//! fusion is proved by running both graphs through the interpreter.

mod chain;
mod conv;
mod entropies;
mod finder;
mod gather;
mod network;
mod rewrite;
mod scales;
mod sums;
mod views;
mod weight_grads;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::activation_grad::ActivationGrad;
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::entropy::path_entropy::PathEntropy;
use crate::ops::entropy::path_entropy_grad::{PathEntropyGrad, PathEntropyPair};
use crate::ops::entropy::renyi_entropy::{RenyiEntropy, RenyiEntropyGrad, RenyiEntropyPair};
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::loss::reconstruction_loss::ReconstructionLoss;
use crate::ops::loss::reconstruction_loss_grad::{ReconstructionLossGrad, ReconstructionLossPair};
use crate::ops::matmul::MatMul;
use crate::ops::matmul::matmul_nn::LinearInputGrad;
use crate::ops::matmul::matmul_nt::Linear;
use crate::ops::matmul::matmul_tn::LinearWeightGrad;
use chain::{chain, chain_grad};
use entropies::entropies;
use finder::Finder;
use gather::gather_prologue;
use network::small_network;
use rewrite::{Match, apply, collapse, without_dead_nodes};
use scales::scaled_weights;
use sums::accumulate_in_place;
use views::settle_views;
use weight_grads::weight_grads;

/// The fusions by name, in the order in which they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// What scales the columns of a product, in its weights.
    ScaledWeights,
    /// Bias and activation in the epilogue of a product or a convolution.
    Linear,
    /// The activation's slope in the epilogue of the product that carries a gradient back.
    LinearInputGrad,
    /// Weight and bias gradient in one pass over the batch.
    LinearWeightGrad,
    /// The last activation's slope in the loss gradient.
    LossSlope,
    /// A loss and its gradient in one pass.
    LossPair,
    /// An entropy and its gradient in one kernel.
    EntropyPair,
    /// Gradients of weight entropies added to those of the layers in place.
    SumsInPlace,
    /// The batch read straight from the data set's bytes.
    GatherPrologue,
    /// All entropies of weights in one kernel.
    Entropies,
    /// Adjacent narrow layers in one kernel.
    Chain,
    /// Their gradients in one kernel.
    ChainGrad,
    /// Small weight gradients in one kernel.
    WeightGrads,
    /// The whole step as three operations, for networks that fit in workgroup memory.
    SmallNetwork,
}

impl Fusion {
    /// Those that are right on every device.
    pub const ELEMENTARY: &[Fusion] = &[
        Fusion::ScaledWeights,
        Fusion::Linear,
        Fusion::LinearInputGrad,
        Fusion::LinearWeightGrad,
        Fusion::LossSlope,
        Fusion::LossPair,
        Fusion::EntropyPair,
        Fusion::SumsInPlace,
    ];

    /// Those that hardware gains from, beside the elementary ones: few, large dispatches.
    pub const FOR_HARDWARE: &[Fusion] =
        &[Fusion::GatherPrologue, Fusion::Entropies, Fusion::Chain, Fusion::ChainGrad, Fusion::WeightGrads];

    /// Those that software Vulkan gains from, as measured.
    pub const FOR_SOFTWARE: &[Fusion] = &[Fusion::GatherPrologue, Fusion::Entropies];

    /// The same where operands are read as texels: a batch that is gathered once can be.
    pub const FOR_TEXELS: &[Fusion] = &[Fusion::Entropies];

    /// The name by which plans, tests and files know it.
    pub fn name(self) -> &'static str {
        match self {
            Fusion::ScaledWeights => "scaled_weights",
            Fusion::Linear => "linear",
            Fusion::LinearInputGrad => "linear_input_grad",
            Fusion::LinearWeightGrad => "linear_weight_grad",
            Fusion::LossSlope => "loss_slope",
            Fusion::LossPair => "loss_pair",
            Fusion::EntropyPair => "entropy_pair",
            Fusion::SumsInPlace => "sums_in_place",
            Fusion::GatherPrologue => "gather_prologue",
            Fusion::Entropies => "entropies",
            Fusion::Chain => "chain",
            Fusion::ChainGrad => "chain_grad",
            Fusion::WeightGrads => "weight_grads",
            Fusion::SmallNetwork => "small_network",
        }
    }

    fn apply(self, graph: &Graph, profile: &DeviceProfile) -> Result<Graph> {
        let replace = |find: fn(&Finder<'_>) -> Vec<Match>| apply(graph, find(&Finder::new(graph)));
        match self {
            Fusion::ScaledWeights => scaled_weights(graph),
            Fusion::Linear => replace(linear),
            Fusion::LinearInputGrad => replace(linear_input_grad),
            Fusion::LinearWeightGrad => replace(linear_weight_grad),
            Fusion::LossSlope => replace(loss_and_activation_grad),
            Fusion::LossPair => replace(loss_pair),
            Fusion::EntropyPair => replace(entropy_pair),
            Fusion::SumsInPlace => accumulate_in_place(graph),
            Fusion::Chain => replace(chain),
            Fusion::ChainGrad => replace(chain_grad),
            Fusion::WeightGrads => collapsed(graph, weight_grads(&Finder::new(graph))),
            Fusion::SmallNetwork => small_network(graph, profile),
            Fusion::Entropies => collapsed(graph, entropies(&Finder::new(graph))),
            Fusion::GatherPrologue => without_dead_nodes(&replace(gather_prologue)?),
        }
    }
}

/// Applies these fusions, in the order of their declaration, wherever they match, to a graph without dead nodes and
/// needless views.
///
/// # Errors
/// Never for a well-formed graph.
pub fn fuse(graph: &Graph, fusions: &BTreeSet<Fusion>, profile: &DeviceProfile) -> Result<Graph> {
    if fusions.is_empty() {
        return Ok(graph.clone());
    }
    let mut graph = settle_views(&without_dead_nodes(graph)?)?;
    for fusion in fusions {
        graph = fusion.apply(&graph, profile)?;
    }
    Ok(graph)
}

/// The graph with this group replaced, where there is one that can be.
fn collapsed(graph: &Graph, group: Option<Match>) -> Result<Graph> {
    let replaced = group.map(|group| collapse(graph, &group)).transpose()?.flatten();
    Ok(replaced.unwrap_or_else(|| graph.clone()))
}

fn value(node: usize) -> Var {
    Var { node, port: 0 }
}

/// act(x · Wᵀ + b) in one kernel: bias and activation in the product's epilogue.
fn linear(f: &Finder<'_>) -> Vec<Match> {
    let mut matches = conv::layer(f);
    for (product, _) in f.all::<MatMul>().filter(|(_, op)| **op == MatMul::Nt) {
        let Some((bias, _)) = f.only_user::<AddBias>(value(product), 0) else { continue };
        let activated = f.only_user::<Activation>(value(bias), 0);
        let (activation, last) = activated.map_or((Activation::Identity, bias), |(node, op)| (*op, node));
        let mut nodes = vec![product, bias];
        nodes.extend(activated.map(|(node, _)| node));
        let inputs = [f.inputs(product), &f.inputs(bias)[1..]].concat();
        matches.push(Match { nodes, op: Arc::new(Linear(activation)), inputs, outputs: vec![(value(last), 0)] });
    }
    matches
}

/// (dy · W) ∘ act'(h) in one kernel: the slope in the product's epilogue.
fn linear_input_grad(f: &Finder<'_>) -> Vec<Match> {
    let mut matches = conv::input_grad(f);
    for (product, _) in f.all::<MatMul>().filter(|(_, op)| **op == MatMul::Nn) {
        let Some((slope, op)) = f.only_user::<ActivationGrad>(value(product), 0) else { continue };
        matches.push(Match {
            nodes: vec![product, slope],
            op: Arc::new(LinearInputGrad(op.0)),
            inputs: [f.inputs(product), &f.inputs(slope)[1..]].concat(),
            outputs: vec![(value(slope), 0)],
        });
    }
    matches
}

/// Weight and bias gradient in one pass over dy.
fn linear_weight_grad(f: &Finder<'_>) -> Vec<Match> {
    // The first sum of the rows of each value.
    let mut sums: HashMap<Var, usize> = HashMap::new();
    for (sum, _) in f.all::<SumAxis>().filter(|(_, op)| **op == SumAxis::Rows) {
        sums.entry(f.inputs(sum)[0]).or_insert(sum);
    }
    let mut matches = conv::weight_grad(f, &sums);
    for (product, _) in f.all::<MatMul>().filter(|(_, op)| **op == MatMul::Tn) {
        let dy = f.inputs(product)[0];
        let Some(&sum) = sums.get(&dy) else { continue };
        matches.push(Match {
            nodes: vec![product, sum],
            op: Arc::new(LinearWeightGrad),
            inputs: f.inputs(product).to_vec(),
            outputs: vec![(value(product), 0), (value(sum), 1)],
        });
    }
    matches
}

/// The slope of the last activation in the loss gradient's kernel.
fn loss_and_activation_grad(f: &Finder<'_>) -> Vec<Match> {
    let mut matches = Vec::new();
    for (loss, op) in f.all::<ReconstructionLossGrad>().filter(|(_, op)| op.activation == Activation::Identity) {
        let Some((slope, activation)) = f.only_user::<ActivationGrad>(value(loss), 0) else { continue };
        if f.inputs(slope)[1] == f.inputs(loss)[0] {
            matches.push(Match {
                nodes: vec![loss, slope],
                op: Arc::new(ReconstructionLossGrad { activation: activation.0, ..*op }),
                inputs: f.inputs(loss).to_vec(),
                outputs: vec![(value(slope), 0)],
            });
        }
    }
    matches
}

/// A loss and its gradient in one pass over the data.
fn loss_pair(f: &Finder<'_>) -> Vec<Match> {
    let mut matches = Vec::new();
    for (loss, op) in f.all::<ReconstructionLoss>() {
        let gradient = f
            .all::<ReconstructionLossGrad>()
            .find(|(node, grad)| f.inputs(*node)[..3] == *f.inputs(loss) && grad.is_of(*op));
        let Some((gradient, grad)) = gradient else { continue };
        matches.push(Match {
            nodes: vec![loss, gradient],
            op: Arc::new(ReconstructionLossPair(*grad)),
            inputs: f.inputs(gradient).to_vec(),
            outputs: vec![(value(loss), 0), (value(gradient), 1)],
        });
    }
    matches
}

/// An entropy and its gradient in one kernel.
fn entropy_pair(f: &Finder<'_>) -> Vec<Match> {
    let mut matches = Vec::new();
    for (entropy, op) in f.all::<RenyiEntropy>() {
        let gradient = f
            .all::<RenyiEntropyGrad>()
            .find(|(node, grad)| grad.0 == *op && f.inputs(*node)[0] == f.inputs(entropy)[0]);
        let Some((gradient, _)) = gradient else { continue };
        matches.push(Match {
            nodes: vec![entropy, gradient],
            op: Arc::new(RenyiEntropyPair(*op)),
            inputs: f.inputs(gradient).to_vec(),
            outputs: vec![(value(entropy), 0), (value(gradient), 1)],
        });
    }
    for (entropy, op) in f.all::<PathEntropy>() {
        let parameters = f.inputs(entropy);
        let gradient = f
            .all::<PathEntropyGrad>()
            .find(|(node, grad)| grad.0 == *op && f.inputs(*node)[..parameters.len()] == *parameters);
        let Some((gradient, _)) = gradient else { continue };
        let values = (0..4).map(|port| (Var { node: entropy, port }, port));
        let gradients = (0..parameters.len()).map(|port| (Var { node: gradient, port }, 4 + port));
        matches.push(Match {
            nodes: vec![entropy, gradient],
            op: Arc::new(PathEntropyPair { entropy: *op, added: 0 }),
            inputs: f.inputs(gradient).to_vec(),
            outputs: values.chain(gradients).collect(),
        });
    }
    matches
}
