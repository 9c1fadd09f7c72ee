//! The nodes of a network's paths on the CPU device, a layer forward, a layer backward, a row of the gradient;
//! `paths.rs` says how they are used.

use crate::device::cpu::math::wide;
use crate::device::cpu::memory::LINE;

/// Nodes of a level, the source last.
pub(in crate::device) struct Nodes {
    /// F or B, relative to each other.
    pub weight: Vec<f32>,
    /// Entropy h; while it is added up, Σ a v − Σ a log a u.
    entropy: Vec<f32>,
    /// log weight − h, 0 of a node without weight.
    pub gap: Vec<f32>,
    /// Weight (h − log weight): what the next level adds up.
    pub surprise: Vec<f32>,
    /// Sum of the weights.
    pub sum: f32,
}

impl Nodes {
    /// Of a level of `n` neurons.
    pub fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n + 1];
        Nodes { weight: zeros(), entropy: zeros(), gap: zeros(), surprise: zeros(), sum: 0.0 }
    }

    /// The first level, or the last one without its source.
    pub fn fill(&mut self, source: f32) {
        let last = self.weight.len() - 1;
        self.weight.fill(1.0);
        self.weight[last] = source;
        self.entropy.fill(0.0);
        self.finish(1.0);
    }

    /// Makes entropies of what was added up, given the sum of the weights before.
    fn close(&mut self, before: f32) {
        for (h, &weight) in self.entropy.iter_mut().zip(&self.weight) {
            *h = if weight > 0.0 { *h / weight + weight.ln() } else { 0.0 };
        }
        self.finish(before);
    }

    fn finish(&mut self, before: f32) {
        let scale = if before > 0.0 { 1.0 / before } else { 0.0 };
        self.sum = 0.0;
        for i in 0..self.weight.len() {
            let weight = self.weight[i] * scale;
            self.weight[i] = weight;
            self.sum += weight;
            self.gap[i] = if weight > 0.0 { weight.ln() - self.entropy[i] } else { 0.0 };
            self.surprise[i] = -weight * self.gap[i];
        }
    }
}

/// Weights \[out, in\], the logarithms of their magnitudes, and biases of a layer; none where they are no paths.
#[derive(Clone, Copy)]
pub(in crate::device) struct Layer<'a> {
    pub w: &'a [f32],
    pub logs: &'a [f32],
    pub b: Option<&'a [f32]>,
}

/// log |b|, 0 of 0.
pub(in crate::device) fn log_of(b: f32) -> f32 {
    if b == 0.0 { 0.0 } else { b.abs().ln() }
}

/// The nodes that a layer leads to.
pub(in crate::device) fn step_forward(layer: Layer<'_>, from: &Nodes, to: &mut Nodes) {
    let inputs = from.weight.len() - 1;
    let rows = layer.w.chunks_exact(inputs).zip(layer.logs.chunks_exact(inputs));
    for (j, (w, logs)) in rows.enumerate() {
        let [mut total, mut surprise] = wide((w, logs, &from.weight[..inputs], &from.surprise[..inputs]), sums);
        if let Some(b) = layer.b {
            let part = b[j].abs() * from.weight[inputs];
            total += part;
            surprise += b[j].abs() * from.surprise[inputs] - part * log_of(b[j]);
        }
        (to.weight[j], to.entropy[j]) = (total, surprise);
    }
    let outputs = to.weight.len() - 1;
    let on = layer.b.map_or([0.0; 2], |_| [from.weight[inputs], from.surprise[inputs]]);
    [to.weight[outputs], to.entropy[outputs]] = on;
    to.close(from.sum);
}

/// (Σ a u, Σ a v − Σ a log a u) with a = |w|, in lanes that are added up in order.
#[inline(always)]
fn sums((w, logs, u, v): (&[f32], &[f32], &[f32], &[f32])) -> [f32; 2] {
    let mut lanes = [[0.0f32; LINE]; 2];
    let whole = w.len() / LINE * LINE;
    for at in (0..whole).step_by(LINE) {
        let (w, logs, u, v) = (&w[at..at + LINE], &logs[at..at + LINE], &u[at..at + LINE], &v[at..at + LINE]);
        for i in 0..LINE {
            let a = w[i].abs();
            let part = a * u[i];
            lanes[0][i] += part;
            lanes[1][i] += a * v[i] - part * logs[i];
        }
    }
    let mut sums = lanes.map(|lanes| lanes.iter().sum::<f32>());
    for i in whole..w.len() {
        let part = w[i].abs() * u[i];
        sums[0] += part;
        sums[1] += w[i].abs() * v[i] - part * logs[i];
    }
    sums
}

/// The nodes that a layer comes from.
pub(in crate::device) fn step_backward(layer: Layer<'_>, from: &Nodes, to: &mut Nodes) {
    let (outputs, inputs) = (from.weight.len() - 1, to.weight.len() - 1);
    to.weight.fill(0.0);
    to.entropy.fill(0.0);
    let rows = layer.w.chunks_exact(inputs).zip(layer.logs.chunks_exact(inputs));
    for (j, row) in rows.enumerate() {
        let own = [from.weight[j], from.surprise[j]];
        let into = [&mut to.weight[..inputs], &mut to.entropy[..inputs]];
        wide(([row.0, row.1], own, into), spread);
        if let Some(b) = layer.b {
            let part = b[j].abs() * own[0];
            to.weight[inputs] += part;
            to.entropy[inputs] += b[j].abs() * own[1] - part * log_of(b[j]);
        }
    }
    if layer.b.is_some() {
        to.weight[inputs] += from.weight[outputs];
        to.entropy[inputs] += from.surprise[outputs];
    }
    to.close(from.sum);
}

/// Weights and logarithms of a row, its node's weight and surprise, and the sums of the nodes that it comes from.
type Spread<'a> = ([&'a [f32]; 2], [f32; 2], [&'a mut [f32]; 2]);

/// Adds a row's part to the nodes that it comes from.
#[inline(always)]
fn spread(([w, logs], [u, v], [weight, entropy]): Spread<'_>) {
    for (((w, log), weight), entropy) in w.iter().zip(logs).zip(weight).zip(entropy) {
        let a = w.abs();
        let part = a * u;
        *weight += part;
        *entropy += a * v - part * log;
    }
}

/// Gradient, weights and logarithms of a row; weights and gaps of the nodes that it comes from; scale and shift.
pub(in crate::device) type Slopes<'a> = (&'a mut [f32], [&'a [f32]; 4], [f32; 2]);

/// Adds sign(w) · scale · F · (log |w| + gap + shift) to the gradient of a row.
#[inline(always)]
pub(in crate::device) fn slopes((dw, [w, logs, f, gap], [scale, shift]): Slopes<'_>) {
    for ((((dw, w), log), f), gap) in dw.iter_mut().zip(w).zip(logs).zip(f).zip(gap) {
        let sign = f32::from(u8::from(*w > 0.0)) - f32::from(u8::from(*w < 0.0));
        *dw += sign * scale * f * (log + gap + shift);
    }
}
