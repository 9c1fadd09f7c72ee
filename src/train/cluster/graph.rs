//! The graphs of clustering: an encoder whose outputs are soft assignments, trained to be certain of every row
//! and to use all clusters alike.

use std::sync::Arc;

use super::{Adversarial, ClusterConfig};
use crate::autodiff::grad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Var};
use crate::nn::Layer;
use crate::nn::losses::{SoftAssignment, soft_assignment};
use crate::ops::activation::Activation;
use crate::ops::adam_step::{AdamStep, WeightDecay};
use crate::ops::add_bias::AddBias;
use crate::ops::batch_gather::BatchGather;
use crate::ops::batch_rows::BatchRows;
use crate::ops::binary::Binary;
use crate::ops::clock;
use crate::ops::clock_advance::ClockAdvance;
use crate::ops::normalise_rows::NormaliseRows;
use crate::ops::random_normal::RandomNormal;
use crate::ops::softmax_divergence::SoftmaxDivergence;
use crate::optim::adam::adam;
use crate::tensor::Ty;
use crate::train::graph::DataShape;

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
    layers: Vec<Layer>,
    logits: Var,
    codes: SoftAssignment,
}

/// Widths of the encoder's layers, the last the number of clusters.
pub(super) fn widths(config: &ClusterConfig) -> Vec<usize> {
    [&config.hidden[..], &[config.clusters]].concat()
}

/// Name of a layer's parameters.
pub(super) fn layer_name(index: usize) -> String {
    format!("encoder.{}", 2 * index + 1)
}

fn forward(g: &mut Graph, config: &ClusterConfig, name: &str, data: DataShape, batch: usize) -> Result<Forward> {
    let gather = BatchGather { features: data.features };
    let clock = g.source(Role::State, "clock", clock::ty());
    let bytes = g.source(Role::Data, name, Ty::u8(&[data.rows, gather.stride()]));
    let widths = widths(config);
    let mut inputs = data.features;
    let mut layers = Vec::new();
    for (index, &width) in widths.iter().enumerate() {
        let last = index + 1 == widths.len();
        let activation = if last { Activation::Identity } else { Activation::Relu };
        layers.push(Layer::new(g, &layer_name(index), inputs, width, activation));
        inputs = width;
    }
    let rows = g.apply(BatchRows(batch), &[clock])?;
    let mut x = g.apply(gather, &[bytes, rows])?;
    if config.augment.is_some() {
        // Without it every step shifts all rows alike at first, and all assignments end up uniform.
        let centre = g.source(Role::State, "minus mean", Ty::f32(&[data.features]));
        x = g.apply(AddBias, &[x, centre])?;
    }
    let logits = logits(g, &layers, x)?;
    let codes = soft_assignment(g, logits, clock, -1.0)?;
    Ok(Forward { clock, rows, x, layers, logits, codes })
}

fn logits(g: &mut Graph, layers: &[Layer], x: Var) -> Result<Var> {
    layers.iter().try_fold(x, |x, layer| layer.forward(g, x))
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
            let perturbed = logits(g, &self.layers, x)?;
            g.apply(SoftmaxDivergence, &[self.logits, perturbed, self.clock])
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
/// `balance`, `augmentation`, and the data set `train images`; under augmentation `minus mean`, which is added to
/// every row, and `neighbour distances`, what ε of each row is multiplied by.
///
/// # Errors
/// When a layer has no width.
pub fn training(config: &ClusterConfig, data: DataShape) -> Result<Graph> {
    let g = &mut Graph::new();
    let batch = config.batch_size.min(data.rows);
    let forward = forward(g, config, "train images", data, batch)?;
    let steps = data.rows.div_ceil(batch);
    let ring = g.source(Role::State, "ring", Ty::f32(&[steps, 1 + terms(config).len()]));
    let [learning_rate, one, balance, augmentation] =
        ["learning_rate", "one", "balance", "augmentation"].map(|name| g.source(Role::State, name, Ty::f32(&[])));
    let mut losses = vec![(forward.codes.mean_entropy, one), (forward.codes.divergence, balance)];
    if let Some(augment) = config.augment {
        let lengths = g.source(Role::Data, "neighbour distances", Ty::f32(&[data.rows]));
        losses.push((forward.adversarial(g, augment, one, lengths)?, augmentation));
    }
    let named: Vec<(String, Var)> = forward
        .layers
        .iter()
        .flat_map(|layer| {
            [(format!("{}.weight", layer.name), layer.weight), (format!("{}.bias", layer.name), layer.bias)]
        })
        .collect();
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

/// One batch of test rows: result `logits`, and the batch after it next.
pub(super) fn assignment(config: &ClusterConfig, data: DataShape, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test images", data, batch)?;
    let ring = g.source(Role::State, "ring", Ty::f32(&[data.rows.div_ceil(batch), 3]));
    g.result("logits", forward.logits);
    let advance = ClockAdvance { beta1: 0.0, beta2: 0.0 };
    let terms = [forward.codes.mean_entropy, forward.codes.divergence];
    g.push(Arc::new(advance), &[forward.clock, ring, terms[0], terms[1]])?;
    Ok(std::mem::take(g))
}
