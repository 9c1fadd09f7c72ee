//! Sums of dyᵀ times what the pixels see: a few pixels at a time are brought side by side, what they see a panel of columns after
//! the other and their gradients a tile of rows after the other, so that the products run along memory whatever strides, taps
//! and channels are.

use pulp::{Simd, WithSimd};

use super::gradient::Part;
use super::passes::Run;
use super::tile::{Pixel, lanes, width};
use crate::device::cpu::kernels::product::{TILE, tile_vectors, tile_width, tiles};
use crate::device::cpu::math::add;
use crate::device::cpu::pool::Pool;
use crate::threads::current_num_threads;
use crate::vectors::dispatch;

/// Numbers of a panel: what stays in the first-level cache while all rows go by.
const PANEL: usize = 4096;

/// What a task brings side by side.
static PACKED: Pool = Pool::new();

/// The columns of all groups in panels, cut into blocks of these.
pub(super) struct Panels {
    /// What the columns of each panel of each group see of a band, and where they lie in it.
    panels: Vec<Vec<Vec<Piece>>>,
    /// Rows and columns of the result of a group.
    rows: usize,
    columns: usize,
    /// Panels of a block.
    block: usize,
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

impl Panels {
    /// The panels for so many rows, given what the first pixel sees of each group, in so many blocks at most.
    pub fn new(runs: &[Vec<Run>], rows: usize, blocks: usize) -> Self {
        let panels: Vec<_> = runs.iter().map(|runs| panels(runs, width())).collect();
        let columns = runs.first().map_or(0, |runs| runs.iter().map(|run| run.terms).sum());
        let block = columns.div_ceil(width()).div_ceil(blocks).max(1);
        let panels = Panels { panels, rows, columns, block };
        PACKED.reserve(current_num_threads(), panels.packed());
        panels
    }

    /// Blocks of a group.
    pub fn blocks(&self) -> usize {
        self.columns.div_ceil(width()).div_ceil(self.block)
    }

    /// Sums of a block.
    pub fn words(&self) -> usize {
        self.block * self.rows * width()
    }

    /// Numbers that a task brings side by side: those of the columns, with room for a vector behind them, and those of the rows.
    fn packed(&self) -> usize {
        PANEL + width() + PANEL / width() * self.rows
    }

    /// Adds what a band gives to the sums of a block of a group.
    pub fn add(&self, [group, block]: [usize; 2], part: Part<'_>) {
        let panels = &self.panels[group];
        let panels = &panels[block * self.block..panels.len().min((block + 1) * self.block)];
        let Part { dy, source, pixels, sums, db } = part;
        PACKED.with(self.packed(), |packed| {
            let (right, left) = packed.split_at_mut(PANEL + width());
            let columns = self.columns - block * self.block * width();
            let packed = [left, right];
            dispatch(Sums { dy, source, pixels, panels, rows: self.rows, columns, packed, sums, db });
        });
    }

    /// A row of a group's result, given the sums of its blocks.
    pub fn row(&self, sums: &[f32], row: usize, dw: &mut [f32]) {
        let (width, lanes) = (width(), lanes());
        for (dw, panel) in dw.chunks_mut(width).zip(sums.chunks_exact(self.rows * width)) {
            // The rows of a narrow panel are as many vectors as it needs.
            dw.copy_from_slice(&panel[row * dw.len().next_multiple_of(lanes)..][..dw.len()]);
        }
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
