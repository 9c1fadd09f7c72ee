//! Entropies of paths: `path_entropy` and `path_marginal_entropy`.
//!
//! The index weighs the nodes at which paths begin (`f0`) and end (`end`). A layer of one input before the
//! network, or of one output behind it, whose weights are these, does the same.

use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::Layer;
use gpu_ae::nn::losses::{path_entropy, path_widths};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::entropy::path_chain::PathBias;
use gpu_ae::ops::entropy::path_entropy::PathEntropy;
use gpu_ae::tensor::HostTensor;

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, read_results};

/// Entropy, weight of all paths, marginals and gradients, for every way biases take part and every order.
pub const PATHS: Runner = Runner {
    formula: "path_entropy",
    run: paths,
    correct: as_they_are,
    exactness: exact,
    why: "the references add up to ten layers in another order",
};

/// Entropies of the hidden layers' marginals.
pub const WIDTHS: Runner = Runner {
    formula: "path_marginal_entropy",
    run: widths,
    correct: as_they_are,
    exactness: exact,
    why: "sums of the same terms in another order",
};

/// A network with a layer of its start weights before it and, if there are any, its end weights behind it.
struct Network {
    layers: Vec<Layer>,
    /// Parameters by the names of the index.
    named: Vec<(String, Var)>,
    widths: Vec<usize>,
}

fn network(s: &mut Setup, case: &Case, bias_of_ends: f64) -> Network {
    let start = case.input("f0");
    let inputs = start.shape.elements();
    let mut layers = vec![("f0".to_string(), inputs, 1)];
    let mut widths = vec![inputs];
    for l in 0..case.number("L") as usize {
        let (outputs, inputs) = case.extents(&format!("W{l}"));
        layers.push((format!("W{l}"), outputs, inputs));
        widths.push(outputs);
    }
    if case.has("end") {
        layers.push(("end".to_string(), 1, *widths.last().unwrap()));
    }
    let mut network = Network { layers: Vec::new(), named: Vec::new(), widths };
    for (name, outputs, inputs) in layers {
        let w = HostTensor { shape: gpu_ae::tensor::Shape::new(&[outputs, inputs]), ..case.input(&name).clone() };
        let bias_name = name.replace('W', "b");
        let b = if name.starts_with('W') {
            case.input(&bias_name).clone()
        } else {
            HostTensor::from_f32(&[outputs], &vec![bias_of_ends as f32; outputs])
        };
        let weight = s.source(Role::Param, &format!("{name}.weight"), &w);
        let bias = s.source(Role::Param, &format!("{name}.bias"), &b);
        network.named.push((name.clone(), weight));
        if bias_name != name {
            network.named.push((bias_name, bias));
        }
        network.layers.push(Layer { name, weight, bias, activation: Activation::Relu });
    }
    network
}

fn paths(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut answers = Answers::new();
    for mode in case.names_after("out/") {
        let (bias, bias_of_ends) = match mode.as_str() {
            "none" => (PathBias::None, 0.0),
            "source" => (PathBias::Source, 0.0),
            "product" => (PathBias::Product, 1.0),
            "edge" => (PathBias::Edge, 0.0),
            other => panic!("no mode '{other}'"),
        };
        let mut s = Setup::default();
        let Network { layers, named, widths } = network(&mut s, case, bias_of_ends);
        let one = s.scalar("one", 1.0);
        let all = case.names_after(&format!("out/{mode}/"));
        let orders = all.iter().filter(|name| name.starts_with('a'));
        let mut marginals = None;
        for order in orders {
            let op = PathEntropy { alpha: case.number(order) as f32, bias };
            let statistics = path_entropy(&mut s.graph, &layers, op).unwrap();
            s.graph.result(format!("out/{mode}/{order}/H"), statistics.entropy);
            marginals = Some(statistics);
            let wanted: Vec<(&str, Var)> = named
                .iter()
                .filter(|(name, _)| case.wants(&format!("grad/{mode}/{order}/H/{name}")))
                .map(|(name, var)| (name.as_str(), *var))
                .collect();
            if !wanted.is_empty() {
                s.gradients(&format!("{mode}/{order}/H"), &[(statistics.entropy, one)], &wanted);
            }
        }
        let statistics = marginals.expect("a mode has orders");
        s.graph.result("marginals", statistics.marginals);
        s.graph.result(format!("out/{mode}/logZ"), statistics.log_weight);
        let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
        machine.load(s);
        machine.run();
        answers.extend(read_results(machine, &names));
        // The first level is the one before the start weights.
        let mut from = 1;
        for (l, width) in widths.into_iter().enumerate() {
            let level = answers["marginals"][from..from + width].to_vec();
            answers.insert(format!("out/{mode}/marg{l}"), level);
            from += width;
        }
    }
    answers
}

fn widths(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut s = Setup::default();
    let Network { layers, named, widths } = network(&mut s, case, 0.0);
    let one = s.scalar("one", 1.0);
    let statistics = path_entropy(&mut s.graph, &layers, PathEntropy { alpha: 1.0, bias: PathBias::Source }).unwrap();
    s.graph.result("marginals", statistics.marginals);
    s.graph.result("entropies", statistics.entropies);
    // Level 0 of the index is a hidden layer here.
    let entropies = path_widths(&mut s.graph, &layers, 1.0).unwrap();
    let hidden = &entropies[1..widths.len() - 1];
    let mut sum = hidden[0];
    for (l, &entropy) in hidden.iter().enumerate() {
        s.graph.result(format!("out/H{}", l + 1), entropy);
        if l > 0 {
            sum = s.graph.apply(gpu_ae::ops::array::binary::Binary::Add, &[sum, entropy]).unwrap();
        }
    }
    s.graph.result("out/sum", sum);
    let wanted: Vec<(&str, Var)> = named
        .iter()
        .filter(|(name, _)| case.wants(&format!("grad/sum/{name}")))
        .map(|(name, var)| (name.as_str(), *var))
        .collect();
    let (reached, others): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|(name, _)| *name != format!("b{}", widths.len() - 2));
    s.gradients("sum", &[(sum, one)], &reached);
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    let mut answers = read_results(machine, &names);
    // The last bias is behind every hidden neuron.
    for (name, _) in others {
        answers.insert(format!("grad/sum/{name}"), vec![0.0; *widths.last().unwrap()]);
    }
    let mut from = 1;
    for (l, width) in widths.into_iter().enumerate() {
        let level = &answers["marginals"][from..from + width];
        let sum: f64 = level.iter().sum();
        let shares = level.iter().map(|p| p / sum).collect();
        let same = answers.get(&format!("out/H{l}")).is_none_or(|h| (h[0] - answers["entropies"][l + 1]).abs() < 1e-4);
        assert!(same, "{}: two ways to the entropy of level {l} disagree", case.name);
        answers.insert(format!("out/marg{l}"), shares);
        from += width;
    }
    answers
}
