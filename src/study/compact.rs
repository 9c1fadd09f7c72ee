//! Compaction: a trained network without the units that carry nothing, as a smaller one that does the same.
//!
//! A unit is a neuron, or a channel of an image. One that is replaced by its mean is a constant, which folds into the biases of the
//! layer that reads it: b' = b + W_i · mean (see [`units`](super::units) for images). What that costs is measured, unit by unit, as the
//! rise of the error on the session's test rows, which may be rows that were set aside for such decisions. Then the
//! cheapest are removed together, as many as keep the error within the tolerance. What is measured is always the network that is
//! written, with the units still there and read by nothing.

use super::units::{Unit, Units};
use crate::config::RunConfig;
use crate::device::wait;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::forward::network;
use crate::nn::wired::{Fate, Wired};
use crate::train::{Checkpoint, Session};

/// How far a compaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many of all hidden units were judged one by one.
    Judged {
        /// Units judged.
        done: usize,
        /// All of them.
        all: usize,
    },
    /// So many of those that are not the cheapest were tried together with what goes.
    Tried {
        /// Units tried.
        done: usize,
        /// All of them.
        all: usize,
    },
}

/// What a compaction did.
#[derive(Clone, Debug, PartialEq)]
pub struct Compaction {
    /// The smaller network, ready to be trained further.
    pub checkpoint: Checkpoint,
    /// Error before.
    pub error_before: f64,
    /// Error with the units that were removed held at their means, which the smaller network has but for rounding.
    pub error_after: f64,
    /// The units that were removed.
    pub removed: Vec<Unit>,
    /// What removing each hidden unit alone does to it.
    pub effects: Vec<(Unit, f64)>,
    /// The layers whose units had to stay, and why: `encoder.3 keeps its units: …`.
    pub bound: Vec<String>,
}

/// The term that a network's error is: of one that sorts rows the cross entropy, of any other the squared error.
pub fn error_term(config: &RunConfig) -> &'static str {
    if config.classifier.is_some() { "cross_entropy" } else { "mse" }
}

/// Error of a network on the session's test rows.
fn error(session: &mut Session, term: &str) -> Result<f64> {
    let missing = || Error::Failed(format!("compact: the network has no {term}"));
    wait(session.evaluate())?.mean(term).ok_or_else(missing)
}

/// Why the units of those layers have to stay that another layer might have read.
fn bound(layers: &[Wired]) -> Vec<String> {
    let why = |layer: &Wired| match &layer.fate {
        Fate::Bound(why) => Some(format!("{} keeps its units: {why}", layer.key)),
        Fate::Read(_) | Fate::Answered => None,
    };
    layers.iter().filter_map(why).collect()
}

/// Parameters of each layer, with those of what follows it and is no layer, such as a norm.
///
/// # Errors
/// When the checkpoint's network does not fit together.
pub fn parameters(checkpoint: &Checkpoint) -> Result<Vec<usize>> {
    let layers = checkpoint.wiring()?;
    let mut counts = vec![0; layers.len()];
    let mut at = 0;
    for parameter in network(&mut Graph::new(), &checkpoint.config, checkpoint.features()?)?.parameters {
        let begins = |layer: &Wired| parameter.name.strip_suffix(".weight") == Some(&layer.name);
        at = layers.iter().position(begins).unwrap_or(at);
        if let Some(count) = counts.get_mut(at).filter(|_| !parameter.is_buffer) {
            *count += parameter.ty.elements();
        }
    }
    Ok(counts)
}

/// Finds and removes what a network can do without at a relative `tolerance` of its error, given a
/// session that holds it. `tell` hears how far it is.
///
/// # Errors
/// When the device fails, the checkpoint lacks something, or no unit of the network could go.
pub fn compact(
    session: &mut Session,
    checkpoint: &Checkpoint,
    tolerance: f64,
    mut tell: impl FnMut(Progress),
) -> Result<Compaction> {
    let layers = checkpoint.wiring()?;
    let read = wait(session.observe_readings(&layers))?;
    let units = Units { layers: &layers, read: &read };
    let (hidden, bound) = (units.all(), bound(&layers));
    if hidden.is_empty() {
        let why = if bound.is_empty() { "it has no hidden layer".into() } else { bound.join("; ") };
        return Err(Error::Usage(format!("compact: no unit of this network can go: {why}")));
    }
    let term = error_term(&checkpoint.config);
    let error_before = error(session, term)?;
    let silent = units.silent(&checkpoint.state)?;
    let mut judge = |removed: &[Unit]| -> Result<f64> {
        wait(session.restore(&units.held(&checkpoint.state, removed)?))?;
        error(session, term)
    };
    let mut effects = Vec::with_capacity(hidden.len());
    for (done, &unit) in hidden.iter().enumerate() {
        // Of what changes nothing there is nothing to measure.
        let effect = if silent.contains(&unit) { 0.0 } else { judge(&[unit])? - error_before };
        effects.push((unit, effect));
        tell(Progress::Judged { done: done + 1, all: hidden.len() });
    }
    let mut order = effects.clone();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    // A layer of nothing but constants would cut the network in two: the last one stays.
    let mut left: Vec<usize> = layers.iter().map(|layer| layer.reading().map_or(0, |reading| reading.units)).collect();
    let mut removable = Vec::new();
    for &(unit, _) in &order {
        if left[unit.0 - 1] > 1 {
            left[unit.0 - 1] -= 1;
            removable.push(unit);
        }
    }
    let allowed = error_before * (1.0 + tolerance);
    // The largest number of the cheapest that is allowed, by halving; then one by one what still fits.
    let (mut kept, mut refused, mut error_after) = (0, removable.len() + 1, error_before);
    while refused - kept > 1 {
        let middle = usize::midpoint(kept, refused);
        match judge(&removable[..middle])? {
            error if error <= allowed => (kept, error_after) = (middle, error),
            _ => refused = middle,
        }
    }
    let mut removed = removable[..kept].to_vec();
    for (done, &unit) in removable[kept..].iter().enumerate() {
        removed.push(unit);
        match judge(&removed)? {
            error if error <= allowed => error_after = error,
            _ => drop(removed.pop()),
        }
        tell(Progress::Tried { done: done + 1, all: removable.len() - kept });
    }
    wait(session.restore(&checkpoint.state))?;
    removed.sort_unstable();
    let (config, state) = units.without(&checkpoint.config, &checkpoint.state, &removed)?;
    let smaller = Checkpoint { config, state, ..checkpoint.clone() };
    Ok(Compaction { checkpoint: smaller, error_before, error_after, removed, effects, bound })
}
