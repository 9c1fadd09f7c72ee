//! Matrix products: register tiles over strips of the right operand.
//!
//! A tile keeps its results in registers while it goes along the inner dimension; with 512-bit registers
//! it is 6 × 64, with 256 bits 6 × 16. The right operand lies in strips of as many columns, row after row, or
//! wherever its rows are contiguous, and is copied to a strip first where that is worth it. The order of every
//! sum depends on the shape alone.

mod packed;
mod strips;
mod tile;

use pulp::{Simd, WithSimd};

use crate::device::cpu::memory::LINE;
use crate::device::cpu::panels::{PANEL, Paneled};
use crate::vectors::dispatch;
use tile::{Ahead, Stretches, Tile};

pub(in crate::device) use packed::copy_words;
pub(in crate::device) use strips::Strips;
pub(in crate::device) use tile::Stretch;
pub(super) use tile::{DEPTH, TILE, store, tile_vectors, tile_width, tiles};

/// c = a · b, for a and c in panels.
pub(in crate::device) struct RowProduct<'a> {
    /// Left operand.
    pub a: &'a [f32],
    /// Its layout.
    pub a_layout: Paneled,
    /// Right operand, in strips for the instructions that compute this.
    pub b: &'a Strips,
    /// Results.
    pub c: &'a mut [f32],
    /// Their layout.
    pub c_layout: Paneled,
    /// Rows that are computed.
    pub rows: usize,
    /// Room for [`copy_words`].
    pub copy: &'a mut [f32],
}

impl RowProduct<'_> {
    /// Computes it on this thread.
    pub fn run(self) {
        dispatch(self);
    }
}

impl WithSimd for RowProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.is_packed::<S>() {
            return self.run_packed(simd);
        }
        let width = tile_width::<S>();
        let (a_stride, c_stride) = (self.a_layout.stride(), self.c_layout.stride());
        let (panels, strip) = (self.a_layout.panels(), self.b.columns());
        for (number, b) in self.b.each().enumerate() {
            // Where the strip's columns are among those of results.
            let (panel, first) = (number * strip / PANEL, number * strip % PANEL);
            let c = &mut self.c[panel * self.c_layout.panel_words() + first..];
            let columns = strip.min(self.c_layout.width(panel).next_multiple_of(LINE) - first);
            let count = self.rows.div_ceil(TILE) * columns.div_ceil(width);
            for top in (0..panels).step_by(DEPTH) {
                let mut number = 0;
                for column in (0..columns).step_by(width) {
                    let stretches = Stretches::of((top..panels.min(top + DEPTH)).map(
                        #[inline(always)]
                        |panel: usize| Stretch {
                            a: &self.a[panel * self.a_layout.panel_words()..],
                            b: &b[panel * PANEL * strip + column..],
                            terms: self.a_layout.width(panel),
                        },
                    ));
                    let mut row = 0;
                    for rows in tiles(self.rows) {
                        let tile = Tile {
                            a_strides: [a_stride, 1],
                            b_stride: strip,
                            c_stride,
                            columns: width.min(columns - column),
                            add: top > 0,
                            ahead: Ahead::share(number, count, strip, [DEPTH * PANEL * strip, PANEL]),
                        };
                        number += 1;
                        tile.run(simd, row..row + rows, &stretches, &mut c[row * c_stride + column..]);
                        row += rows;
                    }
                }
            }
        }
    }
}

/// Most terms that are summed at a time: what both operands' caches hold.
pub(super) const SAMPLES: usize = 128;
/// Rows of a result from which on the right operand is copied to a strip of a line's columns, where a tile has that many.
const COPIED: usize = 4 * TILE;

/// Rows of c \[m, n\] = Σ over stretches of aᵀ · b, whose terms are rows of panels of a and b.
pub(in crate::device) struct StretchProduct<'a, F> {
    /// The stretches for a panel and its column of a, and one of b: up to [`SAMPLES`] terms.
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
        dispatch(self);
    }
}

impl<'a, F: Fn([usize; 2], [usize; 2]) -> I, I: Iterator<Item = Stretch<'a>>> WithSimd for StretchProduct<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = tile_width::<S>();
        let end = self.first + self.c.len() / self.columns;
        let copies = width == LINE && end - self.first >= COPIED;
        let mut copy = [0.0; SAMPLES * LINE];
        for column in (0..self.columns).step_by(width) {
            let mut row = self.first;
            while row < end {
                // Up to where a panel of `a` ends.
                let (begin, height) = (row % PANEL, (end - row).min(PANEL - row % PANEL));
                let stretches = (self.stretches)([row / PANEL, begin], [column / PANEL, column % PANEL]);
                let mut stretches = Stretches::of(stretches);
                let mut b_stride = self.strides[1];
                if copies {
                    if row == self.first {
                        stretches.copy(b_stride, &mut copy);
                    }
                    stretches.read(&copy);
                    b_stride = LINE;
                }
                let mut down = 0;
                for rows in tiles(height) {
                    let tile = Tile {
                        a_strides: [1, self.strides[0]],
                        b_stride,
                        c_stride: self.columns,
                        columns: width.min(self.columns - column),
                        add: self.add,
                        ahead: Ahead::NOTHING,
                    };
                    let c = &mut self.c[(row + down - self.first) * self.columns + column..];
                    tile.run(simd, down..down + rows, &stretches, c);
                    down += rows;
                }
                row += height;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::memory::Words;
    use crate::rng::{Rng, Stream, stream_key};
    use crate::vectors::each;

    /// a · b for matrices of these sizes, with each set of instructions.
    fn products([rows, terms, columns]: [usize; 3]) -> Vec<Vec<f32>> {
        let mut rng = Rng::new(stream_key(1, Stream::Data));
        let mut random = |count: usize| -> Vec<f32> { (0..count).map(|_| rng.uniform() - 0.5).collect() };
        let [a_layout, c_layout] = [terms, columns].map(|columns| Paneled { rows, columns });
        let (matrix, a) = (random(terms * columns), random(a_layout.words()));
        let product = |arch: pulp::Arch| {
            let mut b = Strips::with(terms, columns, arch);
            b.pack(&matrix, false);
            let (mut c, mut copy) = (Words::zeros(c_layout.words()), vec![0.0; copy_words(&b, rows)]);
            arch.dispatch(RowProduct { a: &a, a_layout, b: &b, c: c.floats_mut(), c_layout, rows, copy: &mut copy });
            let own = |row: usize, column: usize| {
                let panel = column / PANEL;
                c.floats()[panel * c_layout.panel_words() + row * c_layout.stride() + column % PANEL]
            };
            (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))).map(|(r, c)| own(r, c)).collect()
        };
        each().into_iter().map(product).collect()
    }

    #[test]
    fn products_are_the_same_whichever_instructions_compute_them() {
        // More panels than go into a tile at once, ragged ones, one row, one column.
        for sizes in
            [[64, 300, 150], [7, 65, 64], [1, 784, 10], [13, 5, 1], [32, 1024, 96], [64, 784, 300], [9, 20, 256]]
        {
            let found = products(sizes);
            let [scalar, widest] = [&found[0], &found[2]];
            assert_eq!(&found[1], widest, "{sizes:?}");
            let near = scalar.iter().zip(widest).all(|(a, b)| (a - b).abs() <= 1e-5 * sizes[1] as f32);
            assert!(near && widest.iter().any(|value| *value != 0.0), "{sizes:?}");
        }
    }

    /// Σ aᵀ · b over pieces of so many terms, of matrices in panels, on top of ones, with each set of instructions.
    fn sums_over_pieces([rows, columns]: [usize; 2], pieces: &[usize]) -> Vec<Vec<f32>> {
        let mut rng = Rng::new(stream_key(2, Stream::Data));
        let [a_layout, b_layout] = [rows, columns].map(|columns| Paneled { rows: 64, columns });
        let mut random = |layout: Paneled| -> Vec<f32> { (0..layout.words()).map(|_| rng.uniform() - 0.5).collect() };
        let operands: Vec<_> = pieces.iter().map(|&terms| (random(a_layout), random(b_layout), terms)).collect();
        let product = |arch: pulp::Arch| {
            let mut c = vec![1.0; rows * columns];
            let stretches = |[a_panel, row]: [usize; 2], [b_panel, column]: [usize; 2]| {
                operands.iter().map(move |(a, b, terms)| Stretch {
                    a: &a[a_panel * a_layout.panel_words() + row..],
                    b: &b[b_panel * b_layout.panel_words() + column..],
                    terms: *terms,
                })
            };
            let strides = [a_layout.stride(), b_layout.stride()];
            arch.dispatch(StretchProduct { stretches, strides, first: 0, c: &mut c, columns, add: true });
            c
        };
        each().into_iter().map(product).collect()
    }

    #[test]
    fn sums_over_pieces_are_the_same_whichever_instructions_compute_them() {
        for (sizes, pieces) in
            [([70, 150], &[64, 30][..]), ([13, 16], &[7]), ([64, 784], &[32, 32, 32, 32]), ([30, 20], &[9, 5])]
        {
            let found = sums_over_pieces(sizes, pieces);
            assert_eq!(found[1], found[2], "{sizes:?}");
            let near = found[0].iter().zip(&found[2]).all(|(a, b)| (a - b).abs() <= 1e-3);
            assert!(near && found[2].iter().any(|value| *value != 1.0), "{sizes:?}");
        }
    }
}
