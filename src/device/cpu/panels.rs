//! Matrices cut into panels of columns, so that whoever goes down a few columns goes along contiguous memory.

use super::memory::LINE;

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
