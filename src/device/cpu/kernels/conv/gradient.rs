//! Gradients of a convolution's weights and bias: sums over pixels, of the outputs' gradients times what the pixels see.
//!
//! Tasks are cut by shape alone: parts of the batch, each with sums of its own where these are few, and blocks of rows of the
//! result; the parts are added in their order.

use pulp::{Arch, Simd, WithSimd};

use super::bands::Bands;
use super::passes::{Pass, Run, forward};
use super::tile::Pixel;
use crate::device::cpu::kernels::product::{TILE, tile_vectors, tile_width, tiles};
use crate::device::cpu::math::{add, wide};
use crate::device::cpu::memory::Words;
use crate::device::cpu::pool::Pool;
use crate::ops::conv::{Convolution, Counts};
use crate::threads::prelude::*;

/// Numbers of all parts' sums together.
const SUMS: usize = 1 << 20;
/// Tasks that are enough for any machine.
const TASKS: usize = 32;

/// What the sums of the parts lie in until they are added up.
static PARTS: Pool = Pool::new();

/// The gradient of a convolution's weights.
pub(in crate::device) struct WeightGradient {
    counts: Counts,
    /// Columns of the result: taps times channels of a group.
    columns: usize,
    bands: Bands,
    pass: Pass,
    pixels: Vec<Pixel>,
    /// What the first pixel sees, for each group.
    runs: Vec<Vec<Run>>,
    /// Results of an image.
    results: usize,
    /// Rows of the result that a task has, all of one group.
    rows: usize,
    /// Sums of the parts' biases.
    biases: Words,
    count: usize,
}

impl WeightGradient {
    /// Prepares the gradient.
    pub fn new(of: Convolution, counts: Counts) -> Self {
        let pass = Pass::new(forward(&of, 0), forward(&of, 1), of.window.kernel[1]);
        let passes = [pass];
        let bands = Bands::new(&passes, counts.images, of.size, counts.inputs);
        let [pass] = passes;
        let (of_group, of_output) = (counts.inputs / of.groups, counts.outputs / of.groups);
        let columns = of.window.taps() * of_group;
        let output = of.output().unwrap_or_default();
        let count = (SUMS / (counts.outputs * columns).max(1)).clamp(1, TASKS).min(bands.tasks());
        // As many blocks of rows as it takes, none of less than two tiles.
        let blocks = TASKS.div_ceil(count).min(of_output.div_ceil(2 * TILE)).max(1);
        PARTS.reserve(usize::from(count > 1), count * counts.outputs * columns);
        WeightGradient {
            counts,
            columns,
            pixels: bands.pixels(&pass, output, counts.outputs),
            runs: (0..of.groups).map(|group| pass.runs(bands.frame(), counts.inputs, [of_group, group])).collect(),
            results: output[0] * output[1] * counts.outputs,
            rows: of_output.div_ceil(blocks),
            biases: Words::zeros(count * counts.outputs),
            count,
            bands,
            pass,
        }
    }

    /// dw of dy and x.
    pub fn run(&self, dy: &[f32], x: &[f32], dw: &mut [f32]) {
        if self.count == 1 {
            self.blocks(dy, x, dw, 0);
            return;
        }
        let of_part = dw.len();
        PARTS.with(self.count * of_part, |parts| {
            parts.par_chunks_mut(of_part).enumerate().for_each(|(part, dw)| self.blocks(dy, x, dw, part));
            join(parts, dw);
        });
    }

    /// The sums of dy, part by part.
    pub fn sum_bias(&mut self, dy: &[f32]) {
        let (outputs, pixels) = (self.counts.outputs, dy.len() / self.counts.outputs);
        let of_part = pixels.div_ceil(self.count) * outputs;
        self.biases.floats_mut().par_chunks_mut(outputs).enumerate().for_each(|(part, sums)| {
            let begin = (part * of_part).min(dy.len());
            let dy = &dy[begin..(begin + of_part).min(dy.len())];
            sums.fill(0.0);
            wide(
                sums,
                #[inline(always)]
                |sums: &mut [f32]| dy.chunks_exact(outputs).for_each(|row| add(sums, row)),
            );
        });
    }

    /// db of the sums that were made.
    pub fn join_bias(&self, db: &mut [f32]) {
        join(self.biases.floats(), db);
    }

    /// The sums of a part, block by block.
    fn blocks(&self, dy: &[f32], x: &[f32], dw: &mut [f32], part: usize) {
        let of_output = self.counts.outputs / self.runs.len();
        dw.par_chunks_mut(of_output * self.columns).enumerate().for_each(|(group, dw)| {
            dw.par_chunks_mut(self.rows * self.columns).enumerate().for_each(|(block, dw)| {
                self.block(dy, x, dw, part, [group, group * of_output + block * self.rows]);
            });
        });
    }

    fn block(&self, dy: &[f32], x: &[f32], dw: &mut [f32], part: usize, [group, row]: [usize; 2]) {
        let tasks = self.bands.tasks();
        for number in part * tasks / self.count..(part + 1) * tasks / self.count {
            let ([image, first], images) = self.bands.task(number);
            let pixels = &self.pixels[..self.bands.pixels_of(&self.pass, first, images)];
            let begin = image * self.results + first * (self.results / self.pass.rows.count);
            self.bands.with(x, [image, first], images, |source| {
                let sums = Sums {
                    dy: &dy[begin..],
                    source,
                    pixels,
                    most: [usize::MAX; 2],
                    runs: &self.runs[group],
                    dw: &mut *dw,
                    columns: self.columns,
                    row,
                    add: number > part * tasks / self.count,
                };
                Arch::new().dispatch(sums);
            });
        }
    }
}

/// to = Σ over parts of as many numbers, in their order.
fn join(parts: &[f32], to: &mut [f32]) {
    const BLOCK: usize = 4096;
    let length = to.len();
    to.par_chunks_mut(BLOCK).enumerate().for_each(|(number, to)| {
        to.fill(0.0);
        let begin = number * BLOCK;
        wide(
            to,
            #[inline(always)]
            |to: &mut [f32]| parts.chunks_exact(length).for_each(|part| add(to, &part[begin..begin + to.len()])),
        );
    });
}

/// Numbers of dy that stay in the first-level cache while all columns go by.
const SLOPES: usize = 4096;

/// dw (+)= dyᵀ · what the pixels see, for a few rows.
struct Sums<'a> {
    dy: &'a [f32],
    source: &'a [f32],
    pixels: &'a [Pixel],
    /// Largest offsets of these pixels, in the band and in dy.
    most: [usize; 2],
    runs: &'a [Run],
    dw: &'a mut [f32],
    columns: usize,
    /// Channel of the first row.
    row: usize,
    add: bool,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (width, rows) = (tile_width::<S>(), self.dw.len() / self.columns);
        let (runs, all) = (self.runs, self.pixels);
        for pixels in all.chunks((SLOPES / rows.max(1)).clamp(64, 256)) {
            self.pixels = pixels;
            let most = |at: usize| pixels.iter().map(|pixel| pixel[at] as usize).max().unwrap_or(0);
            self.most = [most(0), most(1)];
            let mut begin = 0;
            for run in runs {
                for column in (0..run.terms).step_by(width) {
                    let mut row = 0;
                    for height in tiles(rows) {
                        let columns = width.min(run.terms - column);
                        self.tile(simd, [row, height], [run.offset + column, begin + column, columns]);
                        row += height;
                    }
                }
                begin += run.terms;
            }
            self.add = true;
        }
    }
}

impl Sums<'_> {
    #[inline(always)]
    fn tile<S: Simd>(&mut self, simd: S, rows: [usize; 2], columns: [usize; 3]) {
        match columns[2].div_ceil(S::F32_LANES) {
            1 => self.high::<S, 1>(simd, rows, columns),
            2 => self.high::<S, 2>(simd, rows, columns),
            3 => self.high::<S, 3>(simd, rows, columns),
            _ => self.high::<S, 4>(simd, rows, columns),
        }
    }

    #[inline(always)]
    fn high<S: Simd, const VECTORS: usize>(&mut self, simd: S, rows: [usize; 2], columns: [usize; 3]) {
        if VECTORS > tile_vectors::<S>() {
            return;
        }
        match rows[1] {
            1 => self.compute::<S, 1, VECTORS>(simd, rows[0], columns),
            2 => self.compute::<S, 2, VECTORS>(simd, rows[0], columns),
            3 => self.compute::<S, 3, VECTORS>(simd, rows[0], columns),
            4 => self.compute::<S, 4, VECTORS>(simd, rows[0], columns),
            5 => self.compute::<S, 5, VECTORS>(simd, rows[0], columns),
            _ => self.compute::<S, TILE, VECTORS>(simd, rows[0], columns),
        }
    }

    /// A tile: first row, where its columns begin in the band and in the result, and how many they are.
    #[allow(unsafe_code)]
    #[inline(always)]
    fn compute<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        row: usize,
        [seen, column, columns]: [usize; 3],
    ) {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        assert!(self.most[0] + seen + VECTORS * S::F32_LANES <= self.source.len());
        assert!(self.most[1] + self.row + row + ROWS <= self.dy.len());
        let (dy, source) = (self.dy.as_ptr(), self.source.as_ptr());
        for &[at, result] in self.pixels {
            // SAFETY: the largest offsets of these pixels were checked above; a vector of floats is as many floats in a row, and is read
            // without regard to alignment.
            unsafe {
                let (dy, source) = (dy.add(result as usize + self.row + row), source.add(at as usize + seen));
                let mut right = [simd.splat_f32s(0.0); VECTORS];
                for (vector, right) in right.iter_mut().enumerate() {
                    *right = source.add(vector * S::F32_LANES).cast::<S::f32s>().read_unaligned();
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let left = simd.splat_f32s(*dy.add(row));
                    for (sum, &right) in sums.iter_mut().zip(&right) {
                        *sum = simd.mul_add_e_f32s(left, right, *sum);
                    }
                }
            }
        }
        for (number, sums) in sums.iter().enumerate() {
            let c = &mut self.dw[(row + number) * self.columns + column..][..columns];
            for (vector, &sum) in sums.iter().enumerate() {
                let c = &mut c[vector * S::F32_LANES..];
                if c.len() >= S::F32_LANES {
                    let (c, _) = S::as_mut_simd_f32s(c);
                    c[0] = if self.add { simd.add_f32s(c[0], sum) } else { sum };
                } else {
                    let sum = if self.add { simd.add_f32s(simd.partial_load_f32s(c), sum) } else { sum };
                    simd.partial_store_f32s(c, sum);
                }
            }
        }
    }
}
