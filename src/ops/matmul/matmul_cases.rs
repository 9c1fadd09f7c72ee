//! Inputs that the forms of the matrix product are proved on, and how close they must come.

use std::sync::Arc;

use super::matmul_nn::LinearInputGrad;
use super::matmul_nt::Linear;
use super::matmul_tiles::PRODUCT;
use super::matmul_tn::LinearWeightGrad;
use crate::ops::array::activation::{Activation, SIGMOID};
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::{self, Gathered};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Tolerance};
use crate::ops::matmul::MatMul;

/// Every operation that is a product, at extents (m, n, k).
pub(in crate::ops) fn cases(stem: &'static str, shapes: &[(usize, usize, usize)]) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (i, &(m, n, k)) in shapes.iter().enumerate() {
        let at = |what: &str| format!("{m}x{n}x{k} {what}");
        let (nt, nn, tn) = ([[m, k], [n, k]], [[m, k], [k, n]], [[k, m], [k, n]]);
        let mut pair = |dims: [[usize; 2]; 2]| vec![s.normal(&dims[0]), s.normal(&dims[1])];
        let (nt, nn, tn) = (pair(nt), pair(nn), pair(tn));
        cases.push(Case::new(at("nt"), MatMul::Nt, nt.clone(), PRODUCT));
        cases.push(Case::new(at("nn"), MatMul::Nn, nn.clone(), PRODUCT));
        cases.push(Case::new(at("tn"), MatMul::Tn, tn.clone(), PRODUCT));
        let activation = Activation::ALL[1 + i % (Activation::ALL.len() - 1)];
        let layer = [nt, vec![s.normal(&[n])]].concat();
        cases.push(Case::new(at(&format!("{activation:?}")), Linear(activation), layer, of_layer(activation)));
        let masked = [nn, vec![s.uniform(&[m, n], lowest(activation), 1.0)]].concat();
        cases.push(Case::new(at(&format!("{activation:?} slope")), LinearInputGrad(activation), masked, PRODUCT));
        cases.push(Case::new(at("with bias sums"), LinearWeightGrad, tn, PRODUCT));
    }
    cases
}

/// The cases of a form that computes all of them, gathered too.
pub(in crate::ops) fn all_cases(stem: &'static str, shapes: &[(usize, usize, usize)]) -> Vec<Case> {
    let mut cases = cases(stem, shapes);
    cases.extend(gathered_cases(stem));
    cases.push(bench_case(stem));
    cases
}

/// Tolerance of a layer with this activation.
pub(in crate::ops) fn of_layer(activation: Activation) -> Tolerance {
    match activation {
        // The quotient of the sigmoid is flat: an error of the sum reaches it as a quarter at most.
        Activation::Sigmoid => Tolerance { atol: 4e-5, ..SIGMOID },
        // That of tanh may reach it whole.
        Activation::Tanh => Tolerance { atol: 1.6e-4, ..SIGMOID },
        _ => PRODUCT,
    }
}

/// The least output of an activation for which the twin on absolute inputs bounds its slope.
pub(in crate::ops) fn lowest(activation: Activation) -> f32 {
    if matches!(activation, Activation::Relu | Activation::LeakyRelu | Activation::LeakierRelu) { -0.5 } else { 0.0 }
}

/// Layers with those activations that `matmul_nt` sees nowhere else.
pub(in crate::ops) fn activation_cases(stem: &str) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for activation in [Activation::Tanh, Activation::LeakyRelu, Activation::Softplus, Activation::LeakierRelu] {
        for (m, n, k) in [(1, 1, 1), (7, 13, 5), (17, 20, 36), (33, 67, 81)] {
            let inputs = vec![s.normal(&[m, k]), s.normal(&[n, k]), s.normal(&[n])];
            let label = format!("{m}x{n}x{k} {}", activation.word());
            cases.push(Case::new(label, Linear(activation), inputs, of_layer(activation)));
        }
    }
    cases
}

/// The row in the benchmarks that all forms of the product share: the first layer of the default network.
pub(in crate::ops) fn bench_case(stem: &'static str) -> Case {
    let mut s = Samples::new(stem);
    let inputs = vec![s.normal(&[128, 784]), s.normal(&[64, 784]), s.normal(&[64])];
    Case::new("128x64x784 relu", Linear(Activation::Relu), inputs, PRODUCT).benched()
}

/// Products of the first layer, whose inputs come from the data set.
fn gathered_cases(stem: &str) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (batch, outputs, features) in [(1, 1, 4), (7, 13, 20), (33, 20, 68), (129, 65, 784)] {
        let gather = BatchGather { features };
        let x = gathered::batch(&mut s, batch, features);
        let forward = Gathered { op: Arc::new(Linear(Activation::Relu)), position: 0, gather };
        let layer = vec![s.normal(&[outputs, features]), s.normal(&[outputs])];
        let label = format!("{batch}x{outputs}x{features} gathered");
        cases.push(Case::new(format!("{label} relu"), forward, [x.clone(), layer].concat(), PRODUCT));
        let backward = Gathered { op: Arc::new(LinearWeightGrad), position: 1, gather };
        let dy = s.normal(&[batch, outputs]);
        cases.push(Case::new(format!("{label} weights"), backward, [x, vec![dy]].concat(), PRODUCT));
    }
    cases
}
