//! What a trained network's answers depend on in its rows: gradients with respect to the rows, not to the parameters. The
//! network is as it is judged, normalised by its running moments, which nothing here changes.

use std::sync::Arc;

use super::forward::network;
use super::part::{RESULT, ROWS};
use crate::autodiff::grad;
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role};
use crate::ops::loss::softmax_cross_entropy::SoftmaxCrossEntropy;
use crate::ops::step::clock;
use crate::tensor::Ty;

/// Name of the gradient that comes out.
pub(crate) const GRADIENT: &str = "gradient";
/// Name of the classes that go in.
pub(crate) const CLASSES: &str = "classes";
/// Name of the weight of the cross entropy.
pub(crate) const WEIGHT: &str = "weight";
/// Name of the weights of what is differentiated.
pub(crate) const SEED: &str = "seed";

/// What is differentiated with respect to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slope {
    /// `weight` times the mean cross entropy of the answers with `classes`.
    CrossEntropy,
    /// Σ seed · answer.
    Answer,
    /// Σ seed · code.
    Code,
}

impl Slope {
    /// Name of its plan.
    pub fn name(self) -> &'static str {
        match self {
            Slope::CrossEntropy => "slope of the cross entropy",
            Slope::Answer => "slope of the answer",
            Slope::Code => "slope of the code",
        }
    }
}

/// The graph of a slope for `batch` rows of `features` values. Sources: `rows` \[batch, features\]; of the cross entropy
/// `classes` u32 \[batch\], a scalar `weight` and a `clock` that says how many rows count; of the others `seed`, of the shape of
/// what is differentiated. Results: `result`, the answers or codes of the rows, and `gradient` \[batch, features\].
///
/// Rows are independent of one another, so the gradient of a sum has that of each row's own share in its place. Whatever stands
/// between the rows and the answers is built here and nowhere else: an attack sees the network as the encoder and the decoder
/// of [`Network`](crate::nn::Network) give it.
///
/// # Errors
/// When the layers do not fit the rows, or the answer does not depend on them.
pub fn slopes(config: &RunConfig, slope: Slope, features: usize, batch: usize) -> Result<Graph> {
    let g = &mut Graph::new();
    let model = network(g, config, features)?;
    let rows = g.source(Role::Input, ROWS, Ty::f32(&[batch, features]));
    let code = model.encode(g, rows)?;
    let result = if slope == Slope::Code { code } else { model.decode(g, code)? };
    let (value, arriving) = match slope {
        Slope::CrossEntropy => {
            let classes = g.source(Role::Input, CLASSES, Ty::u32(&[batch]));
            let clock = g.source(Role::State, "clock", clock::ty());
            let weight = g.source(Role::Setting, WEIGHT, Ty::f32(&[]));
            let entropy = SoftmaxCrossEntropy { rows_per_sample: 1 };
            (g.push(Arc::new(entropy), &[result, classes, clock])?[0], weight)
        }
        Slope::Answer | Slope::Code => {
            let shape = g.ty(result).clone();
            (result, g.source(Role::Input, SEED, shape))
        }
    };
    let gradient = grad(g, &[(value, arriving)], &[rows])?.pop().flatten();
    let gradient = gradient.ok_or_else(|| Error::graph(slope.name(), "nothing in it depends on the rows"))?;
    g.result(RESULT, result);
    g.result(GRADIENT, gradient);
    Ok(std::mem::take(g))
}
