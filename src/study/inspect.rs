//! What the weights of a trained model say about its layers.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::graph::{Feeds, Graph, Role, interpret};
use crate::ops::entropy::activeness::{Activeness, Direction};
use crate::ops::entropy::path_chain::PathBias;
use crate::ops::entropy::path_entropy::PathEntropy;
use crate::ops::entropy::renyi_entropy::RenyiEntropy;
use crate::tensor::HostTensor;
use crate::train::EpochMetrics;
use crate::train::session::State;

/// One layer's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerReport {
    /// Number of the linear layer, from 1.
    pub layer: usize,
    /// Width of its input.
    pub inputs: usize,
    /// Width of its output.
    pub outputs: usize,
    /// Mean of |w|.
    pub mean_abs_weight: f64,
    /// Share of weights below a thousandth of the largest.
    pub sparsity: f64,
    /// Shannon entropy of the incoming activeness, in nats.
    pub entropy_in: f64,
    /// exp of it: neurons in use, as far as incoming weights tell.
    pub width_in: f64,
    /// Shannon entropy of the outgoing activeness; none for the last layer.
    pub entropy_out: Option<f64>,
    /// exp of it.
    pub width_out: Option<f64>,
    /// Shannon entropy of incoming · outgoing, which rescaling a ReLU neuron cannot change.
    pub entropy_product: Option<f64>,
    /// exp of it.
    pub width_product: Option<f64>,
    /// exp of the entropy of the neurons' shares of all paths through the network, biases included: what metrics call
    /// `effective_width_N`.
    pub effective_width: f64,
    /// Neurons whose incoming activeness is over a thousandth of the layer's largest.
    pub linked_in: usize,
    /// The same of outgoing activeness.
    pub linked_out: Option<usize>,
    /// Neurons that are linked both ways.
    pub linked: Option<usize>,
    /// Neurons that make more than a thousandth of the differences in the next layer, as the metrics of this very network
    /// tell it as `active_units_N`: unlike all the rest it takes rows to know. None of the last layer, and where there are no
    /// such metrics.
    pub active_units: Option<f64>,
}

/// A weight counts as zero below this share of its layer's largest.
const NEGLIGIBLE: f64 = 1e-3;
/// A neuron counts as linked above this share of its layer's most active one. Trained to a small
/// entropy, dead neurons end some ten thousand times below the others.
const LINKED: f64 = 1e-3;

fn is_linked(activeness: &[f64], neuron: usize) -> bool {
    let most = activeness.iter().fold(0.0, |most: f64, &a| most.max(a));
    activeness[neuron] > LINKED * most
}

fn tensor(state: &State, name: &str) -> Result<HostTensor<f64>> {
    let (ty, bytes) = state.get(name).ok_or_else(|| Error::Failed(format!("checkpoint: '{name}' is missing")))?;
    Ok(HostTensor::from_device_bytes(ty, bytes))
}

/// Activeness of the neurons described by (W, b) and its entropy, through the operations that training
/// uses, at f64.
fn activeness(w: &HostTensor<f64>, b: &HostTensor<f64>, activeness: Activeness) -> Result<Vec<f64>> {
    let g = &mut Graph::new();
    let sources = [g.source(Role::Param, "w", w.ty()), g.source(Role::Param, "b", b.ty())];
    let a = g.apply(activeness, &sources)?;
    let mut feeds: Feeds<f64> = [("w".to_string(), w.clone()), ("b".to_string(), b.clone())].into();
    Ok(interpret(g, &mut feeds)?.get(a).real().to_vec())
}

fn entropy(a: &[f64]) -> Result<f64> {
    let g = &mut Graph::new();
    let tensor =
        HostTensor { shape: crate::tensor::Shape::new(&[a.len()]), data: crate::tensor::Data::Real(a.to_vec()) };
    let source = g.source(Role::Param, "a", tensor.ty());
    let h = g.apply(RenyiEntropy { alpha: 1.0 }, &[source])?;
    Ok(interpret(g, &mut [("a".to_string(), tensor)].into())?.get(h).scalar())
}

/// Entropies of the shares that the neurons of every level have of the network's paths, from the inputs on.
fn path_entropies(state: &State, layers: &[String]) -> Result<Vec<f64>> {
    let g = &mut Graph::new();
    let mut feeds: Feeds<f64> = Feeds::new();
    let mut parameters = Vec::new();
    for layer in layers {
        for part in ["weight", "bias"] {
            let name = format!("{layer}.{part}");
            let value = tensor(state, &name)?;
            parameters.push(g.source(Role::Param, name.clone(), value.ty()));
            feeds.insert(name, value);
        }
    }
    let paths = PathEntropy { alpha: 1.0, bias: PathBias::Source };
    let outputs = g.push(std::sync::Arc::new(paths), &parameters)?;
    let entropies = outputs.last().copied().ok_or_else(|| Error::graph("path_entropy", "has no outputs"))?;
    Ok(interpret(g, &mut feeds)?.get(entropies).real().to_vec())
}

/// Figures of every layer of a chain of linear layers whose parameters' names begin with these; `observed` are the metrics
/// of this network, if there are any.
///
/// # Errors
/// When a parameter is missing from the state.
pub fn inspect(state: &State, layers: &[String], observed: Option<&EpochMetrics>) -> Result<Vec<LayerReport>> {
    let parameter = |index: usize, part: &str| tensor(state, &format!("{}.{part}", layers[index]));
    let levels = path_entropies(state, layers)?;
    (0..layers.len())
        .map(|index| {
            let (w, b) = (parameter(index, "weight")?, parameter(index, "bias")?);
            let (outputs, inputs) = w.shape.matrix().unwrap_or((0, 0));
            let largest = w.real().iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            let small = w.real().iter().filter(|x| x.abs() <= NEGLIGIBLE * largest).count();
            let incoming = activeness(&w, &b, Activeness { direction: Direction::Incoming, bias_weight: 1.0 })?;
            let (outgoing, product) = if index + 1 < layers.len() {
                let next = parameter(index + 1, "weight")?;
                let out = |bias_weight| Activeness { direction: Direction::Outgoing, bias_weight };
                // A bias scales with the incoming weights, so it counts there alone: only then does
                // rescaling leave the product as it is.
                let weights = activeness(&next, &b, out(0.0))?;
                let product: Vec<f64> = incoming.iter().zip(weights).map(|(a, b)| a * b).collect();
                (Some(activeness(&next, &b, out(1.0))?), Some(product))
            } else {
                (None, None)
            };
            let entropy_in = entropy(&incoming)?;
            let entropy_out = outgoing.as_deref().map(entropy).transpose()?;
            let entropy_product = product.as_deref().map(entropy).transpose()?;
            let count = |linked: &dyn Fn(usize) -> bool| (0..outputs).filter(|&neuron| linked(neuron)).count();
            let linked_out = outgoing.as_ref().map(|out| count(&|neuron| is_linked(out, neuron)));
            let both = |out: &Vec<f64>| count(&|neuron| is_linked(&incoming, neuron) && is_linked(out, neuron));
            Ok(LayerReport {
                layer: index + 1,
                inputs,
                outputs,
                mean_abs_weight: w.real().iter().map(|x| x.abs()).sum::<f64>() / w.real().len() as f64,
                sparsity: small as f64 / w.real().len() as f64,
                entropy_in,
                width_in: entropy_in.exp(),
                entropy_out,
                width_out: entropy_out.map(f64::exp),
                entropy_product,
                width_product: entropy_product.map(f64::exp),
                effective_width: levels[index + 1].exp(),
                linked_in: count(&|neuron| is_linked(&incoming, neuron)),
                linked_out,
                linked: outgoing.as_ref().map(both),
                active_units: observed.and_then(|metrics| metrics.active_units(index + 1)),
            })
        })
        .collect()
}
