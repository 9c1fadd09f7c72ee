//! Norms of an encoder's Jacobian: `contractive_1layer`, `contractive_2layer`.

use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::losses::contractive::squared_projections;
use gpu_ae::nn::losses::contractive_exact;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, read_results};

/// The closed form of one layer.
pub const ONE_LAYER: Runner = Runner {
    formula: "contractive_1layer",
    run: one_layer,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations that add in different orders",
};

/// Two layers: unit by unit, and by given probes.
pub const TWO_LAYERS: Runner = Runner {
    formula: "contractive_2layer",
    run: two_layers,
    correct: as_they_are,
    exactness: |name| if name.contains("hutch") { 1e-6 } else { 1e-9 },
    why: "1 / probes is a constant of the graph, and those are f32",
};

fn finish(s: Setup, machine: &mut dyn Machine) -> Answers {
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    read_results(machine, &names)
}

fn one_layer(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("x");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let x = s.source(Role::Input, "in/x", case.input("x"));
    let [weight, bias] = ["W", "b"].map(|name| s.source(Role::Param, &format!("in/{name}"), case.input(name)));
    for activation in [Activation::Sigmoid, Activation::Tanh, Activation::Relu] {
        let layer = Layer { name: String::new(), weight, bias, activation };
        let h = layer.forward(&mut s.graph, x).unwrap();
        let norm = contractive_exact(&mut s.graph, &[layer], x, h, clock).unwrap();
        s.graph.result(format!("out/{}", activation.word()), norm);
        let wanted = |name: &str| case.wants(&format!("grad/{}/{name}", activation.word()));
        let wrt: Vec<(&str, Var)> =
            [("x", x), ("W", weight), ("b", bias)].into_iter().filter(|(name, _)| wanted(name)).collect();
        s.gradients(activation.word(), &[(norm, one)], &wrt);
    }
    finish(s, machine)
}

fn two_layers(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("x");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let x = s.source(Role::Input, "in/x", case.input("x"));
    let mut wrt = vec![("x", x)];
    let mut layer = |s: &mut Setup, names: [&'static str; 2]| {
        let [weight, bias] = names.map(|name| {
            let var = s.source(Role::Param, &format!("in/{name}"), case.input(name));
            wrt.push((name, var));
            var
        });
        Layer { name: String::new(), weight, bias, activation: Activation::Sigmoid }
    };
    let encoder = [layer(&mut s, ["W1", "b1"]), layer(&mut s, ["W2", "b2"])];
    let hidden = encoder[0].forward(&mut s.graph, x).unwrap();
    let h = encoder[1].forward(&mut s.graph, hidden).unwrap();
    let norm = contractive_exact(&mut s.graph, &encoder, x, h, clock).unwrap();
    s.graph.result("out/exact", norm);
    s.gradients("exact", &[(norm, one)], &wrt);

    let all = case.input("V");
    let shape = Shape::new(&all.shape.dims()[1..]);
    let probes: Vec<Var> = all
        .real()
        .chunks_exact(shape.elements())
        .enumerate()
        .map(|(i, signs)| {
            let value = HostTensor { shape: shape.clone(), data: Data::Real(signs.to_vec()) };
            s.source(Role::Input, &format!("probe {i}"), &value)
        })
        .collect();
    let sum = squared_projections(&mut s.graph, x, h, clock, &probes).unwrap();
    let mean = Unary::Affine { scale: 1.0 / probes.len() as f32, shift: 0.0 };
    let estimate = s.graph.apply(mean, &[sum]).unwrap();
    s.graph.result("out/hutch", estimate);
    s.gradients("hutch", &[(estimate, one)], &wrt);
    finish(s, machine)
}
