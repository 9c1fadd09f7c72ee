//! Convolutions of each channel by itself: neighbouring channels fill the vectors, since none meets another.

use pulp::{Simd, WithSimd};

use super::gradient::Part;
use super::passes::{Frame, Pass};
use super::tile::{Pixel, lanes};
use crate::device::cpu::kernels::product::TILE;
use crate::device::cpu::math::add;
use crate::ops::conv::{Convolution, Counts};
use crate::vectors::dispatch;

/// Numbers of the results' gradients that stay in the first-level cache while the channels go by.
const SLOPES: usize = 2048;
/// Taps whose sums are in registers together.
const TAPS: usize = 9;

/// Whether a convolution is one of each channel by itself, with enough of them.
pub(super) fn is_depthwise(of: &Convolution, counts: Counts) -> bool {
    of.groups >= lanes().max(2) && counts.inputs == of.groups && counts.outputs == of.groups
}

/// Where the first pixel of a band sees its first channel through each tap.
pub(super) fn taps(pass: &Pass, frame: &Frame, channels: usize) -> Vec<usize> {
    pass.runs(frame, channels, [1, 0]).iter().map(|run| run.offset).collect()
}

/// Numbers from the weights of one tap to those of the next: whole vectors.
pub(super) fn stride(channels: usize) -> usize {
    channels.next_multiple_of(lanes())
}

/// Results = what the pixels see through each tap, times its weights.
pub(super) struct DepthProduct<'a> {
    pub source: &'a [f32],
    pub pixels: &'a [Pixel],
    pub taps: &'a [usize],
    /// Those of all channels, tap by tap.
    pub weights: &'a [f32],
    pub channels: usize,
    pub results: &'a mut [f32],
}

impl DepthProduct<'_> {
    /// Computes it on this thread.
    pub fn run(self) {
        dispatch(self);
    }
}

impl WithSimd for DepthProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (whole, rest) = self.pixels.as_chunks::<TILE>();
        whole.iter().for_each(|pixels| self.tile(simd, pixels));
        rest.as_chunks::<1>().0.iter().for_each(|pixels| self.tile(simd, pixels));
    }
}

impl DepthProduct<'_> {
    #[inline(always)]
    fn tile<S: Simd, const ROWS: usize>(&mut self, simd: S, pixels: &[Pixel; ROWS]) {
        let stride = self.channels.next_multiple_of(S::F32_LANES);
        for channel in (0..self.channels).step_by(S::F32_LANES) {
            let mut sums = [simd.splat_f32s(0.0); ROWS];
            for (offset, weights) in self.taps.iter().zip(self.weights.chunks_exact(stride)) {
                let weight = vector::<S>(weights, channel);
                for (sum, pixel) in sums.iter_mut().zip(pixels) {
                    let seen = vector::<S>(self.source, pixel[0] as usize + offset + channel);
                    *sum = simd.mul_add_e_f32s(seen, weight, *sum);
                }
            }
            for (sum, pixel) in sums.into_iter().zip(pixels) {
                let results = &mut self.results[pixel[1] as usize + channel..];
                let count = S::F32_LANES.min(self.channels - channel);
                simd.partial_store_f32s(&mut results[..count], sum);
            }
        }
    }
}

/// The vector that begins here.
#[inline(always)]
fn vector<S: Simd>(numbers: &[f32], begin: usize) -> S::f32s {
    S::as_simd_f32s(&numbers[begin..][..S::F32_LANES]).0[0]
}

/// sums \[taps, channels\] += dy times what the pixels see through each tap.
pub(super) struct DepthSums<'a> {
    pub part: Part<'a>,
    pub taps: &'a [usize],
    pub channels: usize,
}

impl DepthSums<'_> {
    /// Adds them up on this thread.
    pub fn run(self) {
        dispatch(self);
    }
}

impl WithSimd for DepthSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (all, channels) = (self.part.pixels, self.channels);
        let (several, rest) = self.taps.as_chunks::<TAPS>();
        for pixels in all.chunks((SLOPES / channels).max(16)) {
            self.part.pixels = pixels;
            let dy = self.part.dy;
            if let Some(db) = &mut self.part.db {
                pixels.iter().for_each(|pixel| add(db, &dy[pixel[1] as usize..][..channels]));
            }
            for channel in (0..channels).step_by(S::F32_LANES) {
                let mut first = 0;
                for taps in several {
                    self.tile(simd, taps, [first, channel]);
                    first += TAPS;
                }
                for tap in rest.as_chunks::<1>().0 {
                    self.tile(simd, tap, [first, channel]);
                    first += 1;
                }
            }
        }
    }
}

impl DepthSums<'_> {
    #[inline(always)]
    fn tile<S: Simd, const COUNT: usize>(&mut self, simd: S, taps: &[usize; COUNT], [first, channel]: [usize; 2]) {
        let count = S::F32_LANES.min(self.channels - channel);
        let mut sums = [simd.splat_f32s(0.0); COUNT];
        for pixel in self.part.pixels {
            let dy = simd.partial_load_f32s(&self.part.dy[pixel[1] as usize + channel..][..count]);
            for (sum, tap) in sums.iter_mut().zip(taps) {
                let seen = vector::<S>(self.part.source, pixel[0] as usize + tap + channel);
                *sum = simd.mul_add_e_f32s(dy, seen, *sum);
            }
        }
        for (number, sum) in sums.into_iter().enumerate() {
            let to = &mut self.part.sums[(first + number) * self.channels + channel..][..count];
            let sum = simd.add_f32s(simd.partial_load_f32s(to), sum);
            simd.partial_store_f32s(to, sum);
        }
    }
}
