//! A batch on its way through the network, as the model of the configuration has it.

use std::sync::Arc;

use super::graph::DataShape;
use crate::config::RunConfig;
use crate::config::family::{
    Contraction, ContractionMethod, Corruption, Likelihood, Noise, SparsityConfig, SparsityKind,
};
use crate::config::wasserstein::{Distance, Wasserstein};
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::nn::layers::Layer;
use crate::nn::losses::{contractive_estimate, contractive_exact, contrastive_divergence, gaussian_wasserstein};
use crate::nn::{Autoencoder, Boltzmann};
use crate::ops::activation::Activation;
use crate::ops::batch_gather::BatchGather;
use crate::ops::batch_rows::BatchRows;
use crate::ops::binary::Binary;
use crate::ops::bures::Bures;
use crate::ops::clock;
use crate::ops::corrupt::Corrupt;
use crate::ops::gaussian_kl::GaussianKl;
use crate::ops::mmd::Mmd;
use crate::ops::random_normal::RandomNormal;
use crate::ops::random_uniform::RandomUniform;
use crate::ops::reconstruction_loss::{LossKind, ReconstructionLoss};
use crate::ops::sparsity::Sparsity;
use crate::ops::unary::Unary;
use crate::tensor::Ty;

/// Name of the layer that says how wide the Gaussian of a code is.
pub(super) const LOG_VARIANCE: &str = "log_variance";

/// What a batch is computed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// To learn: with noise, with neurons left out, codes drawn.
    Train,
    /// To be judged: as it is, codes drawn.
    Judge,
    /// To be looked at: as it is, codes their means.
    Show,
}

/// Draws of one step that must not be the same.
mod stream {
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
pub(super) struct Forward {
    pub clock: Var,
    /// The rows as they are.
    pub x: Var,
    /// The network.
    pub model: Autoencoder,
    /// The layer of the codes' log-variances, if codes are drawn.
    pub log_variance: Option<Layer>,
    pub flow: Flow,
}

/// What rows become in a network.
pub(super) struct Flow {
    /// What the first layer gets: the rows, or the rows under noise.
    input: Var,
    /// The output of every layer.
    pub outputs: Vec<Var>,
    /// The last output before its sigmoid, under a Bernoulli likelihood.
    logits: Option<Var>,
    /// Mean and log-variance of the codes, if codes are drawn.
    pub latent: Option<(Var, Var)>,
}

/// The parameters of a network for rows of `features` values, in the one order that all graphs have them in; and the
/// layer of the codes' log-variances, if codes are drawn.
pub(super) fn network(g: &mut Graph, config: &RunConfig, features: usize) -> Result<(Autoencoder, Option<Layer>)> {
    let model = Autoencoder::new(g, features, &config.layer_specs(), config.encoder.len(), config.tied)?;
    let log_variance = config.variational.map(|_| {
        let before = config.inputs_of(model.code_layer(), features);
        Layer::new(g, LOG_VARIANCE, before, config.code_width(), Activation::Identity)
    });
    Ok((model, log_variance))
}

/// A batch of the data set of this name, through the network.
pub(super) fn forward(
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
    Ok(Forward { clock, x, model, log_variance, flow })
}

/// Rows under noise.
fn corrupted(g: &mut Graph, corruption: Corruption, x: Var, clock: Var) -> Result<Var> {
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

fn flow(
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

impl Forward {
    /// Mean squared error of the reconstruction, against the rows as they are.
    pub fn mse(&self, g: &mut Graph) -> Result<Var> {
        let reconstruction = self.flow.outputs.last().copied().unwrap_or(self.x);
        g.apply(ReconstructionLoss(LossKind::Mse), &[reconstruction, self.x, self.clock])
    }

    /// The terms beside error and entropy, in the order of [`RunConfig::further_terms`].
    pub fn further_terms(&self, g: &mut Graph, config: &RunConfig, pass: Pass) -> Result<Vec<Var>> {
        let mut terms = Vec::new();
        if let Some(corruption) = config.corruption {
            terms.push(if pass == Pass::Train {
                self.mse(g)?
            } else {
                let noisy = corrupted(g, corruption, self.x, self.clock)?;
                let flow = flow(g, config, &self.model, self.log_variance.as_ref(), noisy, self.clock, pass)?;
                let cleaned = flow.outputs.last().copied().unwrap_or(noisy);
                g.apply(ReconstructionLoss(LossKind::Mse), &[cleaned, self.x, self.clock])?
            });
        }
        if let Some(sparsity) = &config.sparsity {
            terms.push(self.sparsity(g, sparsity)?);
        }
        if let Some(contractive) = config.contractive {
            terms.push(self.contraction(g, contractive)?);
        }
        if let Some(divergence) = config.contrastive_divergence {
            terms.push(self.contrastive_divergence(g, divergence.steps)?);
        }
        if let Some(wasserstein) = config.wasserstein {
            terms.push(self.wasserstein(g, wasserstein)?);
        }
        // The last two, where graph.rs looks for them.
        if let (Some(variational), Some((mean, log_variance))) = (config.variational, self.flow.latent) {
            let reconstruction = self.flow.outputs.last().copied().unwrap_or(self.x);
            terms.push(match (variational.likelihood, self.flow.logits) {
                (Likelihood::Bernoulli, Some(logits)) => {
                    g.apply(ReconstructionLoss(LossKind::Bce), &[logits, self.x, self.clock])?
                }
                _ => gaussian(g, reconstruction, self.x, self.clock, variational.sigma)?,
            });
            terms.push(g.push(Arc::new(GaussianKl), &[mean, log_variance, self.clock])?[0]);
        }
        Ok(terms)
    }

    /// Squared norm of the Jacobian of the code by what the network gets.
    fn contraction(&self, g: &mut Graph, config: Contraction) -> Result<Var> {
        let code = self.model.code_layer();
        let (input, h, clock) = (self.flow.input, self.flow.outputs[code], self.clock);
        match config.method {
            ContractionMethod::Exact => contractive_exact(g, &self.model.layers[..=code], input, h, clock),
            ContractionMethod::Hutchinson => {
                contractive_estimate(g, input, h, clock, config.probes, stream::CONTRACTION)
            }
        }
    }

    /// The network as a machine of visible and hidden units, and what `steps` Gibbs steps from the rows are less
    /// likely by.
    fn contrastive_divergence(&self, g: &mut Graph, steps: u32) -> Result<Var> {
        let (hidden, visible) = (&self.model.layers[0], &self.model.layers[1]);
        let machine = Boltzmann { weight: hidden.weight, hidden_bias: hidden.bias, visible_bias: visible.bias };
        let shapes = [self.flow.outputs[0], self.x].map(|units| g.ty(units).shape.clone());
        let mut state = self.x;
        for step in 0..steps {
            let mut draws = |units: u32| {
                let op =
                    RandomUniform { shape: shapes[units as usize].clone(), stream: stream::GIBBS + 2 * step + units };
                g.apply(op, &[self.clock])
            };
            let draws = [draws(0)?, draws(1)?];
            state = machine.gibbs(g, state, draws)?.visible;
        }
        contrastive_divergence(g, &machine, self.x, state, self.clock)
    }

    /// How far the codes are from the standard normal distribution.
    fn wasserstein(&self, g: &mut Graph, config: Wasserstein) -> Result<Var> {
        let codes = self.flow.outputs[self.model.code_layer()];
        let mut discrepancy = |kernel: Mmd| {
            let prior = RandomNormal { shape: g.ty(codes).shape.clone(), stream: stream::PRIOR };
            let prior = g.apply(prior, &[self.clock])?;
            g.apply(kernel, &[codes, prior, self.clock])
        };
        let diagonal = match config.kind {
            Distance::MmdImq => return discrepancy(Mmd::Imq),
            Distance::MmdRbf => return discrepancy(Mmd::Rbf),
            Distance::MmdImqMulti => return discrepancy(Mmd::ImqMulti),
            Distance::Gaussian => false,
            Distance::GaussianDiagonal => true,
        };
        gaussian_wasserstein(g, codes, self.clock, Bures { diagonal, jitter: config.jitter })
    }

    fn sparsity(&self, g: &mut Graph, config: &SparsityConfig) -> Result<Var> {
        let op = match config.kind {
            SparsityKind::L1 => Sparsity::L1,
            SparsityKind::Divergence => Sparsity::Divergence { target: config.target },
        };
        let mut total: Option<Var> = None;
        for &number in &config.layers {
            let term = g.push(Arc::new(op), &[self.flow.outputs[number - 1], self.clock])?[0];
            total = Some(match total {
                Some(sum) => g.apply(Binary::Add, &[sum, term])?,
                None => term,
            });
        }
        total.ok_or_else(|| crate::error::Error::Usage("sparsity.layers: expected at least one layer".into()))
    }
}

/// −log of a Gaussian likelihood with one deviation σ: Σ (x − y)²/(2σ²) + d (log σ + ½ log 2π), mean over rows.
fn gaussian(g: &mut Graph, y: Var, x: Var, clock: Var, sigma: f32) -> Result<Var> {
    let features = g.ty(x).shape.matrix().map_or(1, |(_, features)| features) as f64;
    let sigma = f64::from(sigma);
    let squares = g.apply(ReconstructionLoss(LossKind::Sse), &[y, x, clock])?;
    let constant = features * (sigma.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln());
    g.apply(Unary::Affine { scale: (0.5 / (sigma * sigma)) as f32, shift: constant as f32 }, &[squares])
}
