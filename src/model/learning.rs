//! What a training step learns of its rows: of a batch in one piece, or in parts.

use std::sync::Arc;

use super::forward::Entrance;
use crate::autodiff::grad;
use crate::config::{RunConfig, Term};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::{Batch, Parameter, Pass};
use crate::ops::array::binary::Binary;
use crate::ops::array::transpose::Transpose;
use crate::ops::step::clock_part::ClockPart;

/// What a step has learnt of its rows: the terms of the loss, and the gradients of the parameters that are trained.
pub(super) struct Learnt {
    /// The terms of the loss, in the order of their weights.
    pub terms: Vec<Term>,
    /// The gradients, in the order of the parameters.
    pub gradients: Vec<Var>,
}

/// What is learnt of a batch under these weights of the terms.
pub(super) fn learnt(g: &mut Graph, config: &RunConfig, batch: &Batch, weights: &[Option<Var>]) -> Result<Learnt> {
    let terms = config.terms_of(g, batch)?;
    let losses: Vec<(Var, Var)> =
        terms.iter().zip(weights).filter_map(|(term, weight)| Some((term.var, (*weight)?))).collect();
    let gradients = gradients(g, &batch.network.parameters, &losses)?;
    Ok(Learnt { terms, gradients })
}

/// The same of a batch of `rows` rows that goes through the network in parts, back before the next one comes, so that each
/// part's values lie where those of the one before it lay. Every part counts by its share of the rows, one without rows for
/// nothing.
pub(super) fn in_parts(
    g: &mut Graph,
    config: &RunConfig,
    entrance: &Entrance,
    rows: usize,
    weights: &[Option<Var>],
) -> Result<Learnt> {
    let parts = config.optimiser.accumulate();
    let rows = rows.div_ceil(parts);
    let mut sum: Option<Learnt> = None;
    for part in 0..parts {
        let outputs = g.push(Arc::new(ClockPart { part, parts, rows }), &[entrance.clock])?;
        let (clock, share) = (outputs[0], outputs[1]);
        let mut shared = Vec::with_capacity(weights.len());
        for weight in weights {
            shared.push(weight.map(|weight| g.apply(Binary::Mul, &[weight, share])).transpose()?);
        }
        let batch = entrance.batch(g, config, clock, rows, Pass::Train)?;
        let mut own = learnt(g, config, &batch, &shared)?;
        for term in &mut own.terms {
            term.var = g.apply(Binary::Mul, &[term.var, share])?;
        }
        if let Some(before) = sum {
            for (own, before) in own.terms.iter_mut().zip(&before.terms) {
                own.var = g.apply(Binary::Add, &[before.var, own.var])?;
            }
            for (own, before) in own.gradients.iter_mut().zip(&before.gradients) {
                *own = g.apply(Binary::Add, &[*before, *own])?;
            }
        }
        sum = Some(own);
    }
    sum.ok_or_else(|| Error::graph("training", "a batch has no part"))
}

/// The parameters that are trained, by their names.
pub(super) fn named(parameters: &[Parameter]) -> Vec<(String, Var)> {
    let trained = parameters.iter().filter(|parameter| parameter.trained);
    trained.map(|parameter| (parameter.name.clone(), parameter.var)).collect()
}

/// Their gradients: of a tied one's owner the sum of both.
pub(super) fn gradients(g: &mut Graph, parameters: &[Parameter], losses: &[(Var, Var)]) -> Result<Vec<Var>> {
    let trained: Vec<&Parameter> = parameters.iter().filter(|parameter| parameter.trained).collect();
    let tied: Vec<&Parameter> = parameters.iter().filter(|parameter| parameter.tied.is_some()).collect();
    let wanted: Vec<Var> = trained.iter().chain(&tied).map(|parameter| parameter.var).collect();
    let mut gradients = grad(g, losses, &wanted)?;
    let of_tied = gradients.split_off(trained.len());
    for (parameter, gradient) in tied.into_iter().zip(of_tied) {
        let own = trained.iter().position(|own| Some(&own.name) == parameter.tied.as_ref());
        if let (Some(own), Some(gradient)) = (own, gradient) {
            let turned = g.apply(Transpose, &[gradient])?;
            gradients[own] = Some(match gradients[own] {
                Some(first) => g.apply(Binary::Add, &[first, turned])?,
                None => turned,
            });
        }
    }
    let unconnected = |name: &str| Error::Usage(format!("layers: '{name}' has no influence on the loss"));
    let found = trained.iter().zip(gradients).map(|(own, found)| found.ok_or_else(|| unconnected(&own.name)));
    found.collect()
}
