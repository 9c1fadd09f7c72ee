//! Gradients of a convolution's weights and bias: sums over pixels, of the outputs' gradients times what the pixels see.
//!
//! Tasks are cut by shape alone: parts of the batch, and blocks of columns of the result; the parts are added in their order. A
//! task brings a few pixels at a time side by side, what they see a panel of columns after the other and their gradients a
//! tile of rows after the other, so that the products run along memory whatever strides, taps and channels are.

use pulp::{Arch, Simd, WithSimd};

use super::bands::Bands;
use super::passes::{Pass, Run, forward};
use super::tile::{Pixel, lanes, width};
use crate::device::cpu::kernels::product::{TILE, tile_vectors, tile_width, tiles};
use crate::device::cpu::math::{add, wide};
use crate::device::cpu::memory::Words;
use crate::device::cpu::pool::Pool;
use crate::ops::conv::{Convolution, Counts};
use crate::threads::current_num_threads;
use crate::threads::prelude::*;

/// Numbers of all parts' sums together.
const SUMS: usize = 1 << 20;
/// Tasks that are enough for any machine.
const TASKS: usize = 32;
/// Numbers of a panel: what stays in the first-level cache while all rows go by.
const PANEL: usize = 4096;

/// What the sums of the parts lie in until they are added up.
static PARTS: Pool = Pool::new();
/// What a task brings side by side.
static PACKED: Pool = Pool::new();

/// The gradient of a convolution's weights.
pub(in crate::device) struct WeightGradient {
    counts: Counts,
    /// Columns of the result: taps times channels of a group.
    columns: usize,
    bands: Bands,
    pass: Pass,
    pixels: Vec<Pixel>,
    /// What the columns of each panel of each group see of a band, and where they lie in it.
    panels: Vec<Vec<Vec<Piece>>>,
    /// Results of an image.
    results: usize,
    /// Panels of a task.
    block: usize,
    /// Sums of the tasks' biases.
    biases: Words,
    count: usize,
}

/// Columns of a panel that lie side by side in a band as well.
#[derive(Clone, Copy)]
struct Piece {
    /// Where the first pixel sees the first of them.
    seen: usize,
    /// Column of the panel.
    column: usize,
}

/// The panels, `width` columns each, of what the first pixel sees.
fn panels(runs: &[Run], width: usize) -> Vec<Vec<Piece>> {
    let mut panels: Vec<Vec<Piece>> = Vec::new();
    let mut at = 0;
    for run in runs {
        let mut begin = 0;
        while begin < run.terms {
            let column = at % width;
            if column == 0 {
                panels.push(Vec::new());
            }
            if let Some(last) = panels.last_mut() {
                last.push(Piece { seen: run.offset + begin, column });
            }
            let terms = (width - column).min(run.terms - begin);
            (begin, at) = (begin + terms, at + terms);
        }
    }
    panels
}

impl WeightGradient {
    /// Prepares the gradient.
    pub fn new(of: Convolution, counts: Counts) -> Self {
        let pass = Pass::new(forward(&of, 0), forward(&of, 1), of.window.kernel[1]);
        let passes = [pass];
        let bands = Bands::new(&passes, counts.images, of.size, counts.inputs);
        let [pass] = passes;
        let of_group = counts.inputs / of.groups;
        let columns = of.window.taps() * of_group;
        let output = of.output().unwrap_or_default();
        let count = (SUMS / (counts.outputs * columns).max(1)).clamp(1, TASKS).min(bands.tasks());
        let width = width();
        let of_columns = columns.div_ceil(width);
        // As many blocks as it takes.
        let block = of_columns.div_ceil(TASKS.div_ceil(count * of.groups));
        let panels = (0..of.groups)
            .map(|group| panels(&pass.runs(bands.frame(), counts.inputs, [of_group, group]), width))
            .collect();
        let blocks = of_columns.div_ceil(block);
        let biases = Words::zeros(count * blocks * counts.outputs);
        let gradient = WeightGradient {
            counts,
            columns,
            pixels: bands.pixels(&pass, output, counts.outputs),
            panels,
            results: output[0] * output[1] * counts.outputs,
            block,
            biases,
            count,
            bands,
            pass,
        };
        PARTS.reserve(1, gradient.tasks() * gradient.of_task());
        PACKED.reserve(current_num_threads(), gradient.packed());
        gradient
    }

    /// Blocks of columns of a group.
    fn blocks(&self) -> usize {
        self.columns.div_ceil(width()).div_ceil(self.block)
    }

    /// Outputs of a group.
    fn of_output(&self) -> usize {
        self.counts.outputs / self.panels.len()
    }

    fn tasks(&self) -> usize {
        self.count * self.panels.len() * self.blocks()
    }

    /// Sums of a task, panel by panel.
    fn of_task(&self) -> usize {
        self.block * self.of_output() * width()
    }

    /// Numbers that a task brings side by side: those of the columns, with room for a vector behind them, and those of the rows.
    fn packed(&self) -> usize {
        PANEL + width() + PANEL / width() * self.of_output()
    }

    /// dw of dy and x, and the parts' sums of dy where they are wanted.
    pub fn run(&mut self, dy: &[f32], x: &[f32], dw: &mut [f32], biased: bool) {
        let mut biases = std::mem::take(&mut self.biases);
        PARTS.with(self.tasks() * self.of_task(), |parts| {
            let tasks = parts.par_chunks_mut(self.of_task());
            let tasks = tasks.zip(biases.floats_mut().par_chunks_mut(self.of_output())).enumerate();
            tasks.for_each(|(task, (sums, db))| self.task(dy, x, task, sums, biased.then_some(db)));
            self.join(parts, dw);
        });
        self.biases = biases;
    }

    /// db of the sums that were made.
    pub fn join_bias(&self, db: &mut [f32]) {
        let (of_output, of_group) = (self.of_output(), self.of_output() * self.blocks());
        db.fill(0.0);
        for part in self.biases.floats().chunks_exact(self.panels.len() * of_group) {
            for (db, sums) in db.chunks_exact_mut(of_output).zip(part.chunks_exact(of_group)) {
                add(db, &sums[..of_output]);
            }
        }
    }

    /// dw = Σ over parts, in their order: all of them added to the first, and its panels as rows.
    fn join(&self, parts: &mut [f32], dw: &mut [f32]) {
        const BLOCK: usize = 4096;
        let (of_output, width, lanes) = (self.of_output(), width(), lanes());
        let of_group = self.blocks() * self.of_task();
        let length = self.panels.len() * of_group;
        let (total, parts) = parts.split_at_mut(length);
        total.par_chunks_mut(BLOCK).enumerate().for_each(|(number, total)| {
            wide(
                total,
                #[inline(always)]
                |total: &mut [f32]| {
                    for part in parts.chunks_exact(length) {
                        add(total, &part[number * BLOCK..][..total.len()]);
                    }
                },
            );
        });
        dw.par_chunks_mut(self.columns).enumerate().for_each(|(row, dw)| {
            let (group, row) = (row / of_output, row % of_output);
            let panels = total[group * of_group..].chunks_exact(of_output * width);
            for (dw, panel) in dw.chunks_mut(width).zip(panels) {
                // The rows of a narrow panel are as many vectors as it needs.
                dw.copy_from_slice(&panel[row * dw.len().next_multiple_of(lanes)..][..dw.len()]);
            }
        });
    }

    /// The sums of one part of the batch and one block of columns; those of dy by the first block of a group alone.
    fn task(&self, dy: &[f32], x: &[f32], task: usize, sums: &mut [f32], mut db: Option<&mut [f32]>) {
        let (blocks, groups, tasks) = (self.blocks(), self.panels.len(), self.bands.tasks());
        let (block, group, part) = (task % blocks, task / blocks % groups, task / (blocks * groups));
        let panels = &self.panels[group];
        let panels = &panels[block * self.block..panels.len().min((block + 1) * self.block)];
        db = db.filter(|_| block == 0);
        db.iter_mut().for_each(|db| db.fill(0.0));
        sums.fill(0.0);
        PACKED.with(self.packed(), |packed| {
            let (right, left) = packed.split_at_mut(PANEL + width());
            for number in part * tasks / self.count..(part + 1) * tasks / self.count {
                let ([image, first], images) = self.bands.task(number);
                let pixels = &self.pixels[..self.bands.pixels_of(&self.pass, first, images)];
                let begin = image * self.results + first * (self.results / self.pass.rows.count);
                let dy = &dy[begin + group * self.of_output()..];
                self.bands.with(x, [image, first], images, |source| {
                    let sums = Sums {
                        dy,
                        source,
                        pixels,
                        panels,
                        rows: self.of_output(),
                        columns: self.columns - block * self.block * width(),
                        packed: [&mut *left, &mut *right],
                        sums: &mut *sums,
                        db: db.as_deref_mut(),
                    };
                    Arch::new().dispatch(sums);
                });
            }
        });
    }
}

/// sums += dyᵀ · what the pixels see, panel by panel.
struct Sums<'a> {
    dy: &'a [f32],
    source: &'a [f32],
    pixels: &'a [Pixel],
    panels: &'a [Vec<Piece>],
    /// Rows of the result, and columns from the first panel on.
    rows: usize,
    columns: usize,
    /// Room for what rows and columns of a few pixels are made of.
    packed: [&'a mut [f32]; 2],
    sums: &'a mut [f32],
    db: Option<&'a mut [f32]>,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (width, all) = (tile_width::<S>(), self.pixels);
        let chunks = all.len().div_ceil(PANEL / width).max(1);
        for chunk in 0..chunks {
            self.pixels = &all[chunk * all.len() / chunks..(chunk + 1) * all.len() / chunks];
            let mut row = 0;
            for height in tiles(self.rows) {
                self.bring_rows(row, height);
                row += height;
            }
            for panel in 0..self.panels.len() {
                match (self.columns - panel * width).min(width).div_ceil(S::F32_LANES) {
                    1 => self.panel::<S, 1>(simd, panel),
                    2 => self.panel::<S, 2>(simd, panel),
                    3 => self.panel::<S, 3>(simd, panel),
                    _ => self.panel::<S, 4>(simd, panel),
                }
            }
        }
    }
}

impl Sums<'_> {
    #[inline(always)]
    fn bring_rows(&mut self, row: usize, height: usize) {
        match height {
            1 => self.rows::<1>(row),
            2 => self.rows::<2>(row),
            3 => self.rows::<3>(row),
            4 => self.rows::<4>(row),
            5 => self.rows::<5>(row),
            _ => self.rows::<TILE>(row),
        }
    }

    /// The rows of a tile, pixel by pixel, and their sums.
    #[inline(always)]
    fn rows<const ROWS: usize>(&mut self, row: usize) {
        let to = self.packed[0][row * self.pixels.len()..].as_chunks_mut::<ROWS>().0;
        let mut sums = [0.0; ROWS];
        for (to, pixel) in to.iter_mut().zip(self.pixels) {
            to.copy_from_slice(&self.dy[pixel[1] as usize + row..][..ROWS]);
            add(&mut sums, to);
        }
        if let Some(db) = &mut self.db {
            add(&mut db[row..][..ROWS], &sums);
        }
    }

    /// What the pixels see of a panel's columns, and its products with all rows.
    #[inline(always)]
    fn panel<S: Simd, const VECTORS: usize>(&mut self, simd: S, panel: usize) {
        if VECTORS > tile_vectors::<S>() {
            return;
        }
        let (width, terms) = (VECTORS * S::F32_LANES, self.pixels.len());
        let [left, right] = &mut self.packed;
        for (number, pixel) in self.pixels.iter().enumerate() {
            // Whole vectors: what is behind a piece is overwritten by the next, or belongs to no column.
            for piece in &self.panels[panel] {
                let from = S::as_simd_f32s(&self.source[pixel[0] as usize + piece.seen..][..width]).0;
                let to = S::as_mut_simd_f32s(&mut right[number * width + piece.column..][..width]).0;
                to[..VECTORS].copy_from_slice(&from[..VECTORS]);
            }
        }
        let right = S::as_simd_f32s(&right[..width * terms]).0.as_chunks::<VECTORS>().0;
        let sums = &mut self.sums[panel * self.rows * tile_width::<S>()..];
        let mut row = 0;
        for height in tiles(self.rows) {
            let (left, sums) = (&left[row * terms..][..height * terms], &mut sums[row * width..][..height * width]);
            match height {
                1 => tile::<S, 1, VECTORS>(simd, left, right, sums),
                2 => tile::<S, 2, VECTORS>(simd, left, right, sums),
                3 => tile::<S, 3, VECTORS>(simd, left, right, sums),
                4 => tile::<S, 4, VECTORS>(simd, left, right, sums),
                5 => tile::<S, 5, VECTORS>(simd, left, right, sums),
                _ => tile::<S, TILE, VECTORS>(simd, left, right, sums),
            }
            row += height;
        }
    }
}

/// sums += Σ left · right, terms by so many rows times terms by so many vectors. Several terms at a time: a processor has little to
/// spare beside the products.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[f32],
    right: &[[S::f32s; VECTORS]],
    sums: &mut [f32],
) {
    const SEVERAL: usize = 4;
    let mut local = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    let mut term = |left: &[f32; ROWS], right: &[S::f32s; VECTORS]| {
        for (sums, &left) in local.iter_mut().zip(left) {
            let left = simd.splat_f32s(left);
            for (sum, &right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_e_f32s(left, right, *sum);
            }
        }
    };
    let (left, left_rest) = left.as_chunks::<ROWS>().0.as_chunks::<SEVERAL>();
    let (right, right_rest) = right.as_chunks::<SEVERAL>();
    for (left, right) in left.iter().zip(right) {
        for number in 0..SEVERAL {
            term(&left[number], &right[number]);
        }
    }
    for (left, right) in left_rest.iter().zip(right_rest) {
        term(left, right);
    }
    let sums = S::as_mut_simd_f32s(sums).0.as_chunks_mut::<VECTORS>().0;
    for (sums, local) in sums.iter_mut().zip(&local) {
        for (sum, &local) in sums.iter_mut().zip(local) {
            *sum = simd.add_f32s(*sum, local);
        }
    }
}
