//! The path entropy of order 1 and its gradient on the CPU device: two products of |W| with vectors forward, two
//! backward, and one logarithm a weight.
//!
//! With u = F and v = F (hF − log F), a node's entropy is hF_j = (Σ a v − Σ a log a u)/s + log s, s = Σ a u, so the
//! logarithms of the weights are all that is not a multiplication. The gradient's log P is their sum with
//! logarithms of nodes. Formulas in `ops/entropy/path_chain.rs`; other orders, and biases that are no source, are left
//! to the twin.

use crate::threads::prelude::*;

use super::path_nodes::{Layer, Nodes, log_of, slopes, step_backward, step_forward};
use crate::device::cpu::exp::log;
use crate::device::cpu::math::wide;
use crate::device::cpu::memory::{Span, Words};
use crate::ops::entropy::path_chain::{NO_PATH, PathBias};
use crate::ops::entropy::path_entropy_grad::{PathEntropyPair, VALUES};
use crate::plan::Step;

/// Elements that one task takes.
const ELEMENTS: usize = 8192;

/// A network's paths with all the memory they need.
pub(in crate::device) struct PathKernel {
    bias: PathBias,
    levels: Vec<usize>,
    /// log |W| of every layer, 0 where there is no edge.
    logs: Vec<Vec<f32>>,
    forward: Vec<Nodes>,
    backward: Vec<Nodes>,
}

impl PathKernel {
    /// For a step that this can compute.
    pub fn new(step: &Step) -> Option<Self> {
        let op = step.op.downcast::<PathEntropyPair>()?;
        let sourced = matches!(op.entropy.bias, PathBias::None | PathBias::Source);
        if op.entropy.alpha != 1.0 || !sourced {
            return None;
        }
        let layers = (step.outputs.len() - VALUES) / 2;
        let dims = (0..layers).map(|l| step.inputs[2 * l].ty.shape.matrix()).collect::<Option<Vec<_>>>()?;
        let mut levels = vec![dims.first()?.1];
        levels.extend(dims.iter().map(|(outputs, _)| outputs));
        let nodes = || levels.iter().map(|&n| Nodes::new(n)).collect();
        let logs = (0..layers).map(|l| vec![0.0; levels[l] * levels[l + 1]]).collect();
        Some(PathKernel { bias: op.entropy.bias, logs, forward: nodes(), backward: nodes(), levels })
    }

    /// Writes value, weight, marginals, entropies of levels, and gradients, which are added to those that come
    /// as inputs in the same place.
    pub fn run(&mut self, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
        let layers = self.logs.len();
        self.sweep(inputs, memory);
        let [h, log_weight] = self.end();
        let (seed, added) = (inputs[2 * layers].floats(memory)[0], inputs.len() > 2 * layers + 1);
        for (i, span) in outputs[VALUES..].iter().enumerate() {
            let mut taken = std::mem::take(&mut memory[span.memory]);
            let gradient = span.part(&mut taken);
            if !added {
                gradient.fill(0.0);
            }
            let parameter = inputs[i].floats(memory);
            if i % 2 == 0 {
                self.add_weights(i / 2, [seed, h], parameter, gradient);
            } else if self.bias == PathBias::Source {
                self.add_biases(i / 2, [seed, h], parameter, gradient);
            }
            memory[span.memory] = taken;
        }
        outputs[0].words_mut(memory)[0] = h.to_bits();
        outputs[1].words_mut(memory)[0] = log_weight.to_bits();
        self.write_levels(outputs[2], outputs[3], memory);
    }

    /// Fills in all nodes.
    fn sweep(&mut self, inputs: &[Span], memory: &[Words]) {
        for (l, logs) in self.logs.iter_mut().enumerate() {
            let w = inputs[2 * l].floats(memory);
            logs.par_chunks_mut(ELEMENTS).zip(w.par_chunks(ELEMENTS)).for_each(|(logs, w)| {
                wide(
                    (logs, w),
                    #[inline(always)]
                    |(logs, w)| {
                        for (log_w, w) in logs.iter_mut().zip(w) {
                            *log_w = if *w == 0.0 { 0.0 } else { log(w.abs()) };
                        }
                    },
                );
            });
        }
        let PathKernel { bias, logs, forward, backward, .. } = self;
        let (logs, sourced) = (&*logs, *bias == PathBias::Source);
        let layer = |l: usize| Layer {
            w: inputs[2 * l].floats(memory),
            logs: &logs[l],
            b: sourced.then(|| inputs[2 * l + 1].floats(memory)),
        };
        let ahead = || {
            forward[0].fill(f32::from(u8::from(sourced)));
            for l in 0..logs.len() {
                let (before, behind) = forward.split_at_mut(l + 1);
                step_forward(layer(l), &before[l], &mut behind[0]);
            }
        };
        let back = || {
            backward[logs.len()].fill(0.0);
            for l in (0..logs.len()).rev() {
                let (before, behind) = backward.split_at_mut(l + 1);
                step_backward(layer(l), &behind[0], &mut before[l]);
            }
        };
        crate::threads::join(ahead, back);
    }

    /// H and the log of the weight of all paths.
    fn end(&self) -> [f32; 2] {
        let layers = self.logs.len();
        let (last, n) = (&self.forward[layers], self.levels[layers]);
        let sum: f32 = last.weight[..n].iter().sum();
        if sum <= 0.0 {
            return [0.0, NO_PATH as f32];
        }
        let h = last.surprise[..n].iter().sum::<f32>() / sum + sum.ln();
        [h, sum.ln() + self.forward[..layers].iter().map(|nodes| nodes.sum.ln()).sum::<f32>()]
    }

    /// Σ F ∘ B over the nodes of a level.
    fn total(&self, level: usize) -> f32 {
        self.forward[level].weight.iter().zip(&self.backward[level].weight).map(|(f, b)| f * b).sum()
    }

    /// Scale and shift of the slopes of the edges to node j behind layer l; none if no path goes there.
    fn factors(&self, l: usize, [seed, h]: [f32; 2]) -> Option<impl Fn(usize) -> [f32; 2] + Sync> {
        let (scale, to) = (self.forward[l].sum * self.total(l + 1), &self.backward[l + 1]);
        let factors = move |j: usize| [-seed * to.weight[j] / scale, to.gap[j] - scale.ln() + h];
        (scale > 0.0).then_some(factors)
    }

    fn add_weights(&self, l: usize, value: [f32; 2], w: &[f32], gradient: &mut [f32]) {
        let Some(factors) = self.factors(l, value) else { return };
        let (from, inputs) = (&self.forward[l], self.levels[l]);
        let rows = (ELEMENTS / inputs).max(1);
        gradient.par_chunks_mut(rows * inputs).enumerate().for_each(|(task, dw)| {
            for (row, dw) in dw.chunks_exact_mut(inputs).enumerate() {
                let j = task * rows + row;
                let at = j * inputs..(j + 1) * inputs;
                let row = [&w[at.clone()], &self.logs[l][at], &from.weight[..inputs], &from.gap[..inputs]];
                wide((dw, row, factors(j)), slopes);
            }
        });
    }

    fn add_biases(&self, l: usize, value: [f32; 2], b: &[f32], gradient: &mut [f32]) {
        let Some(factors) = self.factors(l, value) else { return };
        let (from, source) = (&self.forward[l], self.levels[l]);
        for (j, db) in gradient.iter_mut().enumerate() {
            let edge = [&b[j..=j], &[log_of(b[j])], &from.weight[source..], &from.gap[source..]];
            slopes((std::slice::from_mut(db), edge, factors(j)));
        }
    }

    fn write_levels(&self, marginals: Span, entropies: Span, memory: &mut [Words]) {
        let mut at = 0;
        for (level, &n) in self.levels.iter().enumerate() {
            let (f, b) = (&self.forward[level].weight, &self.backward[level].weight);
            let total = self.total(level);
            let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
            let share = |i: usize| f[i] * b[i] * scale;
            let sum: f32 = (0..n).map(share).sum();
            let terms = (0..n).map(|i| share(i) / sum).filter(|&p| p > 0.0);
            let entropy: f32 = terms.map(|p| -p * p.ln()).sum();
            for (i, word) in marginals.words_mut(memory)[at..at + n].iter_mut().enumerate() {
                *word = share(i).to_bits();
            }
            entropies.words_mut(memory)[level] = entropy.to_bits();
            at += n;
        }
    }
}
