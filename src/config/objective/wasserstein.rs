//! What a Wasserstein autoencoder asks of its codes: that together they look like draws from the standard normal
//! distribution: `[wasserstein]`.
//!
//! Sources: Tolstikhin et al., "Wasserstein Auto-Encoders" (2018); FORMULAS §5.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Objective, Told, Weight, check_weight, refuse};
use crate::config::RunConfig;
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::losses::gaussian_wasserstein;
use crate::nn::{Batch, stream};
use crate::ops::array::activation::Activation;
use crate::ops::loss::bures::{Bures, LARGEST};
use crate::ops::loss::mmd::Mmd;
use crate::ops::random::random_normal::RandomNormal;

/// A penalty on the distribution of the codes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wasserstein {
    /// Which penalty.
    pub kind: Distance,
    /// Its weight beside the reconstruction error.
    pub weight: f32,
    /// Added to the variances of the codes; for the Gaussian distances alone.
    #[serde(default = "Wasserstein::usual_jitter")]
    pub jitter: f32,
}

/// A distance of the codes from the standard normal distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// Maximum mean discrepancy from as many draws, inverse multiquadric kernel.
    MmdImq,
    /// The same with the Gaussian kernel.
    MmdRbf,
    /// The same with inverse multiquadric kernels of seven scales.
    MmdImqMulti,
    /// Squared Wasserstein-2 distance of the Gaussian with the codes' mean and covariance.
    Gaussian,
    /// The same with their variances alone.
    GaussianDiagonal,
}

impl Wasserstein {
    /// Small beside variances of 1, large beside the rounding of a covariance.
    fn usual_jitter() -> f32 {
        1e-4
    }
}

impl Objective for Wasserstein {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("wasserstein.weight", self.weight)?;
        if !(self.jitter.is_finite() && self.jitter > 0.0) {
            return refuse("wasserstein.jitter", self.jitter, "a positive number");
        }
        let (key, code) = config.code_activation("wasserstein")?;
        if code != Activation::Identity {
            let expected = "identity for the code of a Wasserstein autoencoder, which has to reach every number";
            return refuse(&format!("{key}.activation"), code.word(), expected);
        }
        if self.kind == Distance::Gaussian && config.code_width() > LARGEST {
            let expected = format!("at most {LARGEST} codes for wasserstein.kind gaussian");
            return refuse(&format!("{key}.linear"), config.code_width(), &expected);
        }
        if config.batch_size < 2 {
            let expected = "2 or more, since a distribution is judged batch by batch";
            return refuse("--batch-size", config.batch_size, expected);
        }
        Ok(())
    }

    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        vec![("wasserstein", Weight::fixed(self.weight))]
    }

    /// How far the codes are from the standard normal distribution.
    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let (codes, clock) = (batch.passed.code, batch.clock);
        let mut discrepancy = |kernel: Mmd| {
            let prior = RandomNormal { shape: g.ty(codes).shape.clone(), stream: stream::PRIOR };
            let prior = g.apply(prior, &[clock])?;
            g.apply(kernel, &[codes, prior, clock])
        };
        let distance = match self.kind {
            Distance::MmdImq => discrepancy(Mmd::Imq)?,
            Distance::MmdRbf => discrepancy(Mmd::Rbf)?,
            Distance::MmdImqMulti => discrepancy(Mmd::ImqMulti)?,
            Distance::Gaussian | Distance::GaussianDiagonal => {
                let diagonal = self.kind == Distance::GaussianDiagonal;
                gaussian_wasserstein(g, codes, clock, Bures { diagonal, jitter: self.jitter })?
            }
        };
        Ok(vec![distance])
    }

    fn relief(&self, _config: &RunConfig, _metrics: &BTreeMap<String, f64>) -> Option<String> {
        Some("a smaller wasserstein.weight".into())
    }

    fn of_whole_batch(&self) -> Option<&'static str> {
        Some("wasserstein")
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        let normal = Told::new("code_normal", "normal", 0).percent();
        vec![Told::new("test_wasserstein", "wasserstein", 4), normal]
    }
}
