//! A batch, or a part of one, on its way through the network that the configuration asks for.

use std::rc::Rc;

use super::holding::Holding;
use crate::config::RunConfig;
use crate::error::Result;
use crate::graph::{Graph, Role, Var};
use crate::nn::network::NetworkSpec;
use crate::nn::{Batch, Network, Pass};
use crate::ops::batch::batch_rows::BatchRows;
use crate::ops::kernel::profile::Member;
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

/// The same network over the parameters of one that the graph has, but for codes, which pass as they are where they would become
/// whole numbers.
pub(super) fn unrounded(g: &mut Graph, config: &RunConfig, features: usize, model: &Network) -> Result<Network> {
    let mut spec = config.network_spec();
    spec.coding.iter_mut().for_each(|coding| coding.rounds = false);
    let given: Vec<_> = model.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.var)).collect();
    Network::over(g, &spec, &Shape::new(&[features]), &given)
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

/// Where rows of a split come into a graph: the sources that hold them, the clock that says which are next, and the network.
pub(crate) struct Entrance {
    /// The clock.
    pub clock: Var,
    /// The network.
    pub network: Rc<Network>,
    sources: Vec<Var>,
    split: String,
    holding: Holding,
}

impl Entrance {
    /// The entrance for a split, `train`, `validation` or `test`.
    ///
    /// # Errors
    /// When the layers do not fit the data.
    pub fn new(g: &mut Graph, config: &RunConfig, split: &str, holding: Holding) -> Result<Self> {
        let clock = g.source(Role::State, "clock", clock::ty());
        let sources = holding.sources(g, split);
        let has_others = holding.member.has_others() && !holding.member.own_norms;
        let spec = NetworkSpec { has_others, ..config.network_spec() };
        let network = Rc::new(Network::build(g, &spec, &Shape::new(&[holding.data.features]))?);
        Ok(Entrance { clock, network, sources, split: split.to_string(), holding })
    }

    /// Which of the devices that learn together learns from them.
    pub fn member(&self) -> Member {
        self.holding.member
    }

    /// The rows that this clock says are next, so many of them, through the network; while training as changed as that has them, and as
    /// often.
    ///
    /// # Errors
    /// When the layers do not fit the data.
    pub fn batch(&self, g: &mut Graph, config: &RunConfig, clock: Var, rows: usize, pass: Pass) -> Result<Batch> {
        let rows = g.apply(BatchRows(rows), &[clock])?;
        let x = self.holding.gather(g, &self.sources, rows)?;
        let (x, input, clock) = match pass {
            Pass::Train => {
                let (x, clock) = config.repeated(g, x, clock)?;
                let (x, input) = config.changed(g, x, clock)?;
                (x, input, clock)
            }
            _ => (x, x, clock),
        };
        let passed = self.network.forward(g, input, clock, pass)?;
        let (network, split) = (Rc::clone(&self.network), self.split.clone());
        let split_rows = self.holding.held;
        Ok(Batch { pass, clock, rows, x, input, network, passed, compared: None, split, split_rows })
    }
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
    let entrance = Entrance::new(g, config, split, holding)?;
    entrance.batch(g, config, entrance.clock, batch, pass)
}
