//! A training state in the order of files: kernels and what reads flattened images as PyTorch has them, moments like the
//! parameters that they belong to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::described::features;
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::forward::network;
use crate::model::optimiser::kept_of;
use crate::nn::order::FileOrder;
use crate::tensor::Ty;
use crate::train::session::State;

/// What lies otherwise in files, by the names of everything that is kept of a parameter.
fn orders(state: &State, config: &RunConfig) -> Result<BTreeMap<String, (FileOrder, Ty)>> {
    // A network without parameters has nothing that could lie otherwise.
    let Ok(features) = features(state, config) else { return Ok(BTreeMap::new()) };
    let mut orders = BTreeMap::new();
    for parameter in network(&mut Graph::new(), config, features)?.parameters {
        let Some(order) = parameter.order else { continue };
        let name = parameter.name;
        for name in kept_of(&name).into_iter().chain([name]) {
            orders.insert(name, (order.clone(), parameter.ty.clone()));
        }
    }
    Ok(orders)
}

/// The state as a file has it.
///
/// # Errors
/// When the configuration's network does not fit.
pub fn to_file<'a>(state: &'a State, config: &RunConfig) -> Result<Cow<'a, State>> {
    let mut written = Cow::Borrowed(state);
    for (name, (order, own)) in orders(state, config)? {
        if state.get(&name).is_some_and(|(ty, _)| *ty == own)
            && let Some((ty, bytes)) = written.to_mut().get_mut(&name)
        {
            (*bytes, *ty) = (order.to_file(bytes), order.in_file(ty));
        }
    }
    Ok(written)
}

/// The state as a device has it, of one that was read.
///
/// # Errors
/// When a tensor has another shape than the configuration says, or its network does not fit.
pub fn from_file(state: &mut State, config: &RunConfig) -> Result<()> {
    for (name, (order, own)) in orders(state, config)? {
        let Some((ty, bytes)) = state.get_mut(&name) else { continue };
        let expected = order.in_file(&own);
        if *ty != expected {
            let problem = format!("'{name}' is {ty}, expected {expected}, as the configuration says");
            return Err(Error::Failed(problem));
        }
        (*bytes, *ty) = (order.from_file(bytes), own);
    }
    Ok(())
}
