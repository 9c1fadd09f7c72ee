//! What a training plan begins with: its settings, its parameters, its clock.

use super::forward::network;
use super::graph::weight_name;
use super::scaling::Scaled;
use crate::config::RunConfig;
use crate::config::augment::BLACK;
use crate::config::objective::clustering::ONE;
use crate::error::Result;
use crate::graph::Graph;
use crate::nn::Pass;
use crate::nn::builder::initial_values;
use crate::ops::step::clock;
use crate::optim::average::average_of;

/// What does not change in a training step, by name.
pub fn settings(config: &RunConfig) -> Vec<(String, Vec<f32>)> {
    let fixed = config.terms(Pass::Train).into_iter().filter(|(_, weight)| weight.counts && !weight.moves());
    let weights = fixed.map(|(name, weight)| (weight_name(name), vec![weight.value]));
    let always = [("learning_rate".to_string(), vec![config.lr]), (ONE.to_string(), vec![1.0])];
    let black = config.black().map(|black| (BLACK.to_string(), black));
    always.into_iter().chain(weights).chain(black).collect()
}

/// Parameters, their means and clock before the first of `rows` rows, by name. What else a plan keeps begins with nothing.
///
/// # Errors
/// When a block cannot take what the one before it gives.
pub fn start_values(config: &RunConfig, features: usize, rows: usize) -> Result<Vec<(String, Vec<u8>)>> {
    let network = network(&mut Graph::new(), config, features)?;
    let mut values: Vec<(String, Vec<u8>)> = Vec::new();
    for (parameter, (name, initial)) in network.parameters.iter().zip(initial_values(&network.parameters, config.seed))
    {
        let bytes: Vec<u8> = bytemuck::cast_slice(&initial).to_vec();
        if parameter.trained && config.optimiser.average.is_some() {
            values.push((average_of(&name), bytes.clone()));
        }
        values.push((name, bytes));
    }
    if let Some(scale) = config.optimiser.loss_scale {
        let bytes = || bytemuck::bytes_of(&scale).to_vec();
        values.extend(Scaled::all(config).iter().map(|scaled| (scaled.name().to_string(), bytes())));
    }
    let clock = clock::start(rows, config.step_rows(rows), true, config.seed);
    values.push(("clock".into(), bytemuck::cast_slice(&clock).to_vec()));
    Ok(values)
}
