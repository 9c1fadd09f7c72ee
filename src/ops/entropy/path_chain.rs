//! The distribution of a network's paths as a Markov chain, and its entropy: what the twins of the path
//! entropy and of its gradient share.
//!
//! Source: FORMULAS §1; it is the dynamic programme of the entropy semiring, known from hidden Markov
//! models. Layer l adds an edge matrix Ã_l: |W_l| and, according to [`PathBias`], its biases. F is what
//! reaches a node from the inputs, B what leads from it to the outputs; normalised layer by layer against
//! overflow, since only ratios count. A node's entropy follows from those of the nodes before it,
//! hF_j = M_{1−α}\[hF_k − log T; T\] with T = Ã_jk F_k / Σ_k Ã_jk F_k, and so on backward.
//!
//! No path at all: H = 0, and so are all marginals.

use super::tilted_mean::{tilted_mean, tilted_slope};
use crate::tensor::{HostTensor, Real};

/// How biases take part in paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u32)]
pub enum PathBias {
    /// They do not.
    None = 0,
    /// A node that is always on leads to every neuron, with the weight of its bias: paths may start there.
    Source = 1,
    /// An edge weighs |b||W|: a neuron without bias has no path.
    Product = 2,
    /// An edge weighs |W| + |b|.
    Edge = 3,
}

/// Weights and biases of a layer.
struct Weights<'a, T> {
    w: &'a [T],
    b: &'a [T],
    outputs: usize,
    inputs: usize,
}

impl<T: Real> Weights<'_, T> {
    /// Weight of the edge from node k to node j; the last of both is the always-on source.
    fn edge(&self, bias: PathBias, j: usize, k: usize) -> T {
        match (j < self.outputs, k < self.inputs) {
            (true, true) => {
                let w = self.w[j * self.inputs + k].abs();
                match bias {
                    PathBias::None | PathBias::Source => w,
                    PathBias::Product => w * self.b[j].abs(),
                    PathBias::Edge => w + self.b[j].abs(),
                }
            }
            (true, false) if bias == PathBias::Source => self.b[j].abs(),
            (false, false) if bias == PathBias::Source => T::one(),
            _ => T::zero(),
        }
    }
}

/// Weight of the paths that end (or begin) at each node of a layer, and their entropy; the last is the
/// source.
struct Nodes<T> {
    weight: Vec<T>,
    entropy: Vec<T>,
}

impl<T: Real> Nodes<T> {
    fn ends(n: usize, source: T) -> Self {
        let mut weight = vec![T::one(); n + 1];
        weight[n] = source;
        Nodes { weight, entropy: vec![T::zero(); n + 1] }
    }

    /// `count` nodes whose edges from these weigh `edge(node, from)`.
    fn step(&self, alpha: f32, count: usize, edge: impl Fn(usize, usize) -> T) -> Self {
        let sum = self.sum();
        let mut next = Nodes { weight: Vec::with_capacity(count), entropy: Vec::with_capacity(count) };
        for node in 0..count {
            let part = |from: usize| edge(node, from) * self.weight[from];
            let total = (0..self.weight.len()).fold(T::zero(), |total, from| total + part(from));
            let terms = (0..self.weight.len()).map(|from| (part(from) / total, self.entropy[from]));
            let terms = terms.filter(|&(p, _)| p > T::zero());
            next.weight.push(if sum > T::zero() { total / sum } else { T::zero() });
            next.entropy.push(if total > T::zero() { tilted_mean(alpha, terms) } else { T::zero() });
        }
        next
    }

    fn sum(&self) -> T {
        self.weight.iter().fold(T::zero(), |sum, &weight| sum + weight)
    }
}

/// All paths of a network.
pub(in crate::ops) struct Paths<'a, T> {
    alpha: f32,
    bias: PathBias,
    layers: Vec<Weights<'a, T>>,
    forward: Vec<Nodes<T>>,
    backward: Vec<Nodes<T>>,
    /// H in nats.
    pub entropy: T,
    /// log of the sum of all paths' weights; [`NO_PATH`] if there is none.
    pub log_weight: T,
}

/// What stands for the log of 0, since WGSL knows no infinity.
pub const NO_PATH: f64 = -3.4e38;

impl<'a, T: Real> Paths<'a, T> {
    /// Those through layers of (W \[out, in\], b \[out\]), in order.
    pub fn new(alpha: f32, bias: PathBias, parameters: &[&'a HostTensor<T>]) -> Self {
        let layers: Vec<Weights<'a, T>> = parameters
            .chunks_exact(2)
            .map(|pair| {
                let (outputs, inputs) = pair[0].shape.matrix().unwrap_or((1, 1));
                Weights { w: pair[0].real(), b: pair[1].real(), outputs, inputs }
            })
            .collect();
        let outputs = layers.last().map_or(0, |last| last.outputs);
        let mut forward = vec![Nodes::ends(layers.first().map_or(0, |first| first.inputs), T::one())];
        for (l, layer) in layers.iter().enumerate() {
            forward.push(forward[l].step(alpha, layer.outputs + 1, |j, k| layer.edge(bias, j, k)));
        }
        let mut backward = vec![Nodes::ends(outputs, T::zero())];
        for (l, layer) in layers.iter().rev().enumerate() {
            backward.push(backward[l].step(alpha, layer.inputs + 1, |k, j| layer.edge(bias, j, k)));
        }
        backward.reverse();
        // A last step from every output to one end; the source has no output.
        let to_end = |_: usize, from: usize| if from < outputs { T::one() } else { T::zero() };
        let end = forward[layers.len()].step(alpha, 1, to_end);
        let sums = forward.iter().map(Nodes::sum).fold(end.weight[0].ln(), |log, sum| log + sum.ln());
        let log_weight = if end.weight[0] > T::zero() { sums } else { T::of(NO_PATH) };
        Paths { alpha, bias, layers, forward, backward, entropy: end.entropy[0], log_weight }
    }

    /// Share of all paths' weight that goes through each node of level l, 0 the inputs; those from the
    /// source that begin later are missing from the sum.
    pub fn marginals(&self, l: usize) -> Vec<T> {
        let (f, b) = (&self.forward[l].weight, &self.backward[l].weight);
        let total = self.total(l);
        let share = |i: usize| if total > T::zero() { f[i] * b[i] / total } else { T::zero() };
        (0..f.len() - 1).map(share).collect()
    }

    /// Σ F ∘ B over the nodes of level l.
    fn total(&self, l: usize) -> T {
        let pairs = self.forward[l].weight.iter().zip(&self.backward[l].weight);
        pairs.fold(T::zero(), |sum, (&f, &b)| sum + f * b)
    }

    /// Adds dh · dH/dW and dh · dH/db of layer l, counted from 0; of finite orders.
    pub fn add_gradient(&self, l: usize, dh: T, dw: &mut [T], db: &mut [T]) {
        let layer = &self.layers[l];
        let scale = self.forward[l].sum() * self.total(l + 1);
        let slope = |j: usize, k: usize| {
            let edge = layer.edge(self.bias, j, k);
            let flow = self.forward[l].weight[k] * self.backward[l + 1].weight[j] / scale;
            if edge > T::zero() && flow * edge > T::zero() {
                let y = (flow * edge).ln() - self.forward[l].entropy[k] - self.backward[l + 1].entropy[j];
                dh * tilted_slope(self.alpha, T::one() / flow, y + self.entropy)
            } else {
                T::zero()
            }
        };
        for j in 0..layer.outputs {
            let bias = layer.b[j];
            for k in 0..layer.inputs {
                let (w, slope) = (layer.w[j * layer.inputs + k], slope(j, k));
                let (to_w, to_b) = match self.bias {
                    PathBias::None | PathBias::Source => (T::one(), T::zero()),
                    PathBias::Product => (bias.abs(), w.abs()),
                    PathBias::Edge => (T::one(), T::one()),
                };
                dw[j * layer.inputs + k] += sign(w) * to_w * slope;
                db[j] += sign(bias) * to_b * slope;
            }
            if self.bias == PathBias::Source {
                db[j] += sign(bias) * slope(j, layer.inputs);
            }
        }
    }
}

/// −1, 0 or 1.
fn sign<T: Real>(x: T) -> T {
    if x == T::zero() { x } else { x.signum() }
}
