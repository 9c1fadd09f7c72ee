//! What a checkpoint says of its network, without data or a device.

use super::checkpoint::Checkpoint;
use super::metrics::Weights;
use crate::config::{RunConfig, Weight};
use crate::data::{ImageShape, source};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::forward::network;
use crate::model::graph::weight_name;
use crate::nn::network::SCOPE;
use crate::nn::wired::Wired;
use crate::nn::wiring::wiring;
use crate::nn::{BlockConfig, Pass};
use crate::tensor::Shape;
use crate::train::session::State;

/// Values of a row that the network of a state takes: those of the images that it makes of rows, or else as the first of its
/// blocks that has parameters tells.
///
/// # Errors
/// When there is none.
pub(super) fn features(state: &State, config: &RunConfig) -> Result<usize> {
    if let Some(BlockConfig::Unflatten(image)) = config.encoder.first() {
        return Ok(image.unflatten.0.iter().product());
    }
    let place = |name: &str| -> Option<Vec<usize>> {
        let rest = name.strip_prefix(SCOPE)?.strip_suffix(".weight")?;
        Some(rest.split('.').filter_map(|part| part.parse().ok()).collect())
    };
    let weights = state.iter().filter_map(|(name, (ty, _))| Some((place(name)?, ty)));
    let first = weights.min_by(|a, b| a.0.cmp(&b.0)).map(|(_, ty)| ty.shape.dims().last().copied().unwrap_or(1));
    first.ok_or_else(|| Error::Failed("checkpoint: it has no network".into()))
}

impl Checkpoint {
    /// Values of a row that the network takes, as the first of its blocks that has parameters tells.
    ///
    /// # Errors
    /// When there is none.
    pub fn features(&self) -> Result<usize> {
        features(&self.state, &self.config)
    }

    /// What a row of the run's data is a picture of; in a checkpoint from before that was kept, by the data's name.
    ///
    /// # Errors
    /// When neither says so.
    pub fn image(&self) -> Result<ImageShape> {
        match &self.encoding {
            Some(encoding) => Ok(encoding.image),
            None => Ok(source(&self.config.data.path)?.image),
        }
    }

    /// The layers of its network, and what becomes of their units.
    ///
    /// # Errors
    /// When its blocks do not fit together.
    pub fn wiring(&self) -> Result<Vec<Wired>> {
        wiring(&self.config.network_spec(), &Shape::new(&[self.features()?]))
    }

    /// Whether its network is a chain of linear layers with biases and of what works unit by unit.
    ///
    /// # Errors
    /// As [`wiring`](Self::wiring).
    pub fn is_chain(&self) -> Result<bool> {
        Ok(network(&mut Graph::new(), &self.config, self.features()?)?.chain().is_some())
    }

    /// The weights of the terms that count, as they were when it was made.
    pub fn weights(&self) -> Weights {
        let counted = self.config.terms(Pass::Train).into_iter().filter(|(_, weight)| weight.counts);
        let weight = |(name, weight): (&'static str, Weight)| {
            let moved = self.state.get(&weight_name(name)).filter(|_| weight.moves());
            let moved = moved.map(|(_, bytes)| bytemuck::pod_collect_to_vec::<u8, f32>(bytes)[0]);
            (name.to_string(), f64::from(moved.unwrap_or(weight.value)))
        };
        counted.map(weight).collect()
    }
}
