//! What the weights of a trained model say about its layers.

use serde::Serialize;

use super::spectra::Ranks;
use crate::error::{Error, Result};
use crate::graph::{Feeds, Graph, Role, interpret};
use crate::nn::wired::{Weights, Wired};
use crate::ops::entropy::path_chain::PathBias;
use crate::ops::entropy::path_entropy::PathEntropy;
use crate::ops::entropy::renyi_entropy::RenyiEntropy;
use crate::tensor::HostTensor;
use crate::train::EpochMetrics;
use crate::train::session::State;

/// One layer's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerReport {
    /// Number of the layer among those with weights, from 1.
    pub layer: usize,
    /// Key of its block, as `encoder.2`.
    pub block: String,
    /// Width of its input: channels, of an image.
    pub inputs: usize,
    /// Width of its output.
    pub outputs: usize,
    /// Extents of its weights: outputs, inputs that each of them sees, and of a kernel height and width.
    pub extents: Vec<usize>,
    /// Units that it writes, each of which could go by itself: neurons or channels, also those of an image that its outputs
    /// become. The following figures count them.
    pub units: usize,
    /// Mean of |w|.
    pub mean_abs_weight: f64,
    /// Share of weights below a thousandth of the largest.
    pub sparsity: f64,
    /// Shannon entropy of the incoming activeness, in nats.
    pub entropy_in: f64,
    /// exp of it: units in use, as far as incoming weights tell.
    pub width_in: f64,
    /// Shannon entropy of the outgoing activeness; none where no other layer reads the units and nothing else does.
    pub entropy_out: Option<f64>,
    /// exp of it.
    pub width_out: Option<f64>,
    /// Shannon entropy of incoming · outgoing, which rescaling a ReLU neuron cannot change.
    pub entropy_product: Option<f64>,
    /// exp of it.
    pub width_product: Option<f64>,
    /// exp of the entropy of the neurons' shares of all paths through the network, biases included: what metrics call
    /// `effective_width_N`; none of a network that is no chain of linear layers.
    pub effective_width: Option<f64>,
    /// Units whose incoming activeness is over a thousandth of the layer's largest.
    pub linked_in: usize,
    /// The same of outgoing activeness.
    pub linked_out: Option<usize>,
    /// Units that are linked both ways.
    pub linked: Option<usize>,
    /// Neurons that make more than a thousandth of the differences in the next layer, as the metrics of this very network
    /// tell it as `active_units_N`: unlike all the rest it takes rows to know. None of the last layer, and where there are no
    /// such metrics.
    pub active_units: Option<f64>,
    /// Of the last layer, its singular values and what follows from them, unless it is very large.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub ranks: Option<Ranks>,
}

/// A weight counts as zero below this share of its layer's largest.
const NEGLIGIBLE: f64 = 1e-3;
/// A unit counts as linked above this share of its layer's most active one. Trained to a small
/// entropy, dead neurons end some ten thousand times below the others.
const LINKED: f64 = 1e-3;

fn is_linked(activeness: &[f64], unit: usize) -> bool {
    let most = activeness.iter().fold(0.0, |most: f64, &a| most.max(a));
    activeness[unit] > LINKED * most
}

fn tensor(state: &State, name: &str) -> Result<HostTensor<f64>> {
    let (ty, bytes) = state.get(name).ok_or_else(|| Error::Failed(format!("checkpoint: '{name}' is missing")))?;
    Ok(HostTensor::from_device_bytes(ty, bytes))
}

/// Sums of the absolute weights of every unit of a layer: of those into it, with its biases, of those out of it, and what its
/// biases are by themselves.
struct Activeness {
    incoming: Vec<f64>,
    outgoing: Option<Vec<f64>>,
    biases: Vec<f64>,
}

/// Sums over the weights of a layer by one of the numbers that each joins, 0 what is written, 1 what is read.
fn sums(layer: &Wired, w: &HostTensor<f64>, end: usize, units: usize) -> Vec<f64> {
    let columns = w.shape.matrix().map_or(1, |(_, columns)| columns).max(1);
    let mut sums = vec![0.0; units];
    for (at, w) in w.real().iter().enumerate() {
        sums[layer.joins(at / columns, at % columns)[end] % units] += w.abs();
    }
    sums
}

/// How active the units of the layer of this index are, as far as weights tell.
fn activeness(state: &State, layers: &[Wired], index: usize) -> Result<Activeness> {
    let (layer, weight) = (&layers[index], |layer: &Wired| tensor(state, &format!("{}.weight", layer.name)));
    let reading = layer.reading();
    let units = reading.map_or(layer.outputs, |reading| reading.units);
    let mut biases = vec![0.0; units];
    if layer.has_bias {
        let bias = tensor(state, &format!("{}.bias", layer.name))?;
        bias.real().iter().enumerate().for_each(|(at, bias)| biases[at % units] += bias.abs());
    }
    let mut incoming = sums(layer, &weight(layer)?, 0, units);
    incoming.iter_mut().zip(&biases).for_each(|(sum, bias)| *sum += bias);
    let outgoing = reading.map(|reading| {
        let reader = &layers[reading.by];
        Ok(sums(reader, &weight(reader)?, 1, units))
    });
    Ok(Activeness { incoming, outgoing: outgoing.transpose()?, biases })
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
fn path_entropies(state: &State, layers: &[Wired]) -> Result<Vec<f64>> {
    let g = &mut Graph::new();
    let mut feeds: Feeds<f64> = Feeds::new();
    let mut parameters = Vec::new();
    for layer in layers {
        for part in ["weight", "bias"] {
            let name = format!("{}.{part}", layer.name);
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

/// Numbers, as metrics count them, of the linear layers among these: those within other blocks have none.
fn numbers(layers: &[Wired]) -> Vec<Option<usize>> {
    let mut count = 0;
    let is_numbered = |layer: &Wired| layer.weights == Weights::Linear && layer.key.split('.').count() == 2;
    let number = |layer| {
        is_numbered(layer).then(|| {
            count += 1;
            count
        })
    };
    layers.iter().map(number).collect()
}

/// Figures of every layer with weights; `is_chain` says whether they are linear layers with biases one behind the other, so that
/// paths can be counted, and `observed` are the metrics of this network, if there are any.
///
/// # Errors
/// When a parameter is missing from the state.
pub fn inspect(
    state: &State,
    layers: &[Wired],
    is_chain: bool,
    observed: Option<&EpochMetrics>,
) -> Result<Vec<LayerReport>> {
    let levels = is_chain.then(|| path_entropies(state, layers)).transpose()?;
    let numbers = numbers(layers);
    (0..layers.len())
        .map(|index| {
            let (layer, w) = (&layers[index], tensor(state, &format!("{}.weight", layers[index].name))?);
            let largest = w.real().iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            let small = w.real().iter().filter(|x| x.abs() <= NEGLIGIBLE * largest).count();
            let Activeness { incoming, outgoing, biases } = activeness(state, layers, index)?;
            // A bias scales with the incoming weights, so it counts there alone: only then does rescaling leave the
            // product as it is.
            let product = outgoing.as_ref().map(|out| incoming.iter().zip(out).map(|(a, b)| a * b).collect::<Vec<_>>());
            let outgoing = outgoing.map(|out| out.iter().zip(&biases).map(|(out, b)| out + b).collect::<Vec<_>>());
            let entropy_in = entropy(&incoming)?;
            let entropy_out = outgoing.as_deref().map(entropy).transpose()?;
            let entropy_product = product.as_deref().map(entropy).transpose()?;
            let units = incoming.len();
            let count = |linked: &dyn Fn(usize) -> bool| (0..units).filter(|&unit| linked(unit)).count();
            let linked_out = outgoing.as_ref().map(|out| count(&|unit| is_linked(out, unit)));
            let both = |out: &Vec<f64>| count(&|unit| is_linked(&incoming, unit) && is_linked(out, unit));
            Ok(LayerReport {
                layer: index + 1,
                block: layer.key.clone(),
                inputs: layer.inputs,
                outputs: layer.outputs,
                extents: layer.extents(),
                units,
                mean_abs_weight: w.real().iter().map(|x| x.abs()).sum::<f64>() / w.real().len() as f64,
                sparsity: small as f64 / w.real().len() as f64,
                entropy_in,
                width_in: entropy_in.exp(),
                entropy_out,
                width_out: entropy_out.map(f64::exp),
                entropy_product,
                width_product: entropy_product.map(f64::exp),
                effective_width: levels.as_ref().map(|levels| levels[index + 1].exp()),
                linked_in: count(&|unit| is_linked(&incoming, unit)),
                linked_out,
                linked: outgoing.as_ref().map(both),
                active_units: observed.zip(numbers[index]).and_then(|(metrics, number)| metrics.active_units(number)),
                ranks: (index + 1 == layers.len()).then(|| Ranks::of(&w)).flatten(),
            })
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::nn::network::NetworkSpec;
    use crate::nn::wiring::wiring;
    use crate::tensor::{Shape, Ty};

    /// Channels: a kernel and its bias into each, what the next layer reads of it out.
    #[test]
    fn figures_of_channels_are_those_computed_by_hand() {
        let blocks = |text: &str| toml::from_str::<toml::Table>(&format!("b = [{text}]")).unwrap()["b"].clone();
        let encoder = "{ unflatten = '1x2x1' }, { conv = 3, kernel = [1, 2], padding = [0, 1] }, { flatten = true }, \
                       { linear = 4, bias = false }";
        let decoder = "{ unflatten = '1x2x2' }, { conv_transpose = 1, kernel = 1 }";
        let spec = NetworkSpec {
            encoder: blocks(encoder).try_into().unwrap(),
            decoder: blocks(decoder).try_into().unwrap(),
            ..NetworkSpec::default()
        };
        let layers = wiring(&spec, &Shape::new(&[2])).unwrap();
        let mut state = State::new();
        let mut put = |name: &str, dims: &[usize], values: &[f32]| {
            state.insert(format!("autoencoder.{name}"), (Ty::f32(dims), bytemuck::cast_slice(values).to_vec()));
        };
        put("1.weight", &[3, 2], &[1.0, -2.0, 0.0, 0.5, 0.0, 0.0]);
        put("1.bias", &[3], &[1.0, 0.5, 0.0]);
        // Three pixels of three channels: of each channel every third column is read.
        let mut linear = [0.0; 36];
        (linear[0], linear[3], linear[6], linear[10], linear[20]) = (1.0, -1.0, 2.0, 4.0, 0.25);
        put("4.weight", &[4, 9], &linear);
        put("7.weight", &[2, 1], &[3.0, -1.0]);
        put("7.bias", &[1], &[0.5]);
        let reports = inspect(&state, &layers, false, None).unwrap();
        let entropy = |sums: &[f64]| -> f64 {
            let whole: f64 = sums.iter().sum();
            sums.iter().filter(|&&sum| sum > 0.0).map(|sum| -sum / whole * (sum / whole).ln()).sum()
        };
        let [conv, linear, last] = &reports[..] else { panic!("{reports:?}") };
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a}, expected {b}");
        assert_eq!((conv.block.as_str(), conv.units, &conv.extents[..]), ("encoder.2", 3, &[3, 1, 1, 2][..]));
        near(conv.mean_abs_weight, 3.5 / 6.0);
        near(conv.sparsity, 0.5);
        near(conv.entropy_in, entropy(&[4.0, 1.0, 0.0]));
        // Column 10 is that of number 1 in the second row, 20 of number 2 in the third: channels 1 and 2.
        near(conv.entropy_out.unwrap(), entropy(&[4.0 + 1.0, 4.0 + 0.5, 0.25]));
        near(conv.entropy_product.unwrap(), entropy(&[16.0, 4.0, 0.0]));
        assert_eq!((conv.linked_in, conv.linked_out, conv.linked), (2, Some(3), Some(2)));
        assert_eq!((conv.effective_width, conv.active_units), (None, None));
        // What becomes an image of two channels: two neurons make one.
        assert_eq!((linear.inputs, linear.outputs, linear.units), (9, 4, 2));
        near(linear.entropy_in, entropy(&[4.0 + 0.25, 4.0]));
        near(linear.entropy_product.unwrap(), entropy(&[4.25 * 3.0, 4.0]));
        assert_eq!((&last.extents[..], last.units, last.linked_out), (&[1, 2, 1, 1][..], 1, None));
        near(last.entropy_in, 0.0);
    }
}
