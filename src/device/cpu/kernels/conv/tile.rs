//! Tiles of a convolution's results in registers: a few pixels by the vectors that a processor has room for.
//!
//! Like the tiles of `product`, but each row of the left operand lies where it wants, so that a tile is full wherever
//! the rows of an image end.

use pulp::{Simd, WithSimd};

use crate::device::cpu::kernels::product::{TILE, store, tile_vectors, tile_width, tiles};
use crate::vectors::dispatch;

/// How a right operand lies in panels as wide as a tile, or column by column.
pub(super) struct Packed {
    pub rows: usize,
    pub columns: usize,
    pub width: usize,
    /// Where its panels begin among those of a convolution.
    pub begin: usize,
}

impl Packed {
    /// An operand of so many rows and columns in panels of so many of these, from here on.
    pub fn new(rows: usize, columns: usize, width: usize, begin: usize) -> Self {
        Packed { rows, columns, width, begin }
    }

    /// Numbers of its panels.
    pub fn words(&self) -> usize {
        self.columns.div_ceil(self.width) * self.width * self.rows
    }
}

/// Columns of a tile on this processor.
pub(super) fn width() -> usize {
    dispatch(Shape).0
}

/// Numbers of a vector on this processor.
pub(super) fn lanes() -> usize {
    dispatch(Shape).1
}

/// Columns of a tile, and of a vector.
struct Shape;

impl WithSimd for Shape {
    type Output = (usize, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> (usize, usize) {
        (tile_width::<S>(), S::F32_LANES)
    }
}

/// A stretch of the inner dimension: numbers of the left operand side by side, from each row's begin on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Where it begins for a row that begins at 0.
    pub offset: usize,
    /// Its first row of the right operand.
    pub row: usize,
    pub terms: usize,
}

/// Terms that are taken in one go.
const SEVERAL: usize = 4;

/// Where a row of the left operand begins, and where its results go.
pub(super) type Pixel = [u32; 2];

/// Results += or = rows of `source` times `packed`, over groups of pieces, each small enough to stay in the first-level cache.
pub(super) struct PatchProduct<'a> {
    pub source: &'a [f32],
    pub pixels: &'a [Pixel],
    pub pieces: &'a [Vec<Piece>],
    pub packed: &'a Packed,
    /// Its panels.
    pub panels: &'a [f32],
    /// Results, and the first of them that a pixel at 0 has.
    pub results: &'a mut [f32],
    pub first: usize,
}

impl PatchProduct<'_> {
    /// Computes it on this thread.
    pub fn run(self) {
        dispatch(self);
    }
}

impl WithSimd for PatchProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let PatchProduct { source, pixels, pieces, packed, panels, results, first } = self;
        let Packed { rows, columns, width, .. } = packed;
        for (panel, b) in panels.chunks_exact(rows * width).enumerate() {
            let left = (columns - panel * width).min(*width);
            for (number, pieces) in pieces.iter().enumerate() {
                let mut at = 0;
                for height in tiles(pixels.len()) {
                    let tile = Tile { source, b, pieces, columns: left, add: number > 0 };
                    tile.run(simd, &pixels[at..at + height], &mut *results, first + panel * width);
                    at += height;
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Tile<'a> {
    source: &'a [f32],
    b: &'a [f32],
    pieces: &'a [Piece],
    columns: usize,
    add: bool,
}

impl Tile<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, pixels: &[Pixel], results: &mut [f32], first: usize) {
        match self.columns.div_ceil(S::F32_LANES) {
            1 => self.high::<S, 1>(simd, pixels, results, first),
            2 => self.high::<S, 2>(simd, pixels, results, first),
            3 => self.high::<S, 3>(simd, pixels, results, first),
            _ => self.high::<S, 4>(simd, pixels, results, first),
        }
    }

    #[inline(always)]
    fn high<S: Simd, const VECTORS: usize>(self, simd: S, pixels: &[Pixel], results: &mut [f32], first: usize) {
        if VECTORS > tile_vectors::<S>() {
            return;
        }
        match pixels.len() {
            1 => self.compute::<S, 1, VECTORS>(simd, pixels, results, first),
            2 => self.compute::<S, 2, VECTORS>(simd, pixels, results, first),
            3 => self.compute::<S, 3, VECTORS>(simd, pixels, results, first),
            4 => self.compute::<S, 4, VECTORS>(simd, pixels, results, first),
            5 => self.compute::<S, 5, VECTORS>(simd, pixels, results, first),
            _ => self.compute::<S, TILE, VECTORS>(simd, pixels, results, first),
        }
    }

    #[inline(always)]
    fn compute<S: Simd, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
        pixels: &[Pixel],
        results: &mut [f32],
        first: usize,
    ) {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        let mut begins = [0; ROWS];
        begins.iter_mut().zip(pixels).for_each(|(begin, pixel)| *begin = pixel[0] as usize);
        for piece in self.pieces {
            self.accumulate(simd, &begins, *piece, &mut sums);
        }
        for (pixel, sums) in pixels.iter().zip(&sums) {
            store(simd, sums, &mut results[pixel[1] as usize + first..][..self.columns], self.add);
        }
    }

    /// Adds the products of a piece.
    #[allow(unsafe_code)]
    #[inline(always)]
    fn accumulate<S: Simd, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
        begins: &[usize; ROWS],
        piece: Piece,
        sums: &mut [[S::f32s; VECTORS]; ROWS],
    ) {
        let Piece { offset, row, terms } = piece;
        let width = tile_width::<S>();
        assert!(begins.iter().all(|begin| begin + offset + terms <= self.source.len()));
        assert!((row + terms) * width <= self.b.len() && VECTORS * S::F32_LANES <= width);
        let mut b = self.b[row * width..].as_ptr();
        let mut local = *sums;
        let mut rows = [self.source.as_ptr(); ROWS];
        // SAFETY: every row's begin with the piece behind it was checked above, and so were the rows of `b`, each of
        // at least as many numbers as a tile is wide; a vector of floats is as many floats in a row, and is read without
        // regard to alignment.
        unsafe {
            rows.iter_mut().zip(begins).for_each(|(row, begin)| *row = row.add(begin + offset));
            let mut products = |b: *const f32, term: usize| {
                let mut right = [simd.splat_f32s(0.0); VECTORS];
                for (vector, right) in right.iter_mut().enumerate() {
                    *right = b.add(vector * S::F32_LANES).cast::<S::f32s>().read_unaligned();
                }
                for (row, sums) in rows.iter().zip(&mut local) {
                    let left = simd.splat_f32s(*row.add(term));
                    for (sum, &right) in sums.iter_mut().zip(&right) {
                        *sum = simd.mul_add_e_f32s(left, right, *sum);
                    }
                }
            };
            // Several terms at a time: a processor has little to spare beside the products.
            let whole = terms - terms % SEVERAL;
            for term in (0..whole).step_by(SEVERAL) {
                for number in 0..SEVERAL {
                    products(b.add(number * width), term + number);
                }
                b = b.add(SEVERAL * width);
            }
            for term in whole..terms {
                products(b, term);
                b = b.add(width);
            }
        }
        *sums = local;
    }
}
