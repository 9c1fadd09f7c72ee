//! Entropy of a network's paths: how many ways from the inputs to the outputs carry weight.
//!
//! Source: El Bouz, "Entropy-Regularized Autoencoder" (2025), §2.5; FORMULAS §1. exp H is the effective
//! number of paths; what it is about and how it is computed says `ops/entropy/path_entropy.rs`.

use std::sync::Arc;

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::Layer;
use crate::ops::entropy::path_entropy::PathEntropy;

/// The entropy of a network's paths, and where along the depth they concentrate.
#[derive(Clone, Copy, Debug)]
pub struct PathStatistics {
    /// H in nats: a scalar, the only one with a gradient.
    pub entropy: Var,
    /// log of the sum of all paths' weights: a scalar.
    pub log_weight: Var,
    /// Share of the paths' weight that goes through each neuron: all levels from the inputs to the outputs,
    /// one after the other.
    pub marginals: Var,
    /// Shannon entropy in nats of each level's neurons \[layers + 1\].
    pub entropies: Var,
}

/// The paths through all of `layers`, in order.
///
/// # Errors
/// When the layers do not fit each other.
pub fn path_entropy(g: &mut Graph, layers: &[Layer], entropy: PathEntropy) -> Result<PathStatistics> {
    let parameters: Vec<Var> = layers.iter().flat_map(|layer| [layer.weight, layer.bias]).collect();
    match g.push(Arc::new(entropy), &parameters)?[..] {
        [entropy, log_weight, marginals, entropies] => Ok(PathStatistics { entropy, log_weight, marginals, entropies }),
        _ => Err(crate::Error::graph("path_entropy", "has four outputs")),
    }
}
