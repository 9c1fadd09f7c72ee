//! A code drawn from a Gaussian that the encoder chooses, held near the standard one: `[variational]`.
//!
//! Source: Kingma and Welling, "Auto-Encoding Variational Bayes" (2013); FORMULAS §4. The loss is −log p(x | z) plus β
//! times the divergence of the code's distribution; with β = 1 its negative is the evidence lower bound.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;
use super::{Collapse, Derived, ENOUGH_STEPS, Objective, Told, Trained, Weight, check_weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Batch;
use crate::ops::array::activation::Activation;
use crate::ops::array::unary::Unary;
use crate::ops::loss::gaussian_kl::GaussianKl;
use crate::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};

/// A code drawn from a Gaussian that the encoder chooses, held near the standard one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variational {
    /// How likely a reconstruction makes an image.
    pub likelihood: Likelihood,
    /// Standard deviation of the Gaussian likelihood, pixels from 0 to 1.
    #[serde(default = "Variational::usual_sigma")]
    pub sigma: f32,
    /// Weight of the divergence; 1 is the evidence lower bound.
    pub beta: f32,
    /// Epochs over which that weight rises from 0.
    #[serde(default)]
    pub warm_up: f32,
}

/// How likely a reconstruction makes an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// Every pixel a probability; the last layer is a sigmoid.
    Bernoulli,
    /// Every pixel a mean, all with the same deviation.
    Gaussian,
}

/// Share of a code's dimensions below which a posterior has collapsed.
const COLLAPSED: f64 = 0.1;

impl Variational {
    fn usual_sigma() -> f32 {
        0.1
    }

    /// Settings under which a code is less held down.
    fn softer(&self) -> String {
        let warm_up = match self.warm_up {
            0.0 => "variational.warm_up over some epochs".to_string(),
            epochs => format!("a variational.warm_up of more than {epochs} epochs"),
        };
        format!("a smaller variational.beta, or {warm_up}")
    }
}

impl Objective for Variational {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("variational.beta", self.beta)?;
        if !(self.sigma.is_finite() && self.sigma > 0.0) {
            return refuse("variational.sigma", self.sigma, "a positive number");
        }
        if !(self.warm_up.is_finite() && self.warm_up >= 0.0) {
            return refuse("variational.warm_up", self.warm_up, "a number of epochs, 0 or more");
        }
        if !config.reconstructs() {
            let problem = "has no meaning for a network that reconstructs nothing";
            return Err(Error::Usage(format!("variational: {problem}")));
        }
        let (key, code) = config.code_activation("variational")?;
        if code != Activation::Identity {
            let expected = "identity for the code of a variational network: its mean";
            return refuse(&format!("{key}.activation"), code.word(), expected);
        }
        let (key, last) = config.answer_activation("variational")?;
        if self.likelihood == Likelihood::Bernoulli && last != Activation::Sigmoid {
            let expected = "sigmoid for the last layer under a Bernoulli likelihood";
            return refuse(&format!("{key}.activation"), last.word(), expected);
        }
        Ok(())
    }

    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        let rises = self.warm_up > 0.0;
        let schedule = if rises { Schedule::WarmUp { from: 0.0, to: self.warm_up } } else { Schedule::Constant };
        let kl = Weight { schedule, memory: "warm-up of lambda_kl", ..Weight::fixed(self.beta) };
        vec![("nll", Weight::fixed(1.0)), ("kl", kl)]
    }

    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let (answer, x, clock) = (batch.passed.answer, batch.x, batch.clock);
        let drawn = || Error::graph("variational", "the network draws no codes");
        let [mean, log_variance] = batch.passed.latent.ok_or_else(drawn)?;
        let nll = match (self.likelihood, batch.passed.logits) {
            (Likelihood::Bernoulli, Some(logits)) => {
                g.apply(ReconstructionLoss { kind: LossKind::Bce, rows_per_sample: 1 }, &[logits, x, clock])?
            }
            _ => gaussian(g, answer, x, clock, self.sigma)?,
        };
        Ok(vec![nll, g.push(Arc::new(GaussianKl { rows_per_sample: 1 }), &[mean, log_variance, clock])?[0]])
    }

    fn is_sufficient(&self) -> bool {
        true
    }

    /// The evidence lower bound in nats an image.
    fn derived(&self, _config: &RunConfig) -> Option<Derived> {
        Some(Derived { name: "elbo", of: |term| -(term("nll") + term("kl")), is_better_larger: true })
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        let told = |key: &str, label: &str, decimals| Told::new(key, label, decimals);
        vec![told("test_elbo", "test elbo", 2), told("test_kl", "kl", 2), told("active_codes", "codes in use", 0)]
    }

    /// Codes that say nothing yet are no collapse.
    fn collapses(&self, config: &RunConfig, metrics: &BTreeMap<String, f64>, trained: Trained) -> Vec<Collapse> {
        let (Some(&active), Some(&kl)) = (metrics.get("active_codes"), metrics.get("test_kl")) else {
            return Vec::new();
        };
        let width = config.code_width();
        if active > COLLAPSED * width as f64 || trained.steps < ENOUGH_STEPS {
            return Vec::new();
        }
        let advice = format!(
            "posterior collapse: {active} of {width} code dimensions say anything about a row (KL {kl:.2} nats), the \
             decoder does without; {}, usually helps",
            self.softer()
        );
        vec![Collapse { of: "posterior".into(), advice }]
    }

    fn relief(&self, _config: &RunConfig, _metrics: &BTreeMap<String, f64>) -> Option<String> {
        Some(self.softer())
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
