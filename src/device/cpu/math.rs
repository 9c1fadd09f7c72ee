//! Arithmetic of the CPU kernels that a compiler can vectorise, and the means to have it do so.

use pulp::{Simd, WithSimd};

use super::exp::softplus;
use super::kernels::activation::{sigmoid, softplus_slope};
use super::memory::LINE;
use super::panels::PANEL;
use crate::ops::array::activation::Activation;
use crate::vectors::dispatch;
pub(in crate::device) use crate::vectors::wide;

/// 2⁻¹⁰⁰
const SMALLEST: f32 = 7.888_609e-31;

/// What is smaller than 2⁻¹⁰⁰ is taken as 0 where gradients and moments are made: too small to move a
/// weight, and on its way to the subnormal numbers, which slow a processor down a hundred times.
#[inline(always)]
pub(in crate::device) fn flush(x: f32) -> f32 {
    if x.abs() < SMALLEST { 0.0 } else { x }
}

/// `flush` for every element of a vector.
#[inline(always)]
fn flush_each<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let is_small = simd.less_than_f32s(simd.abs_f32s(x), simd.splat_f32s(SMALLEST));
    simd.select_f32s(is_small, simd.splat_f32s(0.0), x)
}

/// x², or 0 for a gradient that is 0 beside Adam's ε and whose square might be subnormal.
#[inline(always)]
pub(in crate::device) fn square(x: f32) -> f32 {
    /// 2⁻⁵⁵
    const LIMIT: f32 = 2.775_557_6e-17;
    if x.abs() < LIMIT { 0.0 } else { x * x }
}

/// Writes slope · (y − x) · act'(y) over y and returns Σ (y − x)².
pub(in crate::device) fn squared_errors(y: &mut [f32], x: &[f32], slope: f32, activation: Activation) -> f32 {
    if activation == Activation::Softplus {
        return softplus_errors(y, x, slope);
    }
    dispatch(SquaredErrors { y, x, slope, activation })
}

/// The same for softplus, whose slope is an exponential.
fn softplus_errors(y: &mut [f32], x: &[f32], slope: f32) -> f32 {
    wide(
        y,
        #[inline(always)]
        |y: &mut [f32]| {
            let mut sums = [0.0; LINE];
            for (y, x) in y.chunks_mut(LINE).zip(x.chunks(LINE)) {
                for ((sum, y), &x) in sums.iter_mut().zip(y).zip(x) {
                    let error = *y - x;
                    *sum += error * error;
                    *y = flush(error * softplus_slope(*y) * slope);
                }
            }
            sums.iter().sum()
        },
    )
}

/// Writes seed · (σ(l) − x) · act'(l) over the logits l and returns Σ \[max(l, 0) − l x + log1p(e^{−|l|})\].
pub(in crate::device) fn cross_entropy(logits: &mut [f32], x: &[f32], seed: f32, activation: Activation) -> f32 {
    match activation {
        Activation::Identity => wide(
            logits,
            #[inline(always)]
            |logits: &mut [f32]| logits_errors(logits, x, seed, |_| 1.0),
        ),
        other => logits_errors(logits, x, seed, |l| other.slope(l)),
    }
}

/// The same for an activation of this slope; partial sums side by side.
#[inline(always)]
fn logits_errors(logits: &mut [f32], x: &[f32], seed: f32, slope: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LINE];
    for (logits, x) in logits.chunks_mut(LINE).zip(x.chunks(LINE)) {
        for ((sum, l), &x) in sums.iter_mut().zip(logits).zip(x) {
            *sum += (-*l).mul_add(x, softplus(*l));
            *l = flush((sigmoid(*l) - x) * seed * slope(*l));
        }
    }
    sums.iter().sum()
}

/// A sigmoid below this, 2⁻⁵⁰, has no slope.
const SATURATED: f32 = 8.881_784e-16;

/// By hand: a compiler does not keep the partial sums in registers.
struct SquaredErrors<'a> {
    y: &'a mut [f32],
    x: &'a [f32],
    slope: f32,
    activation: Activation,
}

impl WithSimd for SquaredErrors<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        match self.activation {
            // Softplus has a loop of its own.
            Activation::Identity | Activation::Softplus => self.run(
                simd,
                #[inline(always)]
                |_| one,
            ),
            Activation::Relu => self.run(
                simd,
                #[inline(always)]
                |y| simd.select_f32s(simd.greater_than_f32s(y, zero), one, zero),
            ),
            Activation::LeakyRelu => self.run(
                simd,
                #[inline(always)]
                |y| simd.select_f32s(simd.greater_than_f32s(y, zero), one, simd.splat_f32s(Activation::LEAK)),
            ),
            Activation::LeakierRelu => self.run(
                simd,
                #[inline(always)]
                |y| simd.select_f32s(simd.greater_than_f32s(y, zero), one, simd.splat_f32s(Activation::LARGER_LEAK)),
            ),
            Activation::Tanh => self.run(
                simd,
                #[inline(always)]
                |y| simd.mul_f32s(simd.sub_f32s(one, y), simd.add_f32s(one, y)),
            ),
            Activation::Sigmoid => self.run(
                simd,
                #[inline(always)]
                |y| {
                    // Or its product with the error might be subnormal.
                    let saturated = simd.less_than_f32s(y, simd.splat_f32s(SATURATED));
                    simd.mul_f32s(simd.select_f32s(saturated, zero, y), simd.sub_f32s(one, y))
                },
            ),
        }
    }
}

impl SquaredErrors<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, activation: impl Fn(S::f32s) -> S::f32s) -> f32 {
        let scale = simd.splat_f32s(self.slope);
        let mut sum = simd.splat_f32s(0.0);
        let (y, y_rest) = S::as_mut_simd_f32s(self.y);
        let (x, x_rest) = S::as_simd_f32s(self.x);
        for (y, &x) in y.iter_mut().zip(x) {
            let error = simd.sub_f32s(*y, x);
            sum = simd.mul_add_e_f32s(error, error, sum);
            *y = flush_each(simd, simd.mul_f32s(simd.mul_f32s(error, activation(*y)), scale));
        }
        // What lies beyond the end is 0 in both, an error of 0.
        let y = simd.partial_load_f32s(y_rest);
        let error = simd.sub_f32s(y, simd.partial_load_f32s(x_rest));
        sum = simd.mul_add_e_f32s(error, error, sum);
        let gradient = simd.mul_f32s(simd.mul_f32s(error, activation(y)), scale);
        simd.partial_store_f32s(y_rest, flush_each(simd, gradient));
        simd.reduce_sum_f32s(sum)
    }
}

/// A row of bytes as floats in \[0, 1\], or of zeros, in pieces that lie `panel_words` apart.
pub(in crate::device) fn unpack(x: &mut [f32], panel_words: usize, columns: usize, bytes: Option<&[u8]>) {
    wide(
        x,
        #[inline(always)]
        |x: &mut [f32]| {
            for (panel, x) in x.chunks_mut(panel_words).enumerate() {
                let width = PANEL.min(columns - panel * PANEL);
                match bytes {
                    None => x[..width].fill(0.0),
                    Some(bytes) => {
                        for (x, &byte) in x[..width].iter_mut().zip(&bytes[panel * PANEL..]) {
                            *x = f32::from(byte) * (1.0 / 255.0);
                        }
                    }
                }
            }
        },
    );
}

/// A row of floats into panels, or nothing as zeros.
pub(in crate::device) fn lay_out(x: &mut [f32], panel_words: usize, columns: usize, row: Option<&[f32]>) {
    for (panel, x) in x.chunks_mut(panel_words).enumerate() {
        let width = PANEL.min(columns - panel * PANEL);
        match row {
            None => x[..width].fill(0.0),
            Some(row) => x[..width].copy_from_slice(&row[panel * PANEL..][..width]),
        }
    }
}

/// sums ← sums + row.
#[inline(always)]
pub(in crate::device) fn add(sums: &mut [f32], row: &[f32]) {
    for (sum, &x) in sums.iter_mut().zip(row) {
        *sum += x;
    }
}

/// Rows of a strip of `N` columns from columns of a matrix whose rows are `stride` long, a line of a row at a time:
/// strip\[k, j\] = matrix\[j, k\].
pub(in crate::device) fn transpose<const N: usize>(strip: &mut [f32], matrix: &[f32], stride: usize, columns: usize) {
    wide(
        strip,
        #[inline(always)]
        |strip: &mut [f32]| {
            let mut lines = strip.chunks_exact_mut(LINE * N);
            let mut top = 0;
            for rows in &mut lines {
                for column in 0..columns {
                    let from = &matrix[column * stride + top..][..LINE];
                    let to = &mut rows[column..][..(LINE - 1) * N + 1];
                    for k in 0..LINE {
                        to[k * N] = from[k];
                    }
                }
                top += LINE;
            }
            for (k, row) in lines.into_remainder().chunks_exact_mut(N).enumerate() {
                for (column, x) in row[..columns].iter_mut().enumerate() {
                    *x = matrix[column * stride + top + k];
                }
            }
        },
    );
}
