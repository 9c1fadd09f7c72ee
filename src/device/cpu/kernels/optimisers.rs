//! What moves parameters, and what scales their gradients first: all tensors in one go.

use crate::threads::prelude::*;

use super::scaling::{clip_norm, sum_of_decayed_squares, sum_of_squares, unscale};
use crate::device::cpu::math::{flush, square, wide};
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::step::adam_step::{AdamStep, WeightDecay};
use crate::ops::step::average_step::AverageStep;
use crate::ops::step::clip_norm::ClipNorm;
use crate::ops::step::clock;
use crate::ops::step::decayed::{Run, is_weight, runs};
use crate::ops::step::lars_step::LarsStep;
use crate::ops::step::sgd_step::SgdStep;
use crate::ops::step::unscale::Unscale;
use crate::plan::Step;
use crate::tensor::Ty;

/// Which operation.
pub(in crate::device) enum OptimiserKernel {
    /// With the runs of parameters that decay alike.
    Adam(AdamStep, Vec<Run>),
    /// With the same.
    Sgd(SgdStep, Vec<Run>),
    /// With the decay of every parameter, and room for its two sums of squares where its step is scaled by them.
    Lars(LarsStep, Vec<Scaled>),
    Average(AverageStep),
    /// With room for the sum of squares of every block.
    Clip(ClipNorm, Vec<f64>),
    Unscale,
}

impl OptimiserKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let op = step.op.as_ref();
        let blocks = || step.inputs.iter().map(|place| place.ty.elements().div_ceil(ELEMENTS)).sum();
        let types = |tensors: usize| step.inputs[2..2 + tensors].iter().map(|place| &place.ty);
        let adam = |op: &AdamStep| OptimiserKernel::Adam(*op, runs(types(op.tensors), |ty| op.lambda_of(ty)));
        let sgd = |op: &SgdStep| OptimiserKernel::Sgd(*op, runs(types(op.tensors), |ty| op.decay_of(ty)));
        let lars =
            |op: &LarsStep| OptimiserKernel::Lars(*op, types(op.tensors).map(|ty| Scaled::new(op, ty)).collect());
        let kernels = [
            op.downcast().map(adam),
            op.downcast().map(sgd),
            op.downcast().map(lars),
            op.downcast().map(|op| OptimiserKernel::Average(*op)),
            op.downcast().map(|op| OptimiserKernel::Clip(*op, vec![0.0; blocks()])),
            op.downcast::<Unscale>().map(|_| OptimiserKernel::Unscale),
        ];
        kernels.into_iter().flatten().next()
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        match self {
            OptimiserKernel::Adam(..) => Own::Adam,
            OptimiserKernel::Sgd(..) => Own::Sgd,
            OptimiserKernel::Lars(..) => Own::Lars,
            OptimiserKernel::Average(_) => Own::Average,
            OptimiserKernel::Clip(..) => Own::Clip,
            OptimiserKernel::Unscale => Own::Unscale,
        }
    }

    /// Runs it.
    pub fn run(&mut self, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
        match self {
            OptimiserKernel::Adam(adam, runs) => adam_step(adam, runs, inputs, outputs, memory),
            OptimiserKernel::Sgd(sgd, runs) => sgd_step(sgd, runs, inputs, outputs, memory),
            OptimiserKernel::Lars(lars, scaled) => lars_step(lars, scaled, inputs, outputs, memory),
            OptimiserKernel::Average(average) => average_step(average, inputs, outputs, memory),
            OptimiserKernel::Clip(clip, squares) => clip_norm(clip, squares, inputs, memory),
            OptimiserKernel::Unscale => unscale(inputs, outputs, memory),
        }
    }
}

/// Elements that one task takes.
pub(super) const ELEMENTS: usize = 8192;

/// A packed group: one range of an arena, with padding that belongs to no one between its tensors.
fn group(spans: &[Span]) -> Span {
    let last = spans[spans.len() - 1];
    Span { length: last.start + last.length - spans[0].start, ..spans[0] }
}

fn adam_step(adam: &AdamStep, runs: &[Run], inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
    let clock = inputs[0].words(memory);
    if clock[clock::BAD_STEP] != 0 {
        return;
    }
    let rate = inputs[1].floats(memory)[0];
    let [c1, c2] = [clock::CORRECTION1, clock::CORRECTION2].map(|word| 1.0 / f32::from_bits(clock[word]));
    let (beta1, beta2, epsilon) = (adam.beta1, adam.beta2, adam.epsilon);
    let n = adam.tensors;
    for Run { tensors, lambda } in runs {
        // Without a branch in the loop: 0 and 1 stand for a decay that is not wanted.
        let in_gradient = if adam.decay == WeightDecay::L2 { *lambda } else { 0.0 };
        let shrink = if adam.decay == WeightDecay::Decoupled { 1.0 - rate * lambda } else { 1.0 };
        let spans = [0, n, 2 * n].map(|first| group(&outputs[first..][tensors.clone()]));
        let mut taken = spans.map(|span| std::mem::take(&mut memory[span.memory]));
        let [w, m, v] = &mut taken;
        let gradients = group(&inputs[2 + n..][tensors.clone()]).floats(memory);
        let blocks = spans[0].part(w).par_chunks_mut(ELEMENTS);
        let blocks =
            blocks.zip(spans[1].part(m).par_chunks_mut(ELEMENTS)).zip(spans[2].part(v).par_chunks_mut(ELEMENTS));
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
}

fn sgd_step(sgd: &SgdStep, runs: &[Run], inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
    if inputs[0].words(memory)[clock::BAD_STEP] != 0 {
        return;
    }
    let (rate, momentum) = (inputs[1].floats(memory)[0], sgd.momentum);
    // Without a branch in the loop: the step is this share of the gradient and that of the velocity.
    let [of_gradient, of_velocity] = if sgd.nesterov { [rate, rate * momentum] } else { [0.0, rate] };
    let n = sgd.tensors;
    for Run { tensors, lambda } in runs {
        let parameters = [0, n].map(|first| group(&outputs[first..][tensors.clone()]));
        let gradients = group(&inputs[2 + n..][tensors.clone()]);
        descend(
            parameters,
            gradients,
            memory,
            #[inline(always)]
            |w, u, g| {
                let g = g + lambda * *w;
                *u = flush(momentum * *u + g);
                *w -= of_gradient * g + of_velocity * *u;
            },
        );
    }
}

/// Every parameter of these spans, with its velocity and its gradient, through an update.
#[inline(always)]
fn descend(
    spans: [Span; 2],
    gradients: Span,
    memory: &mut [Words],
    update: impl Fn(&mut f32, &mut f32, f32) + Copy + Send + Sync,
) {
    let mut taken = spans.map(|span| std::mem::take(&mut memory[span.memory]));
    let [w, u] = &mut taken;
    let gradients = gradients.floats(memory);
    let blocks = spans[0].part(w).par_chunks_mut(ELEMENTS).zip(spans[1].part(u).par_chunks_mut(ELEMENTS));
    blocks.zip(gradients.par_chunks(ELEMENTS)).for_each(|((w, u), g)| {
        wide(
            (w, u),
            #[inline(always)]
            |(w, u): (&mut [f32], &mut [f32])| {
                for ((w, u), &g) in w.iter_mut().zip(u).zip(g) {
                    update(w, u, g);
                }
            },
        );
    });
    for (span, words) in spans.iter().zip(taken) {
        memory[span.memory] = words;
    }
}

/// A parameter whose step may be scaled by how long it and its gradient are.
pub(in crate::device) struct Scaled {
    decay: f32,
    /// Squares of the weights and of their gradient with decay, block by block; none where the step is not scaled.
    squares: Vec<[f64; 2]>,
}

impl Scaled {
    fn new(lars: &LarsStep, ty: &Ty) -> Self {
        let blocks = if is_weight(ty) { ty.elements().div_ceil(ELEMENTS) } else { 0 };
        Scaled { decay: lars.decay_of(ty), squares: vec![[0.0; 2]; blocks] }
    }

    /// What the step is multiplied by. Squares are added in f64, block by block in their order, as those of `clip_norm`.
    fn trust(&mut self, lars: &LarsStep, w: &[f32], g: &[f32]) -> f32 {
        if self.squares.is_empty() {
            return 1.0;
        }
        let decay = self.decay;
        let blocks = self.squares.par_iter_mut().zip(w.par_chunks(ELEMENTS).zip(g.par_chunks(ELEMENTS)));
        blocks.for_each(|(squares, (w, g))| *squares = [sum_of_squares(w), sum_of_decayed_squares(w, g, decay)]);
        let sum = |which: usize| self.squares.iter().map(|squares| squares[which]).sum::<f64>();
        lars.scale([sum(0), sum(1)]) as f32
    }
}

fn lars_step(lars: &LarsStep, scaled: &mut [Scaled], inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
    if inputs[0].words(memory)[clock::BAD_STEP] != 0 {
        return;
    }
    let (rate, momentum, n) = (inputs[1].floats(memory)[0], lars.momentum, lars.tensors);
    for (t, scaled) in scaled.iter_mut().enumerate() {
        let [weights, gradients] = [2 + t, 2 + n + t].map(|input| inputs[input]);
        let rate = rate * scaled.trust(lars, weights.floats(memory), gradients.floats(memory));
        let decay = scaled.decay;
        descend(
            [outputs[t], outputs[n + t]],
            gradients,
            memory,
            #[inline(always)]
            |w, v, g| {
                *v = flush(momentum * *v + rate * (g + decay * *w));
                *w -= *v;
            },
        );
    }
}

fn average_step(average: &AverageStep, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
    let clock = inputs[0].words(memory);
    if clock[clock::BAD_STEP] != 0 {
        return;
    }
    let share = average.share(clock[clock::STEP]);
    let span = group(outputs);
    let mut words = std::mem::take(&mut memory[span.memory]);
    let weights = group(&inputs[1..1 + average.tensors]).floats(memory);
    span.part(&mut words).par_chunks_mut(ELEMENTS).zip(weights.par_chunks(ELEMENTS)).for_each(|(a, w)| {
        wide(
            a,
            #[inline(always)]
            |a: &mut [f32]| a.iter_mut().zip(w).for_each(|(a, w)| *a += share * (w - *a)),
        );
    });
    memory[span.memory] = words;
}
