//! A layer with weights in its place: what its weights join, and what becomes of every unit that it writes.
//!
//! A unit is what could be taken away by itself: a neuron, or a channel with all its pixels. Channels lie innermost, so that number i
//! of whatever is written of U units belongs to unit i mod U, whether that is a neuron, a channel, a pixel's value of a flattened
//! image or a bias; and so do the numbers that another layer reads, and those that a norm keeps of them.

use std::collections::BTreeMap;

use super::block::{BlockConfig, ResidualBlock};
use crate::error::Result;
use crate::ops::conv::Convolution;

/// What the weights of a layer are, on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// A matrix \[outputs, inputs\].
    Linear,
    /// Kernels \[outputs, pixels · inputs / groups\].
    Conv(Convolution),
    /// Kernels \[inputs, pixels · outputs / groups\], of the convolution whose input's gradient it is.
    Transposed(Convolution),
}

/// A layer with weights, in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Wired {
    /// Key of its block, as `encoder.2` or `encoder.3.residual.1`.
    pub key: String,
    /// What the names of its parameters begin with.
    pub name: String,
    /// What its weights are.
    pub weights: Weights,
    /// Numbers of a row that it reads: channels, or all numbers of a sample that is no image.
    pub inputs: usize,
    /// Numbers of a row that it writes.
    pub outputs: usize,
    /// Whether it adds biases.
    pub has_bias: bool,
    /// What the names of a batch norm begin with that is applied to what it writes as it is.
    pub norm: Option<String>,
    /// What becomes of its units.
    pub fate: Fate,
}

/// What becomes of the units of a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// They are the answer of the network.
    Answered,
    /// One other layer reads them, and nothing else.
    Read(Reading),
    /// None of them can go by itself, and why: words that follow "its units stay: ".
    Bound(String),
}

/// How another layer reads the units of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// How many units there are.
    pub units: usize,
    /// Index of the layer that reads them.
    pub by: usize,
    /// What the names of the batch norms between the two begin with.
    pub norms: Vec<String>,
    /// Keys of the blocks between the two that make images of rows.
    pub images: Vec<String>,
}

impl Wired {
    /// How another layer reads its units, if one does and nothing else.
    pub fn reading(&self) -> Option<&Reading> {
        match &self.fate {
            Fate::Read(reading) => Some(reading),
            Fate::Answered | Fate::Bound(_) => None,
        }
    }

    /// Groups of its channels, each by itself.
    pub fn groups(&self) -> usize {
        match self.weights {
            Weights::Linear => 1,
            Weights::Conv(of) | Weights::Transposed(of) => of.groups,
        }
    }

    /// Extents of its weights as people count them: outputs, inputs that each of them sees, and of a kernel height and width.
    pub fn extents(&self) -> Vec<usize> {
        let matrix = [self.outputs, self.inputs / self.groups()];
        match self.weights {
            Weights::Linear => matrix.to_vec(),
            Weights::Conv(of) | Weights::Transposed(of) => [matrix, of.window.kernel].concat(),
        }
    }

    /// What the weight in this row and column joins: the number that is written, the number that is read, and the place of
    /// the pixel in the kernel.
    pub fn joins(&self, row: usize, column: usize) -> [usize; 3] {
        let (inputs, outputs) = (self.inputs / self.groups(), self.outputs / self.groups());
        match self.weights {
            Weights::Linear => [row, column, 0],
            Weights::Conv(_) => [row, row / outputs * inputs + column % inputs, column / inputs],
            Weights::Transposed(_) => [row / inputs * outputs + column % outputs, row, column / outputs],
        }
    }

    /// Of each pixel of its kernel the share of the pixels it writes at which that one lies within the image it reads, and not in
    /// the padding around it or between the pixels of one that is spread out.
    ///
    /// # Errors
    /// When the kernel has no place in the image.
    pub fn shares(&self) -> Result<Vec<f64>> {
        let (of, is_transposed) = match self.weights {
            Weights::Linear => return Ok(vec![1.0]),
            Weights::Conv(of) => (of, false),
            Weights::Transposed(of) => (of, true),
        };
        let results = of.output()?;
        let axis = |axis: usize| -> Vec<f64> {
            let (window, pixels, results) = (of.window, of.size[axis], results[axis]);
            let within = |tap: usize| {
                let seen = |result: usize| {
                    (result * window.stride[axis] + tap * window.dilation[axis])
                        .checked_sub(window.padding[axis])
                        .is_some_and(|pixel| pixel < pixels)
                };
                (0..results).filter(|&result| seen(result)).count() as f64
            };
            let written = if is_transposed { pixels } else { results };
            (0..window.kernel[axis]).map(|tap| within(tap) / written as f64).collect()
        };
        let [vertical, horizontal] = [axis(0), axis(1)];
        Ok(vertical.iter().flat_map(|v| horizontal.iter().map(move |h| v * h)).collect())
    }
}

/// Takes units out of the blocks of a list whose key is given: so many numbers of what layers write, and channels of what
/// makes images of rows, by the keys of these blocks.
pub fn narrow(blocks: &mut [BlockConfig], key: &str, removed: &BTreeMap<String, usize>) {
    for (index, block) in blocks.iter_mut().enumerate() {
        let key = format!("{key}.{}", index + 1);
        if let BlockConfig::Residual(ResidualBlock { residual, shortcut }) = block {
            narrow(residual, &format!("{key}.residual"), removed);
            narrow(shortcut, &format!("{key}.shortcut"), removed);
        }
        let Some(removed) = removed.get(&key) else { continue };
        match block {
            BlockConfig::Linear(linear) => linear.linear -= removed,
            BlockConfig::Conv(conv) => conv.conv -= removed,
            BlockConfig::ConvTranspose(conv) => conv.conv_transpose -= removed,
            BlockConfig::Unflatten(image) => image.unflatten.0[2] -= removed,
            _ => {}
        }
    }
}
