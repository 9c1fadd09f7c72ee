//! A point of a network where codes become whole numbers, and the model of their distribution that says what they cost.
//!
//! Sources: Ballé et al., "Variational image compression with a scale hyperprior" (2018); Minnen, Ballé and Toderici, "Joint
//! autoregressive and hierarchical priors" (2018), whose means are here too; FORMULAS §4 and §4e. The hyperprior's side code is made
//! of codes before they are rounded, and learns under uniform noise; once it is trained it is rounded too.

mod hyperprior;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::block::Flow;
use super::block::image::channels;
use super::builder::{Builder, Init};
use super::{Pass, stream};
use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::binary::Binary;
use crate::ops::array::broadcast::Broadcast;
use crate::ops::array::unary::Unary;
use crate::ops::random::random_uniform::RandomUniform;
use crate::ops::rate::cumulative::Cumulative;
use crate::ops::rate::gaussian_bits::GaussianBits;
use crate::ops::rate::interval_bits::IntervalBits;
use crate::ops::rate::ste_round::SteRound;
use crate::tensor::Shape;
use hyperprior::Hyperprior;
pub use hyperprior::logistic_bits;

/// Names of an entropy model's parameters begin with this.
pub const RATE: &str = "rate";

/// Which distribution whole numbers are said to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntropyModelKind {
    /// A Gaussian a channel, of a learnt mean and scale.
    #[default]
    Gaussian,
    /// A learnt cumulative distribution a channel.
    Factorized,
    /// Gaussians whose means and scales are told by a side code, which costs bits of its own.
    Hyperprior,
}

/// What takes the place of rounding while training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantise {
    /// Rounding, with the gradient of the identity.
    #[default]
    Ste,
    /// Noise of ±½, uniform.
    Noise,
    /// Rounding for what reads the code, with the gradient of the identity, and noise for what counts its bits, whose price is then felt
    /// by numbers that round to 0 as well (Minnen and Singh, "Channel-wise autoregressive entropy models for learned image
    /// compression", 2020).
    Mixed,
}

/// What a coded point of a network is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct CodingSpec {
    /// The block of the encoder, counted from 0 among those that [`joined`](super::network::joined) leaves, behind which it lies.
    pub behind: usize,
    /// The model of the numbers' distribution.
    pub model: EntropyModelKind,
    /// What training has in the place of rounding.
    pub quantise: Quantise,
    /// Whether anything is rounded; else codes pass as they are, to see what rounding hides.
    pub rounds: bool,
    /// Of a hyperprior, the units of its hidden layers and of its side code.
    pub widths: [usize; 2],
    /// Of a hyperprior of a map, pixels along each axis that a cell of its side code tells of; 0 is the largest of 4, 2 and 1 that
    /// divides both sides.
    pub patch: usize,
}

/// Least scale of a Gaussian, and of a side code's logistic distribution.
const LEAST: [f32; 2] = [0.11, 1e-3];
/// softplus of these makes a scale of 1.
const RAW_OF_ONE: [f32; 2] = [0.361_5, 0.540_4];
/// Width and number of the layers inside a learnt cumulative distribution.
pub const FILTERS: usize = 3;
/// How far a learnt distribution reaches at first.
const REACH: f64 = 4.0;

/// Codes where they become whole numbers.
#[derive(Clone, Copy, Debug)]
pub struct Coded {
    /// Before that, \[rows · cells, channels\].
    pub latent: Var,
    /// Whole numbers, or what stands for them where bits are counted while training.
    pub symbols: Var,
}

/// What symbols cost.
#[derive(Clone, Copy, Debug)]
pub struct Bits {
    /// Of every symbol, \[rows · cells, channels\].
    pub symbols: Var,
    /// Of every symbol of the side code, \[rows · side cells, side channels\], if there is one.
    pub side: Option<Var>,
}

/// Shapes of a coded point: rows of a matrix that a sample has there, and its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodedShape {
    /// Pixels of a map; 1 of a plain code.
    pub cells: usize,
    /// Channels of a map, or the width of a plain code.
    pub channels: usize,
    /// The same of the side code, if there is one.
    pub side: Option<SideShape>,
}

impl CodedShape {
    /// Whole numbers of a sample.
    pub fn symbols(&self) -> usize {
        self.cells * self.channels
    }

    /// Those of its side code.
    pub fn side_symbols(&self) -> usize {
        self.side.map_or(0, |side| side.cells() * side.channels)
    }
}

/// Shape of a side code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SideShape {
    /// Height and width of its grid.
    pub grid: [usize; 2],
    /// Whether it is the side code of a map, so that what a cell tells depends on those around it.
    pub is_map: bool,
    /// Its channels.
    pub channels: usize,
    /// Pixels of the map, along each axis, that a cell of the grid tells of.
    pub factor: usize,
}

impl SideShape {
    /// Cells of the grid.
    pub fn cells(&self) -> usize {
        self.grid[0] * self.grid[1]
    }
}

/// The distribution of the numbers at a coded point.
#[derive(Debug)]
pub struct EntropyModel {
    /// What it is to be.
    pub spec: CodingSpec,
    /// Shapes there.
    pub shape: CodedShape,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Gaussian { mean: Var, scale: Var },
    Factorized { parameters: Var },
    Hyperprior(Hyperprior),
}

impl EntropyModel {
    /// A model of samples of this shape, its parameters where the builder is.
    pub(super) fn build(b: &mut Builder<'_>, spec: &CodingSpec, sample: &Shape) -> Result<Self> {
        let [width, cells] = channels(sample);
        let kind = match spec.model {
            EntropyModelKind::Gaussian => Kind::Gaussian {
                mean: b.parameter("mean", &[width], Init::Constant(0.0)),
                scale: b.parameter("scale", &[width], Init::Constant(RAW_OF_ONE[0])),
            },
            EntropyModelKind::Factorized => {
                let row = first_distribution();
                Kind::Factorized { parameters: b.parameter("cumulative", &[width, row.len()], Init::Rows(row)) }
            }
            EntropyModelKind::Hyperprior => Kind::Hyperprior(Hyperprior::build(b, spec, sample)?),
        };
        let side = match &kind {
            Kind::Hyperprior(hyperprior) => Some(hyperprior.shape),
            _ => None,
        };
        Ok(EntropyModel { spec: spec.clone(), shape: CodedShape { cells, channels: width, side }, kind })
    }

    /// What codes pass on as, for this purpose.
    pub(super) fn quantise(&self, flow: &mut Flow<'_>, latent: Var) -> Result<Var> {
        match (flow.pass, self.spec.quantise, flow.clock) {
            (Pass::Train, Quantise::Noise, Some(clock)) => noisy(flow.graph, latent, clock, stream::CODE_NOISE),
            _ if !self.spec.rounds => Ok(latent),
            _ => flow.graph.apply(SteRound, &[latent]),
        }
    }

    /// What bits are counted of, where codes pass on as these symbols.
    pub(super) fn counted(&self, flow: &mut Flow<'_>, latent: Var, symbols: Var) -> Result<Var> {
        match (flow.pass, self.spec.quantise, flow.clock) {
            (Pass::Train, Quantise::Mixed, Some(clock)) => noisy(flow.graph, latent, clock, stream::CODE_NOISE),
            _ => Ok(symbols),
        }
    }

    /// What symbols cost, given the codes that they are made of.
    ///
    /// # Errors
    /// When they have another shape.
    pub fn bits(&self, g: &mut Graph, coded: Coded, clock: Var, pass: Pass) -> Result<Bits> {
        let rows = g.ty(coded.symbols).shape.dims().first().copied().unwrap_or(1);
        match &self.kind {
            Kind::Gaussian { mean, scale } => {
                let scale = positive(g, *scale, LEAST[0])?;
                let [mean, scale] =
                    [g.apply(Broadcast::Rows(rows), &[*mean])?, g.apply(Broadcast::Rows(rows), &[scale])?];
                Ok(Bits { symbols: g.apply(GaussianBits, &[coded.symbols, mean, scale])?, side: None })
            }
            Kind::Factorized { parameters } => {
                let of = |shift| Cumulative { filters: FILTERS, hidden: FILTERS, shift };
                let upper = g.apply(of(0.5), &[coded.symbols, *parameters])?;
                let lower = g.apply(of(-0.5), &[coded.symbols, *parameters])?;
                Ok(Bits { symbols: g.apply(IntervalBits, &[upper, lower])?, side: None })
            }
            Kind::Hyperprior(hyperprior) => {
                let latent = hyperprior.side(g, coded.latent)?;
                let side = match pass {
                    Pass::Train => noisy(g, latent, clock, stream::SIDE_NOISE)?,
                    Pass::Judge | Pass::Show => g.apply(SteRound, &[latent])?,
                };
                let [mean, scale] = hyperprior.expected(g, side)?;
                let symbols = g.apply(GaussianBits, &[coded.symbols, mean, scale])?;
                Ok(Bits { symbols, side: Some(logistic_bits(g, side, hyperprior.side_scales)?) })
            }
        }
    }

    /// The side code of codes, whole numbers, if there is one.
    ///
    /// # Errors
    /// When the codes have another shape.
    pub fn side_symbols(&self, g: &mut Graph, latent: Var) -> Result<Option<Var>> {
        let Kind::Hyperprior(hyperprior) = &self.kind else { return Ok(None) };
        let side = hyperprior.side(g, latent)?;
        g.apply(SteRound, &[side]).map(Some)
    }
}

/// least + softplus(raw)
fn positive(g: &mut Graph, raw: Var, least: f32) -> Result<Var> {
    let positive = g.apply(Activation::Softplus, &[raw])?;
    g.apply(Unary::Affine { scale: 1.0, shift: least }, &[positive])
}

/// x under uniform noise of ±½.
fn noisy(g: &mut Graph, x: Var, clock: Var, stream: u32) -> Result<Var> {
    let noise = g.push(Arc::new(RandomUniform { shape: g.ty(x).shape.clone(), stream }), &[clock])?[0];
    let noise = g.apply(Unary::Affine { scale: 1.0, shift: -0.5 }, &[noise])?;
    g.apply(Binary::Add, &[x, noise])
}

/// What a learnt cumulative distribution begins as: a bell of [`REACH`], its layers alike but for biases that keep them apart
/// (Ballé 2018, appendix 6.1, where biases are drawn).
fn first_distribution() -> Vec<f32> {
    let op = Cumulative { filters: FILTERS, hidden: FILTERS, shift: 0.0 };
    let share = REACH.powf(1.0 / (FILTERS + 1) as f64);
    let layer = |([inputs, outputs], _, last): ([usize; 2], usize, bool)| {
        let slope = (1.0 / share / outputs as f64).exp_m1().ln() as f32;
        let bias = move |o: usize| (o as f32 + 0.5) / outputs as f32 - 0.5;
        let matrix = std::iter::repeat_n(slope, inputs * outputs);
        matrix.chain((0..outputs).map(bias)).chain(std::iter::repeat_n(0.0, if last { 0 } else { outputs }))
    };
    op.layers().flat_map(layer).collect()
}
