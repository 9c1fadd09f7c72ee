//! A price on the bits of a code, which becomes whole numbers: `[rate]`.
//!
//! Sources: Ballé et al. (2018); "Entropy Constrained Compressive Representation Learning"; FORMULAS §4 and §4e. What is made smaller
//! is β · (bits of the code + bits of its side code), a dimension of the code. The model that counts the bits always learns with its
//! whole gradient, whatever β is, so that bits are counted right at β = 0 and while β rises; what makes the code learns with β times
//! the gradient. Under Adam, which scales gradients, the model would learn the same at any constant β above 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;
use super::{Collapse, Derived, ENOUGH_STEPS, Objective, Told, Trained, Weight, check_weight, refuse};
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::losses::sample_mean;
use crate::nn::network::joined;
use crate::nn::rate::{Coded, CodingSpec, EntropyModelKind, Quantise};
use crate::nn::{Batch, BlockConfig};
use crate::ops::array::activation::Activation;
use crate::ops::array::activation_grad::ActivationGrad;
use crate::ops::array::binary::Binary;
use crate::ops::array::scale_gradient::ScaleGradient;
use crate::ops::array::unary::Unary;

/// Largest β under a budget, if nothing is said.
const CEILING: f32 = 1.0;
/// β without a budget, if nothing is said.
const USUAL: f32 = 0.1;
/// How many times e, at most, β can change by on the way down to a budget, which takes a share of a run, however many steps it has.
const PACE: f32 = 30.0;
/// Widest hidden layer and side code of a hyperprior.
const WIDEST: usize = 1 << 12;
/// Most pixels of a map, along an axis, that a cell of a side code tells of.
const WIDEST_PATCH: usize = 16;

/// A price on bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rate {
    /// How the distribution of the numbers is modelled.
    pub model: EntropyModelKind,
    /// Weight of the bits a dimension; under a budget the largest one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<f32>,
    /// Bits a dimension, with those of the side code, that β is to bring about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<f32>,
    /// Epochs over which β rises from 0, or without it before a budget holds.
    pub warm_up: f32,
    /// The block of the encoder, counted from 1, behind which numbers are coded; 0 is the last.
    pub layer: usize,
    /// What training has in the place of rounding.
    pub quantise: Quantise,
    /// Of a hyperprior: units, or channels, of its hidden layers.
    pub hidden: usize,
    /// Of a hyperprior: units, or channels, of its side code.
    pub side: usize,
    /// Of a hyperprior of a map: pixels of it, along each axis, that a cell of the side code tells of; 0 is the largest of 4, 2 and 1
    /// that divides both sides.
    pub patch: usize,
}

impl Default for Rate {
    fn default() -> Self {
        Rate {
            model: EntropyModelKind::Gaussian,
            beta: None,
            budget: None,
            warm_up: 0.0,
            layer: 0,
            quantise: Quantise::Ste,
            hidden: 32,
            side: 8,
            patch: 0,
        }
    }
}

impl Rate {
    /// The weight of the bits, the largest one where it moves.
    pub fn beta(&self) -> f32 {
        self.beta.unwrap_or(if self.budget.is_some() { CEILING } else { USUAL })
    }

    /// What the coded point of this network is to be.
    pub fn spec(&self, config: &RunConfig) -> CodingSpec {
        let before =
            if self.layer == 0 { &config.encoder[..] } else { &config.encoder[..self.layer.min(config.encoder.len())] };
        CodingSpec {
            behind: joined(before).len().saturating_sub(1),
            model: self.model,
            quantise: self.quantise,
            rounds: true,
            widths: [self.hidden, self.side],
            patch: self.patch,
        }
    }

    /// Refuses a block whose activation comes behind the coded point, or that there is not.
    fn check_layer(&self, config: &RunConfig) -> Result<()> {
        let blocks = config.encoder.len();
        if self.layer > blocks {
            return refuse(
                "rate.layer",
                self.layer,
                &format!("a block of the encoder, 1 to {blocks}, or 0 for the last"),
            );
        }
        let parts = (config.encoder.get(self.layer.wrapping_sub(1)), config.encoder.get(self.layer));
        if let (Some(BlockConfig::Linear(linear)), Some(BlockConfig::Activation(_))) = parts
            && linear.activation == Activation::Identity
        {
            let expected = format!("{}, the activation that belongs to this layer", self.layer + 1);
            return refuse("rate.layer", self.layer, &expected);
        }
        Ok(())
    }
}

fn scaled(g: &mut Graph, x: Var, scale: f32) -> Result<Var> {
    g.apply(Unary::Affine { scale, shift: 0.0 }, &[x])
}

impl Objective for Rate {
    fn check(&self, config: &RunConfig) -> Result<()> {
        check_weight("rate.beta", self.beta())?;
        if let Some(budget) = self.budget
            && !(budget.is_finite() && budget > 0.0)
        {
            return refuse("rate.budget", budget, "bits a dimension, more than 0");
        }
        if self.budget.is_some() && self.beta() == 0.0 {
            return refuse("rate.beta", 0, "a largest weight above 0 under a rate.budget");
        }
        if !(self.warm_up.is_finite() && self.warm_up >= 0.0) {
            return refuse("rate.warm_up", self.warm_up, "a number of epochs, 0 or more");
        }
        for (key, width) in [("rate.hidden", self.hidden), ("rate.side", self.side)] {
            if !(1..=WIDEST).contains(&width) {
                return refuse(key, width, &format!("1 to {WIDEST}"));
            }
        }
        if self.patch > WIDEST_PATCH {
            return refuse("rate.patch", self.patch, &format!("1 to {WIDEST_PATCH} pixels of a map, or 0"));
        }
        let beside = [
            ("variational", config.variational.is_some()),
            ("clustering", config.clustering.is_some()),
            ("contrastive_divergence", config.contrastive_divergence.is_some()),
            ("adversarial", config.adversarial.is_some()),
            ("contractive", config.contractive.is_some()),
        ];
        if let Some((key, _)) = beside.iter().find(|(_, set)| *set) {
            return Err(Error::Usage(format!(
                "{key}: expected nothing of the kind beside [rate], whose codes are whole numbers"
            )));
        }
        if config.hopfield.is_some() {
            return Err(Error::Usage("rate: has no meaning for a Hopfield network, which has no code".into()));
        }
        self.check_layer(config)
    }

    /// What is paid for, of each view of a row, the bits a dimension of the code and of its side code together; watched: both by
    /// themselves, the bits of a row, of both again, and its numbers that are not 0; of images that are reconstructed also their bits a
    /// pixel.
    fn weights(&self, config: &RunConfig) -> Vec<(&'static str, Weight)> {
        let schedule = match (self.budget, self.warm_up) {
            (Some(budget), warm_up) => Schedule::Hold { budget, warm_up, pace: PACE },
            (None, to) if to > 0.0 => Schedule::WarmUp { from: 0.0, to },
            (None, _) => Schedule::Constant,
        };
        let paid = Weight {
            counts: true,
            schedule,
            memory: "multiplier of rate",
            is_pace: true,
            // Of every view as of a row.
            ..Weight::fixed(self.beta() * config.views() as f32)
        };
        let watched = ["bits_per_dim", "side_bits_per_dim", "bits_per_row", "nonzero"];
        let of_pixels = config.coded_pixels().map(|_| "bits_per_pixel");
        let watched = watched.into_iter().chain(of_pixels).map(|name| (name, Weight::watched()));
        [("rate", paid)].into_iter().chain(watched).collect()
    }

    fn vars(&self, config: &RunConfig, g: &mut Graph, batch: &Batch) -> Result<Vec<Var>> {
        let missing = || Error::graph("rate", "the network codes nothing");
        let coded = batch.passed.coded.ok_or_else(missing)?;
        let model = batch.network.entropy_model.as_ref().ok_or_else(missing)?;
        // Only what makes the code learns at the price of its bits.
        let price = batch.price(g, "rate");
        let mut priced = |x: Var| price.map_or(Ok(x), |price| g.apply(ScaleGradient, &[x, price]));
        let coded = Coded { latent: priced(coded.latent)?, symbols: priced(coded.symbols)? };
        let bits = model.bits(g, coded, batch.clock, batch.pass)?;
        let shape = model.shape;
        let dimensions = (shape.cells * shape.channels) as f32;
        let of_code = sample_mean(g, bits.symbols, batch.clock, shape.cells)?;
        let of_side = match (bits.side, shape.side) {
            (Some(side), Some(shape)) => sample_mean(g, side, batch.clock, shape.cells())?,
            _ => scaled(g, of_code, 0.0)?,
        };
        let of_row = g.apply(Binary::Add, &[of_code, of_side])?;
        let square = g.apply(Binary::Mul, &[coded.symbols, coded.symbols])?;
        let ones = g.apply(Unary::Affine { scale: 0.0, shift: 1.0 }, &[coded.symbols])?;
        let other_than_0 = g.apply(ActivationGrad(Activation::Relu), &[ones, square])?;
        let nonzero = sample_mean(g, other_than_0, batch.clock, shape.cells)?;
        // No term is made of another one: they lie side by side, and no kernel reads the buffer that it writes.
        let terms = [(of_row, dimensions), (of_code, dimensions), (of_side, dimensions), (of_row, 1.0)];
        let mut terms =
            terms.map(|(bits, over)| scaled(g, bits, 1.0 / over)).into_iter().collect::<Result<Vec<Var>>>()?;
        terms.push(nonzero);
        if let Some(pixels) = config.coded_pixels() {
            terms.push(scaled(g, of_row, 1.0 / pixels as f32)?);
        }
        Ok(terms)
    }

    /// Of a reconstruction, the ratio of the largest value, 1, to its error, in decibels.
    fn derived(&self, config: &RunConfig) -> Option<Derived> {
        config.reconstructs().then_some(Derived {
            name: "psnr",
            of: |term| -10.0 * term("mse").log10(),
            is_better_larger: true,
        })
    }

    fn told(&self, config: &RunConfig) -> Vec<Told> {
        let told = |key: &str, label: &str, decimals| Told::new(key, label, decimals);
        let mut all = vec![told("test_bits_per_dim", "bits/dim", 4)];
        if config.coded_pixels().is_some() {
            all.splice(0..0, [told("test_bits_per_pixel", "bits/pixel", 3), told("test_psnr", "psnr", 2)]);
        }
        if self.model == EntropyModelKind::Hyperprior {
            all.push(told("test_side_bits_per_dim", "side", 4));
        }
        all.extend([
            told("test_bits_per_row", "bits", 1),
            told("test_nonzero", "not 0", 1),
            told("dead_codes", "dead", 0),
        ]);
        if config.moving_terms().contains(&"rate") {
            all.push(told("rate_weight", "beta", 3));
        }
        all
    }

    fn collapses(&self, _config: &RunConfig, metrics: &BTreeMap<String, f64>, trained: Trained) -> Vec<Collapse> {
        let nothing = metrics.get("test_nonzero").is_some_and(|&nonzero| nonzero < 0.01);
        if !nothing || (trained.steps < ENOUGH_STEPS && !trained.is_last) {
            return Vec::new();
        }
        let advice = "the code has collapsed: nearly all of its numbers are 0 for every row; a smaller rate.beta, a rate.warm_up over \
                      some epochs, or a rate.budget usually helps"
            .to_string();
        vec![Collapse { of: "code".into(), advice }]
    }

    fn relief(&self, _config: &RunConfig, _metrics: &BTreeMap<String, f64>) -> Option<String> {
        Some("a smaller rate.beta, or a rate.warm_up over some epochs".into())
    }
}

impl RunConfig {
    /// Pixels of an image, if what is coded are images that a network reconstructs.
    pub fn coded_pixels(&self) -> Option<usize> {
        let [height, width, _] = self.images().filter(|_| self.rate.is_some() && self.reconstructs())?;
        Some(height * width)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(model: &str, set: &[(&str, &str)]) -> RunConfig {
        let mut config = RunConfig::model(model).unwrap();
        set.iter().for_each(|(key, value)| config.set("--set", key, value).unwrap());
        config
    }

    #[test]
    fn prices_and_places_without_meaning_are_refused_by_their_keys() {
        for (model, key, value) in [
            ("compressive", "rate.beta", "-1"),
            ("compressive", "rate.budget", "0"),
            ("compressive", "rate.budget", "-0.1"),
            ("compressive", "rate.warm_up", "-1"),
            ("compressive", "rate.layer", "9"),
            ("compressive", "rate.side", "0"),
        ] {
            let problem = config(model, &[(key, value)]).check().unwrap_err().to_string();
            assert!(problem.starts_with(key), "{key} {value}: {problem}");
        }
        let both =
            config("compressive", &[("rate.budget", "0.1"), ("rate.beta", "0")]).check().unwrap_err().to_string();
        assert!(both.starts_with("rate.beta"), "{both}");
        let drawn = config("vae", &[("rate.model", "gaussian")]).check().unwrap_err().to_string();
        assert!(drawn.starts_with("variational"), "{drawn}");
        assert!(
            config("conv", &[("rate.layer", "3")]).check().is_ok()
                && config("resnet", &[("rate.beta", "1")]).check().is_ok()
        );
    }

    #[test]
    fn only_what_is_reconstructed_has_a_ratio_to_its_error() {
        let names =
            |model: &str| config(model, &[("rate.beta", "0.1")]).derived().iter().map(|it| it.name).collect::<Vec<_>>();
        assert_eq!(names("compressive"), Vec::<&str>::new());
        assert_eq!(names("conv"), ["psnr"]);
    }
}
