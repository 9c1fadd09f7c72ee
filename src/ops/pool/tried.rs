//! Inputs that the kernels of pools are proved on.

use super::Pool;
use crate::ops::conv::Window;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Terms, Tolerance};
use crate::tensor::HostTensor;

/// Tolerance of what is only moved.
pub(super) const MOVED: Tolerance = Tolerance::new(0.0, 0.0, Terms::Exact, "values are moved, nothing is computed");

/// Tolerance of sums of up to some thousand pixels.
pub(super) const SUM: Tolerance = Tolerance::new(
    1e-7,
    4e-6,
    Terms::OfAbsoluteInputs,
    "sums of up to 1,024 terms, whose roundings point in both directions, and one product each",
);

/// A pool to be tried on so many images of so many channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    pub pool: Pool,
    pub images: usize,
    pub channels: usize,
}

impl Tried {
    /// In words.
    pub fn label(&self) -> String {
        format!("{} images, {} channels, {}", self.images, self.channels, self.pool.attributes())
    }

    /// Extents of the input.
    pub fn input(&self) -> [usize; 2] {
        let [height, width] = self.pool.size;
        [self.images * height * width, self.channels]
    }

    /// Extents of the output.
    pub fn output(&self) -> [usize; 2] {
        let [height, width] = self.pool.output().unwrap_or_default();
        [self.images * height * width, self.channels]
    }
}

/// Pools that meet every edge: single pixels, primes, windows larger than the image, windows that overlap and that leave
/// pixels out, windows that are no squares, all of the image, one channel and many. The last is the row in the benchmarks.
pub(super) fn pools() -> Vec<Tried> {
    let square = Window::square;
    let tried = |images, channels, size, window| Tried { pool: Pool { size, window }, images, channels };
    let global = |images, channels, size| Tried { pool: Pool::global(size), images, channels };
    vec![
        tried(1, 1, [1, 1], square(1)),
        tried(1, 1, [1, 1], square(3).padded(1)),
        tried(2, 3, [1, 1], square(5).padded(2).strided(2)),
        tried(3, 5, [2, 2], square(2).strided(2)),
        tried(2, 3, [7, 5], square(2).strided(2)),
        tried(2, 3, [7, 5], square(3).padded(1).strided(2)),
        tried(3, 2, [5, 6], square(3).padded(1)),
        tried(2, 7, [9, 4], Window { kernel: [3, 2], stride: [2, 3], padding: [1, 0], dilation: [1, 1] }),
        tried(1, 4, [11, 9], square(3).padded(1).dilated(3).strided(2)),
        tried(2, 3, [13, 5], square(2).strided(4)),
        tried(1, 257, [3, 2], square(2).padded(1)),
        global(3, 5, [7, 3]),
        global(1, 3, [32, 32]),
        tried(4, 16, [17, 19], square(3).padded(1).strided(2)),
        tried(8, 64, [32, 32], square(3).padded(1).strided(2)),
    ]
}

/// Values no two of which are closer than a hundredth, in random order: where the largest is one and stays it, however
/// little they are moved.
pub(super) fn distinct(s: &mut Samples, dims: &[usize]) -> HostTensor<f32> {
    let count: usize = dims.iter().product();
    let mut order: Vec<usize> = (0..count).collect();
    let draws = s.words(dims, u32::MAX);
    order.sort_by_key(|&i| draws.words()[i]);
    let elements: Vec<f32> = order.iter().map(|&place| (place as f32 - count as f32 / 2.0) / 100.0).collect();
    HostTensor::from_f32(dims, &elements)
}
