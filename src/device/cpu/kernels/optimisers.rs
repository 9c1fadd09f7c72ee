//! What moves parameters, and what scales their gradients first: all tensors in one go.

use crate::threads::prelude::*;

use crate::device::cpu::math::{flush, square, wide};
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::step::adam_step::{AdamStep, WeightDecay};
use crate::ops::step::clip_norm::ClipNorm;
use crate::ops::step::clock;
use crate::ops::step::sgd_step::SgdStep;
use crate::plan::Step;

/// Which operation.
pub(in crate::device) enum OptimiserKernel {
    Adam(AdamStep),
    Sgd(SgdStep),
    /// With room for the sum of squares of every block.
    Clip(ClipNorm, Vec<f64>),
}

impl OptimiserKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let op = step.op.as_ref();
        let blocks = || step.inputs.iter().map(|place| place.ty.elements().div_ceil(ELEMENTS)).sum();
        let kernels = [
            op.downcast().map(|op| OptimiserKernel::Adam(*op)),
            op.downcast().map(|op| OptimiserKernel::Sgd(*op)),
            op.downcast().map(|op| OptimiserKernel::Clip(*op, vec![0.0; blocks()])),
        ];
        kernels.into_iter().flatten().next()
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        match self {
            OptimiserKernel::Adam(_) => Own::Adam,
            OptimiserKernel::Sgd(_) => Own::Sgd,
            OptimiserKernel::Clip(..) => Own::Clip,
        }
    }

    /// Runs it.
    pub fn run(&mut self, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
        match self {
            OptimiserKernel::Adam(adam) => adam_step(adam, inputs, outputs, memory),
            OptimiserKernel::Sgd(sgd) => sgd_step(sgd, inputs, outputs, memory),
            OptimiserKernel::Clip(clip, squares) => clip_norm(clip, squares, inputs, memory),
        }
    }
}

/// Elements that one task takes.
const ELEMENTS: usize = 8192;

/// A packed group: one range of an arena, with padding that belongs to no one between its tensors.
fn group(spans: &[Span]) -> Span {
    let last = spans[spans.len() - 1];
    Span { length: last.start + last.length - spans[0].start, ..spans[0] }
}

fn adam_step(adam: &AdamStep, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
    let clock = inputs[0].words(memory);
    if clock[clock::BAD_STEP] != 0 {
        return;
    }
    let rate = inputs[1].floats(memory)[0];
    let [c1, c2] = [clock::CORRECTION1, clock::CORRECTION2].map(|word| 1.0 / f32::from_bits(clock[word]));
    // Without a branch in the loop: 0 and 1 stand for a decay that is not wanted.
    let in_gradient = if adam.decay == WeightDecay::L2 { adam.lambda } else { 0.0 };
    let shrink = if adam.decay == WeightDecay::Decoupled { 1.0 - rate * adam.lambda } else { 1.0 };
    let (beta1, beta2, epsilon) = (adam.beta1, adam.beta2, adam.epsilon);
    let n = adam.tensors;
    let spans = [&outputs[..n], &outputs[n..2 * n], &outputs[2 * n..]].map(group);
    let mut taken = spans.map(|span| std::mem::take(&mut memory[span.memory]));
    let [w, m, v] = &mut taken;
    let gradients = group(&inputs[2 + n..2 + 2 * n]).floats(memory);
    let blocks = spans[0].part(w).par_chunks_mut(ELEMENTS);
    let blocks = blocks.zip(spans[1].part(m).par_chunks_mut(ELEMENTS)).zip(spans[2].part(v).par_chunks_mut(ELEMENTS));
    let blocks = blocks.zip(gradients.par_chunks(ELEMENTS));
    blocks.for_each(|(((w, m), v), g)| {
        wide(
            (w, m, v),
            #[inline(always)]
            |(w, m, v): (&mut [f32], &mut [f32], &mut [f32])| {
                for (((w, m), v), &g) in w.iter_mut().zip(m).zip(v).zip(g) {
                    let g = g + in_gradient * *w;
                    *m = flush(beta1 * *m + (1.0 - beta1) * g);
                    *v = flush(beta2 * *v + (1.0 - beta2) * square(g));
                    *w = shrink * *w - rate * (*m * c1) / ((*v * c2).sqrt() + epsilon);
                }
            },
        );
    });
    for (span, words) in spans.iter().zip(taken) {
        memory[span.memory] = words;
    }
}

fn sgd_step(sgd: &SgdStep, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
    if inputs[0].words(memory)[clock::BAD_STEP] != 0 {
        return;
    }
    let (rate, momentum, decay) = (inputs[1].floats(memory)[0], sgd.momentum, sgd.decay);
    let n = sgd.tensors;
    let spans = [&outputs[..n], &outputs[n..]].map(group);
    let mut taken = spans.map(|span| std::mem::take(&mut memory[span.memory]));
    let [w, u] = &mut taken;
    let gradients = group(&inputs[2 + n..2 + 2 * n]).floats(memory);
    let blocks = spans[0].part(w).par_chunks_mut(ELEMENTS).zip(spans[1].part(u).par_chunks_mut(ELEMENTS));
    blocks.zip(gradients.par_chunks(ELEMENTS)).for_each(|((w, u), g)| {
        wide(
            (w, u),
            #[inline(always)]
            |(w, u): (&mut [f32], &mut [f32])| {
                for ((w, u), &g) in w.iter_mut().zip(u).zip(g) {
                    *u = flush(momentum * *u + (g + decay * *w));
                    *w -= rate * *u;
                }
            },
        );
    });
    for (span, words) in spans.iter().zip(taken) {
        memory[span.memory] = words;
    }
}

/// Numbers that are squared side by side.
const LANES: usize = 16;

/// The squares are added in f64, block by block in their order, so that neither the number of threads nor the
/// size of a network shows in the norm.
fn clip_norm(clip: &ClipNorm, squares: &mut [f64], inputs: &[Span], memory: &mut [Words]) {
    let mut rest = &mut *squares;
    for gradient in inputs {
        let blocks = gradient.floats(memory).par_chunks(ELEMENTS);
        let (own, others) = rest.split_at_mut(blocks.len());
        own.par_iter_mut().zip(blocks).for_each(|(sum, block)| *sum = sum_of_squares(block));
        rest = others;
    }
    let scale = clip.scale(squares.iter().sum::<f64>()) as f32;
    if scale < 1.0 {
        for gradient in inputs {
            let blocks = gradient.part(&mut memory[gradient.memory]).par_chunks_mut(ELEMENTS);
            blocks.for_each(|block| block.iter_mut().for_each(|g| *g *= scale));
        }
    }
}

fn sum_of_squares(x: &[f32]) -> f64 {
    let mut lanes = [0.0; LANES];
    wide(
        &mut lanes,
        #[inline(always)]
        |lanes: &mut [f64; LANES]| {
            let (whole, rest) = x.as_chunks::<LANES>();
            for x in whole {
                for lane in 0..LANES {
                    lanes[lane] += f64::from(x[lane]) * f64::from(x[lane]);
                }
            }
            for (lane, &x) in lanes.iter_mut().zip(rest) {
                *lane += f64::from(x) * f64::from(x);
            }
        },
    );
    lanes.into_iter().sum()
}
