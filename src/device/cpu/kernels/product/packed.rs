//! Products whose left operand is copied first to where a tile reads it term after term: contiguous, so that its lines do not drive
//! those of a strip out of the first-level cache, and without a stop at every panel. Worth it where many strips read the copy.

use pulp::Simd;

use super::tile::{Ahead, DEPTH, Stretch, Stretches, TILE, Tile, tile_width, tiles};
use super::{RowProduct, Strips};
use crate::device::cpu::memory::LINE;
use crate::device::cpu::panels::{PANEL, Paneled};

/// Terms that are copied at a time: as many as other tiles add up in registers, so that the bits are the same.
const TERMS: usize = DEPTH * PANEL;

/// Words that a product of so many rows wants to copy them to.
pub(in crate::device) fn copy_words(b: &Strips, rows: usize) -> usize {
    if b.are_many() { rows * TERMS } else { 0 }
}

impl RowProduct<'_> {
    /// Whether this is the way to compute it.
    #[inline(always)]
    pub(super) fn is_packed<S: Simd>(&self) -> bool {
        tile_width::<S>() == LINE && self.b.are_many()
    }

    /// Computes it.
    #[inline(always)]
    pub(super) fn run_packed<S: Simd>(self, simd: S) {
        let RowProduct { a, a_layout, b, c, c_layout, rows, copy } = self;
        let (k, c_stride, count) = (a_layout.columns, c_layout.stride(), rows.div_ceil(TILE));
        for top in (0..k).step_by(TERMS) {
            let terms = TERMS.min(k - top);
            let mut row = 0;
            for height in tiles(rows) {
                let to = &mut copy[row * TERMS..][..height * TERMS];
                for (panel, to) in (top / PANEL..a_layout.panels()).zip(to.chunks_exact_mut(height * PANEL)) {
                    pack(a_layout, &a[panel * a_layout.panel_words()..], row, to, height);
                }
                row += height;
            }
            for (number, b) in b.each().enumerate() {
                let first = number * LINE;
                let c = &mut c[first / PANEL * c_layout.panel_words() + first % PANEL..];
                let mut row = 0;
                for (number, height) in tiles(rows).enumerate() {
                    let a = &copy[row * TERMS..][..height * TERMS];
                    let stretches = Stretches::of([Stretch { a, b: &b[top * LINE..], terms }].into_iter());
                    let tile = Tile {
                        a_strides: [1, height],
                        b_stride: LINE,
                        c_stride,
                        columns: LINE,
                        add: top > 0,
                        ahead: Ahead::share(number, count, LINE, [k * LINE, terms]),
                    };
                    tile.run(simd, 0..height, &stretches, &mut c[row * c_stride..]);
                    row += height;
                }
            }
        }
    }
}

/// Copies rows of a panel, from the first word of each: term after term, a line of terms at a time. What is beyond the columns is 0.
#[inline(always)]
fn pack(layout: Paneled, panel: &[f32], row: usize, to: &mut [f32], height: usize) {
    match height {
        1 => pack_rows::<1>(layout, panel, row, to),
        2 => pack_rows::<2>(layout, panel, row, to),
        3 => pack_rows::<3>(layout, panel, row, to),
        4 => pack_rows::<4>(layout, panel, row, to),
        5 => pack_rows::<5>(layout, panel, row, to),
        _ => pack_rows::<TILE>(layout, panel, row, to),
    }
}

#[inline(always)]
fn pack_rows<const ROWS: usize>(layout: Paneled, panel: &[f32], row: usize, to: &mut [f32]) {
    let stride = layout.stride();
    let rows: [&[[f32; LINE]]; ROWS] =
        std::array::from_fn(|i| panel[(row + i) * stride..][..stride].as_chunks::<LINE>().0);
    for (line, to) in to.chunks_exact_mut(LINE * ROWS).take(stride / LINE).enumerate() {
        let lines = rows.map(|row| row[line]);
        for (term, to) in to.chunks_exact_mut(ROWS).enumerate() {
            for (to, line) in to.iter_mut().zip(&lines) {
                *to = line[term];
            }
        }
    }
}
