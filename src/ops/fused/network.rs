//! A whole network as one thing: what `network_pass` and `network_update` share, and where their common
//! workspace holds what.
//!
//! Source of the idea: for a network whose activations for a few samples fit in workgroup memory, a step
//! is three dispatches: forward and backward of every tile of samples, weight gradients with Adam,
//! and the clock. Meant for hardware, where a dispatch costs more than the arithmetic of a layer.

use crate::ops::array::activation::Activation;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::entropy::activeness::{Activeness, Direction};
use crate::ops::entropy::renyi_entropy::RenyiEntropy;
use crate::ops::entropy::weight_entropies::WeightTerm;
use crate::ops::loss::reconstruction_loss::LossKind;
use crate::ops::packed_words;
use crate::tensor::Ty;

/// Most layers of a network.
pub const LAYERS: usize = 16;
/// Most sums of entropies.
pub const SUMS: usize = 7;

/// An autoencoder of linear layers, its loss and the entropies of its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// How the batch is made; also the width of the last layer.
    pub gather: BatchGather,
    /// Rows of a batch.
    pub batch: usize,
    /// Width and activation of each layer.
    pub layers: Vec<(usize, Activation)>,
    /// How the reconstruction is judged; cross entropy is not supported.
    pub loss: LossKind,
    /// Entropies: parameters are numbered W, b, W, b, …; `gradients` says nothing here.
    pub terms: Vec<WeightTerm>,
    /// Gradients of the entropies' values.
    pub seeds: usize,
    /// Sums that the entropies are part of.
    pub sums: usize,
}

/// Places in the workspace, in elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::ops) struct Workspace {
    /// Activations \[batch, width\] of each layer but the last.
    pub values: Vec<usize>,
    /// Deltas \[batch, width\] of each layer.
    pub deltas: Vec<usize>,
    /// Loss of each sample \[batch\].
    pub losses: usize,
    /// Slopes \[neurons\] of each entropy.
    pub slopes: Vec<usize>,
    /// Value of each entropy.
    pub entropies: Vec<usize>,
    /// Elements in all.
    pub elements: usize,
}

impl Network {
    /// Inputs of a layer.
    pub fn inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.gather.features } else { self.layers[layer - 1].0 }
    }

    /// Types of the parameters W, b, W, b, ….
    pub fn parameters(&self) -> Vec<Ty> {
        let of =
            |(i, (width, _)): (usize, &(usize, Activation))| [Ty::f32(&[*width, self.inputs(i)]), Ty::f32(&[*width])];
        self.layers.iter().enumerate().flat_map(of).collect()
    }

    /// Place of each parameter in a packed arena, in elements.
    pub(in crate::ops) fn parameter_places(&self) -> Vec<usize> {
        let types = self.parameters();
        let types: Vec<&Ty> = types.iter().collect();
        (0..types.len()).map(|i| packed_words(&types[..=i]) - types[i].elements()).collect()
    }

    /// Neurons whose entropy a term is.
    pub(in crate::ops) fn neurons(&self, term: &WeightTerm) -> usize {
        self.layers[term.parameters[1] / 2].0
    }

    pub(in crate::ops) fn workspace(&self) -> Workspace {
        let mut w = Workspace::default();
        let mut take = |elements: usize| {
            let place = w.elements;
            w.elements += elements;
            place
        };
        let values: Vec<usize> =
            self.layers[..self.layers.len() - 1].iter().map(|(width, _)| take(self.batch * width)).collect();
        let deltas: Vec<usize> = self.layers.iter().map(|(width, _)| take(self.batch * width)).collect();
        let losses = take(self.batch);
        let slopes: Vec<usize> = self.terms.iter().map(|term| take(self.neurons(term))).collect();
        let entropies: Vec<usize> = self.terms.iter().map(|_| take(1)).collect();
        Workspace { values, deltas, losses, slopes, entropies, ..w }
    }

    /// Multiplications and additions of a forward pass, times two.
    pub(in crate::ops) fn flops(&self) -> f64 {
        let weights: usize = (0..self.layers.len()).map(|i| self.inputs(i) * self.layers[i].0).sum();
        2.0 * (weights * self.batch) as f64
    }

    /// Shapes in words.
    pub(in crate::ops) fn describe(&self) -> String {
        let widths: Vec<String> = self.layers.iter().map(|(width, _)| width.to_string()).collect();
        format!("{}-{} batch {}", self.gather.features, widths.join("-"), self.batch)
    }
}

/// Networks and batches that both kernels are proved on: ragged tiles, widths from 1 to several
/// workgroups, with and without entropies.
pub(in crate::ops) fn examples() -> Vec<Network> {
    let entropy = |alpha: f32| RenyiEntropy { alpha };
    let term = |direction, parameters, alpha, seed, value| WeightTerm {
        activeness: Activeness { direction, bias_weight: 0.5 },
        entropy: entropy(alpha),
        parameters,
        seed,
        gradients: parameters,
        value,
    };
    // The last and largest is the report's.
    let hidden = |features, i: usize| {
        let others = [Activation::Tanh, Activation::LeakyRelu, Activation::Softplus, Activation::LeakierRelu];
        if features == 784 { Activation::Relu } else { others[(i + features / 4) % 4] }
    };
    let network =
        |features: usize, batch: usize, widths: &[usize], loss, terms: Vec<WeightTerm>, seeds, sums| Network {
            gather: BatchGather { features },
            batch,
            layers: widths
                .iter()
                .enumerate()
                .map(|(i, &w)| (w, if i + 1 == widths.len() { Activation::Sigmoid } else { hidden(features, i) }))
                .collect(),
            loss,
            terms,
            seeds,
            sums,
        };
    let (incoming, outgoing) = (Direction::Incoming, Direction::Outgoing);
    let of_middle = vec![term(incoming, [4, 5], 0.04, 0, 0), term(outgoing, [6, 5], 0.04, 0, 0)];
    vec![
        network(4, 1, &[1, 4], LossKind::Mse, Vec::new(), 0, 0),
        network(8, 7, &[3, 8], LossKind::Sse, vec![term(incoming, [0, 1], 1.0, 0, 0)], 1, 1),
        network(
            20,
            33,
            &[300, 7, 20],
            LossKind::Mse,
            vec![term(outgoing, [2, 1], 2.0, 0, 1), term(incoming, [2, 3], f32::INFINITY, 1, 0)],
            2,
            2,
        ),
        network(784, 128, &[64, 20, 20, 20, 64, 784], LossKind::Mse, of_middle, 1, 1),
    ]
}
