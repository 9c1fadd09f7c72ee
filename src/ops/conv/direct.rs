//! What the direct kernels of convolutions share: an invocation, or a workgroup, for each result, whatever the window and the
//! groups are. `matmul` computes what has no groups as a product, in tiles.

use super::{Convolution, Counts, Window};
use crate::error::Result;
use crate::ops::array::activation::Activation;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Terms, Tolerance};

/// Words that say how one tensor lies, and what the kernel does; the shaders' `conv_params`.
pub(in crate::ops) fn params(
    of: &Convolution,
    counts: Counts,
    elements: usize,
    activation: Activation,
    flag: bool,
) -> Result<Vec<u32>> {
    let Convolution { size, window, groups } = of;
    let output = of.output()?;
    let words = [
        elements,
        counts.images,
        counts.inputs,
        counts.outputs,
        size[0],
        size[1],
        output[0],
        output[1],
        window.kernel[0],
        window.kernel[1],
        window.stride[0],
        window.stride[1],
        window.padding[0],
        window.padding[1],
        window.dilation[0],
        window.dilation[1],
        *groups,
        activation as usize,
        usize::from(flag),
    ];
    Ok(words.map(|word| word as u32).to_vec())
}

/// Tolerance of a sum over the taps and channels of a window, or over pixels.
pub(in crate::ops) const SUM: Tolerance = Tolerance::new(
    1e-7,
    5e-6,
    Terms::OfAbsoluteInputs,
    "k products and sums of half an ULP (6e-8) each grow like their root: 3e-6 at k = 2,304",
);

/// A convolution to be tried: images, channels in and out, groups, size, window.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Tried {
    pub of: Convolution,
    pub counts: Counts,
}

impl Tried {
    /// In words.
    pub fn label(&self) -> String {
        let Counts { images, inputs, outputs } = self.counts;
        format!("{images} images, {inputs} to {outputs} channels, {}", self.of.attributes())
    }

    /// Extents of the input, of the weights and of the output.
    pub fn dims(&self) -> [[usize; 2]; 3] {
        let Counts { images, inputs, outputs } = self.counts;
        let [height, width] = self.of.size;
        let [rows, columns] = self.of.output().unwrap_or_default();
        let weights = [outputs, self.of.window.taps() * inputs / self.of.groups];
        [[images * height * width, inputs], weights, [images * rows * columns, outputs]]
    }

    /// Inputs x, w and dy.
    pub fn inputs(&self, s: &mut Samples) -> [crate::tensor::HostTensor<f32>; 3] {
        self.dims().map(|dims| s.normal(&dims))
    }
}

fn tried([images, inputs, outputs]: [usize; 3], size: [usize; 2], window: Window, groups: usize) -> Tried {
    Tried { of: Convolution { size, window, groups }, counts: Counts { images, inputs, outputs } }
}

/// Convolutions without groups that meet every edge: single pixels and channels, primes, kernels larger than the image, strides
/// that leave pixels over, dilation, windows that are no squares, channels by fours and not.
pub(in crate::ops) fn plain() -> Vec<Tried> {
    let square = Window::square;
    vec![
        tried([1, 1, 1], [1, 1], square(1), 1),
        tried([1, 1, 1], [1, 1], square(3).padded(1), 1),
        tried([2, 3, 4], [6, 6], square(3).padded(1), 1),
        tried([2, 4, 6], [8, 8], square(3).padded(1).strided(2), 1),
        tried([2, 3, 5], [9, 7], square(3).padded(1).strided(2), 1),
        tried([3, 4, 8], [6, 6], square(1).strided(2), 1),
        tried([2, 8, 4], [4, 4], square(4).padded(1).strided(2), 1),
        tried([3, 7, 5], [4, 4], square(4), 1),
        tried([2, 4, 4], [7, 5], square(5).padded(4).dilated(2), 1),
        tried([1, 5, 3], [11, 2], Window { kernel: [3, 2], stride: [3, 1], padding: [0, 1], dilation: [2, 1] }, 1),
        tried([5, 12, 20], [5, 3], square(3).padded(1), 1),
        tried([1, 257, 3], [2, 3], square(2).padded(1), 1),
    ]
}

/// The same with groups, down to one channel each.
pub(in crate::ops) fn grouped() -> Vec<Tried> {
    let square = Window::square;
    vec![
        tried([2, 4, 6], [5, 4], square(3).padded(1), 2),
        tried([2, 8, 8], [6, 5], square(3).padded(1).strided(2), 8),
        tried([1, 3, 9], [4, 4], square(2).dilated(2), 3),
        tried([3, 20, 20], [3, 3], square(5).padded(2), 20),
    ]
}

/// The row in the benchmarks: 3×3, 64 to 64 channels of 32×32 pixels.
pub(in crate::ops) fn benched() -> Tried {
    tried([2, 64, 64], [32, 32], Window::square(3).padded(1), 1)
}
