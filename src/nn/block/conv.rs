//! A convolution with its activation: `conv = 64, kernel = 3, stride = 2, padding = 1, activation = "relu"`.
//!
//! See [`Conv2d`]. Parameters begin as those of PyTorch's `nn.Conv2d` do, uniform in ±1/√(inputs of a result).

use serde::{Deserialize, Serialize};

use super::image::{Pair, image};
use super::{Block, Flow, Kind};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::nn::builder::{Builder, Init};
use crate::nn::order::FileOrder;
use crate::ops::array::activation::Activation;
use crate::ops::array::add_bias::AddBias;
use crate::ops::conv::conv2d::Conv2d;
use crate::ops::conv::{Convolution, Window};
use crate::ops::matmul::MatMul;
use crate::rng::Stream;
use crate::tensor::Shape;

/// Most channels, and most pixels of a kernel, a stride or a padding.
pub(super) const MOST: usize = 1 << 16;

/// y = act(conv(x) + b).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvBlock {
    /// Channels of its output.
    pub conv: usize,
    /// Pixels that a result sees.
    pub kernel: Pair,
    /// Pixels from one result to the next.
    #[serde(default = "Pair::one", skip_serializing_if = "Pair::is_one")]
    pub stride: Pair,
    /// Zeros around the image.
    #[serde(default = "Pair::zero", skip_serializing_if = "Pair::is_zero")]
    pub padding: Pair,
    /// Pixels from one that is seen to the next.
    #[serde(default = "Pair::one", skip_serializing_if = "Pair::is_one")]
    pub dilation: Pair,
    /// Groups of channels, each by itself.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub groups: usize,
    /// What is applied to its results; nothing if it is not said.
    #[serde(default)]
    pub activation: Activation,
    /// Whether something is added: not needed before a norm.
    #[serde(default = "has_bias", skip_serializing_if = "Clone::clone")]
    pub bias: bool,
}

pub(super) fn one() -> usize {
    1
}

pub(super) fn is_one(number: &usize) -> bool {
    *number == 1
}

pub(super) fn has_bias() -> bool {
    true
}

/// Refuses numbers without meaning, each by its name behind `key`.
pub(super) fn check_numbers(key: &str, numbers: &[(&str, Pair, usize)]) -> Result<()> {
    for (name, Pair(both), least) in numbers {
        if let Some(wrong) = both.iter().find(|number| !(*least..=MOST).contains(number)) {
            return Err(Error::Usage(format!("{key}.{name} {wrong}: expected {least} to {MOST}")));
        }
    }
    Ok(())
}

impl ConvBlock {
    /// A square kernel without groups or dilation, with biases.
    pub(in crate::nn) fn plain(
        conv: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        activation: Activation,
    ) -> Self {
        let [kernel, stride, padding] = [kernel, stride, padding].map(Pair::both);
        ConvBlock { conv, kernel, stride, padding, dilation: Pair::one(), groups: 1, activation, bias: true }
    }

    /// The convolution, and the channels that come in.
    pub(in crate::nn) fn of(&self, sample: &Shape) -> Result<(Convolution, usize)> {
        let [height, width, channels] = image("conv", sample)?;
        let window =
            Window { kernel: self.kernel.0, stride: self.stride.0, padding: self.padding.0, dilation: self.dilation.0 };
        if !channels.is_multiple_of(self.groups) || !self.conv.is_multiple_of(self.groups) {
            let problem = format!("{channels} channels to {} cannot be cut into {} groups", self.conv, self.groups);
            return Err(Error::Usage(format!("conv: {problem}")));
        }
        Ok((Convolution { size: [height, width], window, groups: self.groups }, channels))
    }
}

impl Kind for ConvBlock {
    fn check(&self, key: &str) -> Result<()> {
        let ConvBlock { conv, kernel, stride, padding, dilation, groups, .. } = *self;
        let numbers = [
            ("conv", Pair::both(conv), 1),
            ("kernel", kernel, 1),
            ("stride", stride, 1),
            ("padding", padding, 0),
            ("dilation", dilation, 1),
            ("groups", Pair::both(groups), 1),
        ];
        check_numbers(key, &numbers)
    }

    fn infer(&self, sample: &Shape) -> Result<Shape> {
        let [height, width] = self.of(sample)?.0.output()?;
        Ok(Shape::new(&[height, width, self.conv]))
    }

    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        let (of, channels) = self.of(sample)?;
        let [height, width] = of.window.kernel;
        let inputs = of.window.taps() * channels / self.groups;
        let init = |skipped| Init::Uniform { bound: 1.0 / (inputs as f32).sqrt(), stream: Stream::Init, skipped };
        // As many draws as with biases, so that what comes behind does not depend on them.
        let skipped = if self.bias { 0 } else { self.conv };
        let order = FileOrder::of_kernel(self.conv, [height, width], channels / self.groups);
        let weight = b.parameter_in("weight", &[self.conv, inputs], init(skipped), order);
        let bias = self.bias.then(|| b.parameter("bias", &[self.conv], init(0)));
        Ok(Box::new(Built { of, weight, bias, activation: self.activation }))
    }

    /// The activation is a module of its own, even where it is none.
    fn modules(&self) -> usize {
        2
    }

    fn word(&self) -> String {
        let mut word = format!("conv {} {}x{}", self.conv, self.kernel.0[0], self.kernel.0[1]);
        if !self.stride.is_one() {
            word.push_str(&format!(" /{}", self.stride.word()));
        }
        if self.groups > 1 {
            word.push_str(&format!(", {} groups", self.groups));
        }
        with_activation(word, self.activation)
    }
}

/// The word of a block with its activation.
pub(super) fn with_activation(word: String, activation: Activation) -> String {
    match activation {
        Activation::Identity => word,
        activation => format!("{word}, {}", activation.word()),
    }
}

/// act(y + b), as far as there are a bias and an activation.
pub(super) fn finished(g: &mut Graph, y: Var, bias: Option<Var>, activation: Activation) -> Result<Var> {
    let y = bias.map_or(Ok(y), |bias| g.apply(AddBias, &[y, bias]))?;
    if activation == Activation::Identity { Ok(y) } else { g.apply(activation, &[y]) }
}

#[derive(Debug)]
struct Built {
    of: Convolution,
    weight: Var,
    bias: Option<Var>,
    activation: Activation,
}

impl Block for Built {
    fn forward(&self, flow: &mut Flow<'_>, x: Var) -> Result<Var> {
        // What sees single pixels is a product as it stands, with all the kernels that there are of one.
        let y = if self.of.is_product() {
            flow.graph.apply(MatMul::Nt, &[x, self.weight])?
        } else {
            flow.graph.apply(Conv2d(self.of), &[x, self.weight])?
        };
        finished(flow.graph, y, self.bias, self.activation)
    }
}
