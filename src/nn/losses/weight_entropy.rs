//! Entropy of a layer's activeness: how evenly its neurons take part, judged by weights alone.
//!
//! Source: El Bouz, "Entropy-Regularized Autoencoder" (2025), §2.4 and Listing 2; FORMULAS §1. Small
//! entropy means few active neurons; exp H is the layer's effective width.
//!
//! Where both directions make one activity, the bias counts once, with the incoming weights. In the
//! product it must: a ReLU network is unchanged when a neuron's row and bias are multiplied by c and its
//! column in the next layer divided by c, so only (incoming + bias) · outgoing is unchanged too.

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::Layer;
use crate::ops::array::binary::Binary;
use crate::ops::entropy::activeness::{Activeness, Direction};
use crate::ops::entropy::renyi_entropy::RenyiEntropy;

/// What counts as a neuron's activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Incoming weights and bias.
    Incoming,
    /// Outgoing weights and bias.
    Outgoing,
    /// H(incoming) + H(outgoing).
    Both,
    /// Entropy of incoming + outgoing, the bias counted once.
    Sum,
    /// Entropy of (incoming + bias) · outgoing, which rescaling a ReLU neuron cannot change.
    Product,
}

/// Rényi entropy of order `alpha` of the neurons of `layer`; `next` is the layer that reads them.
///
/// # Errors
/// When `next` does not fit `layer`.
pub fn weight_entropy(
    g: &mut Graph,
    layer: &Layer,
    next: &Layer,
    activity: Activity,
    alpha: f32,
    bias_weight: f32,
) -> Result<Var> {
    let entropy = RenyiEntropy { alpha };
    let incoming = Activeness { direction: Direction::Incoming, bias_weight };
    let outgoing = Activeness { direction: Direction::Outgoing, bias_weight };
    match activity {
        Activity::Incoming => {
            let a = g.apply(incoming, &[layer.weight, layer.bias])?;
            g.apply(entropy, &[a])
        }
        Activity::Outgoing => {
            let a = g.apply(outgoing, &[next.weight, layer.bias])?;
            g.apply(entropy, &[a])
        }
        Activity::Both => {
            let a = g.apply(incoming, &[layer.weight, layer.bias])?;
            let b = g.apply(outgoing, &[next.weight, layer.bias])?;
            let (a, b) = (g.apply(entropy, &[a])?, g.apply(entropy, &[b])?);
            g.apply(Binary::Add, &[a, b])
        }
        Activity::Sum | Activity::Product => {
            let a = g.apply(incoming, &[layer.weight, layer.bias])?;
            let b = g.apply(Activeness { bias_weight: 0.0, ..outgoing }, &[next.weight, layer.bias])?;
            let joint = g.apply(if activity == Activity::Sum { Binary::Add } else { Binary::Mul }, &[a, b])?;
            g.apply(entropy, &[joint])
        }
    }
}
