//! Bits of whole numbers: `ste_round`, `gaussian_bits`, `factorized_bits`, `hyperprior_bits`, `sup_ce_bits`.

use std::sync::Arc;

use gpu_ae::graph::{Graph, Role, Var};
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::rate::logistic_bits;
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

/// Bits under Gaussians that a side code tells of, and those of the side code.
pub const HYPERPRIOR: Runner = Runner {
    formula: "hyperprior_bits",
    run: hyperprior,
    correct: as_they_are,
    exactness: |_| 1e-6,
    why: "the least scales, 0.11 and 0.001, are constants of the graph, and those are f32",
};

/// Cross entropy and the price of a code.
pub const SUPERVISED: Runner = Runner {
    formula: "sup_ce_bits",
    run: supervised,
    correct: as_they_are,
    exactness: |_| 1e-6,
    why: "the least scale, 0.11, is a constant of the graph, and those are f32",
};

fn inputs<const N: usize>(s: &mut Setup, case: &Case, names: [&str; N]) -> [Var; N] {
    names.map(|name| s.source(Role::Input, &format!("in/{name}"), case.input(name)))
}

fn finish(s: Setup, machine: &mut dyn Machine) -> Answers {
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
fn scales(g: &mut Graph, raw: Var, rows: Option<usize>) -> Var {
    let positive = g.apply(Activation::Softplus, &[raw]).unwrap();
    let scale = g.apply(Unary::Affine { scale: 1.0, shift: 0.11 }, &[positive]).unwrap();
    rows.map_or(scale, |rows| g.apply(Broadcast::Rows(rows), &[scale]).unwrap())
}

fn hyperprior(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (_, width) = case.extents("z");
    let mut s = Setup::default();
    let one = s.scalar("one", 1.0);
    let [z, noise] = inputs(&mut s, case, ["z", "noise"]);
    let names = ["W1", "b1", "W2", "b2", "W3", "b3", "m", "k"];
    let vars = names.map(|name| s.source(Role::Param, name, case.input(name)));
    // The last layer is two: one makes the means, the other one the scales.
    let mut halves = Vec::new();
    for (part, name) in ["means", "scales"].into_iter().enumerate() {
        let mut half = |of: &str| {
            let whole = case.input(of);
            let columns = whole.real().len() / (2 * width);
            let own = whole.real()[part * width * columns..][..width * columns].to_vec();
            let dims = if of == "W4" { vec![width, columns] } else { vec![width] };
            s.source(
                Role::Param,
                &format!("{of} {name}"),
                &HostTensor { shape: Shape::new(&dims), data: Data::Real(own) },
            )
        };
        halves.push([half("W4"), half("b4")]);
    }
    let layer = |weight, bias, activation| Layer { name: String::new(), weight, bias, activation };
    let g = &mut s.graph;
    let pass = |g: &mut Graph, x, weight, bias, activation| layer(weight, bias, activation).forward(g, x).unwrap();
    let hidden = pass(g, z, vars[0], vars[1], Activation::Relu);
    let side = pass(g, hidden, vars[2], vars[3], Activation::Identity);
    let side = g.apply(Binary::Add, &[side, noise]).unwrap();
    let of_side = logistic_bits(g, side, [vars[6], vars[7]]).unwrap();
    let inside = pass(g, side, vars[4], vars[5], Activation::Relu);
    let [mean, raw] = [0, 1].map(|half: usize| pass(g, inside, halves[half][0], halves[half][1], Activation::Identity));
    let scale = scales(g, raw, None);
    let rounded = g.apply(SteRound, &[z]).unwrap();
    let of_code = g.apply(GaussianBits, &[rounded, mean, scale]).unwrap();
    let [of_code, of_side] = [of_code, of_side].map(|bits| g.apply(SumAll, &[bits]).unwrap());
    let total = g.apply(Binary::Add, &[of_code, of_side]).unwrap();
    for (name, value) in [("bits_z", of_code), ("bits_y", of_side), ("total", total)] {
        g.result(format!("out/{name}"), value);
    }
    let mut wrt: Vec<(&str, Var)> = names.into_iter().zip(vars).collect();
    let of_halves = [("W4 means", 0, 0), ("W4 scales", 1, 0), ("b4 means", 0, 1), ("b4 scales", 1, 1)];
    wrt.extend(of_halves.map(|(name, half, at)| (name, halves[half][at])));
    wrt.push(("z", z));
    s.gradients("total", &[(total, one)], &wrt);
    let mut answers = finish(s, machine);
    for name in ["W4", "b4"] {
        let halves =
            ["means", "scales"].map(|half| answers.remove(&format!("grad/total/{name} {half}")).expect("a gradient"));
        answers.insert(format!("grad/total/{name}"), halves.concat());
    }
    answers
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
