//! What a training step learns of its rows: of a batch in one piece, or in parts.

use std::sync::Arc;

use super::forward::Entrance;
use crate::autodiff::grad;
use crate::config::objective::contrastive::NT_XENT;
use crate::config::{RunConfig, Term};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::{Batch, Parameter, Pass};
use crate::ops::array::binary::Binary;
use crate::ops::array::join_rows::JoinRows;
use crate::ops::array::slice_rows::SliceRows;
use crate::ops::array::stop_gradient::StopGradient;
use crate::ops::array::transpose::Transpose;
use crate::ops::array::unary::Unary;
use crate::ops::step::all_reduce::AllReduce;
use crate::ops::step::clock_part::ClockPart;
use crate::ops::step::clock_views::ClockViews;

/// What a step has learnt of its rows: the terms of the loss, and the gradients of the parameters that are trained.
pub(super) struct Learnt {
    /// The terms of the loss, in the order of their weights.
    pub terms: Vec<Term>,
    /// The gradients, in the order of the parameters.
    pub gradients: Vec<Var>,
}

/// What is learnt of a batch under these weights of the terms.
pub(super) fn learnt(g: &mut Graph, config: &RunConfig, batch: &Batch, weights: &[Option<Var>]) -> Result<Learnt> {
    learnt_with(g, config, batch, weights, None)
}

/// The same where a gradient arrives at the answers that no term of this batch accounts for.
fn learnt_with(
    g: &mut Graph,
    config: &RunConfig,
    batch: &Batch,
    weights: &[Option<Var>],
    of_answers: Option<Var>,
) -> Result<Learnt> {
    let terms = config.terms_of(g, batch)?;
    let of_terms = terms.iter().zip(weights).filter_map(|(term, weight)| Some((term.var, (*weight)?)));
    let of_answers = of_answers.map(|gradient| (batch.passed.answer, gradient));
    let losses: Vec<(Var, Var)> = of_terms.chain(of_answers).collect();
    let gradients = gradients(g, &batch.network.parameters, &losses)?;
    Ok(Learnt { terms, gradients })
}

/// What the views of all parts come to together, and what each part's answers are to learn of it.
struct Across {
    compared: [Var; 2],
    gradients: Vec<Var>,
}

/// Compares the views of all parts, whose clocks these are, so that each is told from those of every other part: a first time through
/// the network for the answers alone, of which nothing else is kept, and the gradient where they arrive, with which each part goes
/// through once more (Gao et al., "Scaling deep contrastive learning batch size under memory limited setup", 2021).
fn across(
    g: &mut Graph,
    config: &RunConfig,
    entrance: &Entrance,
    clocks: &[[Var; 2]],
    rows: usize,
    weights: &[Option<Var>],
) -> Result<Option<Across>> {
    let Some(contrastive) = config.contrastive else { return Ok(None) };
    let nothing = || Error::graph("training", "there are no views to compare");
    let mut own = Vec::with_capacity(clocks.len());
    for [clock, _] in clocks {
        own.push(entrance.batch(g, config, *clock, rows, Pass::Train)?.passed.answer);
    }
    // In the place of what others make of their parts stand zeros, to which they add it.
    let member = entrance.member();
    let first = member.rank * clocks.len();
    let zeros = match own.first() {
        Some(&own) if member.has_others() => Some(g.apply(Unary::Affine { scale: 0.0, shift: 0.0 }, &[own])?),
        _ => None,
    };
    let answer = |part: usize| part.checked_sub(first).and_then(|part| own.get(part).copied()).or(zeros);
    let mut answers: Option<Var> = None;
    for part in 0..member.size * clocks.len() {
        let answer = answer(part).ok_or_else(nothing)?;
        answers = Some(answers.map_or(Ok(answer), |before| g.apply(JoinRows, &[before, answer]))?);
    }
    let mut answers = g.apply(StopGradient, &[answers.ok_or_else(nothing)?])?;
    if member.has_others() {
        answers = g.apply(AllReduce::of("answers", 1), &[answers])?;
    }
    let clock = g.apply(ClockViews { views: config.views() }, &[entrance.clock])?;
    let compared = contrastive.compared(g, answers, clock)?;
    let place = config.terms(Pass::Train).iter().position(|(name, _)| *name == NT_XENT);
    let weight = place.and_then(|place| weights[place]).ok_or_else(nothing)?;
    let gradient = grad(g, &[(compared[0], weight)], &[answers])?[0].ok_or_else(nothing)?;
    let rows = rows * config.views();
    let part = |part: usize| g.apply(SliceRows { from: (first + part) * rows, rows }, &[gradient]);
    Ok(Some(Across { compared, gradients: (0..clocks.len()).map(part).collect::<Result<_>>()? }))
}

/// The same of a batch of `rows` rows that goes through the network in parts, back before the next one comes, so that each
/// part's values lie where those of the one before it lay. Every part counts by its share of the rows, one without rows for
/// nothing. Of a batch that several learn from each member has as many parts, and all of them have the sum.
pub(super) fn in_parts(
    g: &mut Graph,
    config: &RunConfig,
    entrance: &Entrance,
    rows: usize,
    weights: &[Option<Var>],
) -> Result<Learnt> {
    let member = entrance.member();
    let own = config.optimiser.accumulate();
    let parts = member.size * own;
    let rows = rows.div_ceil(parts);
    let mut clocks = Vec::with_capacity(own);
    let first = member.rank * own;
    for part in first..first + own {
        let part = ClockPart { part, parts, rows, held: [first, own] };
        let outputs = g.push(Arc::new(part), &[entrance.clock])?;
        clocks.push([outputs[0], outputs[1]]);
    }
    let across = across(g, config, entrance, &clocks, rows, weights)?;
    let mut sum: Option<Learnt> = None;
    for (part, [clock, share]) in clocks.into_iter().enumerate() {
        let mut shared = Vec::with_capacity(weights.len());
        for weight in weights {
            shared.push(weight.map(|weight| g.apply(Binary::Mul, &[weight, share])).transpose()?);
        }
        let mut batch = entrance.batch(g, config, clock, rows, Pass::Train)?;
        batch.compared = across.as_ref().map(|across| across.compared);
        let of_answers = across.as_ref().map(|across| across.gradients[part]);
        let mut own = learnt_with(g, config, &batch, &shared, of_answers)?;
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
    let mut sum = sum.ok_or_else(|| Error::graph("training", "a batch has no part"))?;
    if member.has_others() {
        let terms = sum.terms.iter().map(|term| term.var);
        let values: Vec<Var> = sum.gradients.iter().copied().chain(terms).collect();
        // All at once, so that it is never a matter of plans what comes first.
        let arenas = vec![("grads", sum.gradients.len()), ("terms", sum.terms.len())];
        let mut reduced = g.push(Arc::new(AllReduce { arenas }), &values)?;
        let terms = reduced.split_off(sum.gradients.len());
        sum.terms.iter_mut().zip(terms).for_each(|(term, reduced)| term.var = reduced);
        sum.gradients = reduced;
    }
    Ok(sum)
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
