//! What whole numbers cost under Gaussians and logistic distributions, without a branch, so that loops of it fill the widest
//! registers; the formulas are those of `src/ops/rate`.

use crate::threads::prelude::*;

use crate::device::cpu::exp::{exp, log, softplus};
use crate::device::cpu::math::{flush, wide};
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::rate::gaussian_bits::GaussianBits;
use crate::ops::rate::gaussian_bits_grad::GaussianBitsGrad;
use crate::ops::rate::interval_bits::IntervalBits;
use crate::ops::rate::interval_bits_grad::IntervalBitsGrad;
use crate::ops::rate::ste_round::SteRound;
use crate::plan::Step;
use std::f32::consts::{FRAC_1_SQRT_2, LN_2};

/// Elements that one task takes.
const ELEMENTS: usize = 4096;

const ROOT_TAU: f32 = 2.506_628_3;
const LN_ROOT_TAU: f32 = 0.918_938_5;

/// Scales from which on a bin counts as narrow.
const WIDE: f32 = 4.0;

/// Which operation.
pub(in crate::device) enum BitsKernel {
    Round,
    Gaussian,
    GaussianGrad,
    Interval,
    IntervalGrad,
}

impl BitsKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let op = step.op.as_ref();
        let kernels = [
            op.downcast::<SteRound>().map(|_| BitsKernel::Round),
            op.downcast::<GaussianBits>().map(|_| BitsKernel::Gaussian),
            op.downcast::<GaussianBitsGrad>().map(|_| BitsKernel::GaussianGrad),
            op.downcast::<IntervalBits>().map(|_| BitsKernel::Interval),
            op.downcast::<IntervalBitsGrad>().map(|_| BitsKernel::IntervalGrad),
        ];
        kernels.into_iter().flatten().next()
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        match self {
            BitsKernel::Round => Own::Round,
            BitsKernel::Gaussian => Own::GaussianBits,
            BitsKernel::GaussianGrad => Own::GaussianBitsGrad,
            BitsKernel::Interval => Own::IntervalBits,
            BitsKernel::IntervalGrad => Own::IntervalBitsGrad,
        }
    }

    /// Computes `y`, the output of this number, which lies in none of the memory that is read.
    pub fn run(&self, port: usize, inputs: &[Span], y: &mut [f32], memory: &[Words]) {
        let input = |number: usize| inputs[number].floats(memory);
        match (self, port) {
            (BitsKernel::Round, _) => each(
                y,
                [input(0)],
                #[inline(always)]
                |[x]| x.round_ties_even(),
            ),
            (BitsKernel::Gaussian, _) => each(
                y,
                [input(0), input(1), input(2)],
                #[inline(always)]
                |[z, mean, s]| gaussian((z - mean).abs(), s)[0] * (-1.0 / LN_2),
            ),
            (BitsKernel::GaussianGrad, 0) => each(
                y,
                [input(0), input(1), input(2), input(3)],
                #[inline(always)]
                |[z, mean, s, dy]| {
                    let x = (z - mean).abs();
                    let rest = -expm1(-x / (s * s));
                    flush((dy * gaussian(x, s)[1] * rest / (s * LN_2)) * if z > mean { 1.0 } else { -1.0 })
                },
            ),
            (BitsKernel::GaussianGrad, _) => each(
                y,
                [input(0), input(1), input(2), input(3)],
                #[inline(always)]
                |[z, mean, s, dy]| {
                    let x = (z - mean).abs();
                    let rest = -expm1(-x / (s * s));
                    flush(dy * gaussian(x, s)[1] / (s * LN_2) * (1.0 - 0.5 * rest - x * rest) / s)
                },
            ),
            (BitsKernel::Interval, _) => each(
                y,
                [input(0), input(1)],
                #[inline(always)]
                |[u, l]| (softplus(-u) + softplus(l) - log1m_exp(u - l)) * (1.0 / LN_2),
            ),
            (BitsKernel::IntervalGrad, port) => each(
                y,
                [input(0), input(1), input(2)],
                #[inline(always)]
                |[u, l, dy]| {
                    let [a, b] = edges(u, l);
                    flush(dy * (1.0 / LN_2) * if port == 0 { -exp(a) } else { exp(b) })
                },
            ),
        }
    }
}

/// y = f(x) element by element.
fn each<const N: usize>(y: &mut [f32], inputs: [&[f32]; N], f: impl Fn([f32; N]) -> f32 + Sync) {
    y.par_chunks_mut(ELEMENTS).enumerate().for_each(|(number, y)| {
        let inputs = inputs.map(|x| &x[number * ELEMENTS..][..y.len()]);
        wide(
            y,
            #[inline(always)]
            |y: &mut [f32]| {
                for i in 0..y.len() {
                    y[i] = f(inputs.map(
                        #[inline(always)]
                        |x| x[i],
                    ));
                }
            },
        );
    });
}

/// e^x − 1: near 0 a series.
#[inline(always)]
fn expm1(x: f32) -> f32 {
    let mut p = 1.0 / 40_320.0_f32;
    for c in [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        p = p.mul_add(x, c);
    }
    if x.abs() < 0.5 { p * x } else { exp(x) - 1.0 }
}

/// log(1 + x) for x > −1: near 0 by the odd series of log((1 + s) / (1 − s)) in s = x / (2 + x).
#[inline(always)]
fn log1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let square = s * s;
    let mut p = 1.0 / 13.0_f32;
    for n in [11.0_f32, 9.0, 7.0, 5.0, 3.0, 1.0] {
        p = p.mul_add(square, 1.0 / n);
    }
    if x.abs() < 0.5 { 2.0 * s * p } else { positive_log(1.0 + x) }
}

/// log x, of something even for an x that a caller then does without.
#[inline(always)]
fn positive_log(x: f32) -> f32 {
    log(x.max(f32::MIN_POSITIVE))
}

/// log(1 − e^{−d}) for d > 0.
#[inline(always)]
fn log1m_exp(d: f32) -> f32 {
    if d < LN_2 { positive_log(-expm1(-d)) } else { log1p(-exp(-d)) }
}

/// Logarithms of the slopes of an interval's bits by its edges, but for the factor −1/ln 2 and 1/ln 2.
#[inline(always)]
fn edges(u: f32, l: f32) -> [f32; 2] {
    let d = u - l;
    let inside = log1m_exp(d);
    let (above, below) = (softplus(-u) - softplus(-l), softplus(l) - softplus(u));
    let positive = u + l > 0.0;
    let a = if positive { -above - d } else { below };
    let b = if positive { above } else { -below - d };
    [a - inside, b - inside]
}

/// e^{x²} erfc x for x ≥ 0 to about 3e-7 of itself: (1 + 2x) erfcx x is nearly a polynomial in (x − 2)/(x + 2).
#[inline(always)]
fn erfcx(x: f32) -> f32 {
    let t = (x - 2.0) / (x + 2.0);
    let mut p = 1.608_035_8e-4_f32;
    for c in [
        -1.836_544_4e-4,
        -1.395_706_9e-3,
        1.043_144_6e-3,
        8.689_16e-3,
        -7.942_721e-3,
        -5.421_196e-2,
        1.640_358_4e-1,
        -1.660_311e-1,
        -9.276_308e-2,
        1.276_978_4,
    ] {
        p = p.mul_add(t, c);
    }
    p / (1.0 + 2.0 * x)
}

/// ln P of the bin at this distance from a Gaussian's mean, and φ((x − ½)/s)/P.
#[inline(always)]
fn gaussian(x: f32, s: f32) -> [f32; 2] {
    let variance = s * s;
    let ratio = x / variance;
    let (u, v) = ((x - 0.5) / s * FRAC_1_SQRT_2, (x + 0.5) / s * FRAC_1_SQRT_2);
    let (of_u, of_v) = (erfcx(u.abs()), erfcx(v));

    let (w, h) = (x / s, 1.0 / variance);
    let q = w * w;
    let he4 = (q - 6.0) * q + 3.0;
    let he6 = ((q - 15.0) * q + 45.0) * q - 15.0;
    let he8 = (((q - 28.0) * q + 210.0) * q - 420.0) * q + 105.0;
    let series = h / 24.0 * (q - 1.0 + h / 80.0 * (he4 + h / 168.0 * (he6 + h / 288.0 * he8)));
    let narrow = -0.5 * q - positive_log(s) - LN_ROOT_TAU + log1p(series);
    let of_narrow = s * exp(0.5 * (x - 0.25) * h) / (1.0 + series);

    let near = exp(-u * u);
    let outside = 0.5 * (exp(-v * v) * of_v + near * of_u);
    let half = 0.5 * (of_u - exp(-ratio) * of_v);
    let (middle, of_middle) = (log1p(-outside), near * (1.0 / ROOT_TAU) / (1.0 - outside));
    let (far, of_far) = (positive_log(half) - u * u, 1.0 / (ROOT_TAU * half));

    if s > WIDE && ratio < 0.5 {
        [narrow, of_narrow]
    } else if u <= 0.0 {
        [middle, of_middle]
    } else {
        [far, of_far]
    }
}
