//! Pools, and images made larger or smaller.
//!
//! A batch of N images is the matrix \[N·H·W, C\], a pixel for a row, channels innermost, as in [`conv`](super::conv); none of
//! these operations mixes channels, but for [`PixelShuffle`](pixel_shuffle::PixelShuffle), which makes pixels of them.
//!
//! | operation | computes | its gradient |
//! |---|---|---|
//! | [`MaxPool`](max_pool::MaxPool) | the largest of a window, and where it is | [`MaxPoolGrad`](max_pool_grad::MaxPoolGrad), whose own is [`MaxPoolPick`](max_pool_pick::MaxPoolPick) |
//! | [`AvgPool`](avg_pool::AvgPool) | the mean of a window | [`AvgPoolGrad`](avg_pool_grad::AvgPoolGrad) |
//! | [`Upsample`](upsample::Upsample) | an image a whole number of times as large | [`UpsampleGrad`](upsample_grad::UpsampleGrad) |
//! | [`PadReflect`](pad_reflect::PadReflect) | an image with its own reflection around it | [`PadReflectGrad`](pad_reflect_grad::PadReflectGrad) |
//! | [`PixelShuffle`](pixel_shuffle::PixelShuffle) | pixels of channels, or channels of pixels | itself, the other way |
//!
//! All but the maximum are linear, and the gradient of each is its transpose, so they can be differentiated as often as wanted.
//! Golden `pool2d`.

pub mod avg_pool;
pub mod avg_pool_grad;
pub mod max_pool;
pub mod max_pool_grad;
pub mod max_pool_pick;
pub mod pad_reflect;
pub mod pad_reflect_grad;
pub mod pixel_shuffle;
mod tried;
pub mod upsample;
pub mod upsample_grad;
mod windowed;

use super::kernel::check::matrix;
use crate::error::{Error, Result};
use crate::tensor::{HostTensor, Real, Ty};
pub use windowed::Pool;

/// Most pixels along an axis of an image.
pub(in crate::ops) const MOST: usize = 1 << 24;

/// What a pixel of a result takes of a pixel of the image, along one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Place of the pixel of the result.
    pub result: usize,
    /// Place of the pixel of the image.
    pub seen: usize,
    /// How much of it.
    pub weight: f64,
}

/// A linear map of images that treats both axes by themselves, and every channel alike: a pixel of the result is the sum of
/// pixels of the image, each times its share along one axis times its share along the other.
pub trait PixelMap {
    /// Height and width of the image.
    fn size(&self) -> [usize; 2];

    /// Height and width of the result.
    ///
    /// # Errors
    /// When there is no such map.
    fn output(&self) -> Result<[usize; 2]>;

    /// The shares along an axis, vertical first, by results and then by pixels, in ascending order.
    fn shares(&self, axis: usize) -> Vec<Share>;
}

/// Type of the result of a map, or of that of its transpose.
///
/// # Errors
/// When `x` is no matrix of whole images.
pub(in crate::ops) fn mapped(op: &str, map: &impl PixelMap, x: &Ty, transposed: bool) -> Result<Ty> {
    let (size, output) = (map.size(), map.output()?);
    let (from, to) = if transposed { (output, size) } else { (size, output) };
    let (count, channels) = images(op, "x", x, from)?;
    Ok(Ty::f32(&[count * to[0] * to[1], channels]))
}

/// How many images of a size there are, and channels.
///
/// # Errors
/// When there are no whole images.
pub(in crate::ops) fn images(op: &str, what: &str, ty: &Ty, size: [usize; 2]) -> Result<(usize, usize)> {
    let [height, width] = size;
    let (pixels, channels) = matrix(op, what, ty)?;
    if height * width > 0 && pixels.is_multiple_of(height * width) {
        return Ok((pixels / (height * width), channels));
    }
    Err(Error::graph(op, format!("{what} has {pixels} pixels, no whole images of {height}x{width}")))
}

/// The twin of a map, and of its transpose.
pub(in crate::ops) fn apply<T: Real>(map: &impl PixelMap, transposed: bool, x: &HostTensor<T>, y: &mut HostTensor<T>) {
    let (Some((pixels, channels)), Ok([rows, columns])) = (x.shape.matrix(), map.output()) else { return };
    let [height, width] = map.size();
    let count = pixels / if transposed { rows * columns } else { height * width };
    let (x, y) = (x.real(), y.real_mut());
    let (vertical, horizontal) = (map.shares(0), map.shares(1));
    for image in 0..count {
        for a in &vertical {
            for b in &horizontal {
                let result = ((image * rows + a.result) * columns + b.result) * channels;
                let seen = ((image * height + a.seen) * width + b.seen) * channels;
                let (to, from) = if transposed { (seen, result) } else { (result, seen) };
                let weight = T::of(a.weight * b.weight);
                for (y, &x) in y[to..to + channels].iter_mut().zip(&x[from..from + channels]) {
                    *y += weight * x;
                }
            }
        }
    }
}
