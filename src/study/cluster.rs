//! The encoder that sorting rows has left, as plain layers: for another network to begin with, or for PyTorch.
//!
//! A layer that was normalised while it was trained is one whose weights hold what normalised it: γ (W x − μ)/√(σ² + ε) + β
//! is a layer with rows of W times γ/√(σ² + ε) and bias β − μ γ/√(σ² + ε).

use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::nn::BlockConfig;
use crate::nn::network::{SCOPE, joined};
use crate::ops::array::activation::Activation;
use crate::ops::norm::batch_norm::EPSILON;
use crate::tensor::Ty;
use crate::train::session::State;

/// A plain layer: width of its input, weights \[outputs, inputs\], biases \[outputs\], activation.
struct Plain {
    inputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

/// The layers of a run's encoder and their parameters, by the names that they have in a network of nothing else:
/// `autoencoder.1.weight`, `autoencoder.1.bias`, `autoencoder.3.weight` and so on.
///
/// # Errors
/// When the encoder has blocks that are no layers, or a parameter is missing.
pub fn plain_encoder(config: &RunConfig, state: &State) -> Result<(Vec<BlockConfig>, State)> {
    let (mut layers, mut place) = (Vec::new(), 1);
    for block in joined(&config.encoder) {
        let floats = |what: &str| floats(state, &format!("{SCOPE}.{place}.{what}"));
        match (&block, layers.last_mut()) {
            (BlockConfig::Linear(linear), _) => {
                let weight = floats("weight")?;
                let bias = if linear.bias { floats("bias")? } else { vec![0.0; linear.linear] };
                let inputs = weight.len() / linear.linear.max(1);
                layers.push(Plain { inputs, weight, bias, activation: linear.activation });
            }
            (BlockConfig::Norm(_), Some(layer)) if layer.activation == Activation::Identity => {
                let [scale, shift] = [floats("weight")?, floats("bias")?];
                let [means, variances] = [floats("running_mean")?, floats("running_var")?];
                for (n, weights) in layer.weight.chunks_exact_mut(layer.inputs).enumerate() {
                    let factor = f64::from(scale[n]) / (f64::from(variances[n]) + f64::from(EPSILON)).sqrt();
                    weights.iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
                    let moved = (f64::from(layer.bias[n]) - f64::from(means[n])) * factor;
                    layer.bias[n] = (f64::from(shift[n]) + moved) as f32;
                }
            }
            (BlockConfig::Activation(own), Some(layer)) if layer.activation == Activation::Identity => {
                layer.activation = own.activation;
            }
            (BlockConfig::Dropout(_), _) => {}
            _ => {
                let problem = format!("its encoder has a {} block, which is no plain layer", block.kind().word());
                return Err(Error::Usage(problem));
            }
        }
        place += block.kind().modules();
    }
    let mut plain = State::new();
    let mut blocks = Vec::new();
    for (index, Plain { inputs, weight, bias, activation }) in layers.into_iter().enumerate() {
        let tensors = [("weight", Ty::f32(&[bias.len(), inputs]), &weight), ("bias", Ty::f32(&[bias.len()]), &bias)];
        for (what, ty, values) in tensors {
            let bytes = bytemuck::cast_slice(values).to_vec();
            plain.insert(format!("{SCOPE}.{}.{what}", 2 * index + 1), (ty, bytes));
        }
        blocks.push(BlockConfig::linear(bias.len(), activation));
    }
    Ok((blocks, plain))
}

/// The tensors of a file of an encoder alone: `encoder.1.weight` and so on.
pub fn encoder_file(plain: &State) -> State {
    plain.iter().map(|(name, tensor)| (name.replacen(SCOPE, "encoder", 1), tensor.clone())).collect()
}

fn floats(state: &State, name: &str) -> Result<Vec<f32>> {
    let missing = || Error::Failed(format!("checkpoint: '{name}' is missing"));
    Ok(bytemuck::pod_collect_to_vec(&state.get(name).ok_or_else(missing)?.1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::nn::block::{BatchNormBlock, LinearBlock};

    #[test]
    fn what_normalised_a_layer_is_part_of_its_weights() {
        let hidden = LinearBlock { linear: 2, activation: Activation::Identity, bias: false };
        let relu = BlockConfig::Activation(crate::nn::block::ActivationBlock { activation: Activation::Relu });
        let encoder = vec![BlockConfig::Linear(hidden), BlockConfig::Norm(BatchNormBlock::new()), relu];
        let config = RunConfig { encoder, ..RunConfig::default() };
        let tensor = |values: &[f32], dims: &[usize]| (Ty::f32(dims), bytemuck::cast_slice(values).to_vec());
        let mut state = State::new();
        state.insert("autoencoder.1.weight".into(), tensor(&[1.0, 2.0, 3.0, 4.0], &[2, 2]));
        for (what, values) in [
            ("weight", [2.0, 1.0]),
            ("bias", [0.5, -1.0]),
            ("running_mean", [3.0, 0.0]),
            ("running_var", [4.0 - EPSILON, 1.0 - EPSILON]),
        ] {
            state.insert(format!("autoencoder.3.{what}"), tensor(&values, &[2]));
        }
        let (blocks, plain) = plain_encoder(&config, &state).unwrap();
        assert_eq!(blocks, [BlockConfig::linear(2, Activation::Relu)]);
        let read = |name: &str| bytemuck::pod_collect_to_vec::<u8, f32>(&plain[name].1);
        assert_eq!(read("autoencoder.1.weight"), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(read("autoencoder.1.bias"), [0.5 - 3.0, -1.0]);
        assert!(encoder_file(&plain).contains_key("encoder.1.bias"));
    }
}
