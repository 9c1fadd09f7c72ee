//! Arithmetic of the CPU kernels: products by the crate `gemm`, and functions that a compiler can
//! vectorise.

use crate::ops::matmul::{Extents, MatMul};

/// Rows of a result that one task computes: a share of the work that depends on the shape alone, so
/// that the bits do not depend on the number of threads.
pub(super) fn rows_per_task(e: Extents) -> usize {
    // Below this much work a second thread costs more than it saves.
    const SMALL: usize = 1 << 19;
    if e.m * e.n * e.k < SMALL { e.m } else { (e.m / 16).max(32) }
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
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let e = p * r * r + r + 1.0;
    // The integer n is the low bits of `rounded`; a conversion would not vectorise.
    e * f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
}

/// Writes slope · (y − x) · `activation`(y) to dx and returns Σ (y − x)², in sixteen partial sums that
/// do not wait for each other.
#[inline(always)]
pub(super) fn squared_errors(dx: &mut [f32], y: &[f32], x: &[f32], slope: f32, activation: impl Fn(f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let (y, x) = (&y[..dx.len()], &x[..dx.len()]);
    let mut sums = [0.0f32; LANES];
    let mut dx = dx.chunks_exact_mut(LANES);
    let (mut y, mut x) = (y.chunks_exact(LANES), x.chunks_exact(LANES));
    for ((dx, y), x) in (&mut dx).zip(&mut y).zip(&mut x) {
        for lane in 0..LANES {
            let error = y[lane] - x[lane];
            dx[lane] = error * slope * activation(y[lane]);
            sums[lane] += error * error;
        }
    }
    let mut total = 0.0;
    for ((dx, &y), &x) in dx.into_remainder().iter_mut().zip(y.remainder()).zip(x.remainder()) {
        let error = y - x;
        *dx = error * slope * activation(y);
        total += error * error;
    }
    sums.iter().sum::<f32>() + total
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
