//! A batch on its way through the network that the configuration asks for.

use super::holding::Holding;
use crate::config::RunConfig;
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::nn::{Batch, Network, Pass};
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::step::clock;
use crate::tensor::Shape;

/// The configuration's network for rows of `features` values. Memory of parameters is shared by all plans, so every graph
/// has all of them, needed or not.
///
/// # Errors
/// When a block cannot take what the one before it gives.
pub fn network(g: &mut Graph, config: &RunConfig, features: usize) -> Result<Network> {
    network_over(g, config, features, &[])
}

/// The same where the graph has values already that stand for the parameters of these names.
pub(super) fn network_over(
    g: &mut Graph,
    config: &RunConfig,
    features: usize,
    given: &[(String, Var)],
) -> Result<Network> {
    Network::over(g, &config.network_spec(), &Shape::new(&[features]), given)
}

/// Number of parameters of the configuration's network for rows of `features` values: what is tied has only its owner's,
/// and buffers count for none.
///
/// # Errors
/// As [`network`].
pub fn parameter_count(config: &RunConfig, features: usize) -> Result<usize> {
    let network = network(&mut Graph::new(), config, features)?;
    let own = network.parameters.iter().filter(|parameter| parameter.tied.is_none() && !parameter.is_buffer);
    Ok(own.map(|parameter| parameter.ty.elements()).sum())
}

/// A batch of a split, `train`, `validation` or `test`, through the network.
pub(crate) fn forward(
    g: &mut Graph,
    config: &RunConfig,
    split: &str,
    holding: Holding,
    batch: usize,
    pass: Pass,
) -> Result<Batch> {
    let clock = g.source(Role::State, "clock", clock::ty());
    let sources = holding.sources(g, split);
    let network = network(g, config, holding.data.features)?;
    let rows = g.apply(BatchRows(batch), &[clock])?;
    let x = holding.gather(g, &sources, rows)?;
    // Clusters compare rows with what becomes of them.
    let x = match pass {
        Pass::Train if config.clustering.is_none() => config.augmented(g, x, clock, 0)?,
        _ => x,
    };
    let input = match config.corruption.filter(|_| pass == Pass::Train) {
        Some(corruption) => corruption.apply(g, x, clock)?,
        None => x,
    };
    let passed = network.forward(g, input, clock, pass)?;
    Ok(Batch { pass, clock, rows, x, input, network, passed, split: split.to_string(), split_rows: holding.held })
}
