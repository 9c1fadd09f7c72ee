//! The right operand of products of rows: strips of as many columns as a tile has.

use pulp::{Simd, WithSimd};

use crate::threads::prelude::*;

use super::tile::tile_width;
use crate::device::cpu::math::transpose;
use crate::device::cpu::memory::{LINE, Words};
use crate::device::cpu::panels::PANEL;
use crate::vectors::dispatch;

/// Columns of a strip of a right operand: those of a tile of products, so that what a tile goes along is contiguous; lines that lie
/// a panel's width apart meet in a quarter of a first-level cache's places, and drive each other out.
struct StripColumns;

impl WithSimd for StripColumns {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        tile_width::<S>().max(LINE)
    }
}

/// A right operand of `k` rows and `n` columns in strips, each with all rows one after the other. What is beyond the columns is 0.
pub(in crate::device) struct Strips {
    k: usize,
    n: usize,
    columns: usize,
    words: Words,
}

impl Strips {
    /// Room for an operand.
    pub fn new(k: usize, n: usize) -> Self {
        Self::of(k, n, dispatch(StripColumns))
    }

    /// The same for these instructions.
    #[cfg(test)]
    pub fn with(k: usize, n: usize, arch: pulp::Arch) -> Self {
        Self::of(k, n, arch.dispatch(StripColumns))
    }

    fn of(k: usize, n: usize, columns: usize) -> Self {
        Strips { k, n, columns, words: Words::zeros(n.div_ceil(columns) * k * columns) }
    }

    /// Copies a matrix in: \[k, n\], or its transpose \[n, k\].
    pub fn pack(&mut self, matrix: &[f32], transposed: bool) {
        /// Words that one task packs.
        const WORDS: usize = 8192;
        let Strips { k, n, columns: strip, .. } = *self;
        self.words.floats_mut().par_chunks_mut(k * strip).enumerate().for_each(|(number, rows)| {
            let first = number * strip;
            let columns = strip.min(n - first);
            rows.par_chunks_mut(WORDS).enumerate().for_each(|(part, rows)| {
                let top = part * WORDS / strip;
                if transposed {
                    let matrix = &matrix[first * k + top..];
                    match strip {
                        PANEL => transpose::<PANEL>(rows, matrix, k, columns),
                        _ => transpose::<LINE>(rows, matrix, k, columns),
                    }
                } else {
                    for (row, from) in rows.chunks_exact_mut(strip).zip(matrix[top * n..].chunks_exact(n)) {
                        row[..columns].copy_from_slice(&from[first..first + columns]);
                    }
                }
            });
        });
    }

    /// Whether there are so many strips, each as wide as a line, that the left operand of a product is better copied first.
    pub fn are_many(&self) -> bool {
        /// Columns from which on that is so.
        const MANY: usize = 256;
        self.columns == LINE && self.n >= MANY
    }

    /// Columns of a strip.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The strips.
    pub fn each(&self) -> impl Iterator<Item = &[f32]> {
        self.words.floats().chunks_exact(self.k * self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::each;

    #[test]
    fn strips_hold_a_matrix_whichever_way_it_lies() {
        // More rows than one task packs, ragged lines and strips, less than either.
        for [k, n] in [[600, 70], [37, 16], [5, 3], [130, 64]] {
            let matrix: Vec<f32> = (0..k * n).map(|i| i as f32 + 1.0).collect();
            let turned: Vec<f32> = (0..k * n).map(|i| matrix[i % k * n + i / k]).collect();
            for arch in each() {
                for (matrix, transposed) in [(&matrix, false), (&turned, true)] {
                    let mut strips = Strips::with(k, n, arch);
                    strips.pack(matrix, transposed);
                    let columns = strips.columns();
                    for (number, strip) in strips.each().enumerate() {
                        for (place, &found) in strip.iter().enumerate() {
                            let (row, column) = (place / columns, number * columns + place % columns);
                            let wanted = if column < n { (row * n + column) as f32 + 1.0 } else { 0.0 };
                            assert_eq!(found, wanted, "{k} x {n}, {columns} a strip, transposed {transposed}");
                        }
                    }
                }
            }
        }
    }
}
