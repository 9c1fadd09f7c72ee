//! The autoencoder family: `corruption`, `gaussian_kl`, `l1_sparse`, `vae_elbo`.

use std::sync::Arc;

use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::layers::Layer;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::sum_axis::SumAxis;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::loss::gaussian_kl::GaussianKl;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::loss::sparsity::{Penalty, Sparsity};
use gpu_ae::ops::random::corrupt::Corrupt;

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, read_results};

/// Noise and dropout from given draws.
pub const CORRUPTION: Runner = Runner {
    formula: "corruption",
    run: corruption,
    correct: as_they_are,
    exactness: |name| if name.contains("dropout") || name.contains("gaussian") { 1e-6 } else { 1e-9 },
    why: "amounts, and 1/(1 − p), are constants of the graph, and those are f32",
};

/// Divergence from the standard normal distribution, and a Gaussian's entropy.
pub const GAUSSIAN_KL: Runner = Runner {
    formula: "gaussian_kl",
    run: gaussian_kl,
    correct: as_they_are,
    exactness: |name| if name.contains("entropy") { 1e-6 } else { 1e-9 },
    why: "(d/2) log 2πe is a constant of the graph, and those are f32",
};

/// The L1 penalty.
pub const L1: Runner = Runner {
    formula: "l1_sparse",
    run: l1,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations that add in different orders",
};

/// A small variational network with given noise, under both likelihoods.
pub const ELBO: Runner = Runner {
    formula: "vae_elbo",
    run: elbo,
    correct: as_they_are,
    exactness: |name| if name.contains("gauss") { 1e-6 } else { 1e-9 },
    why: "the Gaussian's 1/(2σ²) and its constant are f32",
};

fn finish(s: Setup, machine: &mut dyn Machine) -> Answers {
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    read_results(machine, &names)
}

fn corruption(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut s = Setup::default();
    let [x, u, n] = ["x", "u", "n"].map(|name| s.source(Role::Input, &format!("in/{name}"), case.input(name)));
    let (rate, sigma) = (case.number("p") as f32, case.number("sigma") as f32);
    let kinds = [
        ("masking", Corrupt::Mask { rate, scale: 1.0 }),
        ("saltpepper", Corrupt::SaltPepper { rate }),
        ("dropout", Corrupt::dropout(rate)),
    ];
    for (name, op) in kinds {
        let y = s.graph.apply(op, &[x, u]).unwrap();
        s.graph.result(format!("out/{name}"), y);
    }
    let noise = s.graph.apply(Unary::Affine { scale: sigma, shift: 0.0 }, &[n]).unwrap();
    let y = s.graph.apply(Binary::Add, &[x, noise]).unwrap();
    s.graph.result("out/gaussian", y);
    finish(s, machine)
}

fn gaussian_kl(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, columns) = case.extents("mu");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let [mean, log_variance] = ["mu", "lv"].map(|name| s.source(Role::Input, &format!("in/{name}"), case.input(name)));
    let kl = s.graph.push(Arc::new(GaussianKl { rows_per_sample: 1 }), &[mean, log_variance, clock]).unwrap()[0];
    s.graph.result("out/kl", kl);
    s.gradients("kl", &[(kl, one)], &[("mu", mean), ("lv", log_variance)]);
    let sums = s.graph.apply(SumAxis::Columns, &[log_variance]).unwrap();
    let constant = columns as f64 * 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln();
    let entropy = s.graph.apply(Unary::Affine { scale: 0.5, shift: constant as f32 }, &[sums]).unwrap();
    s.graph.result("out/gauss_entropy", entropy);
    finish(s, machine)
}

fn l1(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("h");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let h = s.source(Role::Input, "in/h", case.input("h"));
    let penalty =
        s.graph.push(Arc::new(Sparsity { penalty: Penalty::L1, rows_per_sample: 1 }), &[h, clock]).unwrap()[0];
    s.graph.result("out/l1", penalty);
    s.gradients("l1", &[(penalty, one)], &[("h", h)]);
    finish(s, machine)
}

fn elbo(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, features) = case.extents("x");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let mut parameters: Vec<(&str, Var)> = Vec::new();
    let mut layer = |s: &mut Setup, weight: &'static str, bias: &'static str, activation| {
        let [weight, bias] = [weight, bias].map(|name| {
            let var = s.source(Role::Param, &format!("in/{name}"), case.input(name));
            parameters.push((name, var));
            var
        });
        Layer { name: String::new(), weight, bias, activation }
    };
    let hidden = layer(&mut s, "W1", "b1", Activation::Relu);
    let mean = layer(&mut s, "Wm", "bm", Activation::Identity);
    let log_variance = layer(&mut s, "Wv", "bv", Activation::Identity);
    let after = layer(&mut s, "W2", "b2", Activation::Relu);
    let last = layer(&mut s, "W3", "b3", Activation::Identity);
    let [x, noise] = ["x", "eps"].map(|name| s.source(Role::Input, &format!("in/{name}"), case.input(name)));
    let g = &mut s.graph;
    let h = hidden.forward(g, x).unwrap();
    let (mean, log_variance) = (mean.forward(g, h).unwrap(), log_variance.forward(g, h).unwrap());
    let half = g.apply(Unary::Affine { scale: 0.5, shift: 0.0 }, &[log_variance]).unwrap();
    let deviation = g.apply(Unary::Exp, &[half]).unwrap();
    let shift = g.apply(Binary::Mul, &[deviation, noise]).unwrap();
    let z = g.apply(Binary::Add, &[mean, shift]).unwrap();
    let h = after.forward(g, z).unwrap();
    let logits = last.forward(g, h).unwrap();

    let kl = g.push(Arc::new(GaussianKl { rows_per_sample: 1 }), &[mean, log_variance, clock]).unwrap()[0];
    let bernoulli =
        g.apply(ReconstructionLoss { kind: LossKind::Bce, rows_per_sample: 1 }, &[logits, x, clock]).unwrap();
    let squares = g.apply(ReconstructionLoss { kind: LossKind::Sse, rows_per_sample: 1 }, &[logits, x, clock]).unwrap();
    let sigma = case.number("sigma");
    let constant = features as f64 * (sigma.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln());
    let affine = Unary::Affine { scale: (0.5 / (sigma * sigma)) as f32, shift: constant as f32 };
    let gaussian = g.apply(affine, &[squares]).unwrap();
    let of_bernoulli = g.apply(Binary::Add, &[bernoulli, kl]).unwrap();
    let of_gaussian = g.apply(Binary::Add, &[gaussian, kl]).unwrap();
    let results =
        [("kl", kl), ("rec_bern", bernoulli), ("neg_elbo_bern", of_bernoulli), ("neg_elbo_gauss", of_gaussian)];
    for (name, value) in results {
        g.result(format!("out/{name}"), value);
    }
    s.gradients("neg_elbo_bern", &[(of_bernoulli, one)], &parameters);
    s.gradients("neg_elbo_gauss", &[(of_gaussian, one)], &parameters);
    finish(s, machine)
}
