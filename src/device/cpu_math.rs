//! Arithmetic of the CPU kernels: products by the crate `gemm`, and functions that a compiler can
//! vectorise.

use crate::ops::matmul::{Extents, MatMul};

/// Rows of a result that one task computes: a share of the work that depends on the shape alone, so
/// that the bits do not depend on the number of threads.
pub(super) fn rows_per_task(e: Extents) -> usize {
    // Below this much work a second thread costs more than it saves.
    const SMALL: usize = 1 << 19;
    if e.m * e.n * e.k < SMALL { e.m } else { (e.m / 16).max(64) }
}

/// Rows `first..` of a product, as many as `out` holds.
#[allow(unsafe_code)]
pub(super) fn product(layout: MatMul, e: Extents, first: usize, a: &[f32], b: &[f32], out: &mut [f32]) {
    let rows = out.len() / e.n;
    debug_assert!(a.len() == e.m * e.k && b.len() == e.n * e.k && first + rows <= e.m);
    // Distance between rows, and between columns, of both operands as m × k and k × n matrices.
    let (a, a_rows, a_columns) = match layout {
        MatMul::Nt | MatMul::Nn => (&a[first * e.k..], e.k, 1),
        MatMul::Tn => (&a[first..], 1, e.m),
    };
    let (b_rows, b_columns) = if layout == MatMul::Nt { (1, e.k) } else { (e.n, 1) };
    // SAFETY: `out` holds rows × n elements, `a` and `b` the operands that the extents describe (the
    // plan's types say so), and the strides stay within them; `out` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            rows,
            e.n,
            e.k,
            out.as_mut_ptr(),
            1,
            e.n as isize,
            false,
            a.as_ptr(),
            a_columns as isize,
            a_rows as isize,
            b.as_ptr(),
            b_columns as isize,
            b_rows as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// e^x to about 2 ULP, without a branch: 2^n · e^r with |r| ≤ ½ ln 2 by a polynomial (Cephes' `expf`).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    /// Adding and subtracting 1.5 · 2²³ rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.3, 88.3);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let e = p * r * r + r + 1.0;
    e * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

/// Adds up without waiting for each sum: sixteen partial sums, then those in order.
#[inline(always)]
pub(super) fn sum(values: impl Iterator<Item = f32>) -> f32 {
    let mut lanes = [0.0f32; 16];
    for (i, value) in values.enumerate() {
        lanes[i % 16] += value;
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn exp_is_accurate_over_the_whole_range() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0 + 0.003;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 3e-7, "exp({x}) is off by {error:e}");
        }
    }

    #[test]
    fn exp_saturates_instead_of_overflowing() {
        assert!(exp(1e9).is_finite());
        assert!(exp(-1e9) >= 0.0);
    }
}
