//! A batch on its way through the network, as the model of the configuration has it.

use std::sync::Arc;

use super::graph::DataShape;
use crate::config::RunConfig;
use crate::config::family::{Corruption, Likelihood, Noise};
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::nn::Autoencoder;
use crate::nn::layers::Layer;
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::array::unary::Unary;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::batch_labels::BatchLabels;
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::loss::softmax_cross_entropy::SoftmaxCrossEntropy;
use crate::ops::random::corrupt::Corrupt;
use crate::ops::random::random_normal::RandomNormal;
use crate::ops::random::random_uniform::RandomUniform;
use crate::ops::step::clock;
use crate::tensor::Ty;

/// Name of the layer that says how wide the Gaussian of a code is.
pub(crate) const LOG_VARIANCE: &str = "log_variance";

/// What a batch is computed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// To learn: with noise, with neurons left out, codes drawn.
    Train,
    /// To be judged: as it is, codes drawn.
    Judge,
    /// To be looked at: as it is, codes their means.
    Show,
}

/// Draws of one step that must not be the same.
pub(crate) mod stream {
    pub const CORRUPTION: u32 = 2;
    pub const CODE: u32 = 3;
    pub const PRIOR: u32 = 4;
    /// And the number of the layer.
    pub const DROPOUT: u32 = 16;
    /// And the number of the probe.
    pub const CONTRACTION: u32 = 1 << 10;
    /// And twice the number of the Gibbs step, one more for its visible units.
    pub const GIBBS: u32 = 1 << 16;
}

/// A batch of a data set, and everything computed from it that all graphs share.
pub(crate) struct Forward {
    pub clock: Var,
    /// Numbers of the batch's rows. Observations read them, which need a run's files.
    #[cfg_attr(not(feature = "native"), allow(dead_code))]
    pub rows: Var,
    /// The rows as they are.
    pub x: Var,
    /// The network.
    pub model: Autoencoder,
    /// The layer of the codes' log-variances, if codes are drawn.
    pub log_variance: Option<Layer>,
    pub flow: Flow,
    /// What a classifier's logits are worth.
    pub classes: Option<Classes>,
}

/// What logits are worth, given the labels of their rows.
#[derive(Clone, Copy)]
pub(crate) struct Classes {
    pub cross_entropy: Var,
    /// Error rate, and mean square of the probabilities' errors.
    pub statistics: Var,
}

/// What rows become in a network.
pub(crate) struct Flow {
    /// What the first layer gets: the rows, or the rows under noise.
    pub input: Var,
    /// The output of every layer.
    pub outputs: Vec<Var>,
    /// The last output before its sigmoid, under a Bernoulli likelihood.
    pub logits: Option<Var>,
    /// Mean and log-variance of the codes, if codes are drawn.
    pub latent: Option<(Var, Var)>,
}

/// The parameters of a network for rows of `features` values, in the one order that all graphs have them in; and the
/// layer of the codes' log-variances, if codes are drawn.
pub(crate) fn network(g: &mut Graph, config: &RunConfig, features: usize) -> Result<(Autoencoder, Option<Layer>)> {
    let make = if config.classifier.is_some() { Autoencoder::chain } else { Autoencoder::new };
    let model = make(g, features, &config.layer_specs(), config.encoder.len(), config.tied)?;
    let log_variance = config.variational.map(|_| {
        let before = config.inputs_of(model.code_layer(), features);
        Layer::new(g, LOG_VARIANCE, before, config.code_width(), Activation::Identity)
    });
    Ok((model, log_variance))
}

/// Name of the labels of the data set of this name.
pub(crate) fn labels_of(name: &str) -> String {
    name.replace("images", "labels")
}

/// A batch of the data set of this name, through the network.
pub(crate) fn forward(
    g: &mut Graph,
    config: &RunConfig,
    name: &str,
    data: DataShape,
    batch: usize,
    pass: Pass,
) -> Result<Forward> {
    let gather = BatchGather { features: data.features };
    let clock = g.source(Role::State, "clock", clock::ty());
    let bytes = g.source(Role::Data, name, Ty::u8(&[data.rows, gather.stride()]));
    let (model, log_variance) = network(g, config, data.features)?;
    let rows = g.apply(BatchRows(batch), &[clock])?;
    let x = g.apply(gather, &[bytes, rows])?;
    let input = match config.corruption.filter(|_| pass == Pass::Train) {
        Some(corruption) => corrupted(g, corruption, x, clock)?,
        None => x,
    };
    let flow = flow(g, config, &model, log_variance.as_ref(), input, clock, pass)?;
    let classes = match (&config.classifier, flow.outputs.last()) {
        // Who only looks has no labels.
        (Some(_), Some(&logits)) if pass != Pass::Show => {
            let labels = g.source(Role::Data, labels_of(name), Ty::u32(&[data.rows]));
            let labels = g.apply(BatchLabels, &[labels, rows])?;
            let judged = g.push(Arc::new(SoftmaxCrossEntropy), &[logits, labels, clock])?;
            Some(Classes { cross_entropy: judged[0], statistics: judged[1] })
        }
        _ => None,
    };
    Ok(Forward { clock, rows, x, model, log_variance, flow, classes })
}

/// Rows under noise.
pub(crate) fn corrupted(g: &mut Graph, corruption: Corruption, x: Var, clock: Var) -> Result<Var> {
    let shape = g.ty(x).shape.clone();
    if corruption.kind == Noise::Gaussian {
        let noise = g.apply(RandomNormal { shape, stream: stream::CORRUPTION }, &[clock])?;
        let noise = g.apply(Unary::Affine { scale: corruption.amount, shift: 0.0 }, &[noise])?;
        return g.apply(Binary::Add, &[x, noise]);
    }
    let draws = g.apply(RandomUniform { shape, stream: stream::CORRUPTION }, &[clock])?;
    let corrupt = match corruption.kind {
        Noise::SaltPepper => Corrupt::SaltPepper { rate: corruption.amount },
        _ => Corrupt::Mask { rate: corruption.amount, scale: 1.0 },
    };
    g.apply(corrupt, &[x, draws])
}

/// Rows through the network.
pub(crate) fn flow(
    g: &mut Graph,
    config: &RunConfig,
    model: &Autoencoder,
    log_variance: Option<&Layer>,
    x: Var,
    clock: Var,
    pass: Pass,
) -> Result<Flow> {
    let bernoulli = config.variational.is_some_and(|v| v.likelihood == Likelihood::Bernoulli);
    let mut flow = Flow { input: x, outputs: Vec::with_capacity(model.layers.len()), logits: None, latent: None };
    let mut input = x;
    for (index, layer) in model.layers.iter().enumerate() {
        let last = index + 1 == model.layers.len();
        let mut output = if last && bernoulli {
            let logits = Layer { activation: Activation::Identity, ..layer.clone() }.forward(g, input)?;
            flow.logits = Some(logits);
            g.apply(Activation::Sigmoid, &[logits])?
        } else {
            layer.forward(g, input)?
        };
        if let Some(wide) = log_variance.filter(|_| index == model.code_layer()) {
            let log_variance = wide.forward(g, input)?;
            flow.latent = Some((output, log_variance));
            if pass != Pass::Show {
                output = drawn(g, output, log_variance, clock)?;
            }
        }
        flow.outputs.push(output);
        let dropout = config.dropout.as_ref().filter(|d| pass == Pass::Train && d.layers.contains(&(index + 1)));
        input = match dropout {
            Some(dropout) => {
                let stream = stream::DROPOUT + index as u32;
                let draws = g.apply(RandomUniform { shape: g.ty(output).shape.clone(), stream }, &[clock])?;
                g.apply(Corrupt::dropout(dropout.rate), &[output, draws])?
            }
            None => output,
        };
    }
    Ok(flow)
}

/// μ + e^{l/2} ε with ε standard normal.
fn drawn(g: &mut Graph, mean: Var, log_variance: Var, clock: Var) -> Result<Var> {
    let noise = g.apply(RandomNormal { shape: g.ty(mean).shape.clone(), stream: stream::CODE }, &[clock])?;
    let half = g.apply(Unary::Affine { scale: 0.5, shift: 0.0 }, &[log_variance])?;
    let deviation = g.apply(Unary::Exp, &[half])?;
    let shift = g.apply(Binary::Mul, &[deviation, noise])?;
    g.apply(Binary::Add, &[mean, shift])
}
