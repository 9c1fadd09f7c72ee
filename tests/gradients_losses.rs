//! Every loss of `nn/losses` and the whole network's objective against f64 central differences.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "common/difference.rs"]
mod difference;

use difference::{check, signed};
use gpu_ae::graph::{Feeds, Graph, Role, Source, Var, interpret};
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::losses::contractive::squared_projections;
use gpu_ae::nn::losses::{
    Activity, contractive_estimate, contractive_exact, contrastive_divergence, gaussian_nll, gaussian_wasserstein,
    path_entropy, path_widths, soft_assignment, weight_entropy,
};
use gpu_ae::nn::{Autoencoder, Boltzmann, LayerSpec};
use gpu_ae::ops::activation::Activation;
use gpu_ae::ops::bures::Bures;
use gpu_ae::ops::clock;
use gpu_ae::ops::path_chain::PathBias;
use gpu_ae::ops::path_entropy::PathEntropy;
use gpu_ae::ops::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::tensor::{HostTensor, Ty};

/// The losses that this file has a test for.
const PROVED: &[&str] = &[
    "contractive",
    "contrastive_divergence",
    "gaussian_nll",
    "gaussian_wasserstein",
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

/// A graph under construction with a random value for every float source added.
struct Loss {
    graph: Graph,
    feeds: Feeds<f64>,
    rng: gpu_ae::rng::Rng,
}

impl Loss {
    fn new(seed: u64) -> Self {
        Loss { graph: Graph::new(), feeds: Feeds::new(), rng: difference::rng(seed) }
    }

    fn input(&mut self, name: &str, dims: &[usize]) -> Var {
        self.graph.source(Role::Input, name, Ty::f32(dims))
    }

    fn clock(&mut self, valid: usize) -> Var {
        let words = clock::with_valid_rows(valid);
        self.feeds.insert("clock".into(), HostTensor::from_words(&[clock::WORDS], words.words()));
        self.graph.source(Role::State, "clock", clock::ty())
    }

    /// Feeds what has no value yet.
    fn feed(&mut self) {
        let sources: Vec<Source> = self.graph.sources().map(|(_, source)| source.clone()).collect();
        for source in sources {
            let rng = &mut self.rng;
            self.feeds.entry(source.name).or_insert_with(|| signed(rng, source.ty.shape.dims()));
        }
    }

    /// Distance of the nearest argument of a ReLU from its kink.
    fn kink(&mut self) -> f64 {
        self.feed();
        let values = interpret(&self.graph, &mut self.feeds.clone()).unwrap();
        let bent = [Activation::Relu, Activation::LeakyRelu];
        let relus = self.graph.nodes().iter().filter(|node| node.op.downcast().is_some_and(|op| bent.contains(op)));
        relus.flat_map(|node| values.get(node.inputs[0]).real()).fold(f64::MAX, |least, x| least.min(x.abs()))
    }

    /// Compares the gradients of the weighed sum of `terms`.
    fn prove(mut self, label: &str, terms: &[Var], wrt: &[Var]) {
        let mut outputs = Vec::new();
        for (i, &term) in terms.iter().enumerate() {
            assert!(self.graph.ty(term).shape.dims().is_empty(), "{label}: a loss is a scalar");
            outputs.push((term, self.input(&format!("weight {i}"), &[])));
        }
        self.feed();
        let (_, gradients) = check(&self.graph, &outputs, wrt, &self.feeds)
            .unwrap_or_else(|error| panic!("{label}: {error}"))
            .unwrap_or_else(|problem| panic!("{label}: {problem}"));
        assert_eq!(gradients.len(), wrt.len(), "{label}: an input got no gradient");
    }
}

/// An encoder of these widths, all its parameters, rows with padding, their code and the clock.
fn encoder(loss: &mut Loss, widths: &[usize], activations: &[Activation]) -> (Vec<Layer>, Vec<Var>, [Var; 3]) {
    let x = loss.input("x", &[4, widths[0]]);
    let clock = loss.clock(3);
    let (mut h, mut layers) = (x, Vec::new());
    for (l, (pair, &activation)) in widths.windows(2).zip(activations).enumerate() {
        let layer = Layer::new(&mut loss.graph, &format!("layer {l}"), pair[0], pair[1], activation);
        h = layer.forward(&mut loss.graph, h).unwrap();
        layers.push(layer);
    }
    let parameters = layers.iter().flat_map(|layer| [layer.weight, layer.bias]).collect();
    (layers, parameters, [x, h, clock])
}

#[test]
fn contractive_of_every_activation_and_depth() {
    use Activation::{Identity, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
    let encoders: [&[Activation]; 9] = [
        &[Identity],
        &[Relu],
        &[LeakyRelu],
        &[Sigmoid],
        &[Tanh],
        &[Softplus],
        &[Tanh, Sigmoid],
        &[Relu, Sigmoid],
        &[Softplus, LeakyRelu, Tanh],
    ];
    for activations in encoders {
        for estimated in [false, true] {
            let build = |seed| {
                let mut loss = Loss::new(seed);
                let widths = &[3, 5, 2, 4][..=activations.len()];
                let (layers, mut wrt, [x, h, clock]) = encoder(&mut loss, widths, activations);
                let value = if estimated {
                    contractive_estimate(&mut loss.graph, x, h, clock, 2, 9).unwrap()
                } else {
                    contractive_exact(&mut loss.graph, &layers, x, h, clock).unwrap()
                };
                // Where slopes are piecewise constant, nothing but a weight moves the norm.
                let last = activations[activations.len() - 1];
                match (activations.len(), last) {
                    (1, Identity | Relu | LeakyRelu) => wrt.truncate(1),
                    _ => wrt.push(x),
                }
                (loss, value, wrt)
            };
            let (loss, value, wrt) = (0..2_000)
                .map(build)
                .find_map(|(mut loss, value, wrt)| (loss.kink() > 0.04).then_some((loss, value, wrt)))
                .expect("a network away from all kinks");
            loss.prove(&format!("{activations:?}, estimated: {estimated}"), &[value], &wrt);
        }
    }
}

/// The closed form of one layer is what a pass for each unit gives, and the estimate is right in the mean.
#[test]
fn ways_to_the_norm_of_a_jacobian_agree() {
    for activation in Activation::ALL {
        let mut loss = Loss::new(7);
        let (layers, _, [x, h, clock]) = encoder(&mut loss, &[3, 4], &[activation]);
        let g = &mut loss.graph;
        let closed = contractive_exact(g, &layers, x, h, clock).unwrap();
        let one_hot = |g: &mut Graph, column| {
            let ones = gpu_ae::ops::valid_ones::ValidOnes { rows: 4, columns: 4, column: Some(column) };
            g.apply(ones, &[clock]).unwrap()
        };
        let units: Vec<Var> = (0..4).map(|column| one_hot(g, column)).collect();
        let passes = squared_projections(g, x, h, clock, &units).unwrap();
        let estimate = contractive_estimate(g, x, h, clock, 400, 9).unwrap();
        loss.feed();
        let values = interpret(&loss.graph, &mut loss.feeds.clone()).unwrap();
        let [closed, passes, estimate] = [closed, passes, estimate].map(|var| values.get(var).scalar());
        assert!(
            (closed - passes).abs() < 1e-12 * closed,
            "{activation:?}: {closed} in closed form, {passes} by passes"
        );
        assert!((estimate / closed - 1.0).abs() < 0.15, "{activation:?}: {closed}, estimated {estimate}");
    }
}

#[test]
fn a_wide_code_behind_several_layers_is_refused() {
    let mut loss = Loss::new(1);
    let (layers, _, [x, h, clock]) = encoder(&mut loss, &[3, 5, 65], &[Activation::Tanh, Activation::Sigmoid]);
    let problem = contractive_exact(&mut loss.graph, &layers, x, h, clock).unwrap_err().to_string();
    assert!(problem.contains("65 units") && problem.contains("Hutchinson"), "{problem}");
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

/// The parameters of a machine, and a batch of rows for it.
fn machine(loss: &mut Loss, rows: usize, visible: usize, hidden: usize) -> (Boltzmann, Var) {
    let sizes: [(&str, &[usize]); 3] = [("W", &[hidden, visible]), ("c", &[hidden]), ("b", &[visible])];
    let [weight, hidden_bias, visible_bias] = sizes.map(|(name, dims)| loss.input(name, dims));
    (Boltzmann { weight, hidden_bias, visible_bias }, loss.input("v0", &[rows, visible]))
}

#[test]
fn contrastive_divergence_of_data_and_of_the_end_of_a_chain() {
    for (rows, valid, visible, hidden) in [(1, 1, 1, 1), (5, 3, 7, 4), (8, 8, 3, 9)] {
        let mut loss = Loss::new(6);
        let (machine, data) = machine(&mut loss, rows, visible, hidden);
        let end = loss.input("vk", &[rows, visible]);
        let clock = loss.clock(valid);
        let value = contrastive_divergence(&mut loss.graph, &machine, data, end, clock).unwrap();
        let wrt = [machine.weight, machine.hidden_bias, machine.visible_bias, data, end];
        loss.prove(&format!("{rows} rows, {valid} valid, {visible}-{hidden}"), &[value], &wrt);
    }
}

/// Samples do not change with the weights but where a probability passes its draw, which no difference here does.
#[test]
fn contrastive_divergence_takes_its_samples_for_constants() {
    let mut loss = Loss::new(7);
    let (machine, data) = machine(&mut loss, 4, 6, 5);
    let mut state = data;
    for step in 0..2 {
        let draws = [5, 6].map(|width| {
            let name = format!("draws of step {step}, {width} wide");
            let numbers: Vec<f32> = (0..4 * width).map(|_| loss.rng.uniform()).collect();
            loss.feeds.insert(name.clone(), HostTensor::from_f32(&[4, width], &numbers));
            loss.input(&name, &[4, width])
        });
        state = machine.gibbs(&mut loss.graph, state, draws).unwrap().visible;
    }
    let clock = loss.clock(3);
    let value = contrastive_divergence(&mut loss.graph, &machine, data, state, clock).unwrap();
    loss.prove("two steps", &[value], &[machine.weight, machine.hidden_bias, machine.visible_bias]);
}

#[test]
fn gaussian_wasserstein_of_codes_behind_a_layer() {
    for (rows, valid, width) in [(5, 4, 1), (9, 9, 3), (40, 31, 6)] {
        for diagonal in [false, true] {
            let mut loss = Loss::new(6);
            let x = loss.input("x", &[rows, 7]);
            let clock = loss.clock(valid);
            let layer = Layer::new(&mut loss.graph, "layer", 7, width, Activation::Identity);
            let codes = layer.forward(&mut loss.graph, x).unwrap();
            let value = gaussian_wasserstein(&mut loss.graph, codes, clock, Bures { diagonal, jitter: 1e-3 }).unwrap();
            let label = format!("{rows}x{width}, {valid} valid, diagonal {diagonal}");
            loss.prove(&label, &[value], &[x, layer.weight, layer.bias]);
        }
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

/// Layers of these widths, and all their parameters.
fn layers(loss: &mut Loss, widths: &[usize]) -> (Vec<Layer>, Vec<Var>) {
    let layer = |(l, pair): (usize, &[usize])| {
        Layer::new(&mut loss.graph, &format!("layer {l}"), pair[0], pair[1], Activation::Relu)
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
                let layer = Layer::new(&mut loss.graph, "layer", inputs, width, Activation::Relu);
                let next = Layer::new(&mut loss.graph, "next", width, outputs, Activation::Relu);
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
    let relu = |width| LayerSpec { width, activation: Activation::Relu };
    let layers = [relu(7), relu(3), relu(6), LayerSpec { width: features, activation: last }];
    let mut loss = Loss::new(seed);
    let model = Autoencoder::new(&mut loss.graph, features, &layers, layers.len().div_ceil(2), false).unwrap();
    let x = loss.input("x", &[rows, features]);
    let target = loss.input("target", &[rows, features]);
    let clock = loss.clock(valid);
    let outputs = model.forward(&mut loss.graph, x).unwrap();
    let mut terms = vec![loss.graph.apply(ReconstructionLoss(kind), &[outputs[3], target, clock]).unwrap()];
    for pair in model.layers.windows(2) {
        let entropy = weight_entropy(&mut loss.graph, &pair[0], &pair[1], Activity::Both, 0.04, 1.0);
        terms.push(entropy.unwrap());
    }
    let code = soft_assignment(&mut loss.graph, outputs[model.code_layer()], clock, -1.0).unwrap();
    terms.extend([code.entropy, code.divergence]);
    let wrt = [model.parameters(), vec![x]].concat();
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
