//! Kernels of the CPU device for what is hot: products, the reconstruction loss, the gather, Adam.
//! Each is tested against its twin with the same cases as the GPU's.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::Arch;
use rayon::prelude::*;

use super::cpu_ceilings;
use super::cpu_math::{exp, product, rows_per_task, squared_errors};
use crate::graph::Op;
use crate::ops::activation::Activation;
use crate::ops::adam_step::{AdamStep, WeightDecay};
use crate::ops::batch_gather::BatchGather;
use crate::ops::batch_rows::PADDING;
use crate::ops::ceiling_copy::CeilingCopy;
use crate::ops::ceiling_fma::CeilingFma;
use crate::ops::clock;
use crate::ops::matmul::{Extents, MatMul};
use crate::ops::matmul_nn::LinearInputGrad;
use crate::ops::matmul_nt::Linear;
use crate::ops::matmul_tn::LinearWeightGrad;
use crate::ops::reconstruction_loss::{LossKind, ReconstructionLossPair};
use crate::plan::Step;

/// An input of a step.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    /// Elsewhere in memory.
    Words(&'a [u32]),
    /// What this output holds before it is overwritten.
    InPlace(usize),
}

impl Input<'_> {
    /// The input's words, wherever they are.
    pub fn words<'b>(&'b self, outputs: &'b [&mut [u32]]) -> &'b [u32] {
        match self {
            Input::Words(words) => words,
            Input::InPlace(output) => outputs[*output],
        }
    }

    fn floats(&self) -> &[f32] {
        match self {
            Input::Words(words) => cast_slice(words),
            Input::InPlace(_) => &[],
        }
    }
}

/// Runs a step if there is a kernel for it.
pub(super) fn run(step: &Step, inputs: &[Input<'_>], outputs: &mut [&mut [u32]]) -> bool {
    let op: &dyn Op = step.op.as_ref();
    let extents = |layout: MatMul| layout.extents(&step.inputs[0].ty, &step.inputs[1].ty).ok();
    if let Some(Linear(activation)) = op.downcast() {
        let Some(e) = extents(MatMul::Nt) else { return false };
        linear(e, *activation, inputs, cast_slice_mut(outputs[0]));
    } else if let Some(LinearInputGrad(activation)) = op.downcast() {
        let Some(e) = extents(MatMul::Nn) else { return false };
        linear_input_grad(e, *activation, inputs, cast_slice_mut(outputs[0]));
    } else if op.downcast::<LinearWeightGrad>().is_some() {
        let (Some(e), [dw, db]) = (extents(MatMul::Tn), outputs) else { return false };
        linear_weight_grad(e, inputs, cast_slice_mut(dw), cast_slice_mut(db));
    } else if let Some(layout) = op.downcast::<MatMul>() {
        let Some(e) = extents(*layout) else { return false };
        by_rows(e, cast_slice_mut(outputs[0]), |first, out| {
            product(*layout, e, first, inputs[0].floats(), inputs[1].floats(), out);
        });
    } else if let Some(ReconstructionLossPair(grad)) = op.downcast() {
        let [value, gradient] = outputs else { return false };
        if grad.kind == LossKind::Bce {
            return false;
        }
        let features = step.inputs[0].ty.shape.dims()[1];
        squared_error(grad.kind, grad.activation, features, inputs, cast_slice_mut(value), cast_slice_mut(gradient));
    } else if let Some(gather) = op.downcast::<BatchGather>() {
        batch_gather(*gather, inputs, cast_slice_mut(outputs[0]));
    } else if let Some(adam) = op.downcast::<AdamStep>() {
        adam_step(adam, inputs, outputs);
    } else if op.downcast::<CeilingCopy>().is_some() {
        cpu_ceilings::copy(inputs[0].floats(), cast_slice_mut(outputs[0]));
    } else if let Some(ceiling) = op.downcast::<CeilingFma>() {
        cpu_ceilings::fma(ceiling, inputs[0].floats(), cast_slice_mut(outputs[0]));
    } else {
        return false;
    }
    true
}

/// Calls `task` with the number of its first row and its rows, for every block of rows of a result.
fn by_rows(e: Extents, out: &mut [f32], task: impl Fn(usize, &mut [f32]) + Sync) {
    let rows = rows_per_task(e);
    if rows >= e.m {
        task(0, out);
    } else {
        out.par_chunks_mut(rows * e.n).enumerate().for_each(|(block, out)| task(block * rows, out));
    }
}

fn linear(e: Extents, activation: Activation, inputs: &[Input<'_>], y: &mut [f32]) {
    let (x, w, b) = (inputs[0].floats(), inputs[1].floats(), inputs[2].floats());
    by_rows(e, y, |first, y| {
        product(MatMul::Nt, e, first, x, w, y);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for row in y.chunks_exact_mut(e.n) {
                    match activation {
                        Activation::Identity => shift(row, b, |z| z),
                        Activation::Relu => shift(row, b, relu),
                        Activation::Sigmoid => shift(row, b, |z| 1.0 / (1.0 + exp(-z))),
                    }
                }
            },
        );
    });
}

/// A plain loop: `for_each` may be compiled apart, without the processor's wide registers.
#[inline(always)]
fn shift(row: &mut [f32], bias: &[f32], activation: impl Fn(f32) -> f32) {
    for (y, &b) in row.iter_mut().zip(bias) {
        *y = activation(*y + b);
    }
}

/// Lets NaN through, which `f32::max` would swallow.
#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

fn linear_input_grad(e: Extents, activation: Activation, inputs: &[Input<'_>], dx: &mut [f32]) {
    let (dy, w, h) = (inputs[0].floats(), inputs[1].floats(), inputs[2].floats());
    by_rows(e, dx, |first, dx| {
        product(MatMul::Nn, e, first, dy, w, dx);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let h = &h[first * e.n..];
                match activation {
                    Activation::Identity => {}
                    Activation::Relu => slopes(dx, h, |h| if h > 0.0 { 1.0 } else { 0.0 }),
                    Activation::Sigmoid => slopes(dx, h, |h| h * (1.0 - h)),
                }
            },
        );
    });
}

#[inline(always)]
fn slopes(dx: &mut [f32], h: &[f32], slope: impl Fn(f32) -> f32) {
    for (dx, &h) in dx.iter_mut().zip(h) {
        *dx *= slope(h);
    }
}

fn linear_weight_grad(e: Extents, inputs: &[Input<'_>], dw: &mut [f32], db: &mut [f32]) {
    let (dy, x) = (inputs[0].floats(), inputs[1].floats());
    by_rows(e, dw, |first, dw| product(MatMul::Tn, e, first, dy, x, dw));
    db.fill(0.0);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in dy.chunks_exact(e.m) {
                for (db, &dy) in db.iter_mut().zip(row) {
                    *db += dy;
                }
            }
        },
    );
}

/// Elements that one task takes.
const ELEMENTS: usize = 16_384;

fn squared_error(
    kind: LossKind,
    activation: Activation,
    features: usize,
    inputs: &[Input<'_>],
    value: &mut [f32],
    gradient: &mut [f32],
) {
    let (prediction, target) = (inputs[0].floats(), inputs[1].floats());
    let rows = inputs[2].words(&[])[clock::VALID_ROWS] as usize;
    let valid = rows * features;
    let scale = 1.0 / (if kind == LossKind::Mse { valid } else { rows }).max(1) as f32;
    let slope = 2.0 * scale * inputs[3].floats()[0];
    gradient[valid..].fill(0.0);
    let partial: Vec<f32> = gradient[..valid]
        .par_chunks_mut(ELEMENTS)
        .zip(prediction.par_chunks(ELEMENTS).zip(target.par_chunks(ELEMENTS)))
        .map(|(dx, (y, x))| {
            // One loop for each activation, so that none asks in its midst which it is.
            Arch::new().dispatch(
                #[inline(always)]
                || match activation {
                    Activation::Identity => squared_errors(dx, y, x, slope, |_| 1.0),
                    Activation::Relu => squared_errors(dx, y, x, slope, |y| if y > 0.0 { 1.0 } else { 0.0 }),
                    Activation::Sigmoid => squared_errors(dx, y, x, slope, |y| y * (1.0 - y)),
                },
            )
        })
        .collect();
    value[0] = partial.iter().sum::<f32>() * scale;
}

fn batch_gather(gather: BatchGather, inputs: &[Input<'_>], x: &mut [f32]) {
    let data: &[u8] = cast_slice(inputs[0].words(&[]));
    let rows = inputs[1].words(&[]);
    let rows_per_task = (ELEMENTS / gather.features).max(1);
    x.par_chunks_mut(rows_per_task * gather.features).zip(rows.par_chunks(rows_per_task)).for_each(|(x, rows)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (x, &row) in x.chunks_exact_mut(gather.features).zip(rows) {
                    if row == PADDING {
                        x.fill(0.0);
                        continue;
                    }
                    let bytes = &data[row as usize * gather.stride()..][..gather.features];
                    for (x, &byte) in x.iter_mut().zip(bytes) {
                        *x = f32::from(byte) / 255.0;
                    }
                }
            },
        );
    });
}

fn adam_step(adam: &AdamStep, inputs: &[Input<'_>], outputs: &mut [&mut [u32]]) {
    let clock = inputs[0].words(&[]);
    if clock[clock::BAD_STEP] != 0 {
        return;
    }
    let rate = inputs[1].floats()[0];
    let [c1, c2] = [clock::CORRECTION1, clock::CORRECTION2].map(|word| 1.0 / f32::from_bits(clock[word]));
    // Without a branch in the loop: 0 and 1 stand for a decay that is not wanted.
    let in_gradient = if adam.decay == WeightDecay::L2 { adam.lambda } else { 0.0 };
    let shrink = if adam.decay == WeightDecay::Decoupled { 1.0 - rate * adam.lambda } else { 1.0 };
    let (beta1, beta2, epsilon) = (adam.beta1, adam.beta2, adam.epsilon);
    let n = adam.tensors;
    let (weights, moments) = outputs.split_at_mut(n);
    let (first, second) = moments.split_at_mut(n);
    let mut blocks = Vec::new();
    for (t, ((w, m), v)) in weights.iter_mut().zip(first).zip(second).enumerate() {
        let [w, m, v] = [w, m, v].map(|words| cast_slice_mut::<u32, f32>(words).chunks_mut(ELEMENTS));
        blocks.extend(w.zip(m).zip(v).zip(inputs[2 + n + t].floats().chunks(ELEMENTS)));
    }
    blocks.into_par_iter().for_each(|(((w, m), v), g)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (((w, m), v), &g) in w.iter_mut().zip(m).zip(v).zip(g) {
                    let g = g + in_gradient * *w;
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * g * g;
                    *w = shrink * *w - rate * (*m * c1) / ((*v * c2).sqrt() + epsilon);
                }
            },
        );
    });
}
