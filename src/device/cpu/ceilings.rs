//! Kernels of the CPU device that measure it: see `device/ceilings.rs`.

use crate::threads::prelude::*;
use pulp::{Simd, WithSimd};

use crate::ops::ceiling::ceiling_fma::{CHAINS, CeilingFma, STEPS};
use crate::vectors::dispatch;

/// Elements of a copy that one task takes: long enough for the copy to bypass the caches.
const COPIED: usize = 1 << 20;
/// Elements of the arithmetic that one task takes.
const COMPUTED: usize = 1 << 12;

pub(in crate::device) fn copy(x: &[f32], y: &mut [f32]) {
    y.par_chunks_mut(COPIED).zip(x.par_chunks(COPIED)).for_each(|(y, x)| y.copy_from_slice(x));
}

pub(in crate::device) fn fma(op: &CeilingFma, x: &[f32], y: &mut [f32]) {
    let steps = STEPS * op.rounds;
    y.par_chunks_mut(COMPUTED).zip(x.par_chunks(COMPUTED)).for_each(|(y, x)| {
        dispatch(Chains { x, y, steps });
    });
}

struct Chains<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
    steps: usize,
}

impl WithSimd for Chains<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (y, y_tail) = S::as_mut_simd_f32s(self.y);
        let (x, x_tail) = S::as_simd_f32s(self.x);
        for (y, &x) in y.iter_mut().zip(x) {
            *y = chains(simd, x, self.steps);
        }
        if !y_tail.is_empty() {
            let sum = chains(simd, simd.partial_load_f32s(x_tail), self.steps);
            simd.partial_store_f32s(y_tail, sum);
        }
    }
}

/// The chains of as many elements as a register holds; twelve registers are in flight, more
/// than hide the latency of four cycles of two units, and fewer than the sixteen that AVX2 has.
#[inline(always)]
fn chains<S: Simd>(simd: S, x: S::f32s, steps: usize) -> S::f32s {
    let half = simd.splat_f32s(0.5);
    let mut c = [x; CHAINS];
    for (k, c) in c.iter_mut().enumerate() {
        *c = simd.add_f32s(x, simd.splat_f32s(k as f32 / 16.0));
    }
    for _ in 0..steps {
        for c in &mut c {
            *c = simd.mul_add_e_f32s(*c, half, half);
        }
    }
    let [first, rest @ ..] = c;
    rest.into_iter().fold(first, |sum, c| simd.add_f32s(sum, c))
}
