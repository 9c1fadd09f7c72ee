//! Norms of columns, of a batch or of every sample, and their gradients: rows are cut into stretches, whose sums are joined in
//! their order, so the bits do not depend on the number of threads.

use crate::device::cpu::kernels::stretch;
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::batch::rows_per_sample;
use crate::ops::norm::batch_norm::BatchNorm;
use crate::ops::norm::batch_norm_grad::BatchNormGrad;
use crate::ops::norm::group_norm::{self, Extents, GroupNorm};
use crate::ops::norm::group_norm_grad::GroupNormGrad;
use crate::plan::Step;
use crate::threads::prelude::*;

/// Elements of a stretch: what stays near a processor while it is gone through twice.
const ELEMENTS: usize = 16 << 10;
/// Fewest rows of a stretch, so that what is found of it is little beside it.
const ROWS: usize = 32;

/// A step of one of these kinds. A batch norm is one sample of all rows, and each of its columns a group.
pub(in crate::device) struct NormKernel {
    own: Own,
    extents: Extents,
    epsilon: f32,
    /// Rows that the clock counts as one sample, and the input that it is; none where all rows are valid.
    counted: Option<(usize, usize)>,
    /// Rows of a stretch.
    stretch: usize,
    /// What is found of every stretch, two numbers a column.
    parts: Vec<f32>,
    /// What is needed to go through the rows of every sample, `LINES` numbers a column.
    lines: Vec<f32>,
    /// Moments, or gradients of scale and shift.
    found: Vec<f32>,
}

/// Mean, inverse deviation, and what the gradient of a group takes away: a number, and one that is multiplied.
const LINES: usize = 4;

impl NormKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let op = step.op.as_ref();
        let batch = [
            op.downcast::<BatchNorm>().map(|of| (*of, Own::BatchNorm, 3)),
            op.downcast::<BatchNormGrad>().map(|of| (of.0, Own::BatchNormGrad, 2)),
        ];
        let group = [
            op.downcast::<GroupNorm>().map(|of| (*of, Own::GroupNorm)),
            op.downcast::<GroupNormGrad>().map(|of| (of.0, Own::GroupNormGrad)),
        ];
        let x = &step.inputs[0].ty;
        if let Some((BatchNorm { rows_per_sample, epsilon }, own, clock)) = batch.into_iter().flatten().next() {
            let (rows, columns) = x.shape.matrix()?;
            let extents = Extents { samples: 1, rows, columns, groups: columns };
            return Some(NormKernel::of(own, extents, epsilon, Some((rows_per_sample, clock))));
        }
        let (of, own) = group.into_iter().flatten().next()?;
        Some(NormKernel::of(own, of.extents(own.name(), x).ok()?, group_norm::EPSILON, None))
    }

    fn of(own: Own, extents: Extents, epsilon: f32, counted: Option<(usize, usize)>) -> Self {
        let Extents { samples, rows, columns, groups } = extents;
        let stretch = (ELEMENTS / columns).max(ROWS);
        let zeros = |count: usize| vec![0.0; count];
        NormKernel {
            own,
            extents,
            epsilon,
            counted,
            stretch,
            parts: zeros(samples * rows.div_ceil(stretch) * 2 * columns),
            lines: zeros(samples * LINES * columns),
            found: zeros(2 * columns.max(samples * groups)),
        }
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        self.own
    }

    /// Runs it; `lend` lends out an output's floats while the rest of the memory is read.
    pub fn run(
        &mut self,
        inputs: &[Span],
        outputs: &[Span],
        memory: &mut [Words],
        lend: impl FnOnce(Span, &mut [Words], &mut dyn FnMut(&mut [f32], &[Words])),
    ) {
        let Extents { rows, .. } = self.extents;
        let valid = self.counted.map_or(rows, |(rows_per_sample, clock)| {
            rows_per_sample::valid_rows(inputs[clock].words(memory), rows_per_sample).min(rows)
        });
        match self.own {
            Own::BatchNorm | Own::GroupNorm => self.forward(valid, inputs, outputs, memory, lend),
            Own::BatchNormGrad => {
                self.backward(valid, [inputs[0], inputs[1], inputs[3], inputs[4]], outputs, memory, lend)
            }
            _ => self.backward(valid, [inputs[0], inputs[1], inputs[2], inputs[3]], outputs, memory, lend),
        }
    }

    /// Writes what is found of every stretch: `task` is given its sample, its first row and how many of its rows are valid.
    fn each_part(&mut self, valid: usize, task: impl Fn(usize, usize, usize, &[f32], &mut [f32]) + Sync) {
        let NormKernel { extents: Extents { rows, columns, .. }, stretch, ref mut parts, ref lines, .. } = *self;
        let of_sample = rows.div_ceil(stretch);
        parts.par_chunks_mut(2 * columns).enumerate().for_each(|(number, part)| {
            let (sample, begin) = (number / of_sample, number % of_sample * stretch);
            let count = (begin + stretch).min(valid).saturating_sub(begin);
            task(sample, sample * rows + begin, count, &lines[sample * LINES * columns..], part);
        });
    }

    /// The parts of a sample with how many rows each is of.
    fn parts_of(&self, sample: usize, valid: usize) -> impl Iterator<Item = (f64, &[f32])> {
        let NormKernel { extents: Extents { rows, columns, .. }, stretch, ref parts, .. } = *self;
        let of_sample = rows.div_ceil(stretch);
        let parts = parts[sample * of_sample * 2 * columns..][..of_sample * 2 * columns].chunks_exact(2 * columns);
        let count = move |number: usize| (number * stretch + stretch).min(valid).saturating_sub(number * stretch);
        parts.enumerate().map(move |(number, part)| (count(number) as f64, part))
    }

    fn forward(
        &mut self,
        valid: usize,
        inputs: &[Span],
        outputs: &[Span],
        memory: &mut [Words],
        lend: impl FnOnce(Span, &mut [Words], &mut dyn FnMut(&mut [f32], &[Words])),
    ) {
        let Extents { samples, columns, groups, .. } = self.extents;
        let x = inputs[0].floats(memory);
        self.each_part(valid, |_, first, count, _, part| {
            stretch::moments(&x[first * columns..][..count * columns], part);
        });
        let wide = columns / groups;
        for sample in 0..samples {
            for group in 0..groups {
                let count = (valid.max(1) * wide) as f64;
                let members = group * wide..(group + 1) * wide;
                let (mut mean, mut squares) = (0.0, 0.0);
                for (rows, part) in self.parts_of(sample, valid) {
                    mean += rows * part[members.clone()].iter().map(|&mean| f64::from(mean)).sum::<f64>();
                }
                mean /= count;
                for (rows, part) in self.parts_of(sample, valid) {
                    for n in members.clone() {
                        let error = f64::from(part[n]) - mean;
                        squares += f64::from(part[columns + n]) + rows * error * error;
                    }
                }
                let (mean, variance) = (mean as f32, (squares / count) as f32);
                self.keep(sample, members, [mean, 1.0 / (variance + self.epsilon).sqrt()]);
                let at = sample * groups + group;
                (self.found[at], self.found[samples * groups + at]) = (mean, variance);
            }
        }
        let of = &*self;
        lend(outputs[0], memory, &mut |y, memory| {
            let [x, scale, shift] = [0, 1, 2].map(|input| inputs[input].floats(memory));
            of.each_stretch(valid, y, |first, lines, y| stretch::apply(&x[first..], [scale, shift], lines, y));
        });
        outputs[1].part(&mut memory[outputs[1].memory]).copy_from_slice(&self.found[..2 * samples * groups]);
    }

    /// `inputs`: x, scale, moments, dy.
    fn backward(
        &mut self,
        valid: usize,
        inputs: [Span; 4],
        outputs: &[Span],
        memory: &mut [Words],
        lend: impl FnOnce(Span, &mut [Words], &mut dyn FnMut(&mut [f32], &[Words])),
    ) {
        let Extents { samples, columns, groups, .. } = self.extents;
        let [x, scale, moments, dy] = inputs.map(|input| input.floats(memory));
        let (wide, all) = (columns / groups, samples * groups);
        for at in 0..all {
            let (sample, group) = (at / groups, at % groups);
            let inverse = 1.0 / (moments[all + at] + self.epsilon).sqrt();
            self.keep(sample, group * wide..(group + 1) * wide, [moments[at], inverse]);
        }
        self.each_part(valid, |_, first, count, lines, part| {
            let rows = first * columns..(first + count) * columns;
            stretch::gradient_sums(&x[rows.clone()], &dy[rows], &lines[..2 * columns], part);
        });
        for n in 0..columns {
            let (mut to_shift, mut to_scale) = (0.0, 0.0);
            for part in self.parts.chunks_exact(2 * columns) {
                to_shift += f64::from(part[n]);
                to_scale += f64::from(part[columns + n]);
            }
            (self.found[n], self.found[columns + n]) = (to_scale as f32, to_shift as f32);
        }
        for at in 0..all {
            let (sample, group) = (at / groups, at % groups);
            let (mut plain, mut with_x) = (0.0, 0.0);
            for (_, part) in self.parts_of(sample, valid) {
                for n in group * wide..(group + 1) * wide {
                    plain += f64::from(scale[n] * part[n]);
                    with_x += f64::from(scale[n] * part[columns + n]);
                }
            }
            let count = (valid.max(1) * wide) as f64;
            let lines = &mut self.lines[(sample * LINES + 2) * columns..][..2 * columns];
            lines[group * wide..][..wide].fill((plain / count) as f32);
            lines[columns + group * wide..][..wide].fill((with_x / count) as f32);
        }
        let of = &*self;
        lend(outputs[0], memory, &mut |dx, memory| {
            let [x, scale, _, dy] = inputs.map(|input| input.floats(memory));
            of.each_stretch(valid, dx, |first, lines, dx| {
                stretch::apply_gradient(&x[first..], &dy[first..], scale, lines, dx);
            });
        });
        outputs[1].part(&mut memory[outputs[1].memory]).copy_from_slice(&self.found[..columns]);
        outputs[2].part(&mut memory[outputs[2].memory]).copy_from_slice(&self.found[columns..2 * columns]);
    }

    /// Keeps the mean and the inverse deviation of a group for its columns.
    fn keep(&mut self, sample: usize, members: std::ops::Range<usize>, values: [f32; 2]) {
        let columns = self.extents.columns;
        let lines = self.lines[sample * LINES * columns..].chunks_exact_mut(columns);
        lines.zip(values).for_each(|(line, value)| line[members.clone()].fill(value));
    }

    /// Hands every stretch of y to `task`, with the number of its first element and the lines of its sample; 0 for padding.
    fn each_stretch(&self, valid: usize, y: &mut [f32], task: impl Fn(usize, &[f32], &mut [f32]) + Sync) {
        let NormKernel { extents: Extents { rows, columns, .. }, stretch, ref lines, .. } = *self;
        let samples = y.par_chunks_mut(rows * columns).zip(lines.par_chunks(LINES * columns)).enumerate();
        samples.for_each(|(sample, (y, lines))| {
            let (data, padding) = y.split_at_mut(valid * columns);
            data.par_chunks_mut(stretch * columns).enumerate().for_each(|(number, y)| {
                task((sample * rows + number * stretch) * columns, lines, y);
            });
            padding.fill(0.0);
        });
    }
}
