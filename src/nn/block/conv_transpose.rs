//! A transposed convolution with its activation, from few pixels to many: `conv_transpose = 32, kernel = 4, stride = 2,
//! padding = 1`.
//!
//! It is the gradient of a convolution's input, with a network's values in place of gradients: see [`Conv2dDx`]. The output has
//! (size − 1)·stride − 2·padding + dilation·(kernel − 1) + 1 + output_padding pixels an axis, those of the output padding at the bottom
//! and at the right. Parameters begin as those of PyTorch's `nn.ConvTranspose2d` do. Golden `conv_transpose2d`.

use serde::{Deserialize, Serialize};

use super::conv::{check_numbers, finished, has_bias, is_one, one, with_activation};
use super::image::{Pair, image};
use super::{Block, Flow, Kind};
use crate::error::{Error, Result};
use crate::graph::Var;
use crate::nn::builder::{Builder, Init};
use crate::nn::order::FileOrder;
use crate::ops::array::activation::Activation;
use crate::ops::conv::conv2d_dx::Conv2dDx;
use crate::ops::conv::{Convolution, Window};
use crate::rng::Stream;
use crate::tensor::Shape;

/// y = act(convᵀ(x) + b).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTransposeBlock {
    /// Channels of its output.
    pub conv_transpose: usize,
    /// Pixels that see a pixel of the input.
    pub kernel: Pair,
    /// Pixels from what one pixel of the input is seen by to the next.
    #[serde(default = "Pair::one", skip_serializing_if = "Pair::is_one")]
    pub stride: Pair,
    /// Pixels cut off on all sides.
    #[serde(default = "Pair::zero", skip_serializing_if = "Pair::is_zero")]
    pub padding: Pair,
    /// Pixels added at the bottom and at the right.
    #[serde(default = "Pair::zero", skip_serializing_if = "Pair::is_zero")]
    pub output_padding: Pair,
    /// Pixels from one that sees to the next.
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

impl ConvTransposeBlock {
    /// The convolution whose input's gradient it is, and the channels that come in.
    pub(in crate::nn) fn of(&self, sample: &Shape) -> Result<(Convolution, usize)> {
        let [height, width, channels] = image("conv_transpose", sample)?;
        let window =
            Window { kernel: self.kernel.0, stride: self.stride.0, padding: self.padding.0, dilation: self.dilation.0 };
        let mut size = [0; 2];
        for (axis, size) in size.iter_mut().enumerate() {
            let (stride, dilation, extra) = (window.stride[axis], window.dilation[axis], self.output_padding.0[axis]);
            if extra >= stride.max(dilation) {
                let problem = format!("output_padding {extra}: expected less than the stride or the dilation");
                return Err(Error::Usage(format!("conv_transpose: {problem}")));
            }
            let whole = ([height, width][axis] - 1) * stride + dilation * (window.kernel[axis] - 1) + 1 + extra;
            let cut = whole.checked_sub(2 * window.padding[axis]).filter(|left| *left > 0);
            *size = cut.ok_or_else(|| {
                let problem = format!("padding {} leaves nothing of {whole} pixels", window.padding[axis]);
                Error::Usage(format!("conv_transpose: {problem}"))
            })?;
        }
        if !channels.is_multiple_of(self.groups) || !self.conv_transpose.is_multiple_of(self.groups) {
            let to = self.conv_transpose;
            let problem = format!("{channels} channels to {to} cannot be cut into {} groups", self.groups);
            return Err(Error::Usage(format!("conv_transpose: {problem}")));
        }
        let of = Convolution { size, window, groups: self.groups };
        of.output()?;
        Ok((of, channels))
    }
}

impl Kind for ConvTransposeBlock {
    fn check(&self, key: &str) -> Result<()> {
        let ConvTransposeBlock { conv_transpose, kernel, stride, padding, output_padding, dilation, groups, .. } =
            *self;
        let numbers = [
            ("conv_transpose", Pair::both(conv_transpose), 1),
            ("kernel", kernel, 1),
            ("stride", stride, 1),
            ("padding", padding, 0),
            ("output_padding", output_padding, 0),
            ("dilation", dilation, 1),
            ("groups", Pair::both(groups), 1),
        ];
        check_numbers(key, &numbers)
    }

    fn infer(&self, sample: &Shape) -> Result<Shape> {
        let [height, width] = self.of(sample)?.0.size;
        Ok(Shape::new(&[height, width, self.conv_transpose]))
    }

    fn build(&self, b: &mut Builder<'_>, sample: &Shape) -> Result<Box<dyn Block>> {
        let (of, channels) = self.of(sample)?;
        let [height, width] = of.window.kernel;
        let columns = of.window.taps() * self.conv_transpose / self.groups;
        // PyTorch counts what goes out of a pixel as what goes in, since the weights lie that way.
        let init = |skipped| Init::Uniform { bound: 1.0 / (columns as f32).sqrt(), stream: Stream::Init, skipped };
        let skipped = if self.bias { 0 } else { self.conv_transpose };
        let order = FileOrder::of_kernel(channels, [height, width], self.conv_transpose / self.groups);
        let weight = b.parameter_in("weight", &[channels, columns], init(skipped), order);
        let bias = self.bias.then(|| b.parameter("bias", &[self.conv_transpose], init(0)));
        Ok(Box::new(Built { of, weight, bias, activation: self.activation }))
    }

    /// The activation is a module of its own, even where it is none.
    fn modules(&self) -> usize {
        2
    }

    fn word(&self) -> String {
        let [height, width] = self.kernel.0;
        let mut word = format!("conv transposed {} {height}x{width}", self.conv_transpose);
        if !self.stride.is_one() {
            word.push_str(&format!(" x{}", self.stride.word()));
        }
        if self.groups > 1 {
            word.push_str(&format!(", {} groups", self.groups));
        }
        with_activation(word, self.activation)
    }
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
        let y = flow.graph.apply(Conv2dDx(self.of), &[x, self.weight])?;
        finished(flow.graph, y, self.bias, self.activation)
    }
}
