//! What brings codes near a normal distribution: `mmd`, `wasserstein_gauss`.

use std::sync::Arc;

use gpu_ae::graph::{Graph, Role, Var};
use gpu_ae::nn::losses::gaussian_wasserstein;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::loss::bures::Bures;
use gpu_ae::ops::loss::mmd::Mmd;
use gpu_ae::ops::matmul::MatMul;

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, read_results};

/// The maximum mean discrepancy under three kernels.
pub const MMD: Runner = Runner {
    formula: "mmd",
    run: mmd,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations that add in different orders",
};

/// The Wasserstein-2 distance of a batch's moments from the standard normal distribution, and of two Gaussians.
pub const GAUSSIAN: Runner = Runner {
    formula: "wasserstein_gauss",
    run: gaussian,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations of eigenvalues",
};

fn finish(s: Setup, machine: &mut dyn Machine) -> Answers {
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    read_results(machine, &names)
}

fn mmd(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("Z");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let [codes, draws] = ["Z", "Y"].map(|name| s.source(Role::Input, &format!("in/{name}"), case.input(name)));
    for (name, op) in [("imq", Mmd::Imq), ("rbf", Mmd::Rbf), ("imq_multi", Mmd::ImqMulti)] {
        let value = s.graph.apply(op, &[codes, draws, clock]).unwrap();
        s.graph.result(format!("out/{name}"), value);
        s.gradients(name, &[(value, one)], &[("Z", codes)]);
    }
    finish(s, machine)
}

/// The derivative of the Bures distance of a matrix, which is I less the root's inverse, and the eigenvalues.
fn root(g: &mut Graph, matrix: Var) -> (Var, Var) {
    let outputs = g.push(Arc::new(Bures { diagonal: false, jitter: 0.0 }), &[matrix]).unwrap();
    (outputs[1], outputs[2])
}

fn gaussian(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, n) = case.extents("Z");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let codes = s.source(Role::Input, "in/Z", case.input("Z"));
    let jitter = case.number("jitter") as f32;
    for (name, diagonal) in [("full", false), ("diag", true)] {
        let value = gaussian_wasserstein(&mut s.graph, codes, clock, Bures { diagonal, jitter }).unwrap();
        s.graph.result(format!("out/{name}"), value);
        s.gradients(name, &[(value, one)], &[("Z", codes)]);
    }

    // S₂^½ = S₂ − S₂ (I − S₂^{−½}), and the trace of (S₂^½ S₁ S₂^½)^½ by its eigenvalues.
    let [first, second] = ["S1", "S2"].map(|name| s.source(Role::Input, &format!("in/{name}"), case.input(name)));
    let (rest, _) = root(&mut s.graph, second);
    let g = &mut s.graph;
    let rest = g.apply(MatMul::Nn, &[second, rest]).unwrap();
    let half = g.apply(Binary::Sub, &[second, rest]).unwrap();
    let product = g.apply(MatMul::Nn, &[half, first]).unwrap();
    let product = g.apply(MatMul::Nn, &[product, half]).unwrap();
    let (_, eigenvalues) = root(g, product);
    g.result("eigenvalues", eigenvalues);
    let mut answers = finish(s, machine);
    let roots: f64 = answers.remove("eigenvalues").expect("a result").into_iter().map(f64::sqrt).sum();
    let trace = |name: &str| case.input(name).real().iter().step_by(n + 1).sum::<f64>();
    let means = case.input("mu1").real().iter().zip(case.input("mu2").real());
    let shift: f64 = means.map(|(a, b)| (a - b) * (a - b)).sum();
    answers.insert("out/mu1S1_mu2S2".into(), vec![shift + trace("S1") + trace("S2") - 2.0 * roots]);
    answers
}
