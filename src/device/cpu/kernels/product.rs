//! Matrix products: register tiles over panels of the right operand.
//!
//! A tile keeps its results in registers while it goes along the inner dimension; with 512-bit registers
//! it is 6 × 64, with 256 bits 6 × 16. The right operand lies in panels of 64 columns, row after row, or
//! wherever its rows are contiguous. The order of every sum depends on the shape alone.

use pulp::{Arch, Simd, WithSimd};

use crate::device::cpu::memory::LINE;
use crate::device::cpu::panels::{PANEL, Paneled, Panels};

/// Rows of a tile.
pub(super) const TILE: usize = 6;
/// Panels of terms that go into a tile before it is stored: what of the right operand stays in the
/// first-level cache for the tiles to come.
const DEPTH: usize = 2;

/// c = a · b, for matrices in panels.
pub(in crate::device) struct RowProduct<'a> {
    /// Left operand.
    pub a: &'a [f32],
    /// Its layout.
    pub a_layout: Paneled,
    /// Right operand.
    pub b: &'a Panels,
    /// Results.
    pub c: &'a mut [f32],
    /// Their layout.
    pub c_layout: Paneled,
    /// Rows that are computed.
    pub rows: usize,
}

impl RowProduct<'_> {
    /// Computes it on this thread.
    pub fn run(self) {
        Arch::new().dispatch(self);
    }
}

impl WithSimd for RowProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = tile_width::<S>();
        let (a_stride, c_stride) = (self.a_layout.stride(), self.c_layout.stride());
        let panels = self.a_layout.panels();
        let b = self.b.each();
        for (panel, (b, c)) in b.zip(self.c.chunks_mut(self.c_layout.panel_words())).enumerate() {
            let columns = self.c_layout.width(panel).next_multiple_of(LINE);
            for top in (0..panels).step_by(DEPTH) {
                for column in (0..columns).step_by(width) {
                    let mut row = 0;
                    for rows in tiles(self.rows) {
                        let stretch = |panel: usize| Stretch {
                            a: &self.a[panel * self.a_layout.panel_words() + row * a_stride..],
                            b: &b[panel * PANEL * PANEL + column..],
                            terms: self.a_layout.width(panel),
                        };
                        let tile = Tile {
                            a_strides: [a_stride, 1],
                            b_stride: PANEL,
                            c_stride,
                            columns: width.min(columns - column),
                            add: top > 0,
                        };
                        let stretches = (top..panels.min(top + DEPTH)).map(stretch);
                        tile.run(simd, rows, stretches, &mut c[row * c_stride + column..]);
                        row += rows;
                    }
                }
            }
        }
    }
}

/// Rows of c \[m, n\] = Σ over stretches of aᵀ · b, whose terms are rows of panels of a and b.
pub(in crate::device) struct StretchProduct<'a, F> {
    /// The stretches for a panel and its column of a, and one of b.
    pub stretches: F,
    /// From one term to the next, of both operands.
    pub strides: [usize; 2],
    /// Number of the first row.
    pub first: usize,
    /// Results, row after row.
    pub c: &'a mut [f32],
    /// Columns of the result.
    pub columns: usize,
    /// Whether to add to what is there.
    pub add: bool,
}

impl<'a, F: Fn([usize; 2], [usize; 2]) -> I, I: Iterator<Item = Stretch<'a>>> StretchProduct<'_, F> {
    /// Computes it on this thread.
    pub fn run(self) {
        Arch::new().dispatch(self);
    }
}

impl<'a, F: Fn([usize; 2], [usize; 2]) -> I, I: Iterator<Item = Stretch<'a>>> WithSimd for StretchProduct<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = tile_width::<S>();
        let end = self.first + self.c.len() / self.columns;
        for column in (0..self.columns).step_by(width) {
            let mut row = self.first;
            while row < end {
                // Up to where a panel of `a` ends.
                for rows in tiles((end - row).min(PANEL - row % PANEL)) {
                    let tile = Tile {
                        a_strides: [1, self.strides[0]],
                        b_stride: self.strides[1],
                        c_stride: self.columns,
                        columns: width.min(self.columns - column),
                        add: self.add,
                    };
                    let stretches = (self.stretches)([row / PANEL, row % PANEL], [column / PANEL, column % PANEL]);
                    let c = &mut self.c[(row - self.first) * self.columns + column..];
                    tile.run(simd, rows, stretches, c);
                    row += rows;
                }
            }
        }
    }
}

/// Vectors of a tile's row: as many as leave registers for an operand of each side.
pub(super) const fn tile_vectors<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

pub(super) const fn tile_width<S: Simd>() -> usize {
    tile_vectors::<S>() * S::F32_LANES
}

/// Heights of the tiles of so many rows, as even as can be.
#[inline(always)]
pub(super) fn tiles(rows: usize) -> impl Iterator<Item = usize> {
    let count = rows.div_ceil(TILE);
    (0..count).map(move |i| (i + 1) * rows / count - i * rows / count)
}

/// A piece of a product's inner dimension.
pub(in crate::device) struct Stretch<'a> {
    /// Left operand, from its first row.
    pub a: &'a [f32],
    /// Right operand, from its first column.
    pub b: &'a [f32],
    /// How many terms.
    pub terms: usize,
}

#[derive(Clone, Copy)]
struct Tile {
    a_strides: [usize; 2],
    b_stride: usize,
    c_stride: usize,
    columns: usize,
    add: bool,
}

impl Tile {
    /// The tile of this height, at `c`'s begin.
    #[inline(always)]
    fn run<'a, S: Simd>(self, simd: S, rows: usize, stretches: impl Iterator<Item = Stretch<'a>>, c: &mut [f32]) {
        match self.columns.div_ceil(S::F32_LANES) {
            1 => self.high::<S, 1>(simd, rows, stretches, c),
            2 => self.high::<S, 2>(simd, rows, stretches, c),
            3 => self.high::<S, 3>(simd, rows, stretches, c),
            _ => self.high::<S, 4>(simd, rows, stretches, c),
        }
    }

    #[inline(always)]
    fn high<'a, S: Simd, const VECTORS: usize>(
        self,
        simd: S,
        rows: usize,
        stretches: impl Iterator<Item = Stretch<'a>>,
        c: &mut [f32],
    ) {
        if VECTORS > tile_vectors::<S>() {
            return;
        }
        match rows {
            1 => self.compute::<S, 1, VECTORS>(simd, stretches, c),
            2 => self.compute::<S, 2, VECTORS>(simd, stretches, c),
            3 => self.compute::<S, 3, VECTORS>(simd, stretches, c),
            4 => self.compute::<S, 4, VECTORS>(simd, stretches, c),
            5 => self.compute::<S, 5, VECTORS>(simd, stretches, c),
            _ => self.compute::<S, TILE, VECTORS>(simd, stretches, c),
        }
    }

    #[inline(always)]
    fn compute<'a, S: Simd, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
        stretches: impl Iterator<Item = Stretch<'a>>,
        c: &mut [f32],
    ) {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        for Stretch { a, b, terms } in stretches {
            self.accumulate(simd, a, b, terms, &mut sums);
        }
        for (row, sums) in sums.iter().enumerate() {
            let c = &mut c[row * self.c_stride..][..self.columns];
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

    /// Adds the products of a stretch.
    #[allow(unsafe_code)]
    #[inline(always)]
    fn accumulate<S: Simd, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
        a: &[f32],
        b: &[f32],
        terms: usize,
        sums: &mut [[S::f32s; VECTORS]; ROWS],
    ) {
        let Some(last) = terms.checked_sub(1) else { return };
        let [a_row, a_term] = self.a_strides;
        assert!((ROWS - 1) * a_row + last * a_term < a.len());
        assert!(last * self.b_stride + VECTORS * S::F32_LANES <= b.len());
        let (a, b) = (a.as_ptr(), b.as_ptr());
        let mut local = *sums;
        for term in 0..terms {
            // SAFETY: the largest offsets, those of the last row and term, were checked above; a vector of
            // floats is as many floats in a row, and is read without regard to alignment.
            unsafe {
                let a = a.add(term * a_term);
                let b = b.add(term * self.b_stride);
                let mut right = [simd.splat_f32s(0.0); VECTORS];
                for (vector, right) in right.iter_mut().enumerate() {
                    *right = b.add(vector * S::F32_LANES).cast::<S::f32s>().read_unaligned();
                }
                for (row, sums) in local.iter_mut().enumerate() {
                    let left = simd.splat_f32s(*a.add(row * a_row));
                    for (sum, &right) in sums.iter_mut().zip(&right) {
                        *sum = simd.mul_add_e_f32s(left, right, *sum);
                    }
                }
            }
        }
        *sums = local;
    }
}
