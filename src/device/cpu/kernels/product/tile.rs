//! A tile of results that stays in registers while it goes along the inner dimension.

use std::hint::black_box;
use std::ops::Range;

use pulp::Simd;

use crate::device::cpu::memory::LINE;

/// Rows of a tile.
pub(in crate::device::cpu::kernels) const TILE: usize = 6;
/// Pieces of terms, such as panels, that go into a tile before it is stored: what of the right operand stays near for the tiles to come.
pub(in crate::device::cpu::kernels) const DEPTH: usize = 4;

/// Vectors of a tile's row: as many as leave registers for an operand of each side.
pub(in crate::device::cpu::kernels) const fn tile_vectors<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

/// Columns of a tile.
pub(in crate::device::cpu::kernels) const fn tile_width<S: Simd>() -> usize {
    tile_vectors::<S>() * S::F32_LANES
}

/// Heights of the tiles of so many rows, as even as can be.
#[inline(always)]
pub(in crate::device::cpu::kernels) fn tiles(rows: usize) -> impl Iterator<Item = usize> {
    let count = rows.div_ceil(TILE);
    (0..count).map(move |i| (i + 1) * rows / count - i * rows / count)
}

/// Stores a row of a tile, or adds it to what is there; the last vector may reach beyond the row.
#[inline(always)]
pub(in crate::device::cpu::kernels) fn store<S: Simd>(simd: S, sums: &[S::f32s], row: &mut [f32], add: bool) {
    for (vector, &sum) in sums.iter().enumerate() {
        let c = &mut row[vector * S::F32_LANES..];
        if c.len() >= S::F32_LANES {
            let (c, _) = S::as_mut_simd_f32s(c);
            c[0] = if add { simd.add_f32s(c[0], sum) } else { sum };
        } else {
            let sum = if add { simd.add_f32s(simd.partial_load_f32s(c), sum) } else { sum };
            simd.partial_store_f32s(c, sum);
        }
    }
}

/// A piece of a product's inner dimension.
#[derive(Clone, Copy, Default)]
pub(in crate::device) struct Stretch<'a> {
    /// Left operand, from its first row.
    pub a: &'a [f32],
    /// Right operand, from its first column.
    pub b: &'a [f32],
    /// How many terms.
    pub terms: usize,
}

/// What goes into a tile before it is stored, collected once for all tiles that go along it.
pub(super) struct Stretches<'a> {
    all: [Stretch<'a>; DEPTH],
    count: usize,
}

impl<'a> Stretches<'a> {
    /// Up to [`DEPTH`] pieces.
    #[inline(always)]
    pub fn of(pieces: impl Iterator<Item = Stretch<'a>>) -> Self {
        let mut all = [Stretch::default(); DEPTH];
        let mut count = 0;
        for piece in pieces {
            // More of them would be a fault of the caller's, and end here.
            all[count] = piece;
            count += 1;
        }
        Stretches { all, count }
    }

    /// Copies a line's columns of the right operands, whose terms are `stride` words apart, one behind the other.
    #[inline(always)]
    pub fn copy(&self, stride: usize, to: &mut [f32]) {
        let terms = self.all[..self.count].iter().flat_map(|piece| piece.b.chunks(stride).take(piece.terms));
        for (to, from) in to.as_chunks_mut::<LINE>().0.iter_mut().zip(terms) {
            to.copy_from_slice(&from[..LINE]);
        }
    }

    /// The same with right operands that were copied.
    #[inline(always)]
    pub fn read(&mut self, copy: &'a [f32]) {
        let mut first = 0;
        for piece in &mut self.all[..self.count] {
            piece.b = &copy[first * LINE..];
            first += piece.terms;
        }
    }
}

/// How the operands and results of a tile lie in memory.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// Of the left operand, from one row to the next, and from one term.
    pub a_strides: [usize; 2],
    /// From one term of the right operand to the next.
    pub b_stride: usize,
    /// From one row of results to the next.
    pub c_stride: usize,
    /// Columns of results.
    pub columns: usize,
    /// Whether to add to what is there.
    pub add: bool,
    /// What is asked for meanwhile.
    pub ahead: Ahead,
}

/// What of the right operand is asked for while a tile is computed. The tiles along a piece of it share out the piece to come, which
/// else only the first of them would wait for, a cache line at a time: that costs a tenth to a third of a wide layer.
#[derive(Clone, Copy)]
pub(super) struct Ahead {
    /// Words from a stretch's begin to the first that is asked for.
    from: usize,
    /// Words from what is asked for at one term to what is at the next.
    step: usize,
}

impl Ahead {
    /// For operands whose next piece lies elsewhere: what is wanted anyway.
    pub const NOTHING: Self = Ahead { from: 0, step: 0 };

    /// The share of this tile out of so many, in strips of so many columns: the next piece is so many words away, and gone along in
    /// stretches of so many terms.
    pub fn share(number: usize, tiles: usize, columns: usize, [away, terms]: [usize; 2]) -> Self {
        let step = columns.div_ceil(tiles);
        Ahead { from: away + number * terms * step, step }
    }
}

/// Asks for the cache line at an address, or at none.
#[allow(unsafe_code)]
#[inline(always)]
fn prefetch(address: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: an address that nothing is at is passed over.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    // Elsewhere there is no such instruction in stable Rust.
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

impl Tile {
    /// The tile of these rows of the left operand, at `c`'s begin.
    #[inline(always)]
    pub fn run<S: Simd>(self, simd: S, rows: Range<usize>, stretches: &Stretches<'_>, c: &mut [f32]) {
        match self.columns.div_ceil(S::F32_LANES) {
            1 => self.high::<S, 1>(simd, rows, stretches, c),
            2 => self.high::<S, 2>(simd, rows, stretches, c),
            3 => self.high::<S, 3>(simd, rows, stretches, c),
            _ => self.high::<S, 4>(simd, rows, stretches, c),
        }
    }

    #[inline(always)]
    fn high<S: Simd, const VECTORS: usize>(
        self,
        simd: S,
        rows: Range<usize>,
        stretches: &Stretches<'_>,
        c: &mut [f32],
    ) {
        if VECTORS > tile_vectors::<S>() {
            return;
        }
        let row = rows.start;
        match rows.len() {
            1 => self.compute::<S, 1, VECTORS>(simd, row, stretches, c),
            2 => self.compute::<S, 2, VECTORS>(simd, row, stretches, c),
            3 => self.compute::<S, 3, VECTORS>(simd, row, stretches, c),
            4 => self.compute::<S, 4, VECTORS>(simd, row, stretches, c),
            5 => self.compute::<S, 5, VECTORS>(simd, row, stretches, c),
            _ => self.compute::<S, TILE, VECTORS>(simd, row, stretches, c),
        }
    }

    #[inline(always)]
    fn compute<S: Simd, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
        row: usize,
        stretches: &Stretches<'_>,
        c: &mut [f32],
    ) {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        // Where registers are few the sums lie in memory between two pieces, and nobody is to know better: a compiler that keeps them
        // in registers all the way runs out of these within the loop, which then takes twice as long.
        let sums = if S::REGISTER_COUNT < 32 { black_box(&mut sums) } else { &mut sums };
        for &stretch in &stretches.all[..stretches.count] {
            self.accumulate(simd, row, stretch, sums);
        }
        for (row, sums) in sums.iter().enumerate() {
            store(simd, sums, &mut c[row * self.c_stride..][..self.columns], self.add);
        }
    }

    /// Adds the products of a stretch.
    #[allow(unsafe_code)]
    #[inline(always)]
    fn accumulate<S: Simd, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
        row: usize,
        Stretch { a, b, terms }: Stretch<'_>,
        sums: &mut [[S::f32s; VECTORS]; ROWS],
    ) {
        let Some(last) = terms.checked_sub(1) else { return };
        let [a_row, a_term] = self.a_strides;
        assert!((row + ROWS - 1) * a_row + last * a_term < a.len());
        assert!(last * self.b_stride + VECTORS * S::F32_LANES <= b.len());
        let (a, b) = (a.as_ptr(), b.as_ptr());
        let mut ahead = b.wrapping_add(self.ahead.from);
        let mut local = *sums;
        for term in 0..terms {
            prefetch(ahead);
            ahead = ahead.wrapping_add(self.ahead.step);
            // SAFETY: the largest offsets, those of the last row and term, were checked above; a vector of
            // floats is as many floats in a row, and is read without regard to alignment.
            unsafe {
                let a = a.add(row * a_row + term * a_term);
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
