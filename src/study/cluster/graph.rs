//! The graphs of clustering: an encoder whose outputs are soft assignments, trained to be certain of every row
//! and to use all clusters alike. Under augmentation its hidden layers are normalised batch by batch while it is
//! trained; for use, the moments of many rows are folded into plain layers (see `folding.rs`).

use std::sync::Arc;

use super::{Adversarial, ClusterConfig};
use crate::autodiff::grad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::model::graph::DataShape;
use crate::nn::Layer;
use crate::nn::losses::{SoftAssignment, soft_assignment};
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::array::sum_all::SumAll;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::loss::softmax_divergence::SoftmaxDivergence;
use crate::ops::matmul::MatMul;
use crate::ops::norm::batch_norm::BatchNorm;
use crate::ops::norm::normalise_rows::NormaliseRows;
use crate::ops::random::random_normal::RandomNormal;
use crate::ops::step::adam_step::{AdamStep, WeightDecay};
use crate::ops::step::clock;
use crate::ops::step::clock_advance::ClockAdvance;
use crate::optim::adam::adam;
use crate::tensor::Ty;

/// Loss terms, in the order of the ring's columns: mean H of the rows, KL of the mean to uniform, and under
/// augmentation the divergence of perturbed rows.
pub fn terms(config: &ClusterConfig) -> &'static [&'static str] {
    if config.augment.is_some() { &["entropy", "divergence", "adversarial"] } else { &["entropy", "divergence"] }
}

/// Logits of a batch, and what they amount to.
struct Forward {
    clock: Var,
    rows: Var,
    x: Var,
    layers: Vec<Block>,
    logits: Var,
    codes: SoftAssignment,
}

/// A layer, and the factor of its normalised outputs, if they are: then its bias is what is added to them.
struct Block {
    layer: Layer,
    scale: Option<Var>,
}

/// Widths of the encoder's layers, the last the number of clusters.
pub(super) fn widths(config: &ClusterConfig) -> Vec<usize> {
    [&config.hidden[..], &[config.clusters]].concat()
}

/// Name of a layer's parameters.
pub(super) fn layer_name(index: usize) -> String {
    format!("encoder.{}", 2 * index + 1)
}

/// Whether the outputs of a layer are normalised while it is trained.
pub(super) fn normalised(config: &ClusterConfig, index: usize) -> bool {
    config.augment.is_some() && index < config.hidden.len()
}

/// The encoder's layers, as they are trained or as they are used.
fn blocks(g: &mut Graph, config: &ClusterConfig, features: usize, role: Role) -> Vec<Block> {
    let mut inputs = features;
    let mut blocks = Vec::new();
    for (index, width) in widths(config).into_iter().enumerate() {
        let activation = if index < config.hidden.len() { Activation::Relu } else { Activation::Identity };
        let name = layer_name(index);
        let mut parameter = |what: &str, dims: &[usize]| g.source(role, format!("{name}.{what}"), Ty::f32(dims));
        let (weight, bias) = (parameter("weight", &[width, inputs]), parameter("bias", &[width]));
        let scale = (role == Role::Param && normalised(config, index)).then(|| parameter("scale", &[width]));
        blocks.push(Block { layer: Layer { name, weight, bias, activation }, scale });
        inputs = width;
    }
    blocks
}

/// The output of a layer, and the moments that it was normalised by, if it was.
fn block(g: &mut Graph, block: &Block, x: Var, clock: Var) -> Result<(Var, Option<Var>)> {
    let Layer { weight, bias, activation, .. } = block.layer;
    let Some(scale) = block.scale else { return Ok((block.layer.forward(g, x)?, None)) };
    let product = g.apply(MatMul::Nt, &[x, weight])?;
    let normal = g.push(Arc::new(BatchNorm { rows_per_sample: 1 }), &[product, scale, bias, clock])?;
    Ok((g.apply(activation, &[normal[0]])?, Some(normal[1])))
}

fn logits(g: &mut Graph, blocks: &[Block], x: Var, clock: Var) -> Result<Var> {
    blocks.iter().try_fold(x, |x, each| Ok(block(g, each, x, clock)?.0))
}

/// A batch of the data of this name: the clock, the rows' numbers, the rows.
fn batch(g: &mut Graph, name: &str, data: DataShape, batch: usize) -> Result<[Var; 3]> {
    let gather = BatchGather { features: data.features };
    let clock = g.source(Role::State, "clock", clock::ty());
    let bytes = g.source(Role::Data, name, Ty::u8(&[data.rows, gather.stride()]));
    let rows = g.apply(BatchRows(batch), &[clock])?;
    let x = g.apply(gather, &[bytes, rows])?;
    Ok([clock, rows, x])
}

fn forward(
    g: &mut Graph,
    config: &ClusterConfig,
    name: &str,
    data: DataShape,
    size: usize,
    role: Role,
) -> Result<Forward> {
    let [clock, rows, x] = batch(g, name, data, size)?;
    let layers = blocks(g, config, data.features, role);
    let logits = logits(g, &layers, x, clock)?;
    let codes = soft_assignment(g, logits, clock, -1.0)?;
    Ok(Forward { clock, rows, x, layers, logits, codes })
}

impl Forward {
    /// How much the assignments change under the perturbation that changes them most, as far as one step of
    /// power iteration finds it (Miyato et al., 2018, as in IMSAT): a random direction, a finite step along it,
    /// the gradient of the divergence there is the direction, its length is ε times the row's own.
    fn adversarial(&self, g: &mut Graph, augment: Adversarial, one: Var, lengths: Var) -> Result<Var> {
        let shape = g.ty(self.x).shape.clone();
        let noise = g.apply(RandomNormal { shape, stream: NOISE }, &[self.clock])?;
        let random = g.apply(NormaliseRows { scale: augment.probe }, &[noise])?;
        let divergence = |g: &mut Graph, perturbation: Var| {
            let x = g.apply(Binary::Add, &[self.x, perturbation])?;
            let perturbed = logits(g, &self.layers, x, self.clock)?;
            g.apply(SoftmaxDivergence { rows_per_sample: 1 }, &[self.logits, perturbed, self.clock])
        };
        let probed = divergence(g, random)?;
        let unconnected = || Error::graph("adversarial", "the divergence does not depend on the perturbation");
        let direction = grad(g, &[(probed, one)], &[random])?[0].ok_or_else(unconnected)?;
        let perturbation = g.apply(NormaliseRows { scale: augment.epsilon }, &[direction, lengths, self.rows])?;
        divergence(g, perturbation)
    }
}

/// Distinguishes the draws of perturbations from others of a step.
const NOISE: u32 = 1;

/// One step of training. Sources beside parameters and moments: `clock`, `ring`, `learning_rate`, `one`,
/// `balance`, `augmentation`, and the data set `train images`; under augmentation `neighbour distances`, what ε of
/// each row is multiplied by.
///
/// # Errors
/// When a layer has no width.
pub fn training(config: &ClusterConfig, data: DataShape) -> Result<Graph> {
    let g = &mut Graph::new();
    let batch = config.batch_size.min(data.rows);
    let forward = forward(g, config, "train images", data, batch, Role::Param)?;
    let steps = data.rows.div_ceil(batch);
    let ring = g.source(Role::State, "ring", Ty::f32(&[steps, 1 + terms(config).len()]));
    let [learning_rate, one, balance, augmentation] =
        ["learning_rate", "one", "balance", "augmentation"].map(|name| g.source(Role::State, name, Ty::f32(&[])));
    let mut losses = vec![(forward.codes.mean_entropy, one), (forward.codes.divergence, balance)];
    if let Some(augment) = config.augment {
        let lengths = g.source(Role::Data, "neighbour distances", Ty::f32(&[data.rows]));
        losses.push((forward.adversarial(g, augment, one, lengths)?, augmentation));
    }
    let mut named = Vec::new();
    for Block { layer, scale } in &forward.layers {
        named.push((format!("{}.weight", layer.name), layer.weight));
        named.push((format!("{}.bias", layer.name), layer.bias));
        named.extend(scale.map(|scale| (format!("{}.scale", layer.name), scale)));
    }
    let parameters: Vec<Var> = named.iter().map(|(_, var)| *var).collect();
    let gradients = grad(g, &losses, &parameters)?;
    let unconnected = || Error::Usage("--hidden: a parameter has no influence on the loss".into());
    let gradients: Vec<Var> = gradients.into_iter().collect::<Option<_>>().ok_or_else(unconnected)?;
    let decay = if config.weight_decay > 0.0 { WeightDecay::L2 } else { WeightDecay::None };
    let settings = AdamStep { decay, lambda: config.weight_decay, ..AdamStep::new(parameters.len()) };
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let values: Vec<Var> = losses.iter().map(|(term, _)| *term).collect();
    let advanced = g.push(Arc::new(advance), &[&[forward.clock, ring][..], &values].concat())?;
    adam(g, settings, advanced[0], learning_rate, &named, &gradients)?;
    Ok(std::mem::take(g))
}

/// One batch of test rows: result `logits`, and the batch after it next. Under augmentation the layers are state of
/// the plan, since they are made of those that are trained.
pub(super) fn assignment(config: &ClusterConfig, data: DataShape, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let role = if config.augment.is_some() { Role::State } else { Role::Param };
    let forward = forward(g, config, "test images", data, batch, role)?;
    g.result("logits", forward.logits);
    let terms = [forward.codes.mean_entropy, forward.codes.divergence];
    advance(g, forward.clock, data, batch, &terms)?;
    Ok(std::mem::take(g))
}

/// The moments of every normalised layer over one batch of training rows, as results `moments 0`, `moments 1`, …,
/// and the batch after it next.
pub(super) fn moments(config: &ClusterConfig, data: DataShape, size: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let [clock, _, mut x] = batch(g, "train images", data, size)?;
    for (index, each) in blocks(g, config, data.features, Role::Param).iter().enumerate() {
        let (output, moments) = block(g, each, x, clock)?;
        if let Some(moments) = moments {
            g.result(format!("moments {index}"), moments);
        }
        x = output;
    }
    let total = g.apply(SumAll, &[x])?;
    advance(g, clock, data, size, &[total])?;
    Ok(std::mem::take(g))
}

/// Moves the clock to the next batch, its losses in a ring of an epoch.
fn advance(g: &mut Graph, clock: Var, data: DataShape, batch: usize, terms: &[Var]) -> Result<()> {
    let ring = g.source(Role::State, "ring", Ty::f32(&[data.rows.div_ceil(batch), 1 + terms.len()]));
    g.push(Arc::new(ClockAdvance { beta1: 0.0, beta2: 0.0 }), &[&[clock, ring][..], terms].concat()).map(|_| ())
}
