//! Matrices cut into panels of columns, so that whoever goes down a few columns goes along contiguous memory.

use crate::threads::prelude::*;

use super::math::transpose;
use super::memory::{LINE, Words};

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

/// A right operand of `k` rows and `n` columns in panels as wide as can be.
pub(in crate::device) struct Panels {
    k: usize,
    n: usize,
    words: Words,
}

impl Panels {
    /// Room for an operand.
    pub fn new(k: usize, n: usize) -> Self {
        Panels { k, n, words: Words::zeros(n.div_ceil(PANEL) * k * PANEL) }
    }

    /// Copies a matrix in: \[k, n\], or its transpose \[n, k\].
    pub fn pack(&mut self, matrix: &[f32], transposed: bool) {
        const ROWS: usize = 128;
        let (k, n) = (self.k, self.n);
        self.words.floats_mut().par_chunks_mut(k * PANEL).enumerate().for_each(|(panel, rows)| {
            let first = panel * PANEL;
            let columns = PANEL.min(n - first);
            rows.par_chunks_mut(ROWS * PANEL).enumerate().for_each(|(part, rows)| {
                let top = part * ROWS;
                if transposed {
                    transpose(rows, &matrix[first * k + top..], k, columns);
                } else {
                    for (row, from) in rows.chunks_exact_mut(PANEL).zip(matrix[top * n..].chunks_exact(n)) {
                        row[..columns].copy_from_slice(&from[first..first + columns]);
                    }
                }
            });
        });
    }

    /// The panels.
    pub fn each(&self) -> impl Iterator<Item = &[f32]> {
        self.words.floats().chunks_exact(self.k * PANEL)
    }
}
