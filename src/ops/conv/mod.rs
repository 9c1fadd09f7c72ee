//! Convolutions of images whose channels lie innermost.
//!
//! A batch of N images is the matrix \[N·H·W, C\], a pixel for a row, so that whatever is written for matrices (bias,
//! activation, sums, norms, products) serves images; height and width are known to the operations that need them. Weights are
//! the matrix \[O, K·L·C/groups\] for kernels of K × L pixels: tap by tap, channels innermost. With that a convolution is a product of
//! matrices, whose left operand, the patches of the image, nobody writes down:
//!
//! | operation | computes | as a product |
//! |---|---|---|
//! | [`Conv2d`](conv2d::Conv2d) | y\[n,i,j,o\] = Σ_{a,b,c} x\[n, i·s+a·d−p, j·s+b·d−p, c\] w\[o,a,b,c\] | patches(x) · wᵀ |
//! | [`Conv2dDx`](conv2d_dx::Conv2dDx) | the gradient of x; with dy for an input the transposed convolution | patches(dy) · w |
//! | [`Conv2dDw`](conv2d_dw::Conv2dDw) | the gradient of w | dyᵀ · patches(x) |
//!
//! All three are linear in both operands, and the gradient of each is made of the other two, so convolutions can be
//! differentiated as often as wanted. Outside of an image all values are 0. Source: `FORMULAS.md` §4a.

pub mod conv2d;
pub mod conv2d_dw;
pub mod conv2d_dx;
pub(in crate::ops) mod direct;
pub mod window;

use super::kernel::check::matrix;
use crate::error::{Error, Result};
use crate::tensor::Ty;
pub use window::Window;

/// A convolution of images of one size, with what it does to each group of channels by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// What a result sees of it.
    pub window: Window,
    /// Groups of channels: those of a result see those of their own group alone. As many as channels: depthwise.
    pub groups: usize,
}

/// How many of everything there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Images of the batch.
    pub images: usize,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output.
    pub outputs: usize,
}

impl Convolution {
    /// A convolution without groups.
    pub fn new(size: [usize; 2], window: Window) -> Self {
        Convolution { size, window, groups: 1 }
    }

    /// Height and width of the output.
    ///
    /// # Errors
    /// When the window has no place in the image, or an extent is 0.
    pub fn output(&self) -> Result<[usize; 2]> {
        self.window.output(self.size)
    }

    /// In words, for plans and sites.
    pub(in crate::ops) fn attributes(&self) -> String {
        let [height, width] = self.size;
        let groups = if self.groups == 1 { String::new() } else { format!(" groups={}", self.groups) };
        format!("of {height}x{width} {}{groups}", self.window)
    }

    /// Whether its kernel sees single pixels, one after the other, so that it is a product of matrices as they stand.
    pub fn is_product(&self) -> bool {
        self.groups == 1 && self.window == Window::square(1)
    }

    /// What there is of everything, given the type of the input and of the weights.
    ///
    /// # Errors
    /// When they do not go together.
    pub(in crate::ops) fn of_input(&self, op: &str, x: &Ty, w: &Ty) -> Result<Counts> {
        let (pixels, inputs) = matrix(op, "x", x)?;
        let counts =
            Counts { images: self.images(op, "x", pixels, self.size)?, inputs, outputs: matrix(op, "w", w)?.0 };
        self.check_weights(op, w, counts)
    }

    /// The same, given the type of the output and of the weights.
    ///
    /// # Errors
    /// When they do not go together.
    pub(in crate::ops) fn of_output(&self, op: &str, dy: &Ty, w: &Ty) -> Result<Counts> {
        let (pixels, outputs) = matrix(op, "dy", dy)?;
        let (_, columns) = matrix(op, "w", w)?;
        let images = self.images(op, "dy", pixels, self.output()?)?;
        let counts = Counts { images, inputs: columns / self.window.taps() * self.groups, outputs };
        self.check_weights(op, w, counts)
    }

    /// The same, given the types of the output and of the input.
    ///
    /// # Errors
    /// When they do not go together.
    pub(in crate::ops) fn of_both(&self, op: &str, dy: &Ty, x: &Ty) -> Result<Counts> {
        let ((results, outputs), (pixels, inputs)) = (matrix(op, "dy", dy)?, matrix(op, "x", x)?);
        let counts = Counts { images: self.images(op, "x", pixels, self.size)?, inputs, outputs };
        if self.images(op, "dy", results, self.output()?)? != counts.images {
            return Err(Error::graph(op, format!("{dy} and {x} are not as many images")));
        }
        self.check_weights(op, &self.weights(counts), counts)
    }

    /// Type of the weights.
    pub(in crate::ops) fn weights(&self, counts: Counts) -> Ty {
        Ty::f32(&[counts.outputs, self.window.taps() * counts.inputs / self.groups.max(1)])
    }

    fn images(&self, op: &str, what: &str, pixels: usize, [height, width]: [usize; 2]) -> Result<usize> {
        if pixels.is_multiple_of(height * width) {
            return Ok(pixels / (height * width));
        }
        Err(Error::graph(op, format!("{what} has {pixels} pixels, no whole images of {height}x{width}")))
    }

    fn check_weights(&self, op: &str, w: &Ty, counts: Counts) -> Result<Counts> {
        let Counts { inputs, outputs, .. } = counts;
        self.output()?;
        if self.groups == 0
            || inputs == 0
            || !inputs.is_multiple_of(self.groups)
            || !outputs.is_multiple_of(self.groups)
        {
            let problem = format!("{inputs} and {outputs} channels cannot be cut into {} groups", self.groups);
            return Err(Error::graph(op, problem));
        }
        super::kernel::check::same(op, "w", w, &self.weights(counts))?;
        Ok(counts)
    }

    /// Multiplications of a batch.
    pub(in crate::ops) fn products(&self, counts: Counts) -> f64 {
        let pixels = self.output().map_or(0, |[height, width]| height * width);
        (counts.images * pixels) as f64 * self.weights(counts).elements() as f64
    }

    /// Calls `term` with the indices of all products, in y, x and w, in the order in which y is summed: taps row by row, then
    /// channels.
    pub(in crate::ops) fn each_term(&self, counts: Counts, mut term: impl FnMut(usize, usize, usize)) {
        let Counts { images, inputs, outputs } = counts;
        let Ok([out_height, out_width]) = self.output() else { return };
        let ([height, width], taps) = (self.size, self.window.taps());
        let (of_input, of_output) = (inputs / self.groups, outputs / self.groups);
        for pixel in 0..images * out_height * out_width {
            let (image, at) = (pixel / (out_height * out_width), pixel % (out_height * out_width));
            for tap in 0..taps {
                let Some([u, v]) = self.window.pixel(self.size, [at / out_width, at % out_width], tap) else {
                    continue;
                };
                let seen = ((image * height + u) * width + v) * inputs;
                for o in 0..outputs {
                    let (seen, weight) = (seen + o / of_output * of_input, (o * taps + tap) * of_input);
                    (0..of_input).for_each(|c| term(pixel * outputs + o, seen + c, weight + c));
                }
            }
        }
    }
}
