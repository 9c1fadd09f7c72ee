//! What a trained network's answers depend on in its rows: gradients with respect to the rows, not to the parameters. The
//! network is as it is judged, normalised by its running moments, which nothing here changes.

use std::sync::Arc;

use super::forward::{network, unrounded};
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
    /// The same of a network whose codes are not rounded, at the answers of the one whose codes are.
    UnroundedCrossEntropy,
    /// Σ seed · answer.
    Answer,
    /// Σ seed · code.
    Code,
}

impl Slope {
    /// Whether it is of a cross entropy.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Slope::CrossEntropy | Slope::UnroundedCrossEntropy)
    }

    /// Name of its plan.
    pub fn name(self) -> &'static str {
        match self {
            Slope::CrossEntropy => "slope of the cross entropy",
            Slope::UnroundedCrossEntropy => "slope of the cross entropy of codes that are not rounded",
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
    let judged = match slope {
        Slope::UnroundedCrossEntropy if config.rate.is_none() => {
            return Err(Error::graph("slopes", "nothing of this network is rounded, expected one with [rate]"));
        }
        Slope::UnroundedCrossEntropy => {
            let unrounded = unrounded(g, config, features, &model)?;
            let code = unrounded.encode(g, rows)?;
            unrounded.decode(g, code)?
        }
        _ => result,
    };
    let (value, arriving) = match slope {
        Slope::CrossEntropy | Slope::UnroundedCrossEntropy => {
            let classes = g.source(Role::Input, CLASSES, Ty::u32(&[batch]));
            let clock = g.source(Role::State, "clock", clock::ty());
            let weight = g.source(Role::Setting, WEIGHT, Ty::f32(&[]));
            let entropy = SoftmaxCrossEntropy { rows_per_sample: 1 };
            (g.push(Arc::new(entropy), &[judged, classes, clock])?[0], weight)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::graph::{Feeds, interpret};
    use crate::nn::builder::initial_values;
    use crate::tensor::HostTensor;

    /// Answers and gradients of a few rows of a small network with whole numbers for a code.
    fn found(slope: Slope) -> [Vec<f64>; 2] {
        let mut config = RunConfig::model("compressive").unwrap();
        config.set_layers(&[(6, "tanh"), (4, "identity"), (3, "identity")].map(layer), 2);
        let graph = slopes(&config, slope, 5, 2).unwrap();
        let parameters = network(&mut Graph::new(), &config, 5).unwrap().parameters;
        let mut feeds: Feeds<f64> = Feeds::new();
        for ((name, values), parameter) in initial_values(&parameters, 3).into_iter().zip(&parameters) {
            // Codes of a few units, so that rounding them matters.
            let values: Vec<f32> = values.iter().map(|value| 4.0 * value).collect();
            feeds.insert(name, HostTensor::from_f32(parameter.ty.shape.dims(), &values));
        }
        let rows: Vec<f32> = (0..10).map(|i| (i as f32 * 1.3).sin()).collect();
        feeds.insert(ROWS.into(), HostTensor::from_f32(&[2, 5], &rows));
        feeds.insert(CLASSES.into(), HostTensor::from_words(&[2], &[1, 2]));
        feeds.insert(WEIGHT.into(), HostTensor::from_f32(&[], &[2.0]));
        feeds.insert("clock".into(), HostTensor::from_words(&[clock::WORDS], &clock::start(2, 2, false, 0)));
        let values = interpret(&graph, &mut feeds).unwrap();
        [RESULT, GRADIENT].map(|name| {
            let (_, var) = graph.results().iter().find(|(result, _)| result == name).unwrap();
            values.get(*var).real().to_vec()
        })
    }

    fn layer((width, activation): (usize, &str)) -> crate::nn::BlockConfig {
        let table = format!("linear = {width}\nactivation = \"{activation}\"");
        toml::from_str::<toml::Table>(&table).unwrap().try_into().unwrap()
    }

    #[test]
    fn codes_that_are_not_rounded_have_other_slopes_and_the_same_verdict() {
        let [rounded, unrounded] = [Slope::CrossEntropy, Slope::UnroundedCrossEntropy].map(found);
        assert_eq!(rounded[0], unrounded[0]);
        assert_ne!(rounded[1], unrounded[1]);
        assert!(unrounded[1].iter().any(|slope| *slope != 0.0));
        let plain = RunConfig::model("classifier").unwrap();
        let refused = slopes(&plain, Slope::UnroundedCrossEntropy, 784, 2).unwrap_err().to_string();
        assert!(refused.contains("[rate]"), "{refused}");
    }
}
