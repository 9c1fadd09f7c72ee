//! Gaussians whose means and scales are told by a side code: made of the codes, and made into means and scales, by small networks.

use super::{CodingSpec, LEAST, RATE, RAW_OF_ONE, SideShape, positive};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::Pass;
use crate::nn::block::{Block, BlockConfig, ConvBlock, Flow, sequence};
use crate::nn::builder::{Builder, Init};
use crate::ops::array::activation::Activation;
use crate::ops::array::add_bias::AddBias;
use crate::ops::array::binary::Binary;
use crate::ops::array::scale_columns::ScaleColumns;
use crate::ops::array::unary::Unary;
use crate::ops::pool::pixel_shuffle::{Direction, PixelShuffle};
use crate::ops::rate::interval_bits::IntervalBits;
use crate::tensor::Shape;

#[derive(Debug)]
pub(super) struct Hyperprior {
    encoder: Vec<Box<dyn Block>>,
    decoder: Vec<Box<dyn Block>>,
    /// What makes means of what the decoder has made of a side code, and what makes scales of it.
    heads: [Box<dyn Block>; 2],
    /// Mean and scale of the side code's channels.
    pub side_scales: [Var; 2],
    pub shape: SideShape,
}

impl Hyperprior {
    pub fn build(b: &mut Builder<'_>, spec: &CodingSpec, sample: &Shape) -> Result<Self> {
        let [hidden, channels] = spec.widths;
        let relu = Activation::Relu;
        let conv = |conv, kernel: usize, stride: usize, activation| {
            BlockConfig::Conv(ConvBlock::plain(
                conv,
                kernel,
                stride,
                if stride == 1 { kernel / 2 } else { 0 },
                activation,
            ))
        };
        let (encoder, decoder, head, shape) = match *sample.dims() {
            [width] => {
                let shape = SideShape { grid: [1, 1], is_map: false, channels, factor: 1 };
                let encoder = [BlockConfig::linear(hidden, relu), BlockConfig::linear(channels, Activation::Identity)];
                let head = BlockConfig::linear(width, Activation::Identity);
                (encoder, BlockConfig::linear(hidden, relu), head, shape)
            }
            [height, width, own] => {
                let divides = |factor: &usize| height.is_multiple_of(*factor) && width.is_multiple_of(*factor);
                let factor = if spec.patch > 0 { spec.patch } else { [4, 2].into_iter().find(divides).unwrap_or(1) };
                if !divides(&factor) {
                    let problem = format!("expected a divisor of both sides of the map, {height} x {width}, or 0");
                    return Err(Error::Usage(format!("rate.patch {factor}: {problem}")));
                }
                let shape = SideShape { grid: [height / factor, width / factor], is_map: true, channels, factor };
                let encoder = [conv(hidden, 3, 1, relu), conv(channels, factor, factor, Activation::Identity)];
                (encoder, conv(hidden, 3, 1, relu), conv(own * factor * factor, 1, 1, Activation::Identity), shape)
            }
            _ => return Err(Error::Usage(format!("{RATE}: expected codes or maps, found samples of {sample}"))),
        };
        let (encoder, side) = b.within("hyper_encoder", |b| sequence(b, &encoder, sample, 0))?;
        let (decoder, inside) = b.within("hyper_decoder", |b| sequence(b, &[decoder], &side, 0))?;
        let heading = |b: &mut Builder<'_>, name: &str| b.within(name, |b| head.kind().build(b, &inside));
        let heads = b.within("hyper_decoder", |b| Ok::<_, Error>([heading(b, "mean")?, heading(b, "scale")?]))?;
        let side = [("side_mean", 0.0), ("side_scale", RAW_OF_ONE[1])];
        let side = side.map(|(name, value)| b.parameter(name, &[channels], Init::Constant(value)));
        Ok(Hyperprior { encoder, decoder, heads, side_scales: side, shape })
    }

    /// The side code of codes.
    pub fn side(&self, g: &mut Graph, latent: Var) -> Result<Var> {
        through(g, &self.encoder, latent)
    }

    /// Means and scales of the numbers that a side code tells of.
    pub fn expected(&self, g: &mut Graph, side: Var) -> Result<[Var; 2]> {
        let inside = through(g, &self.decoder, side)?;
        let mut expected = [inside; 2];
        for (expected, head) in expected.iter_mut().zip(&self.heads) {
            *expected = through(g, std::slice::from_ref(head), inside)?;
            if self.shape.factor > 1 {
                let SideShape { grid: size, factor, .. } = self.shape;
                *expected = g.apply(PixelShuffle { size, factor, direction: Direction::Spread }, &[*expected])?;
            }
        }
        Ok([expected[0], positive(g, expected[1], LEAST[0])?])
    }
}

fn through(g: &mut Graph, blocks: &[Box<dyn Block>], x: Var) -> Result<Var> {
    let flow = &mut Flow { graph: g, clock: None, pass: Pass::Show, moments: Vec::new() };
    blocks.iter().try_fold(x, |x, block| block.forward(flow, x))
}

/// Bits of numbers under a logistic distribution a column, whose mean and raw scale are given.
///
/// # Errors
/// When there is not one of both for each column.
pub fn logistic_bits(g: &mut Graph, x: Var, [mean, scale]: [Var; 2]) -> Result<Var> {
    let scale = positive(g, scale, LEAST[1])?;
    let square = g.apply(Binary::Mul, &[scale, scale])?;
    let steep = g.apply(Unary::InverseRoot, &[square])?;
    let mut scaled = |of: Var, scale: f32| g.apply(Unary::Affine { scale, shift: 0.0 }, &[of]);
    let (back, half, half_back) = (scaled(mean, -1.0)?, scaled(steep, 0.5)?, scaled(steep, -0.5)?);
    let centred = g.apply(AddBias, &[x, back])?;
    let middle = g.apply(ScaleColumns, &[centred, steep])?;
    let [upper, lower] = [g.apply(AddBias, &[middle, half])?, g.apply(AddBias, &[middle, half_back])?];
    g.apply(IntervalBits, &[upper, lower])
}
