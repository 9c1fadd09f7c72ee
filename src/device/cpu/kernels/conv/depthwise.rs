//! Convolutions of each channel by itself: neighbouring channels fill the vectors, since none meets another.

use pulp::{Arch, Simd, WithSimd};

use super::bands::Bands;
use super::passes::{Frame, Pass, forward};
use super::tile::{Pixel, lanes};
use crate::device::cpu::kernels::product::TILE;
use crate::device::cpu::math::{add, wide};
use crate::device::cpu::memory::Words;
use crate::device::cpu::pool::Pool;
use crate::ops::conv::{Convolution, Counts};
use crate::threads::prelude::*;

/// Tasks that are enough for any machine.
const TASKS: usize = 32;
/// Numbers of the results' gradients that stay in the first-level cache while the channels go by.
const SLOPES: usize = 2048;
/// Taps whose sums are in registers together.
const TAPS: usize = 9;

/// What the sums of the parts lie in until they are added up.
static PARTS: Pool = Pool::new();

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
        Arch::new().dispatch(self);
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

/// The gradient of the weights of such a convolution.
pub(in crate::device) struct DepthGradient {
    counts: Counts,
    bands: Bands,
    pass: Pass,
    pixels: Vec<Pixel>,
    taps: Vec<usize>,
    /// Results of an image.
    results: usize,
    /// Sums of the parts' biases.
    biases: Words,
    count: usize,
}

impl DepthGradient {
    /// Prepares the gradient.
    pub fn new(of: Convolution, counts: Counts) -> Self {
        let pass = Pass::new(forward(&of, 0), forward(&of, 1), of.window.kernel[1]);
        let passes = [pass];
        let bands = Bands::new(&passes, counts.images, of.size, counts.inputs);
        let [pass] = passes;
        let output = of.output().unwrap_or_default();
        let taps = taps(&pass, bands.frame(), counts.inputs);
        let count = TASKS.min(bands.tasks());
        PARTS.reserve(1, count * taps.len() * counts.outputs);
        DepthGradient {
            counts,
            pixels: bands.pixels(&pass, output, counts.outputs),
            taps,
            results: output[0] * output[1] * counts.outputs,
            biases: Words::zeros(count * counts.outputs),
            count,
            bands,
            pass,
        }
    }

    /// dw of dy and x, and the parts' sums of dy where they are wanted.
    pub fn run(&mut self, dy: &[f32], x: &[f32], dw: &mut [f32], biased: bool) {
        let mut biases = std::mem::take(&mut self.biases);
        let channels = self.counts.outputs;
        let of_part = self.taps.len() * channels;
        PARTS.with(self.count * of_part, |parts| {
            let tasks = parts.par_chunks_mut(of_part).zip(biases.floats_mut().par_chunks_mut(channels)).enumerate();
            tasks.for_each(|(part, (sums, db))| self.task(dy, x, part, sums, biased.then_some(db)));
            let (total, parts) = parts.split_at_mut(of_part);
            parts.chunks_exact(of_part).for_each(|part| add(total, part));
            for (channel, dw) in dw.chunks_exact_mut(self.taps.len()).enumerate() {
                dw.iter_mut().zip(total[channel..].iter().step_by(channels)).for_each(|(dw, &sum)| *dw = sum);
            }
        });
        self.biases = biases;
    }

    /// db of the sums that were made.
    pub fn join_bias(&self, db: &mut [f32]) {
        db.fill(0.0);
        self.biases.floats().chunks_exact(db.len()).for_each(|part| add(db, part));
    }

    /// The sums of one part of the batch.
    fn task(&self, dy: &[f32], x: &[f32], part: usize, sums: &mut [f32], mut db: Option<&mut [f32]>) {
        let (tasks, channels) = (self.bands.tasks(), self.counts.outputs);
        db.iter_mut().for_each(|db| db.fill(0.0));
        sums.fill(0.0);
        for number in part * tasks / self.count..(part + 1) * tasks / self.count {
            let ([image, first], images) = self.bands.task(number);
            let pixels = &self.pixels[..self.bands.pixels_of(&self.pass, first, images)];
            let dy = &dy[image * self.results + first * (self.results / self.pass.rows.count)..];
            self.bands.with(x, [image, first], images, |source| {
                for pixels in pixels.chunks((SLOPES / channels).max(16)) {
                    let sums = DepthSums { dy, source, pixels, taps: &self.taps, channels, sums: &mut *sums };
                    Arch::new().dispatch(sums);
                }
            });
            if let Some(db) = &mut db {
                wide(
                    &mut **db,
                    #[inline(always)]
                    |db: &mut [f32]| pixels.iter().for_each(|pixel| add(db, &dy[pixel[1] as usize..][..channels])),
                );
            }
        }
    }
}

/// sums += dy times what the pixels see through each tap.
struct DepthSums<'a> {
    dy: &'a [f32],
    source: &'a [f32],
    pixels: &'a [Pixel],
    taps: &'a [usize],
    channels: usize,
    sums: &'a mut [f32],
}

impl WithSimd for DepthSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let all = self.taps;
        let (several, rest) = all.as_chunks::<TAPS>();
        for channel in (0..self.channels).step_by(S::F32_LANES) {
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

impl DepthSums<'_> {
    #[inline(always)]
    fn tile<S: Simd, const COUNT: usize>(&mut self, simd: S, taps: &[usize; COUNT], [first, channel]: [usize; 2]) {
        let count = S::F32_LANES.min(self.channels - channel);
        let mut sums = [simd.splat_f32s(0.0); COUNT];
        for pixel in self.pixels {
            let dy = simd.partial_load_f32s(&self.dy[pixel[1] as usize + channel..][..count]);
            for (sum, tap) in sums.iter_mut().zip(taps) {
                let seen = vector::<S>(self.source, pixel[0] as usize + tap + channel);
                *sum = simd.mul_add_e_f32s(dy, seen, *sum);
            }
        }
        for (number, sum) in sums.into_iter().enumerate() {
            let to = &mut self.sums[(first + number) * self.channels + channel..][..count];
            let sum = simd.add_f32s(simd.partial_load_f32s(to), sum);
            simd.partial_store_f32s(to, sum);
        }
    }
}
