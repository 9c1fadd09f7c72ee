//! A restricted Boltzmann machine: data made likelier than the machine's own samples, `[contrastive_divergence]`.
//!
//! Sources: Smolensky (1986); Hinton (2002); see [`Boltzmann`].

use serde::{Deserialize, Serialize};

use super::{Objective, Told, Weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::losses::contrastive_divergence;
use crate::nn::{Batch, Boltzmann, stream};
use crate::ops::array::activation::Activation;
use crate::ops::random::random_uniform::RandomUniform;

/// How a restricted Boltzmann machine is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContrastiveDivergence {
    /// Gibbs steps from the data to the sample that it is compared with.
    pub steps: u32,
}

/// Most Gibbs steps of contrastive divergence: each is two products in every training step.
const MOST_STEPS: u32 = 1000;

impl Objective for ContrastiveDivergence {
    fn check(&self, config: &RunConfig) -> Result<()> {
        if self.steps == 0 || self.steps > MOST_STEPS {
            return refuse("contrastive_divergence.steps", self.steps, &format!("1 to {MOST_STEPS}"));
        }
        let layers = config.layers();
        if !config.tied || layers.len() != 2 || config.unlike_chain().is_some() {
            let expected = "a restricted Boltzmann machine: one layer each way, and tied = true";
            return refuse("contrastive_divergence.steps", self.steps, expected);
        }
        match layers.iter().position(|layer| layer.activation != Activation::Sigmoid) {
            Some(index) => {
                let key = format!("{}.activation", config.layer_key(index));
                refuse(&key, layers[index].activation.word(), "sigmoid, for units of 0 and 1")
            }
            None => Ok(()),
        }
    }

    fn weights(&self, _config: &RunConfig) -> Vec<(&'static str, Weight)> {
        vec![("free_energy_difference", Weight::fixed(1.0))]
    }

    /// The network as a machine of visible and hidden units, and what `steps` Gibbs steps from the rows are less likely
    /// by.
    fn vars(&self, _config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let [hidden, visible] = batch.chain("contrastive_divergence")? else {
            return Err(Error::graph("contrastive_divergence", "expected a layer each way"));
        };
        let machine = Boltzmann { weight: hidden.weight, hidden_bias: hidden.bias, visible_bias: visible.bias };
        let shapes = [batch.passed.code, batch.x].map(|units| g.ty(units).shape.clone());
        let mut state = batch.x;
        for step in 0..self.steps {
            let mut draws = |units: u32| {
                let stream = stream::GIBBS + 2 * step + units;
                g.apply(RandomUniform { shape: shapes[units as usize].clone(), stream }, &[batch.clock])
            };
            let draws = [draws(0)?, draws(1)?];
            state = machine.gibbs(g, state, draws)?.visible;
        }
        Ok(vec![contrastive_divergence(g, &machine, batch.x, state, batch.clock)?])
    }

    fn is_sufficient(&self) -> bool {
        true
    }

    fn told(&self, _config: &RunConfig) -> Vec<Told> {
        vec![Told::new("test_free_energy_difference", "energy gap", 3)]
    }
}
