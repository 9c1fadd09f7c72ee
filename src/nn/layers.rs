//! Layers and their parameters.

use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::add_bias::AddBias;
use crate::ops::matmul::MatMul;
use crate::rng::Rng;
use crate::tensor::Ty;

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
    /// Adds the parameters of a layer to a graph: `name.weight` and `name.bias`.
    pub fn new(g: &mut Graph, name: &str, inputs: usize, outputs: usize, activation: Activation) -> Self {
        let weight = g.source(Role::Param, format!("{name}.weight"), Ty::f32(&[outputs, inputs]));
        let bias = g.source(Role::Param, format!("{name}.bias"), Ty::f32(&[outputs]));
        Layer { name: name.to_string(), weight, bias, activation }
    }

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

/// Initial values of a linear layer's weights and biases: uniform in ±1/√inputs, the default of
/// PyTorch's `nn.Linear`.
pub fn initial_linear(rng: &mut Rng, inputs: usize, outputs: usize) -> (Vec<f32>, Vec<f32>) {
    let bound = 1.0 / (inputs as f32).sqrt();
    let mut draw = |count: usize| (0..count).map(|_| rng.range(-bound, bound)).collect();
    let weights = draw(inputs * outputs);
    (weights, draw(outputs))
}
