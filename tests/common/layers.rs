//! A linear layer by itself, its parameters sources of a graph.

use gpu_ae::graph::{Graph, Role};
use gpu_ae::nn::Layer;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::tensor::Ty;

/// A layer with the parameters `name.weight` and `name.bias`.
pub fn layer(g: &mut Graph, name: &str, inputs: usize, outputs: usize, activation: Activation) -> Layer {
    let weight = g.source(Role::Param, format!("{name}.weight"), Ty::f32(&[outputs, inputs]));
    let bias = g.source(Role::Param, format!("{name}.bias"), Ty::f32(&[outputs]));
    Layer { name: name.to_string(), weight, bias, activation }
}
