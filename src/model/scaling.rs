//! Loss scaling: the loss of a step multiplied by a power of two, its gradients divided by it again before the optimiser sees
//! them; see [`Unscale`]. Losses that are told, kept and judged are never scaled.

use std::sync::Arc;

use crate::config::RunConfig;
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::ops::array::binary::Binary;
use crate::ops::step::unscale::Unscale;
use crate::tensor::Ty;

/// What the losses of a run, or of one of two networks that learn in turn, are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scaled {
    /// All that a step learns from.
    Whole,
    /// The loss of the discriminator.
    Discriminator,
    /// The loss of the generator.
    Generator,
}

impl Scaled {
    /// Those of a run.
    pub fn all(config: &RunConfig) -> &'static [Scaled] {
        if config.adversarial.is_some() { &[Scaled::Discriminator, Scaled::Generator] } else { &[Scaled::Whole] }
    }

    /// Name of the scale on a device and in a checkpoint.
    pub fn name(self) -> &'static str {
        match self {
            Scaled::Whole => "loss_scale",
            Scaled::Discriminator => "loss_scale_discriminator",
            Scaled::Generator => "loss_scale_generator",
        }
    }
}

/// A scale, and the number of steps since it last moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scaling {
    scale: Var,
    streak: Var,
}

impl Scaling {
    /// The scale of these losses, if the run has one.
    pub fn source(g: &mut Graph, config: &RunConfig, scaled: Scaled) -> Option<Self> {
        config.optimiser.loss_scale?;
        let mut scalar = |name: String| g.source(Role::State, name, Ty::f32(&[]));
        let name = scaled.name();
        Some(Scaling { scale: scalar(name.into()), streak: scalar(format!("{name}.streak")) })
    }
}

/// The weight of a loss as its gradients have it.
pub(super) fn scaled(g: &mut Graph, scaling: Option<Scaling>, weight: Var) -> Result<Var> {
    scaling.map_or(Ok(weight), |scaling| g.apply(Binary::Mul, &[weight, scaling.scale]))
}

/// The gradients themselves, and the clock that the optimiser is given in place of this one.
pub(super) fn unscaled(
    g: &mut Graph,
    scaling: Option<Scaling>,
    clock: Var,
    gradients: Vec<Var>,
) -> Result<(Var, Vec<Var>)> {
    let Some(Scaling { scale, streak }) = scaling else { return Ok((clock, gradients)) };
    let inputs = [&[clock, scale, streak][..], &gradients].concat();
    let mut outputs = g.push(Arc::new(Unscale { tensors: gradients.len() }), &inputs)?;
    let gradients = outputs.split_off(3);
    Ok((outputs[0], gradients))
}
