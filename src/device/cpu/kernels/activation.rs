//! Activations and their slopes, so that loops of them fill the widest registers.

use crate::device::cpu::exp::{exp, softplus, tanh};
use crate::device::cpu::math::{flush, wide};
use crate::device::cpu::memory::{LINE, whole_lines};
use crate::ops::array::activation::Activation;

#[inline(always)]
pub(in crate::device) fn identity(x: f32) -> f32 {
    x
}

/// Lets NaN through, which `f32::max` would swallow.
#[inline(always)]
pub(in crate::device) fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

#[inline(always)]
pub(in crate::device) fn leaky_relu(x: f32) -> f32 {
    if x < 0.0 { Activation::LEAK * x } else { x }
}

#[inline(always)]
pub(in crate::device) fn leakier_relu(x: f32) -> f32 {
    if x < 0.0 { Activation::LARGER_LEAK * x } else { x }
}

#[inline(always)]
pub(in crate::device) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn relu_slope(y: f32) -> f32 {
    if y > 0.0 { 1.0 } else { 0.0 }
}

#[inline(always)]
fn leaky_relu_slope(y: f32) -> f32 {
    if y > 0.0 { 1.0 } else { Activation::LEAK }
}

#[inline(always)]
fn leakier_relu_slope(y: f32) -> f32 {
    if y > 0.0 { 1.0 } else { Activation::LARGER_LEAK }
}

#[inline(always)]
fn sigmoid_slope(y: f32) -> f32 {
    y * (1.0 - y)
}

#[inline(always)]
fn tanh_slope(y: f32) -> f32 {
    (1.0 - y) * (1.0 + y)
}

/// 1 − e^{−y} = 2t / (1 + t) with t = tanh(y/2), which keeps the digits of a small y.
#[inline(always)]
pub(in crate::device) fn softplus_slope(y: f32) -> f32 {
    let t = tanh(0.5 * y);
    2.0 * t / (1.0 + t)
}

/// Rows of a layer, `stride` apart: y ← act(y + b).
pub(in crate::device) fn activate(y: &mut [f32], stride: usize, bias: &[f32], activation: Activation) {
    match activation {
        Activation::Identity => shift(y, stride, bias, identity),
        Activation::Relu => shift(y, stride, bias, relu),
        Activation::Sigmoid => shift(y, stride, bias, sigmoid),
        Activation::Tanh => shift(y, stride, bias, tanh),
        Activation::LeakyRelu => shift(y, stride, bias, leaky_relu),
        Activation::LeakierRelu => shift(y, stride, bias, leakier_relu),
        Activation::Softplus => shift(y, stride, bias, softplus),
    }
}

/// Numbers of narrow rows that are taken at once, at most: those of a row alone would leave most of a vector empty.
const SEVERAL: usize = 256;

/// Plain loops: `for_each` may be compiled apart, without the processor's wide registers.
fn shift(y: &mut [f32], stride: usize, bias: &[f32], activation: impl Fn(f32) -> f32) {
    let mut repeated = [0.0; SEVERAL];
    let (stride, bias) = if stride == bias.len() && stride < LINE {
        let whole = whole_lines(stride);
        let wide = SEVERAL / whole * whole;
        repeated[..wide].chunks_exact_mut(stride).for_each(|row| row.copy_from_slice(bias));
        (wide, &repeated[..wide])
    } else {
        (stride, bias)
    };
    wide(
        y,
        #[inline(always)]
        |y: &mut [f32]| {
            for row in y.chunks_mut(stride) {
                for (y, &b) in row.iter_mut().zip(bias) {
                    *y = activation(*y + b);
                }
            }
        },
    );
}

/// dx ← dx ∘ act'(h).
pub(in crate::device) fn slopes(dx: &mut [f32], h: &[f32], activation: Activation) {
    match activation {
        Activation::Identity => {}
        Activation::Relu => scale(dx, h, relu_slope),
        Activation::Sigmoid => scale(dx, h, sigmoid_slope),
        Activation::Tanh => scale(dx, h, tanh_slope),
        Activation::LeakyRelu => scale(dx, h, leaky_relu_slope),
        Activation::LeakierRelu => scale(dx, h, leakier_relu_slope),
        Activation::Softplus => scale(dx, h, softplus_slope),
    }
}

fn scale(dx: &mut [f32], h: &[f32], slope: impl Fn(f32) -> f32) {
    wide(
        dx,
        #[inline(always)]
        |dx: &mut [f32]| {
            for (dx, &h) in dx.iter_mut().zip(h) {
                *dx = flush(*dx * slope(h));
            }
        },
    );
}
