//! Layers and their parameters.

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::add_bias::AddBias;
use crate::ops::matmul::MatMul;

/// A linear layer with its activation: parameters W \[out, in\] and b \[out\].
#[derive(Clone, Debug)]
pub struct Layer {
    /// Prefix of the parameters' names.
    pub name: String,
    /// Weights \[out, in\].
    pub weight: Var,
    /// Biases \[out\].
    pub bias: Var,
    /// What is applied to the result.
    pub activation: Activation,
}

impl Layer {
    /// act(x · Wᵀ + b) for x \[batch, in\].
    ///
    /// # Errors
    /// When x has another width.
    pub fn forward(&self, g: &mut Graph, x: Var) -> Result<Var> {
        let product = g.apply(MatMul::Nt, &[x, self.weight])?;
        let shifted = g.apply(AddBias, &[product, self.bias])?;
        if self.activation == Activation::Identity {
            return Ok(shifted);
        }
        g.apply(self.activation, &[shifted])
    }
}
