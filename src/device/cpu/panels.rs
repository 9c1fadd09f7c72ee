//! Matrices cut into panels and strips of columns, so that whoever goes down a few columns goes along contiguous memory.

use pulp::{Simd, WithSimd};

use crate::threads::prelude::*;

use super::kernels::product::tile_width;
use super::math::transpose;
use super::memory::{LINE, Words};
use super::vectors::dispatch;

/// Columns of a panel.
pub(in crate::device) const PANEL: usize = 64;

/// A matrix of `rows` rows in panels of columns: each holds all rows, as wide as a panel, or, where there
/// is but one, as many whole cache lines as it takes. What is beyond the columns is 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::device) struct Paneled {
    /// Rows of a panel.
    pub rows: usize,
    /// Columns of the matrix.
    pub columns: usize,
}

impl Paneled {
    /// Words from one row of a panel to the next.
    pub fn stride(self) -> usize {
        self.columns.next_multiple_of(LINE).min(PANEL)
    }

    /// Number of panels.
    pub fn panels(self) -> usize {
        self.columns.div_ceil(PANEL)
    }

    /// Words of a panel.
    pub fn panel_words(self) -> usize {
        self.rows * self.stride()
    }

    /// Words of all panels.
    pub fn words(self) -> usize {
        self.panels() * self.panel_words()
    }

    /// Columns of a panel that are data.
    pub fn width(self, panel: usize) -> usize {
        PANEL.min(self.columns - panel * PANEL)
    }
}

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
