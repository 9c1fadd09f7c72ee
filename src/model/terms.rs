//! The loss terms of a batch, as the model of the configuration has them.

use std::sync::Arc;

use super::forward::{Forward, Pass, corrupted, flow, stream};
use crate::config::RunConfig;
use crate::config::family::{Contraction, ContractionMethod, Corruption, Likelihood, SparsityConfig, SparsityKind};
use crate::config::wasserstein::{Distance, Wasserstein};
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::Boltzmann;
use crate::nn::losses::{contractive_estimate, contractive_exact, contrastive_divergence, gaussian_wasserstein};
use crate::ops::array::binary::Binary;
use crate::ops::array::element::Element;
use crate::ops::array::unary::Unary;
use crate::ops::loss::bures::Bures;
use crate::ops::loss::gaussian_kl::GaussianKl;
use crate::ops::loss::mmd::Mmd;
use crate::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use crate::ops::loss::sparsity::{Penalty, Sparsity};
use crate::ops::random::random_normal::RandomNormal;
use crate::ops::random::random_uniform::RandomUniform;

impl Forward {
    /// Mean squared error of the reconstruction, against the rows as they are; of a classifier that of the
    /// probabilities, against 1 for the class of a row and 0 for the others.
    pub fn mse(&self, g: &mut Graph) -> Result<Var> {
        if let Some(classes) = self.classes {
            return g.apply(Element(1), &[classes.statistics]);
        }
        let reconstruction = self.flow.outputs.last().copied().unwrap_or(self.x);
        g.apply(ReconstructionLoss { kind: LossKind::Mse, rows_per_sample: 1 }, &[reconstruction, self.x, self.clock])
    }

    /// The rows under noise, and what the network makes of those.
    pub fn cleaned(&self, g: &mut Graph, config: &RunConfig, noise: Corruption, pass: Pass) -> Result<(Var, Var)> {
        let noisy = corrupted(g, noise, self.x, self.clock)?;
        let flow = flow(g, config, &self.model, self.log_variance.as_ref(), noisy, self.clock, pass)?;
        Ok((noisy, flow.outputs.last().copied().unwrap_or(noisy)))
    }

    /// The terms beside error and entropy, in the order of [`RunConfig::further_terms`].
    pub fn further_terms(&self, g: &mut Graph, config: &RunConfig, pass: Pass) -> Result<Vec<Var>> {
        let mut terms = Vec::new();
        if let Some(corruption) = config.corruption {
            terms.push(if pass == Pass::Train {
                self.mse(g)?
            } else {
                let (_, cleaned) = self.cleaned(g, config, corruption, pass)?;
                g.apply(ReconstructionLoss { kind: LossKind::Mse, rows_per_sample: 1 }, &[cleaned, self.x, self.clock])?
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
        if let Some(classes) = self.classes {
            terms.extend([classes.cross_entropy, g.apply(Element(0), &[classes.statistics])?]);
        }
        if let Some(wasserstein) = config.wasserstein {
            terms.push(self.wasserstein(g, wasserstein)?);
        }
        // The last two, where graph.rs looks for them.
        if let (Some(variational), Some((mean, log_variance))) = (config.variational, self.flow.latent) {
            let reconstruction = self.flow.outputs.last().copied().unwrap_or(self.x);
            terms.push(match (variational.likelihood, self.flow.logits) {
                (Likelihood::Bernoulli, Some(logits)) => g.apply(
                    ReconstructionLoss { kind: LossKind::Bce, rows_per_sample: 1 },
                    &[logits, self.x, self.clock],
                )?,
                _ => gaussian(g, reconstruction, self.x, self.clock, variational.sigma)?,
            });
            terms.push(g.push(Arc::new(GaussianKl { rows_per_sample: 1 }), &[mean, log_variance, self.clock])?[0]);
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
        let penalty = match config.kind {
            SparsityKind::L1 => Penalty::L1,
            SparsityKind::Divergence => Penalty::Divergence { target: config.target },
        };
        let op = Sparsity { penalty, rows_per_sample: 1 };
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
    let squares = g.apply(ReconstructionLoss { kind: LossKind::Sse, rows_per_sample: 1 }, &[y, x, clock])?;
    let constant = features * (sigma.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln());
    g.apply(Unary::Affine { scale: (0.5 / (sigma * sigma)) as f32, shift: constant as f32 }, &[squares])
}
