//! Kernels of the CPU device for what is hot: products, the reconstruction loss, the gather, Adam.
//! Each is tested against its twin with the same cases as the GPU's.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::Arch;
use rayon::prelude::*;

use super::cpu_math::{exp, product, rows_per_task, sum};
use crate::graph::Op;
use crate::ops::activation::Activation;
use crate::ops::adam_step::AdamStep;
use crate::ops::batch_gather::BatchGather;
use crate::ops::batch_rows::PADDING;
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
        Arch::new().dispatch(|| {
            for row in y.chunks_exact_mut(e.n) {
                match activation {
                    Activation::Identity => row.iter_mut().zip(b).for_each(|(y, b)| *y += b),
                    Activation::Relu => row.iter_mut().zip(b).for_each(|(y, b)| *y = relu(*y + b)),
                    Activation::Sigmoid => row.iter_mut().zip(b).for_each(|(y, b)| *y = 1.0 / (1.0 + exp(-(*y + b)))),
                }
            }
        });
    });
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
        Arch::new().dispatch(|| {
            for (dx, &h) in dx.iter_mut().zip(&h[first * e.n..]) {
                *dx *= activation.slope(h);
            }
        });
    });
}

fn linear_weight_grad(e: Extents, inputs: &[Input<'_>], dw: &mut [f32], db: &mut [f32]) {
    let (dy, x) = (inputs[0].floats(), inputs[1].floats());
    by_rows(e, dw, |first, dw| product(MatMul::Tn, e, first, dy, x, dw));
    db.fill(0.0);
    Arch::new().dispatch(|| {
        for row in dy.chunks_exact(e.m) {
            db.iter_mut().zip(row).for_each(|(db, dy)| *db += dy);
        }
    });
}

/// Elements of a batch that one task takes.
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
            Arch::new().dispatch(|| {
                for ((dx, &y), &x) in dx.iter_mut().zip(y).zip(x) {
                    *dx = (y - x) * slope * activation.slope(y);
                }
                sum(y.iter().zip(x).take(dx.len()).map(|(y, x)| (y - x) * (y - x)))
            })
        })
        .collect();
    value[0] = partial.iter().sum::<f32>() * scale;
}

fn batch_gather(gather: BatchGather, inputs: &[Input<'_>], x: &mut [f32]) {
    let data: &[u8] = cast_slice(inputs[0].words(&[]));
    let rows = inputs[1].words(&[]);
    let rows_per_task = (ELEMENTS / gather.features).max(1);
    x.par_chunks_mut(rows_per_task * gather.features).zip(rows.par_chunks(rows_per_task)).for_each(|(x, rows)| {
        Arch::new().dispatch(|| {
            for (x, &row) in x.chunks_exact_mut(gather.features).zip(rows) {
                if row == PADDING {
                    x.fill(0.0);
                    continue;
                }
                let bytes = &data[row as usize * gather.stride()..][..gather.features];
                x.iter_mut().zip(bytes).for_each(|(x, &byte)| *x = f32::from(byte) / 255.0);
            }
        });
    });
}

fn adam_step(adam: &AdamStep, inputs: &[Input<'_>], outputs: &mut [&mut [u32]]) {
    let clock = inputs[0].words(&[]);
    if clock[clock::BAD_STEP] != 0 {
        return;
    }
    let rate = inputs[1].floats()[0];
    let corrections = [clock::CORRECTION1, clock::CORRECTION2].map(|word| f32::from_bits(clock[word]));
    let n = adam.tensors;
    let (weights, moments) = outputs.split_at_mut(n);
    let (first, second) = moments.split_at_mut(n);
    for (t, ((w, m), v)) in weights.iter_mut().zip(first).zip(second).enumerate() {
        let g = inputs[2 + n + t].floats();
        let (w, m, v): (&mut [f32], &mut [f32], &mut [f32]) = (cast_slice_mut(w), cast_slice_mut(m), cast_slice_mut(v));
        w.par_chunks_mut(ELEMENTS)
            .zip(m.par_chunks_mut(ELEMENTS))
            .zip(v.par_chunks_mut(ELEMENTS))
            .zip(g.par_chunks(ELEMENTS))
            .for_each(|(((w, m), v), g)| {
                Arch::new().dispatch(|| {
                    for (((w, m), v), &g) in w.iter_mut().zip(m).zip(v).zip(g) {
                        (*w, *m, *v) = adam.update(rate, corrections, [*w, g, *m, *v]);
                    }
                });
            });
    }
}
