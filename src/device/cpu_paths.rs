//! The path entropy of order 1 and its gradient on the CPU device: two products of |W| with vectors forward, two
//! backward, and one logarithm a weight.
//!
//! With u = F and v = F (hF − log F), a node's entropy is hF_j = (Σ a v − Σ a log a u)/s + log s, s = Σ a u, so the
//! logarithms of the weights are all that is not a multiplication. The gradient's log P is their sum with
//! logarithms of nodes. Formulas in `ops/path_chain.rs`; other orders, and biases that are no source, are left
//! to the twin.

use rayon::prelude::*;

use super::cpu_math::{log, wide};
use super::cpu_memory::{LINE, Span, Words};
use crate::ops::path_chain::{NO_PATH, PathBias};
use crate::ops::path_entropy_grad::PathEntropyPair;
use crate::plan::Step;

/// Nodes of a level, the source last.
#[derive(Default)]
struct Nodes {
    /// F or B, relative to each other.
    weight: Vec<f32>,
    /// Entropy, to begin with Σ a v − Σ a log a u.
    entropy: Vec<f32>,
    /// Weight (h − log weight): what the next level adds up.
    surprise: Vec<f32>,
    /// Sum of the weights.
    sum: f32,
}

impl Nodes {
    fn new(n: usize) -> Self {
        Nodes { weight: vec![0.0; n + 1], entropy: vec![0.0; n + 1], surprise: vec![0.0; n + 1], sum: 0.0 }
    }

    fn ends(&mut self, source: f32) {
        self.weight.fill(1.0);
        self.entropy.fill(0.0);
        if let Some(last) = self.weight.last_mut() {
            *last = source;
        }
        self.finish(1.0);
    }

    /// Makes entropies of what was added up, given the sum of the weights before.
    fn close(&mut self, before: f32) {
        for (weight, entropy) in self.weight.iter_mut().zip(&mut self.entropy) {
            *entropy = if *weight > 0.0 { *entropy / *weight + weight.ln() } else { 0.0 };
        }
        self.finish(before);
    }

    fn finish(&mut self, before: f32) {
        let scale = if before > 0.0 { 1.0 / before } else { 0.0 };
        self.sum = 0.0;
        for ((weight, h), surprise) in self.weight.iter_mut().zip(&self.entropy).zip(&mut self.surprise) {
            *weight *= scale;
            self.sum += *weight;
            *surprise = if *weight > 0.0 { *weight * (*h - weight.ln()) } else { 0.0 };
        }
    }
}

/// A network's paths with all the memory they need.
pub(super) struct PathKernel {
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
        let layers = (step.outputs.len() - PathEntropyPair::VALUES) / 2;
        let dims = |l: usize| step.inputs[2 * l].ty.shape.matrix().unwrap_or((1, 1));
        let mut levels = vec![dims(0).1];
        levels.extend((0..layers).map(|l| dims(l).0));
        let nodes = || levels.iter().map(|&n| Nodes::new(n)).collect();
        let logs = (0..layers).map(|l| vec![0.0; levels[l] * levels[l + 1]]).collect();
        Some(PathKernel { bias: op.entropy.bias, logs, forward: nodes(), backward: nodes(), levels })
    }

    fn layers(&self) -> usize {
        self.logs.len()
    }

    /// Writes value, weight, marginals, entropies of levels, and gradients, which are added to those that are
    /// inputs too.
    pub fn run(&mut self, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
        let n = self.layers();
        let added = inputs.len() > 2 * n + 1;
        let gradients = outputs[PathEntropyPair::VALUES].memory;
        let mut taken = std::mem::take(&mut memory[gradients]);
        {
            let weights: Vec<[&[f32]; 2]> =
                (0..n).map(|l| [inputs[2 * l].floats(memory), inputs[2 * l + 1].floats(memory)]).collect();
            self.sweep(&weights);
            let dh = inputs[2 * n].floats(memory)[0];
            let end = self.end();
            for (l, &[w, b]) in weights.iter().enumerate() {
                let [dw, db] = [0, 1].map(|part| outputs[PathEntropyPair::VALUES + 2 * l + part]);
                for span in [dw, db] {
                    if !added {
                        span.part(&mut taken).fill(0.0);
                    }
                }
                self.add_gradient(l, dh, end, [w, b], dw, db, &mut taken);
            }
        }
        memory[gradients] = taken;
        self.write(outputs, memory);
    }
}
