//! The gradient of the weights of a convolution of few outputs: vectors of these, which lie side by side as they are, times single
//! numbers of what the pixels see, so that nothing has to be brought together. Sums are those of dwᵀ.

use pulp::{Simd, WithSimd};

use super::gradient::Part;
use super::passes::Run;
use super::tile::lanes;
use crate::device::cpu::kernels::product::{TILE, tile_vectors, tile_width, tiles};
use crate::device::cpu::math::add;
use crate::vectors::dispatch;

/// Outputs up to which it is done this way.
const FEW: usize = 32;
/// Numbers of dy that stay in the first-level cache while the taps go by.
const SLOPES: usize = 4096;

/// Whether the outputs of a group are so few, and whole vectors.
pub(super) fn is_turned(outputs: usize) -> bool {
    outputs <= FEW && outputs.is_multiple_of(lanes())
}

/// sums \[columns, outputs\] += what the pixels see, turned, times dy.
pub(super) struct TurnedSums<'a> {
    pub part: Part<'a>,
    /// What the first pixel sees.
    pub runs: &'a [Run],
    pub outputs: usize,
}

impl TurnedSums<'_> {
    /// Adds them up on this thread.
    pub fn run(self) {
        dispatch(self);
    }
}

impl WithSimd for TurnedSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (all, runs, outputs) = (self.part.pixels, self.runs, self.outputs);
        for pixels in all.chunks((SLOPES / outputs).clamp(64, 256)) {
            self.part.pixels = pixels;
            let dy = self.part.dy;
            if let Some(db) = &mut self.part.db {
                pixels.iter().for_each(|pixel| add(db, &dy[pixel[1] as usize..][..outputs]));
            }
            let mut column = 0;
            for run in runs {
                let mut seen = run.offset;
                for height in tiles(run.terms) {
                    for first in (0..outputs).step_by(tile_width::<S>()) {
                        self.tile(simd, [seen, height], [column, first]);
                    }
                    (seen, column) = (seen + height, column + height);
                }
            }
        }
    }
}

impl TurnedSums<'_> {
    #[inline(always)]
    fn tile<S: Simd>(&mut self, simd: S, rows: [usize; 2], at: [usize; 2]) {
        match tile_width::<S>().min(self.outputs - at[1]) / S::F32_LANES {
            1 => self.high::<S, 1>(simd, rows, at),
            2 => self.high::<S, 2>(simd, rows, at),
            3 => self.high::<S, 3>(simd, rows, at),
            _ => self.high::<S, 4>(simd, rows, at),
        }
    }

    #[inline(always)]
    fn high<S: Simd, const VECTORS: usize>(&mut self, simd: S, [seen, height]: [usize; 2], at: [usize; 2]) {
        if VECTORS > tile_vectors::<S>() {
            return;
        }
        match height {
            1 => self.compute::<S, 1, VECTORS>(simd, seen, at),
            2 => self.compute::<S, 2, VECTORS>(simd, seen, at),
            3 => self.compute::<S, 3, VECTORS>(simd, seen, at),
            4 => self.compute::<S, 4, VECTORS>(simd, seen, at),
            5 => self.compute::<S, 5, VECTORS>(simd, seen, at),
            _ => self.compute::<S, TILE, VECTORS>(simd, seen, at),
        }
    }

    /// So many columns from where the first pixel sees the first of them, and vectors of outputs from `first` on.
    #[inline(always)]
    fn compute<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        seen: usize,
        [column, first]: [usize; 2],
    ) {
        let width = VECTORS * S::F32_LANES;
        let mut local = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        for pixel in self.part.pixels {
            let left = &self.part.source[pixel[0] as usize + seen..][..ROWS];
            let right = S::as_simd_f32s(&self.part.dy[pixel[1] as usize + first..][..width]).0;
            for (sums, &left) in local.iter_mut().zip(left) {
                let left = simd.splat_f32s(left);
                for (sum, &right) in sums.iter_mut().zip(right) {
                    *sum = simd.mul_add_e_f32s(left, right, *sum);
                }
            }
        }
        for (row, local) in local.iter().enumerate() {
            let sums = &mut self.part.sums[(column + row) * self.outputs + first..][..width];
            for (sum, &local) in S::as_mut_simd_f32s(sums).0.iter_mut().zip(local) {
                *sum = simd.add_f32s(*sum, local);
            }
        }
    }
}
