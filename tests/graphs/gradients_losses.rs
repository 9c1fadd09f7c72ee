//! Every loss of `nn/losses` and the whole network's objective against f64 central differences.

use crate::loss::Loss;
use crate::training::{network, parameters};
use gpu_ae::graph::Var;
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::losses::{Activity, gaussian_nll, nt_xent, path_entropy, path_widths, soft_assignment, weight_entropy};
use gpu_ae::nn::{BlockConfig, Pass};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::entropy::path_chain::PathBias;
use gpu_ae::ops::entropy::path_entropy::PathEntropy;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};

/// The losses that this file, or gradients_family.rs, has a test for.
const PROVED: &[&str] = &[
    "contractive",
    "contrastive_divergence",
    "gaussian_nll",
    "gaussian_wasserstein",
    "nt_xent",
    "path_entropy",
    "path_width",
    "soft_assignment",
    "weight_entropy",
];

const ORDERS: [f32; 7] = [0.04, 0.5, 0.999, 1.0, 1.5, 3.0, f32::INFINITY];
const BIASES: [PathBias; 4] = [PathBias::None, PathBias::Source, PathBias::Product, PathBias::Edge];
const ACTIVITIES: [Activity; 5] =
    [Activity::Incoming, Activity::Outgoing, Activity::Both, Activity::Sum, Activity::Product];

#[test]
fn every_loss_has_a_test_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/nn/losses");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().trim_end_matches(".rs").to_string())
        .filter(|stem| stem != "mod")
        .collect();
    files.sort();
    assert_eq!(files, PROVED, "a loss without a test of its gradient");
}

#[test]
fn gaussian_nll_of_mean_scale_and_target() {
    for dims in [[1, 1], [3, 7], [16, 5]] {
        let mut loss = Loss::new(1);
        let inputs = ["mean", "log scale", "target"].map(|name| loss.input(name, &dims));
        let value = gaussian_nll(&mut loss.graph, inputs[0], inputs[1], inputs[2]).unwrap();
        loss.prove(&format!("{dims:?}"), &[value], &inputs);
    }
}

#[test]
fn soft_assignment_totals_each_alone_and_together() {
    for (rows, columns, valid) in [(1, 1, 1), (5, 3, 5), (9, 7, 4)] {
        for beta in [-1.0, 2.5] {
            for which in 0..6 {
                let mut loss = Loss::new(2);
                let x = loss.input("x", &[rows, columns]);
                let clock = loss.clock(valid);
                let totals = soft_assignment(&mut loss.graph, x, clock, beta).unwrap();
                let mean = totals.mean_entropy;
                let all = [totals.entropy, totals.document, totals.average, totals.divergence, mean];
                let terms = if which == 5 { &all[..] } else { &all[which..=which] };
                loss.prove(&format!("{rows}x{columns} beta {beta} total {which}"), terms, &[x]);
            }
        }
    }
}

#[test]
fn views_find_each_other_among_the_valid_ones() {
    for (rows, columns, valid) in [(2, 3, 2), (6, 5, 6), (10, 4, 6)] {
        for temperature in [0.07, 1.0] {
            let mut loss = Loss::new(3);
            let z = loss.input("z", &[rows, columns]);
            let clock = loss.clock(valid);
            let [mean, _] = nt_xent(&mut loss.graph, z, clock, temperature).unwrap();
            loss.prove(&format!("{valid} of {rows}x{columns} at {temperature}"), &[mean], &[z]);
        }
    }
}

/// Layers of these widths, and all their parameters.
fn layers(loss: &mut Loss, widths: &[usize]) -> (Vec<Layer>, Vec<Var>) {
    let layer = |(l, pair): (usize, &[usize])| {
        crate::layers::layer(&mut loss.graph, &format!("layer {l}"), pair[0], pair[1], Activation::Relu)
    };
    let layers: Vec<Layer> = widths.windows(2).enumerate().map(layer).collect();
    let parameters = layers.iter().flat_map(|layer| [layer.weight, layer.bias]).collect();
    (layers, parameters)
}

#[test]
fn path_entropy_of_every_order_and_bias() {
    // At smaller orders differences are too coarse near weights of 0; the infinite one has no gradient.
    let orders = ORDERS.into_iter().filter(|alpha| (0.1..f32::INFINITY).contains(alpha));
    for (bias, alpha) in BIASES.into_iter().flat_map(|bias| orders.clone().map(move |alpha| (bias, alpha))) {
        for widths in [&[3, 4][..], &[4, 3, 5, 2]] {
            let mut loss = Loss::new(4);
            let (layers, parameters) = layers(&mut loss, widths);
            let paths = path_entropy(&mut loss.graph, &layers, PathEntropy { alpha, bias }).unwrap();
            loss.prove(&format!("{bias:?} alpha {alpha} {widths:?}"), &[paths.entropy], &parameters);
        }
    }
}

#[test]
fn path_widths_of_every_order() {
    for alpha in ORDERS {
        let mut loss = Loss::new(5);
        let (layers, mut parameters) = layers(&mut loss, &[4, 3, 5, 2]);
        let widths = path_widths(&mut loss.graph, &layers, alpha).unwrap();
        // Nothing hidden depends on the last bias.
        parameters.pop();
        loss.prove(&format!("alpha {alpha}"), &widths, &parameters);
    }
}

#[test]
fn weight_entropy_of_every_activity_and_order() {
    for activity in ACTIVITIES {
        for alpha in ORDERS {
            for (inputs, width, outputs) in [(3, 5, 2), (1, 7, 4)] {
                let mut loss = Loss::new(3);
                let layer = crate::layers::layer(&mut loss.graph, "layer", inputs, width, Activation::Relu);
                let next = crate::layers::layer(&mut loss.graph, "next", width, outputs, Activation::Relu);
                let value = weight_entropy(&mut loss.graph, &layer, &next, activity, alpha, 0.5).unwrap();
                let wrt = match activity {
                    Activity::Incoming => vec![layer.weight, layer.bias],
                    Activity::Outgoing => vec![next.weight, layer.bias],
                    _ => vec![layer.weight, layer.bias, next.weight],
                };
                loss.prove(&format!("{activity:?} alpha {alpha} {inputs}-{width}-{outputs}"), &[value], &wrt);
            }
        }
    }
}

/// The report's objective on a small network: reconstruction plus weighed entropies of all hidden
/// layers and of the code, with respect to every parameter and, as an attack on the input needs, the
/// input.
fn objective(kind: LossKind, rows: usize, valid: usize, seed: u64) -> (Loss, Vec<Var>, Vec<Var>) {
    let features = 5;
    let last = if kind == LossKind::Mse { Activation::Sigmoid } else { Activation::Identity };
    let relu = |width| BlockConfig::linear(width, Activation::Relu);
    let layers = [relu(7), relu(3), relu(6), BlockConfig::linear(features, last)];
    let mut loss = Loss::new(seed);
    let model = network(&mut loss.graph, features, &layers);
    let x = loss.input("x", &[rows, features]);
    let target = loss.input("target", &[rows, features]);
    let clock = loss.clock(valid);
    let outputs = model.forward(&mut loss.graph, x, clock, Pass::Train).unwrap().outputs;
    let mut terms =
        vec![loss.graph.apply(ReconstructionLoss { kind, rows_per_sample: 1 }, &[outputs[3], target, clock]).unwrap()];
    for pair in model.chain().unwrap().windows(2) {
        let entropy = weight_entropy(&mut loss.graph, &pair[0], &pair[1], Activity::Both, 0.04, 1.0);
        terms.push(entropy.unwrap());
    }
    let code = soft_assignment(&mut loss.graph, outputs[1], clock, -1.0).unwrap();
    terms.extend([code.entropy, code.divergence]);
    let wrt = [parameters(&model), vec![x]].concat();
    (loss, terms, wrt)
}

#[test]
fn the_whole_objective_of_a_network() {
    for kind in [LossKind::Mse, LossKind::Sse, LossKind::Bce] {
        for (rows, valid) in [(4, 4), (5, 3)] {
            // Of many random networks, one that no difference pushes over the kink of a ReLU.
            let fair = (0..2_000).map(|seed| objective(kind, rows, valid, seed)).find_map(|(mut loss, terms, wrt)| {
                let fair = loss.kink() > 0.04;
                fair.then_some((loss, terms, wrt))
            });
            let (loss, terms, wrt) = fair.expect("a network away from all kinks");
            loss.prove(&format!("{kind:?}, {valid} of {rows} rows"), &terms, &wrt);
        }
    }
}
