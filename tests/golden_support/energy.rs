//! Models with an energy: `rbm_cd1`, `hopfield`.

use gpu_ae::autodiff::grad;
use gpu_ae::graph::Role;
use gpu_ae::nn::Boltzmann;
use gpu_ae::nn::hopfield::{Rule, Update, energy, update};
use gpu_ae::nn::losses::contrastive_divergence;
use gpu_ae::tensor::HostTensor;

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, read_results};

const WHY: &str = "two float64 implementations that add in different orders";

/// One step of contrastive divergence with given draws, and the free energy of the data.
pub const RBM: Runner = Runner { formula: "rbm_cd1", run: rbm, correct: as_they_are, exactness: exact, why: WHY };

/// Hebbian weights, five sweeps of the neurons in order, the energy before and after each.
pub const HOPFIELD: Runner =
    Runner { formula: "hopfield", run: hopfield, correct: as_they_are, exactness: exact, why: WHY };

fn rbm(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("v0");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    // The references are directions of ascent of the likelihood.
    let minus = s.scalar("minus one", -1.0);
    let [weight, hidden_bias, visible_bias] =
        ["W", "c", "b"].map(|name| s.source(Role::Param, &format!("in/{name}"), case.input(name)));
    let [data, of_hidden, of_visible] =
        ["v0", "u_h", "u_v"].map(|name| s.source(Role::Input, &format!("in/{name}"), case.input(name)));
    let boltzmann = Boltzmann { weight, hidden_bias, visible_bias };
    let g = &mut s.graph;
    let step = boltzmann.gibbs(g, data, [of_hidden, of_visible]).unwrap();
    let after = boltzmann.hidden(g, step.visible).unwrap();
    let free_energy = boltzmann.free_energy(g, data).unwrap();
    let loss = contrastive_divergence(g, &boltzmann, data, step.visible, clock).unwrap();
    let gradients = grad(g, &[(loss, minus)], &[weight, visible_bias, hidden_bias]).unwrap();
    let results = [
        ("p_h0", step.hidden_probability),
        ("h0", step.hidden),
        ("p_v1", step.visible_probability),
        ("v1", step.visible),
        ("p_h1", after),
        ("free_energy", free_energy),
    ];
    let gradients = ["dW", "db", "dc"].into_iter().zip(gradients.into_iter().map(Option::unwrap));
    let results: Vec<(String, _)> =
        results.into_iter().chain(gradients).map(|(name, value)| (format!("out/{name}"), value)).collect();
    for (name, value) in &results {
        g.result(name, *value);
    }
    machine.load(s);
    machine.run();
    read_results(machine, &results.into_iter().map(|(name, _)| name).collect::<Vec<_>>())
}

fn hopfield(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (_, neurons) = case.extents("P");
    let weights = Rule::Hebbian.weights(case.input("P").real(), neurons);
    let row = |name: &str| HostTensor { shape: gpu_ae::tensor::Shape::new(&[1, neurons]), ..case.input(name).clone() };
    let matrix = HostTensor {
        shape: gpu_ae::tensor::Shape::new(&[neurons, neurons]),
        data: gpu_ae::tensor::Data::Real(weights.clone()),
    };
    let mut s = Setup::default();
    let weight = s.source(Role::Param, "W", &matrix);
    let bias = s.source(Role::Param, "in/b", case.input("b"));
    let mut state = s.source(Role::Input, "in/x0", &row("x0"));
    let mut energies = Vec::new();
    for sweep in 0..6 {
        let of_state = energy(&mut s.graph, state, weight, bias).unwrap();
        energies.push(format!("energy after {sweep} sweeps"));
        s.graph.result(energies[sweep].clone(), of_state);
        if sweep < 5 {
            state = update(&mut s.graph, Update::Asynchronous, state, weight, bias).unwrap();
        }
    }
    s.graph.result("x", state);
    machine.load(s);
    machine.run();
    let energies = energies.iter().flat_map(|name| machine.read(name)).collect();
    let x = machine.read("x");
    Answers::from([("out/W".into(), weights), ("out/x".into(), x), ("out/E".into(), energies)])
}
