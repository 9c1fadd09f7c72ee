//! What a Wasserstein autoencoder asks of its codes: that together they look like draws from the standard normal
//! distribution.

use serde::{Deserialize, Serialize};

use super::family::refuse;
use crate::error::Result;
use crate::ops::array::activation::Activation;
use crate::ops::loss::bures::LARGEST;

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
    pub(super) fn usual_jitter() -> f32 {
        1e-4
    }

    /// Key, activation and width of the code, and the samples of a step.
    pub(super) fn check(&self, (key, code, width): (&str, Activation, usize), batch_size: usize) -> Result<()> {
        if !(self.weight.is_finite() && self.weight >= 0.0) {
            return refuse("wasserstein.weight", self.weight, "a number of 0 or more");
        }
        if !(self.jitter.is_finite() && self.jitter > 0.0) {
            return refuse("wasserstein.jitter", self.jitter, "a positive number");
        }
        if code != Activation::Identity {
            let code = format!("{code:?}").to_lowercase();
            let expected = "identity for the code of a Wasserstein autoencoder, which has to reach every number";
            return refuse(&format!("{key}.activation"), code, expected);
        }
        if self.kind == Distance::Gaussian && width > LARGEST {
            let expected = format!("at most {LARGEST} codes for wasserstein.kind gaussian");
            return refuse(&format!("{key}.linear"), width, &expected);
        }
        if batch_size < 2 {
            return refuse("--batch-size", batch_size, "2 or more, since a distribution is judged batch by batch");
        }
        Ok(())
    }
}
