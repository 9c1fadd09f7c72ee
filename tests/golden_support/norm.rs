//! Normalisation: `layer_norm`.

use gpu_ae::graph::Role;
use gpu_ae::nn::block::layer_norm;

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, read_results};

/// The block, and its gradients for a given one of the outputs.
pub const LAYER_NORM: Runner = Runner {
    formula: "layer_norm",
    run: layer,
    correct: as_they_are,
    exactness: |_| 1e-6,
    why: "1/n is a constant of the graph, and those are f32",
};

fn layer(case: &Case, machine: &mut dyn Machine) -> Answers {
    assert!((case.number("eps") - 1e-5).abs() < 1e-9, "the block's own");
    let mut s = Setup::default();
    let [x, w, b] = ["x", "w", "b"].map(|name| s.source(Role::Param, &format!("in/{name}"), case.input(name)));
    let dy = s.source(Role::Input, "in/dy", case.input("dy"));
    let y = layer_norm(&mut s.graph, x, w, b).unwrap();
    s.graph.result("out/y", y);
    s.gradients("y", &[(y, dy)], &[("x", x), ("w", w), ("b", b)]);
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    read_results(machine, &names)
}
