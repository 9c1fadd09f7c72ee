//! The rest of a training step of two networks that learn in turn: the discriminator moves, then the generator learns from
//! what the discriminator has become.

use super::forward::network_over;
use super::learning::{gradients, named};
use super::optimiser::{Moving, adam_settings, update};
use super::scaling::{Scaled, Scaling, scaled};
use crate::config::RunConfig;
use crate::config::objective::adversarial::Adversarial;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Batch;
use crate::ops::array::stop_gradient::StopGradient;
use crate::ops::step::clock_advance::ClockAdvance;
use crate::ops::step::clock_ahead::ClockAhead;

/// What a step ends with, whatever it learns.
pub(super) struct Ending<'a> {
    /// Ring of losses.
    pub ring: Var,
    /// Learning rate of the step.
    pub rate: Var,
    /// Weights of the terms.
    pub weights: &'a [Option<Var>],
}

/// Both losses, both updates, ring and clock. Drawn rows are the same for both: the generator learns from those that the
/// discriminator has just learnt to tell from data.
pub(super) fn in_turn(
    g: &mut Graph,
    config: &RunConfig,
    adversarial: Adversarial,
    batch: &Batch,
    ending: &Ending<'_>,
) -> Result<()> {
    let &Ending { ring, rate, weights: &[Some(of_discriminator), Some(of_generator), ..] } = ending else {
        return Err(Error::graph("adversarial", "a loss of the two has no weight"));
    };
    let (network, clock, drawn) = (&batch.network, batch.clock, batch.passed.answer);
    let features = g.ty(batch.x).shape.matrix().map_or(1, |(_, features)| features);

    // The drawn rows are given, to the one that tells them from data.
    let given = g.apply(StopGradient, &[drawn])?;
    let logits = [batch.passed.code, network.judge(g, given, clock, batch.pass)?];
    let discriminator = adversarial.discriminator(g, logits, clock)?;
    let scaling = Scaling::source(g, config, Scaled::Discriminator);
    let of_discriminator = scaled(g, scaling, of_discriminator)?;
    let slopes = gradients(g, network.encoder_parameters(), &[(discriminator, of_discriminator)])?;
    let moving = named(network.encoder_parameters());
    let settings = adam_settings(config, moving.len());
    let ahead = g.apply(ClockAhead { beta1: settings.beta1, beta2: settings.beta2 }, &[clock, discriminator])?;
    let moved = update(g, config, Moving { clock: ahead, rate, scaling }, &moving, slopes)?;

    let become_of = |name: &str| moving.iter().position(|(moving, _)| moving == name).map(|index| moved[index]);
    let parameters = network.parameters.iter();
    let given: Vec<(String, Var)> = parameters
        .map(|parameter| (parameter.name.clone(), become_of(&parameter.name).unwrap_or(parameter.var)))
        .collect();
    let judged = network_over(g, config, features, &given)?.judge(g, drawn, clock, batch.pass)?;
    let generator = adversarial.generator(g, judged, clock)?;
    let scaling = Scaling::source(g, config, Scaled::Generator);
    let of_generator = scaled(g, scaling, of_generator)?;
    let slopes = gradients(g, network.decoder_parameters(), &[(generator, of_generator)])?;

    let [of_data, of_drawn] = adversarial.shares(g, logits, clock)?;
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let inputs = [clock, ring, discriminator, generator, of_data, of_drawn];
    let advanced = g.push(std::sync::Arc::new(advance), &inputs)?;
    let moving = Moving { clock: advanced[0], rate, scaling };
    update(g, config, moving, &named(network.decoder_parameters()), slopes).map(|_| ())
}
