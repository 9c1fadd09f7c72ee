//! What a training plan begins with: its settings, its parameters, its clock.

use super::forward::LOG_VARIANCE;
use crate::config::{RunConfig, Schedule};
use crate::error::Result;
use crate::nn::autoencoder::{initial_parameters, tied_layers};
use crate::nn::layers::initial_linear;
use crate::ops::step::clock;
use crate::rng::{Rng, Stream, stream_key};

/// What does not change in a training step, by name.
pub fn settings(config: &RunConfig) -> Vec<(String, f32)> {
    // A weight that moves begins with none.
    let moves = config.entropy.schedule != Schedule::Constant;
    let weight = if moves { 0.0 } else { config.signed_lambda_entropy() };
    let fixed = [("learning_rate", config.lr), ("lambda_mse", config.lambda_mse), ("lambda_entropy", weight)];
    let further = config.further_terms().into_iter().filter(|(_, weight)| *weight > 0.0);
    let rises = config.variational.is_some_and(|variational| variational.warm_up > 0.0);
    let further =
        further.map(|(name, weight)| (format!("lambda_{name}"), if name == "kl" && rises { 0.0 } else { weight }));
    fixed.map(|(name, value)| (name.to_string(), value)).into_iter().chain(further).collect()
}

/// Parameters and clock before the first of `rows` rows, by name: little-endian elements.
///
/// # Errors
/// Never for a configuration that was checked.
pub fn start_values(config: &RunConfig, features: usize, rows: usize) -> Result<Vec<(String, Vec<u8>)>> {
    let mut parameters = initial_parameters(features, &config.layer_specs(), config.seed);
    for (layer, tied) in tied_layers(config.depth(), config.encoder.len(), config.tied) {
        // Two parameters a layer, the weight first.
        let columns = config.inputs_of(layer, features);
        let weight = &parameters[2 * layer].1;
        let turned = (0..columns).flat_map(|column| weight.iter().skip(column).step_by(columns)).copied().collect();
        parameters[2 * tied].1 = turned;
    }
    let parameters = parameters.into_iter();
    let mut values: Vec<(String, Vec<u8>)> =
        parameters.map(|(name, values)| (name, bytemuck::cast_slice(&values).to_vec())).collect();
    if config.variational.is_some() {
        let inputs = config.inputs_of(config.code_layer(), features);
        let mut rng = Rng::new(stream_key(config.seed, Stream::Latent));
        let (weight, bias) = initial_linear(&mut rng, inputs, config.code_width());
        for (what, numbers) in [("weight", weight), ("bias", bias)] {
            values.push((format!("{LOG_VARIANCE}.{what}"), bytemuck::cast_slice(&numbers).to_vec()));
        }
    }
    let clock = clock::start(rows, config.step_rows(rows), true, config.seed);
    values.push(("clock".into(), bytemuck::cast_slice(&clock).to_vec()));
    Ok(values)
}
