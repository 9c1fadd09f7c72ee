//! Generalised divisive normalisation: `gdn = true`, or `gdn = true, inverse = true` where it is taken back.
//!
//! Source: Ballé, Laparra and Simoncelli, "Density modeling of images using a generalized normalization transformation" (2016). Of the
//! channels x of a pixel
//!
//! ```text
//! y_i = x_i / √n_i,   inverse: y_i = x_i · √n_i,   n_i = β_i + Σ_j γ_ij x_j²
//! ```
//!
//! β and γ are never negative since what learns is their roots: β = beta² + 1e-6 and γ = gamma², element by element. They begin as
//! β = 1 and γ = 0.1 · I; beside the diagonal gamma is 2⁻⁹ rather than 0, where the gradient of a square vanishes, which makes a γ
//! of 4e-6.

use serde::{Deserialize, Serialize};

use super::image::channels;
use super::{Block, Flow, Kind};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::builder::{Builder, Init};
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::binary::Binary;
use crate::ops::array::reshape::Reshape;
use crate::ops::array::unary::Unary;
use crate::ops::matmul::MatMul;
use crate::tensor::Shape;

/// Least β.
const LEAST: f32 = 1e-6;
/// γ of a channel and itself at first.
const OWN: f32 = 0.1;
/// The root of γ of any other two at first.
const OTHER_ROOT: f32 = 1.0 / 512.0;

/// The channels of a pixel over, or times, a root of their squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GdnBlock {
    /// Always true: the word that stands for it.
    pub gdn: bool,
    /// Whether it multiplies, in the place of dividing.
    #[serde(default, skip_serializing_if = "is_not")]
    pub inverse: bool,
}

fn is_not(is: &bool) -> bool {
    !is
}

#[derive(Debug)]
struct Built {
    beta: Var,
    gamma: Var,
    inverse: bool,
}

impl Kind for GdnBlock {
    fn check(&self, key: &str) -> Result<()> {
        if self.gdn {
            return Ok(());
        }
        Err(Error::Usage(format!("{key}.gdn false: expected true, or no such block")))
    }

    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        let [channels, _] = channels(sample);
        let beta = b.parameter("beta", &[channels], Init::Constant(1.0));
        let diagonal = Init::Diagonal { on: OWN.sqrt(), off: OTHER_ROOT };
        // In a row, so that it is no matrix of weights that would decay.
        let gamma = b.parameter("gamma", &[channels * channels], diagonal);
        Ok(Box::new(Built { beta, gamma, inverse: self.inverse }))
    }

    fn word(&self) -> String {
        if self.inverse { "gdn, inverse".into() } else { "gdn".into() }
    }
}

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        normalised(flow.graph, x, [self.beta, self.gamma], self.inverse)
    }
}

/// Y of X \[pixels, channels\] and the roots beta \[channels\] and gamma \[channels · channels\].
fn normalised(g: &mut Graph, x: Var, [beta, gamma]: [Var; 2], inverse: bool) -> Result<Var> {
    let [beta, gamma] = [squared(g, beta)?, squared(g, gamma)?];
    let beta = g.apply(Unary::Affine { scale: 1.0, shift: LEAST }, &[beta])?;
    let channels = g.ty(beta).elements();
    let gamma = g.apply(Reshape::to(&[channels, channels]), &[gamma])?;
    let square = squared(g, x)?;
    let sum = g.apply(MatMul::Nt, &[square, gamma])?;
    let norm = g.apply(AddBias, &[sum, beta])?;
    let over = g.apply(Unary::InverseRoot, &[norm])?;
    let factor = if inverse { g.apply(Binary::Mul, &[norm, over])? } else { over };
    g.apply(Binary::Mul, &[x, factor])
}

fn squared(g: &mut Graph, x: Var) -> Result<Var> {
    g.apply(Binary::Mul, &[x, x])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::graph::{Feeds, Role, interpret};
    use crate::nn::builder::initial_values;
    use crate::tensor::{Data, HostTensor, Ty};

    const PIXELS: usize = 5;
    const CHANNELS: usize = 3;

    /// The formula as it stands above.
    fn formula([x, beta, gamma]: [&[f64]; 3], inverse: bool) -> Vec<f64> {
        let pixels = x.chunks_exact(CHANNELS).flat_map(|x| {
            (0..CHANNELS).map(move |i| {
                let squares = (0..CHANNELS).map(|j| gamma[i * CHANNELS + j].powi(2) * x[j].powi(2)).sum::<f64>();
                let norm = beta[i].powi(2) + f64::from(LEAST) + squares;
                if inverse { x[i] * norm.sqrt() } else { x[i] / norm.sqrt() }
            })
        });
        pixels.collect()
    }

    /// Numbers of no order, both signs, away from 0.
    fn numbers(count: usize, first: usize) -> Vec<f64> {
        let number = |at: usize| ((at * 37 + first * 101) % 97) as f64 / 40.0 - 1.213;
        (0..count).map(number).collect()
    }

    fn tensor(shape: &[usize], values: &[f64]) -> HostTensor<f64> {
        HostTensor { shape: Shape::new(shape), data: Data::Real(values.to_vec()) }
    }

    #[test]
    fn values_and_gradients_are_those_of_the_formula() {
        for inverse in [false, true] {
            let g = &mut Graph::new();
            let shapes = [vec![PIXELS, CHANNELS], vec![CHANNELS], vec![CHANNELS * CHANNELS]];
            let names = ["x", "beta", "gamma"];
            let mut values: Vec<Vec<f64>> =
                shapes.iter().enumerate().map(|(at, shape)| numbers(shape.iter().product(), at)).collect();
            let vars: Vec<Var> =
                names.iter().zip(&shapes).map(|(name, shape)| g.source(Role::Input, *name, Ty::f32(shape))).collect();
            let y = normalised(g, vars[0], [vars[1], vars[2]], inverse).unwrap();
            let seed = g.source(Role::Input, "seed", Ty::f32(&shapes[0]));
            let gradients = grad(g, &[(y, seed)], &vars).unwrap();
            let seeds = numbers(PIXELS * CHANNELS, 7);
            let mut feeds: Feeds<f64> = names
                .iter()
                .zip(&shapes)
                .zip(&values)
                .map(|((name, shape), values)| (name.to_string(), tensor(shape, values)))
                .collect();
            feeds.insert("seed".into(), tensor(&shapes[0], &seeds));
            let computed = interpret(g, &mut feeds).unwrap();
            let of = |values: &[Vec<f64>]| formula([&values[0], &values[1], &values[2]], inverse);
            for (found, expected) in computed.get(y).real().iter().zip(of(&values)) {
                assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{found} {expected}");
            }
            for (which, gradient) in gradients.into_iter().enumerate() {
                let found = computed.get(gradient.unwrap()).real().to_vec();
                for (place, found) in found.into_iter().enumerate() {
                    let mut weighed = |by: f64| {
                        values[which][place] += by;
                        let sum: f64 = of(&values).iter().zip(&seeds).map(|(y, seed)| y * seed).sum();
                        values[which][place] -= by;
                        sum
                    };
                    let expected = (weighed(1e-5) - weighed(-1e-5)) / 2e-5;
                    let near = 1e-7 * (1.0 + expected.abs());
                    assert!((found - expected).abs() < near, "{} {place}: {found} {expected}", names[which]);
                }
            }
        }
    }

    #[test]
    fn it_begins_with_what_the_source_begins_with() {
        let g = &mut Graph::new();
        let mut b = Builder::new(g);
        GdnBlock { gdn: true, inverse: false }.build(&mut b, &Shape::new(&[4, 4, 2])).unwrap();
        let values = initial_values(&b.finish(), 0);
        assert_eq!(values[0].1, [1.0, 1.0]);
        let gamma: Vec<f32> = values[1].1.iter().map(|root| root * root).collect();
        assert!((gamma[0] - 0.1).abs() < 1e-7 && (gamma[3] - 0.1).abs() < 1e-7, "{gamma:?}");
        assert!(gamma[1] > 0.0 && gamma[1] < 1e-5 && gamma[1] == gamma[2], "{gamma:?}");
    }
}
