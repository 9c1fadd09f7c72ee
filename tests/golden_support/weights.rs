//! Entropies of weights: `renyi_entropy` and `layer_entropy`.

use gpu_ae::graph::Role;
use gpu_ae::nn::losses::{Activity, weight_entropy};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::entropy::activeness::Activeness;
use gpu_ae::ops::entropy::renyi_entropy::RenyiEntropy;

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, read_results};

/// H and exp H of every order that the case names, and the gradients it asks for.
pub const RENYI: Runner = Runner {
    formula: "renyi_entropy",
    run: renyi,
    correct: as_they_are,
    exactness: exact,
    why: "orders are f32 in the index too; near α = 1 the tilted mean loses some digits in either implementation",
};

fn renyi(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut s = Setup::default();
    let a = s.source(Role::Param, "in/a", case.input("a"));
    let weights = match case.optional("eps") {
        Some(eps) => s.graph.apply(Unary::Affine { scale: 1.0, shift: eps as f32 }, &[a]).unwrap(),
        None => a,
    };
    let one = s.scalar("one", 1.0);
    let orders = case.names_after("out/H/");
    for name in &orders {
        let entropy = s.graph.apply(RenyiEntropy { alpha: case.number(name) as f32 }, &[weights]).unwrap();
        s.graph.result(format!("out/H/{name}"), entropy);
        if case.wants(&format!("grad/H/{name}/a")) {
            s.gradients(&format!("H/{name}"), &[(entropy, one)], &[("a", a)]);
        }
    }
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    let mut answers = read_results(machine, &names);
    for name in orders {
        let effective = answers[&format!("out/H/{name}")].iter().map(|h| h.exp()).collect();
        answers.insert(format!("out/Neff/{name}"), effective);
    }
    answers
}

/// Activeness and entropy of a layer's neurons, in every mode that the case names.
pub const LAYER: Runner = Runner {
    formula: "layer_entropy",
    run: layer,
    correct: as_they_are,
    exactness: exact,
    why: "orders and bias weights are f32 in the index too",
};

/// The mode that the index writes as `in`, `out`, `sum`, `prod` or `both`.
pub fn activity(mode: &str) -> Activity {
    match mode {
        "in" => Activity::Incoming,
        "out" => Activity::Outgoing,
        "sum" => Activity::Sum,
        "prod" => Activity::Product,
        "both" => Activity::Both,
        other => panic!("no mode '{other}'"),
    }
}

fn layer(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut s = Setup::default();
    let (neurons, inputs) = case.extents("Wl");
    let (outputs, _) = case.extents("Wr");
    let left = crate::layers::layer(&mut s.graph, "left", inputs, neurons, Activation::Relu);
    let right = crate::layers::layer(&mut s.graph, "right", neurons, outputs, Activation::Relu);
    for (name, input) in [("left.weight", "Wl"), ("left.bias", "b"), ("right.weight", "Wr")] {
        s.feeds.insert(name.into(), case.input(input).clone());
    }
    s.zero_the_rest();
    let one = s.scalar("one", 1.0);
    let (alpha, bias_weight) = (case.number("alpha") as f32, case.number("bias_weight") as f32);
    let sources = [("Wl", left.weight), ("Wr", right.weight), ("b", left.bias)];
    for mode in case.names_after("out/") {
        let activity = activity(mode.strip_prefix("m_").expect("modes begin with m_"));
        let entropy = weight_entropy(&mut s.graph, &left, &right, activity, alpha, bias_weight).unwrap();
        s.graph.result(format!("out/{mode}/H"), entropy);
        if case.wants(&format!("out/{mode}/a")) {
            // The one input of the entropy is the activeness.
            let a = s.graph.node(entropy).inputs[0];
            let op = &s.graph.node(a).op;
            assert!(op.downcast::<Activeness>().is_some() || op.downcast::<Binary>().is_some());
            s.graph.result(format!("out/{mode}/a"), a);
        }
        let wrt: Vec<_> =
            sources.iter().copied().filter(|(input, _)| case.wants(&format!("grad/{mode}/H/{input}"))).collect();
        s.gradients(&format!("{mode}/H"), &[(entropy, one)], &wrt);
    }
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    read_results(machine, &names)
}
