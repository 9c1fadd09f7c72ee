//! Convolutions with what stands around them, as the products of layers have it: bias and activation, the slope of the
//! activation before, the bias's gradient.

use std::collections::HashMap;
use std::sync::Arc;

use super::finder::Finder;
use super::rewrite::Match;
use super::value;
use crate::graph::{OpRef, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::activation_grad::ActivationGrad;
use crate::ops::array::add_bias::AddBias;
use crate::ops::conv::conv2d::{Conv2d, ConvLayer};
use crate::ops::conv::conv2d_dw::{Conv2dDw, Conv2dDwBias};
use crate::ops::conv::conv2d_dx::{Conv2dDx, Conv2dDxSlope, ConvTransposeLayer};

/// act(conv(x, w) + b) in one kernel, and the same of a transposed convolution.
pub(super) fn layer(f: &Finder<'_>) -> Vec<Match> {
    let forward = f
        .all::<Conv2d>()
        .filter_map(|(conv, op)| followed(f, conv, |activation| Arc::new(ConvLayer { of: op.0, activation })));
    let back = f
        .all::<Conv2dDx>()
        .filter_map(|(conv, op)| followed(f, conv, |activation| Arc::new(ConvTransposeLayer { of: op.0, activation })));
    forward.chain(back).collect()
}

/// A node with the bias, and the activation if there is one, that alone follow it.
fn followed(f: &Finder<'_>, conv: usize, op: impl Fn(Activation) -> OpRef) -> Option<Match> {
    let (bias, _) = f.only_user::<AddBias>(value(conv), 0)?;
    let activated = f.only_user::<Activation>(value(bias), 0);
    let (activation, last) = activated.map_or((Activation::Identity, bias), |(node, op)| (*op, node));
    let mut nodes = vec![conv, bias];
    nodes.extend(activated.map(|(node, _)| node));
    let inputs = [f.inputs(conv), &f.inputs(bias)[1..]].concat();
    Some(Match { nodes, op: op(activation), inputs, outputs: vec![(value(last), 0)] })
}

/// dx ∘ act'(h) in one kernel.
pub(super) fn input_grad(f: &Finder<'_>) -> Vec<Match> {
    let mut matches = Vec::new();
    for (conv, op) in f.all::<Conv2dDx>() {
        let Some((slope, activation)) = f.only_user::<ActivationGrad>(value(conv), 0) else { continue };
        matches.push(Match {
            nodes: vec![conv, slope],
            op: Arc::new(Conv2dDxSlope { of: op.0, activation: activation.0 }),
            inputs: [f.inputs(conv), &f.inputs(slope)[1..]].concat(),
            outputs: vec![(value(slope), 0)],
        });
    }
    matches
}

/// Weight and bias gradient in one pass over dy; `sums` has the first sum of the rows of each value.
pub(super) fn weight_grad(f: &Finder<'_>, sums: &HashMap<Var, usize>) -> Vec<Match> {
    let mut matches = Vec::new();
    for (conv, op) in f.all::<Conv2dDw>() {
        let Some(&sum) = sums.get(&f.inputs(conv)[0]) else { continue };
        matches.push(Match {
            nodes: vec![conv, sum],
            op: Arc::new(Conv2dDwBias(op.0)),
            inputs: f.inputs(conv).to_vec(),
            outputs: vec![(value(conv), 0), (value(sum), 1)],
        });
    }
    matches
}
