//! Compaction: a trained network without the neurons that carry nothing, as a smaller one that does the same.
//!
//! A neuron whose activation is replaced by its mean is a constant, which folds into the next layer's biases:
//! b' = b + W_i · mean. What that costs is measured, neuron by neuron, as the rise of the error on the session's test rows,
//! which may be rows that were set aside for such decisions. Then the
//! cheapest are removed together, as many as keep the error within the tolerance.

use crate::error::{Error, Result};
use crate::model::optimiser::kept_of;
use crate::tensor::Ty;
use crate::train::session::State;
use crate::train::{Checkpoint, Session};

/// A hidden neuron: number of its layer, from 1, and its number in it, from 0.
pub type Neuron = (usize, usize);

/// How far a compaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many of all hidden neurons were judged one by one.
    Judged {
        /// Neurons judged.
        done: usize,
        /// All of them.
        all: usize,
    },
    /// So many of those that are not the cheapest were tried together with what goes.
    Tried {
        /// Neurons tried.
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
    pub mse_before: f64,
    /// The neurons that were removed.
    pub removed: Vec<Neuron>,
    /// What removing each hidden neuron alone does to it.
    pub effects: Vec<(Neuron, f64)>,
}

/// Parameters of a layer, by the part of them, with the moments that their optimiser has.
fn names(state: &State, layer: &str, part: &str) -> Vec<String> {
    let name = format!("{layer}.{part}");
    kept_of(&name).into_iter().filter(|kept| state.contains_key(kept)).chain([name.clone()]).collect()
}

fn floats<'a>(state: &'a State, name: &str) -> Result<(&'a Ty, Vec<f32>)> {
    let missing = || Error::Failed(format!("checkpoint: '{name}' is missing"));
    let (ty, bytes) = state.get(name).ok_or_else(missing)?;
    Ok((ty, bytemuck::pod_collect_to_vec(bytes)))
}

fn put(state: &mut State, name: String, dims: &[usize], values: &[f32]) {
    state.insert(name, (Ty::f32(dims), bytemuck::cast_slice(values).to_vec()));
}

/// The parameters with these neurons held at these means: nothing reads them any more, and what they would
/// add is in the biases behind them.
fn held(state: &State, layers: &[String], neurons: &[Neuron], means: &[Vec<f64>]) -> Result<State> {
    let mut changed = state.clone();
    for (layer, next) in (1..layers.len()).map(|number| (number - 1, number)) {
        let held: Vec<usize> = neurons.iter().filter(|(number, _)| *number == next).map(|(_, i)| *i).collect();
        if held.is_empty() {
            continue;
        }
        let [weight, bias] = ["weight", "bias"].map(|part| format!("{}.{part}", layers[next]));
        let (ty, mut w) = floats(&changed, &weight)?;
        let columns = ty.shape.matrix().map_or(1, |(_, columns)| columns);
        let (bias_ty, mut b) = floats(&changed, &bias)?;
        for (row, b) in w.chunks_exact_mut(columns).zip(&mut b) {
            let mut sum = f64::from(*b);
            for &i in &held {
                sum += f64::from(row[i]) * means[layer][i];
                row[i] = 0.0;
            }
            *b = sum as f32;
        }
        let dims = [ty.shape.dims().to_vec(), bias_ty.shape.dims().to_vec()];
        put(&mut changed, weight, &dims[0], &w);
        put(&mut changed, bias, &dims[1], &b);
    }
    Ok(changed)
}

/// Error of a network on the session's test rows.
fn error(session: &mut Session) -> Result<f64> {
    let missing = || Error::Failed("compact: the network has no reconstruction error".into());
    session.evaluate()?.mean("mse").ok_or_else(missing)
}

/// A matrix or vector without some of its rows and columns.
fn cut(state: &mut State, name: String, rows: &[usize], columns: &[usize]) -> Result<()> {
    let (ty, values) = floats(state, &name)?;
    let mut dims = ty.shape.dims().to_vec();
    let width = dims.get(1).copied().unwrap_or(1);
    let mut kept = Vec::with_capacity(values.len());
    let rows_kept = values.chunks_exact(width).enumerate().filter(|(row, _)| !rows.contains(row));
    for (_, row) in rows_kept {
        kept.extend(row.iter().enumerate().filter(|(column, _)| !columns.contains(column)).map(|(_, value)| *value));
    }
    dims[0] -= rows.len();
    if let Some(width) = dims.get_mut(1) {
        *width -= columns.len();
    }
    put(state, name, &dims, &kept);
    Ok(())
}

/// The smaller network: held neurons cut out of parameters and moments.
fn without(checkpoint: &Checkpoint, layers: &[String], neurons: &[Neuron], means: &[Vec<f64>]) -> Result<Checkpoint> {
    let mut state = held(&checkpoint.state, layers, neurons, means)?;
    let mut config = checkpoint.config.clone();
    let of = |number: usize| -> Vec<usize> {
        neurons.iter().filter(|(layer, _)| *layer == number).map(|(_, i)| *i).collect()
    };
    for (index, layer) in config.layers_mut().enumerate() {
        let (own, before) = (of(index + 1), of(index));
        for name in names(&state, &layers[index], "weight") {
            cut(&mut state, name, &own, &before)?;
        }
        for name in names(&state, &layers[index], "bias") {
            cut(&mut state, name, &own, &[])?;
        }
        layer.linear -= own.len();
    }
    Ok(Checkpoint { config, state, ..checkpoint.clone() })
}

/// Finds and removes what a network can do without at a relative `tolerance` of its error, given a
/// session that holds it. `tell` hears how far it is.
///
/// # Errors
/// When the device fails or the checkpoint lacks something.
pub fn compact(
    session: &mut Session,
    checkpoint: &Checkpoint,
    tolerance: f64,
    mut tell: impl FnMut(Progress),
) -> Result<Compaction> {
    let layers = session.layer_names("compact")?;
    let observation = session.observe()?;
    let means: Vec<Vec<f64>> = observation.layers.iter().map(|layer| layer.mean.clone()).collect();
    let mse_before = error(session)?;
    let mut judge = |neurons: &[Neuron]| -> Result<f64> {
        session.restore(&held(&checkpoint.state, &layers, neurons, &means)?)?;
        error(session)
    };
    let hidden: Vec<Neuron> = observation
        .layers
        .iter()
        .enumerate()
        .flat_map(|(index, layer)| (0..layer.mean.len()).map(move |neuron| (index + 1, neuron)))
        .collect();
    let mut effects = Vec::with_capacity(hidden.len());
    for (done, &(number, neuron)) in hidden.iter().enumerate() {
        let layer = &observation.layers[number - 1];
        // Nobody reads it, or it never moves: nothing to measure.
        let unread = layer.strength.as_ref().is_some_and(|strength| strength[neuron] <= 0.0);
        let silent = layer.variance[neuron] <= 0.0 || unread;
        let effect = if silent { 0.0 } else { judge(&[(number, neuron)])? - mse_before };
        effects.push(((number, neuron), effect));
        tell(Progress::Judged { done: done + 1, all: hidden.len() });
    }
    let mut order = effects.clone();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    // A layer of nothing but constants would cut the network in two: the last one stays.
    let mut left: Vec<usize> = observation.layers.iter().map(|layer| layer.mean.len()).collect();
    let mut removable = Vec::new();
    for &(neuron, _) in &order {
        if left[neuron.0 - 1] > 1 {
            left[neuron.0 - 1] -= 1;
            removable.push(neuron);
        }
    }
    let allowed = mse_before * (1.0 + tolerance);
    // The largest number of the cheapest that is allowed, by halving; then one by one what still fits.
    let (mut kept, mut refused) = (0, removable.len() + 1);
    while refused - kept > 1 {
        let middle = usize::midpoint(kept, refused);
        if judge(&removable[..middle])? <= allowed { kept = middle } else { refused = middle }
    }
    let mut removed = removable[..kept].to_vec();
    for (done, &neuron) in removable[kept..].iter().enumerate() {
        removed.push(neuron);
        if judge(&removed)? > allowed {
            removed.pop();
        }
        tell(Progress::Tried { done: done + 1, all: removable.len() - kept });
    }
    session.restore(&checkpoint.state)?;
    removed.sort_unstable();
    let smaller = without(checkpoint, &layers, &removed, &means)?;
    Ok(Compaction { checkpoint: smaller, mse_before, removed, effects })
}
