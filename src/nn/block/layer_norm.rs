//! Layer normalisation: `norm = "layer"`.
//!
//! Source: Ba, Kiros and Hinton, "Layer Normalization" (2016). Every sample by itself, in training and after: with mean μ
//! and variance σ² (over n, not n − 1) of its n units, y = γ (x − μ)/√(σ² + ε) + β, ε = 1e-5 as in PyTorch.

use serde::{Deserialize, Serialize};

use super::{Block, Flow, Kind, width};
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::nn::builder::{Builder, Init};
use crate::ops::array::binary::Binary;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::sum_axis::SumAxis;
use crate::ops::array::unary::Unary;
use crate::tensor::Shape;

/// Units of a sample brought to mean 0 and variance 1, then scaled and shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNormBlock {
    /// Over what: the layer.
    norm: Layer,
}

/// The word that stands for this norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Layer {
    Layer,
}

/// Added to the variance.
const EPSILON: f32 = 1e-5;

/// Scale γ and shift β, both \[units\].
#[derive(Debug)]
struct Built {
    scale: Var,
    shift: Var,
}

impl Kind for LayerNormBlock {
    fn infer(&self, sample: &Shape) -> Result<Shape> {
        width("norm", sample)?;
        Ok(sample.clone())
    }

    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        let dims = [width("norm", sample)?];
        let scale = b.parameter("weight", &dims, Init::Constant(1.0));
        Ok(Box::new(Built { scale, shift: b.parameter("bias", &dims, Init::Constant(0.0)) }))
    }

    fn word(&self) -> String {
        "layer norm".into()
    }
}

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        layer_norm(flow.graph, x, self.scale, self.shift)
    }
}

/// γ (x − μ)/√(σ² + ε) + β for x \[rows, units\], γ and β \[units\].
///
/// # Errors
/// When the shapes do not fit.
pub fn layer_norm(g: &mut Graph, x: Var, scale: Var, shift: Var) -> Result<Var> {
    let (rows, units) = g.ty(x).shape.matrix().unwrap_or((1, g.ty(x).elements()));
    let mean = |g: &mut Graph, x: Var| {
        let sum = g.apply(SumAxis::Columns, &[x])?;
        g.apply(Unary::Affine { scale: 1.0 / units as f32, shift: 0.0 }, &[sum])
    };
    let means = mean(g, x)?;
    let means = g.apply(Broadcast::Columns(units), &[means])?;
    let centred = g.apply(Binary::Sub, &[x, means])?;
    let squares = g.apply(Binary::Mul, &[centred, centred])?;
    let variance = mean(g, squares)?;
    let variance = g.apply(Unary::Affine { scale: 1.0, shift: EPSILON }, &[variance])?;
    let inverse = g.apply(Unary::InverseRoot, &[variance])?;
    let inverse = g.apply(Broadcast::Columns(units), &[inverse])?;
    let normal = g.apply(Binary::Mul, &[centred, inverse])?;
    let [scale, shift] = [g.apply(Broadcast::Rows(rows), &[scale])?, g.apply(Broadcast::Rows(rows), &[shift])?];
    let scaled = g.apply(Binary::Mul, &[normal, scale])?;
    g.apply(Binary::Add, &[scaled, shift])
}
