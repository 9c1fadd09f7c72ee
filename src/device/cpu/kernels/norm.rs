//! Batch normalisation and its gradient: sums over rows, then every row, in loops as wide as the processor.

use crate::device::cpu::math::{add, flush, wide};
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::batch::rows_per_sample;
use crate::ops::norm::batch_norm::{BatchNorm, EPSILON};
use crate::ops::norm::batch_norm_grad::BatchNormGrad;
use crate::plan::Step;

/// A step of either kind, and what it needs between its passes: three rows of numbers.
pub(in crate::device) struct NormKernel {
    gradient: bool,
    columns: usize,
    rows_per_sample: usize,
    scratch: Vec<f32>,
}

impl NormKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let backward = step.op.downcast::<BatchNormGrad>();
        let BatchNorm { rows_per_sample } = *step.op.downcast().or(backward.map(|gradient| &gradient.0))?;
        let gradient = backward.is_some();
        let columns = step.inputs[1].ty.elements();
        Some(NormKernel { gradient, columns, rows_per_sample, scratch: vec![0.0; 3 * columns] })
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        if self.gradient { Own::BatchNormGrad } else { Own::BatchNorm }
    }

    /// Runs it; `lend` lends out an output's floats while the rest of the memory is read.
    pub fn run(
        &mut self,
        inputs: &[Span],
        outputs: &[Span],
        memory: &mut [Words],
        lend: impl FnOnce(Span, &mut [Words], &mut dyn FnMut(&mut [f32], &[Words])),
    ) {
        let columns = self.columns;
        let clock = inputs[if self.gradient { 2 } else { 3 }].words(memory);
        let valid = rows_per_sample::valid_rows(clock, self.rows_per_sample) * columns;
        let count = (valid / columns).max(1) as f32;
        let (first, rest) = self.scratch.split_at_mut(columns);
        let (second, factors) = rest.split_at_mut(columns);
        let x = &inputs[0].floats(memory)[..valid];
        let scale = inputs[1].floats(memory);
        if self.gradient {
            let (mean, variance) = inputs[3].floats(memory).split_at(columns);
            factors.iter_mut().zip(variance).for_each(|(factor, variance)| *factor = 1.0 / (variance + EPSILON).sqrt());
            let dy = &inputs[4].floats(memory)[..valid];
            gradient_sums([&mut *first, &mut *second], x, dy, mean, factors);
            let (d_scale, d_shift) = (&*first, &*second);
            lend(outputs[0], memory, &mut |dx, memory| {
                let (x, dy) = (inputs[0].floats(memory), inputs[4].floats(memory));
                let (mean, scale) = (inputs[3].floats(memory), inputs[1].floats(memory));
                let rows = dx.chunks_exact_mut(columns).zip(x.chunks_exact(columns)).zip(dy.chunks_exact(columns));
                for ((dx, x), dy) in rows.take(valid / columns) {
                    wide(
                        dx,
                        #[inline(always)]
                        |dx: &mut [f32]| {
                            for n in 0..columns.min(dx.len()) {
                                let standard = (x[n] - mean[n]) * factors[n];
                                let left = dy[n] - (d_shift[n] + standard * d_scale[n]) / count;
                                dx[n] = flush(scale[n] * factors[n] * left);
                            }
                        },
                    );
                }
                dx[valid..].fill(0.0);
            });
            outputs[1].part(&mut memory[outputs[1].memory]).copy_from_slice(first);
            outputs[2].part(&mut memory[outputs[2].memory]).copy_from_slice(second);
            return;
        }
        means([&mut *first, &mut *second], x, count);
        for (n, factor) in factors.iter_mut().enumerate() {
            *factor = scale[n] / (second[n] + EPSILON).sqrt();
        }
        let mean = &*first;
        lend(outputs[0], memory, &mut |y, memory| {
            let (x, shift) = (inputs[0].floats(memory), inputs[2].floats(memory));
            let rows = y.chunks_exact_mut(columns).zip(x.chunks_exact(columns));
            for (y, x) in rows.take(valid / columns) {
                wide(
                    y,
                    #[inline(always)]
                    |y: &mut [f32]| {
                        for n in 0..columns.min(y.len()) {
                            y[n] = factors[n] * (x[n] - mean[n]) + shift[n];
                        }
                    },
                );
            }
            y[valid..].fill(0.0);
        });
        let moments = outputs[1].part(&mut memory[outputs[1].memory]);
        moments[..columns].copy_from_slice(first);
        moments[columns..].copy_from_slice(second);
    }
}

/// Means and variances of the columns of x.
fn means([mean, variance]: [&mut [f32]; 2], x: &[f32], count: f32) {
    let columns = mean.len();
    wide(
        (mean, variance),
        #[inline(always)]
        |(mean, variance): (&mut [f32], &mut [f32])| {
            mean.fill(0.0);
            variance.fill(0.0);
            for row in x.chunks_exact(columns) {
                add(mean, row);
            }
            mean.iter_mut().for_each(|mean| *mean /= count);
            for row in x.chunks_exact(columns) {
                for ((variance, &mean), &x) in variance.iter_mut().zip(&*mean).zip(row) {
                    *variance += (x - mean) * (x - mean);
                }
            }
            variance.iter_mut().for_each(|variance| *variance /= count);
        },
    );
}

/// Σ dy x̂ and Σ dy over the rows.
fn gradient_sums([to_scale, to_shift]: [&mut [f32]; 2], x: &[f32], dy: &[f32], mean: &[f32], inverse: &[f32]) {
    let columns = to_scale.len();
    wide(
        (to_scale, to_shift),
        #[inline(always)]
        |(to_scale, to_shift): (&mut [f32], &mut [f32])| {
            to_scale.fill(0.0);
            to_shift.fill(0.0);
            for (x, dy) in x.chunks_exact(columns).zip(dy.chunks_exact(columns)) {
                add(to_shift, dy);
                for n in 0..columns.min(to_scale.len()) {
                    to_scale[n] += dy[n] * ((x[n] - mean[n]) * inverse[n]);
                }
            }
        },
    );
}
