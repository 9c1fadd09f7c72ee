//! Batch normalisation: `norm = "batch"`.
//!
//! Source: Ioffe and Szegedy, "Batch Normalization" (2015); see [`BatchNorm`]. While a network learns, a batch is
//! normalised by its own moments. Outside of that stand the buffers `running_mean` and `running_var`, which are set once
//! an epoch to the moments of many training rows (see [`Moments`](crate::train::moments)) rather than averaged from step
//! to step: they belong to the parameters as they are, not as they were some hundred steps ago.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::image::channels;
use super::{Block, Flow, Kind};
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::Pass;
use crate::nn::builder::{Builder, Init};
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::binary::Binary;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::reshape::Reshape;
use crate::ops::array::scale_columns::ScaleColumns;
use crate::ops::array::sum_all::SumAll;
use crate::ops::array::unary::Unary;
use crate::ops::batch::valid_ones::ValidOnes;
use crate::ops::matmul::MatMul;
use crate::ops::norm::batch_norm::{BatchNorm, EPSILON};
use crate::ops::step::all_reduce::AllReduce;
use crate::tensor::Shape;

/// Columns of a batch brought to mean 0 and variance 1, then scaled and shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormBlock {
    /// Over what: the batch.
    norm: Batch,
}

/// Added to the variances of images' channels, as PyTorch's `BatchNorm2d` has it.
const OF_IMAGES: f32 = 1e-5;

/// The word that stands for this norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Batch {
    Batch,
}

impl BatchNormBlock {
    /// The one there is.
    pub fn new() -> Self {
        BatchNormBlock { norm: Batch::Batch }
    }
}

impl Default for BatchNormBlock {
    fn default() -> Self {
        Self::new()
    }
}

/// Scale γ, shift β, and the moments that stand for a batch's, all \[channels\].
#[derive(Debug)]
struct Built {
    scale: Var,
    shift: Var,
    running: [Var; 2],
    names: [String; 2],
    norm: BatchNorm,
    /// Whether others have the rest of every batch.
    has_others: bool,
}

impl Kind for BatchNormBlock {
    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        // The channels of an image have their moments over all its pixels.
        let [channels, rows_per_sample] = channels(sample);
        let epsilon = if sample.dims().len() > 1 { OF_IMAGES } else { EPSILON };
        let (dims, norm) = ([channels], BatchNorm { rows_per_sample, epsilon });
        let scale = b.parameter("weight", &dims, Init::Constant(1.0));
        let shift = b.parameter("bias", &dims, Init::Constant(0.0));
        let mean = b.buffer("running_mean", &dims, Init::Constant(0.0));
        let variance = b.buffer("running_var", &dims, Init::Constant(1.0));
        let names = ["running_mean", "running_var"].map(|name| b.name(name));
        Ok(Box::new(Built { scale, shift, running: [mean, variance], names, norm, has_others: b.has_others }))
    }

    fn word(&self) -> String {
        "batch norm".into()
    }
}

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        if flow.pass == Pass::Train && self.has_others {
            return self.with_others(flow, x);
        }
        if flow.pass == Pass::Train {
            let inputs = [x, self.scale, self.shift, flow.clock()?];
            let outputs = flow.graph.push(Arc::new(self.norm), &inputs)?;
            flow.moments.push((self.names.clone(), outputs[1]));
            return Ok(outputs[0]);
        }
        let [mean, variance] = self.running;
        by_moments(flow.graph, x, [self.scale, self.shift, mean, variance], self.norm.epsilon)
    }
}

impl Built {
    /// The norm of a batch of which others have the rest: sums over all of its valid rows come from all of them, first those of the
    /// rows and their number, then those of the squares of what the mean leaves. Nobody has the buffers' moments: whoever leads finds
    /// those of many rows by itself.
    fn with_others(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        let (clock, epsilon, rows_per_sample) = (flow.clock()?, self.norm.epsilon, self.norm.rows_per_sample);
        let g = &mut *flow.graph;
        let (rows, columns) = g.ty(x).shape.matrix().unwrap_or((0, 0));
        let valid = g.apply(ValidOnes { rows, rows_per_sample, columns: 1, column: None }, &[clock])?;
        let number = g.apply(SumAll, &[valid])?;
        let sums = g.apply(MatMul::Tn, &[valid, x])?;
        let all = g.push(Arc::new(AllReduce::of("sums of rows", 2)), &[sums, number])?;
        // 1/v, as the square of 1/√v.
        let root = g.apply(Unary::InverseRoot, &[all[1]])?;
        let share = g.apply(Binary::Mul, &[root, root])?;
        let share = g.apply(Broadcast::Scalar(Shape::new(&[1, columns])), &[share])?;
        let mean_of = |g: &mut Graph, sums: Var| {
            let mean = g.apply(Binary::Mul, &[sums, share])?;
            g.apply(Reshape::to(&[columns]), &[mean])
        };
        let mean = mean_of(g, all[0])?;
        let minus = g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[mean])?;
        let centred = g.apply(AddBias, &[x, minus])?;
        let squares = g.apply(Binary::Mul, &[centred, centred])?;
        let sums = g.apply(MatMul::Tn, &[valid, squares])?;
        let sums = g.apply(AllReduce::of("sums of squares", 1), &[sums])?;
        let variance = mean_of(g, sums)?;
        let variance = g.apply(Unary::Affine { scale: 1.0, shift: epsilon }, &[variance])?;
        let inverse = g.apply(Unary::InverseRoot, &[variance])?;
        let scale = g.apply(Binary::Mul, &[self.scale, inverse])?;
        let scaled = g.apply(ScaleColumns, &[centred, scale])?;
        g.apply(AddBias, &[scaled, self.shift])
    }
}

/// y = x s + (β − μ s) with s = γ/√(σ² + ε), a number a column, for x \[rows, columns\] and γ, β, μ, σ² \[columns\]: what a batch
/// norm is once moments of its own stand for those of a batch.
///
/// # Errors
/// When the shapes do not fit.
pub fn by_moments(g: &mut Graph, x: Var, [scale, shift, mean, variance]: [Var; 4], epsilon: f32) -> Result<Var> {
    let variance = g.apply(Unary::Affine { scale: 1.0, shift: epsilon }, &[variance])?;
    let inverse = g.apply(Unary::InverseRoot, &[variance])?;
    let scale = g.apply(Binary::Mul, &[scale, inverse])?;
    let moved = g.apply(Binary::Mul, &[mean, scale])?;
    let shift = g.apply(Binary::Sub, &[shift, moved])?;
    let scaled = g.apply(ScaleColumns, &[x, scale])?;
    g.apply(AddBias, &[scaled, shift])
}
