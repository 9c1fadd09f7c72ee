//! Bits of whole numbers: `ste_round`, `gaussian_bits`, `factorized_bits`, `sup_ce_bits`.

use std::sync::Arc;

use gpu_ae::graph::{Graph, Role, Var};
use gpu_ae::nn::layers::Layer;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::broadcast::Broadcast;
use gpu_ae::ops::array::sum_all::SumAll;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::loss::softmax_cross_entropy::SoftmaxCrossEntropy;
use gpu_ae::ops::rate::cumulative::Cumulative;
use gpu_ae::ops::rate::gaussian_bits::GaussianBits;
use gpu_ae::ops::rate::interval_bits::IntervalBits;
use gpu_ae::ops::rate::ste_round::SteRound;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use crate::golden_support::machine::{Machine, Setup};
use crate::golden_support::vectors::Case;
use crate::golden_support::{Answers, Runner, as_they_are, exact, read_results};

/// Rounding with the gradient of the identity.
pub const ROUND: Runner =
    Runner { formula: "ste_round", run: round, correct: as_they_are, exactness: exact, why: "whole numbers are exact" };

/// Bits under given Gaussians.
pub const GAUSSIAN: Runner = Runner {
    formula: "gaussian_bits",
    run: gaussian,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations with error functions of their own",
};

/// Bits under learnt cumulative distributions.
pub const FACTORIZED: Runner = Runner {
    formula: "factorized_bits",
    run: factorized,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations that add in different orders",
};

/// Cross entropy and the price of a code.
pub const SUPERVISED: Runner = Runner {
    formula: "sup_ce_bits",
    run: supervised,
    correct: as_they_are,
    exactness: |_| 1e-6,
    why: "the least scale, 0.11, is a constant of the graph, and those are f32",
};

pub fn inputs<const N: usize>(s: &mut Setup, case: &Case, names: [&str; N]) -> [Var; N] {
    names.map(|name| s.source(Role::Input, &format!("in/{name}"), case.input(name)))
}

pub fn finish(s: Setup, machine: &mut dyn Machine) -> Answers {
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    read_results(machine, &names)
}

fn round(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut s = Setup::default();
    let one = s.scalar("one", 1.0);
    let [z, seed] = inputs(&mut s, case, ["z", "g"]);
    let rounded = s.graph.apply(SteRound, &[z]).unwrap();
    s.graph.result("out/zq", rounded);
    let product = s.graph.apply(Binary::Mul, &[rounded, seed]).unwrap();
    let sum = s.graph.apply(SumAll, &[product]).unwrap();
    s.gradients("sum_g_zq", &[(sum, one)], &[("z", z)]);
    finish(s, machine)
}

fn gaussian(case: &Case, machine: &mut dyn Machine) -> Answers {
    let mut s = Setup::default();
    let one = s.scalar("one", 1.0);
    let [z, mu, scale] = inputs(&mut s, case, ["z", "mu", "s"]);
    let bits = s.graph.apply(GaussianBits, &[z, mu, scale]).unwrap();
    let total = s.graph.apply(SumAll, &[bits]).unwrap();
    s.graph.result("out/bits", bits);
    s.graph.result("out/total", total);
    s.gradients("total", &[(total, one)], &[("z", z), ("mu", mu), ("s", scale)]);
    finish(s, machine)
}

/// The layers of each column one behind the other, as the operation has them, and back.
fn factorized(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (_, columns) = case.extents("z");
    let hidden = (0..).find(|layer| !case.has(&format!("a{layer}"))).unwrap_or(0);
    let parts: Vec<String> = (0..=hidden)
        .flat_map(|layer| ["H", "b", "a"].map(|kind| format!("{kind}{layer}")))
        .filter(|name| case.has(name))
        .collect();
    let width = |name: &str| case.input(name).real().len() / columns;
    let filters = width("b0");
    let packed = (0..columns).flat_map(|column| {
        parts.iter().flat_map(move |name| {
            let width = width(name);
            case.input(name).real()[column * width..][..width].to_vec()
        })
    });
    let packed: Vec<f64> = packed.collect();
    let size = packed.len() / columns;
    let mut s = Setup::default();
    let one = s.scalar("one", 1.0);
    let [z] = inputs(&mut s, case, ["z"]);
    let packed = HostTensor { shape: Shape::new(&[columns, size]), data: Data::Real(packed) };
    let parameters = s.source(Role::Param, "parameters", &packed);
    let mut edge = |shift| s.graph.apply(Cumulative { filters, hidden, shift }, &[z, parameters]).unwrap();
    let edges = [edge(0.5), edge(-0.5)];
    let bits = s.graph.apply(IntervalBits, &edges).unwrap();
    let total = s.graph.apply(SumAll, &[bits]).unwrap();
    s.graph.result("out/bits", bits);
    s.graph.result("out/total", total);
    s.gradients("total", &[(total, one)], &[("z", z), ("parameters", parameters)]);
    let mut answers = finish(s, machine);
    let gradients = answers.remove("grad/total/parameters").expect("a gradient");
    let mut first = 0;
    for name in &parts {
        let width = width(name);
        let own = gradients.chunks_exact(size).flat_map(|column| column[first..][..width].to_vec());
        answers.insert(format!("grad/total/{name}"), own.collect());
        first += width;
    }
    answers
}

/// least + softplus(raw), over so many rows.
pub fn scales(g: &mut Graph, raw: Var, rows: Option<usize>) -> Var {
    let positive = g.apply(Activation::Softplus, &[raw]).unwrap();
    let scale = g.apply(Unary::Affine { scale: 1.0, shift: 0.11 }, &[positive]).unwrap();
    rows.map_or(scale, |rows| g.apply(Broadcast::Rows(rows), &[scale]).unwrap())
}

fn supervised(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("x");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let beta = s.scalar("beta", case.number("beta"));
    let [x] = inputs(&mut s, case, ["x"]);
    let words: Vec<u32> = case.input("labels").real().iter().map(|&label| label as u32).collect();
    let labels = s.source(Role::Input, "in/labels", &HostTensor::from_words(&[rows], &words));
    let names = ["W0", "b0", "W1", "b1", "W2", "b2", "mu", "raw"];
    let vars = names.map(|name| s.source(Role::Param, name, case.input(name)));
    let g = &mut s.graph;
    let layer = |g: &mut Graph, x, at: usize, activation| {
        let layer = Layer { name: String::new(), weight: vars[at], bias: vars[at + 1], activation };
        layer.forward(g, x).unwrap()
    };
    let hidden = layer(g, x, 0, Activation::Relu);
    let z = layer(g, hidden, 2, Activation::Identity);
    let rounded = g.apply(SteRound, &[z]).unwrap();
    let logits = layer(g, rounded, 4, Activation::Identity);
    let loss = g.push(Arc::new(SoftmaxCrossEntropy { rows_per_sample: 1 }), &[logits, labels, clock]).unwrap()[0];
    let mean = g.apply(Broadcast::Rows(rows), &[vars[6]]).unwrap();
    let scale = scales(g, vars[7], Some(rows));
    let bits = g.apply(GaussianBits, &[rounded, mean, scale]).unwrap();
    let total = g.apply(SumAll, &[bits]).unwrap();
    let numbers = g.ty(bits).elements() as f32;
    let of_dimension = g.apply(Unary::Affine { scale: 1.0 / numbers, shift: 0.0 }, &[total]).unwrap();
    let priced = g.apply(Binary::Mul, &[of_dimension, beta]).unwrap();
    let whole = g.apply(Binary::Add, &[loss, priced]).unwrap();
    let square = g.apply(Binary::Mul, &[rounded, rounded]).unwrap();
    let ones = g.apply(Unary::Affine { scale: 0.0, shift: 1.0 }, &[rounded]).unwrap();
    let other =
        g.apply(gpu_ae::ops::array::activation_grad::ActivationGrad(Activation::Relu), &[ones, square]).unwrap();
    let count = g.apply(SumAll, &[other]).unwrap();
    for (name, value) in [("L", whole), ("ce", loss), ("bpd", of_dimension), ("zq", rounded), ("nnz", count)] {
        g.result(format!("out/{name}"), value);
    }
    let wrt: Vec<(&str, Var)> = names.into_iter().zip(vars).collect();
    s.gradients("L", &[(loss, one), (of_dimension, beta)], &wrt);
    let mut answers = finish(s, machine);
    // The count is exact; its quotient would be one of f32.
    answers.entry("out/nnz".into()).and_modify(|count| count[0] /= rows as f64);
    answers
}
