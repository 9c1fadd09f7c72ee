//! The graph by which a network is looked at from outside: its paths, and what its units do on a batch of test data.

use std::sync::Arc;

use super::forward::forward;
use super::holding::Holding;
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Pass;
use crate::nn::losses::path_entropy;
use crate::nn::wired::Wired;
use crate::ops::array::activation::Activation;
use crate::ops::array::activation_grad::ActivationGrad;
use crate::ops::array::binary::Binary;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::ops::entropy::path_chain::PathBias;
use crate::ops::entropy::path_entropy::PathEntropy;
use crate::ops::loss::gaussian_kl::GaussianKl;

/// The value above which a unit with this activation counts as active; none where there is no such value.
fn threshold(activation: Activation) -> Option<f32> {
    match activation {
        Activation::Relu | Activation::LeakyRelu | Activation::LeakierRelu => Some(0.0),
        Activation::Sigmoid => Some(0.5),
        Activation::Identity | Activation::Tanh | Activation::Softplus => None,
    }
}

/// The graph of an observation of `batch` rows, all valid: results `row numbers`, `codes`, of every hidden layer `mean N`
/// and `variance N`; `active N`, the share of rows for which each of its units is active, where that means something; of a
/// chain of layers `path entropy`, `level entropies` and `strength N`, Σ of the squared weights that read each unit; of
/// drawn codes the `divergences` of their dimensions.
///
/// # Errors
/// When the layers do not fit the data.
pub fn observation(config: &RunConfig, holding: impl Into<Holding>, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let forward = forward(g, config, "test", holding.into(), batch, Pass::Show)?;
    g.result("row numbers", forward.rows);
    if let Some([mean, log_variance]) = forward.passed.latent {
        let divergence = g.push(Arc::new(GaussianKl { rows_per_sample: 1 }), &[mean, log_variance, forward.clock])?;
        g.result("divergences", divergence[1]);
    }
    let chain = forward.network.chain();
    if let Some(layers) = chain {
        let paths = path_entropy(g, layers, PathEntropy { alpha: 1.0, bias: PathBias::Source })?;
        g.result("path entropy", paths.entropy);
        g.result("level entropies", paths.entropies);
    }
    g.result("codes", forward.passed.code);
    let layers = config.layers();
    let (_, hidden) =
        forward.passed.outputs.split_last().map_or((None, &[][..]), |(last, hidden)| (Some(last), hidden));
    for (index, &h) in hidden.iter().enumerate() {
        let number = index + 1;
        let [average, variance] = moments(g, h, batch)?;
        if let Some(layers) = chain {
            let weight = layers[number].weight;
            let squares = g.apply(Binary::Mul, &[weight, weight])?;
            let strength = g.apply(SumAxis::Rows, &[squares])?;
            g.result(format!("strength {number}"), strength);
        }
        if let Some(threshold) = threshold(layers[index].activation) {
            let above = g.apply(Unary::Affine { scale: 1.0, shift: -threshold }, &[h])?;
            let ones = g.apply(Unary::Affine { scale: 0.0, shift: 1.0 }, &[h])?;
            let active = g.apply(ActivationGrad(Activation::Relu), &[ones, above])?;
            let active = column_mean(g, active, batch)?;
            g.result(format!("active {number}"), active);
        }
        g.result(format!("mean {number}"), average);
        g.result(format!("variance {number}"), variance);
    }
    Ok(std::mem::take(g))
}

/// The graph of what each of these layers reads of `batch` rows, all valid: results `mean N` and `variance N` of every number of
/// a row that layer N reads, counted from 1; of a channel over all its pixels.
///
/// # Errors
/// When the layers do not fit the data or are not those of the configuration.
pub fn readings(config: &RunConfig, holding: impl Into<Holding>, batch: usize, layers: &[Wired]) -> Result<Graph> {
    let g = &mut Graph::new();
    forward(g, config, "test", holding.into(), batch, Pass::Show)?;
    for (index, layer) in layers.iter().enumerate() {
        let read = read_by(g, &format!("{}.weight", layer.name));
        let read = read.ok_or_else(|| Error::graph("readings", format!("nothing is read by '{}'", layer.name)))?;
        let rows = g.ty(read).shape.dims().first().copied().unwrap_or(1);
        let [average, variance] = moments(g, read, rows)?;
        g.result(format!("mean {}", index + 1), average);
        g.result(format!("variance {}", index + 1), variance);
    }
    Ok(std::mem::take(g))
}

/// What goes through the weights of this name: the left operand of the operation whose right operand they are.
fn read_by(g: &Graph, weight: &str) -> Option<Var> {
    let weight = g.source_named(weight)?;
    g.nodes().iter().find(|node| node.inputs.get(1) == Some(&weight)).map(|node| node.inputs[0])
}

fn column_mean(g: &mut Graph, x: Var, rows: usize) -> Result<Var> {
    let sum = g.apply(SumAxis::Rows, &[x])?;
    g.apply(Unary::Affine { scale: 1.0 / rows as f32, shift: 0.0 }, &[sum])
}

/// Mean and variance of every column.
fn moments(g: &mut Graph, h: Var, rows: usize) -> Result<[Var; 2]> {
    let average = column_mean(g, h, rows)?;
    let square = g.apply(Binary::Mul, &[h, h])?;
    let power = column_mean(g, square, rows)?;
    let average_square = g.apply(Binary::Mul, &[average, average])?;
    let average_square = g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[average_square])?;
    Ok([average, g.apply(Binary::Add, &[power, average_square])?])
}
