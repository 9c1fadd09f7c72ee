//! Classes, and the task of naming them through a bottleneck: `softmax_ce`, `nmn`.

use std::sync::Arc;

use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::layers::Layer;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::sum_all::SumAll;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::loss::softmax_cross_entropy::SoftmaxCrossEntropy;
use gpu_ae::ops::step::sgd_step::SgdStep;
use gpu_ae::optim::sgd::sgd;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, read_results};

/// Cross entropy of logits and labels.
pub const CROSS_ENTROPY: Runner = Runner {
    formula: "softmax_ce",
    run: cross_entropy,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations that add in different orders",
};

/// The N-M-N encoder task on all one-hot patterns, and fifty steps of gradient descent.
pub const ENCODER_TASK: Runner = Runner {
    formula: "nmn",
    run: encoder_task,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations that add in different orders",
};

fn cross_entropy(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("logits");
    let mut s = Setup::default();
    let clock = s.clock(rows);
    let one = s.scalar("one", 1.0);
    let logits = s.source(Role::Input, "in/logits", case.input("logits"));
    let words: Vec<u32> = case.input("labels").real().iter().map(|&label| label as u32).collect();
    let labels = s.source(Role::Input, "in/labels", &HostTensor::from_words(&[rows], &words));
    let loss = s.graph.push(Arc::new(SoftmaxCrossEntropy { rows_per_sample: 1 }), &[logits, labels, clock]).unwrap()[0];
    s.graph.result("out/ce", loss);
    s.gradients("ce", &[(loss, one)], &[("logits", logits)]);
    let names = ["out/ce", "grad/ce/logits"].map(String::from);
    machine.load(s);
    machine.run();
    read_results(machine, &names)
}

const STEPS: usize = 50;

fn encoder_task(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (_, n) = case.extents("W1");
    let mut s = Setup::default();
    let clock = s.clock(n);
    let one = s.scalar("one", 1.0);
    let rate = s.scalar("rate", 0.5);
    let pattern = (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect();
    let x = s.source(Role::Input, "x", &HostTensor { shape: Shape::new(&[n, n]), data: Data::Real(pattern) });
    let names = ["W1", "b1", "W2", "b2"];
    let parameters = names.map(|name| s.source(Role::Param, name, case.input(name)));
    let layer = |weight, bias| Layer { name: String::new(), weight, bias, activation: Activation::Sigmoid };
    let g = &mut s.graph;
    let hidden = layer(parameters[0], parameters[1]).forward(g, x).unwrap();
    let out = layer(parameters[2], parameters[3]).forward(g, hidden).unwrap();
    let error = g.apply(Binary::Sub, &[out, x]).unwrap();
    let squares = g.apply(Binary::Mul, &[error, error]).unwrap();
    let sum = g.apply(SumAll, &[squares]).unwrap();
    let loss = g.apply(Unary::Affine { scale: 0.5, shift: 0.0 }, &[sum]).unwrap();
    for (name, value) in [("out/loss", loss), ("out/hidden", hidden), ("out/out", out)] {
        g.result(name, value);
    }
    let wrt: Vec<(&str, Var)> = names.into_iter().zip(parameters).collect();
    s.gradients("loss", &[(loss, one)], &wrt);
    let gradients: Vec<Var> = s.graph.results()[3..].iter().map(|(_, var)| *var).collect();
    let parameters: Vec<(String, Var)> = wrt.iter().map(|(name, var)| (name.to_string(), *var)).collect();
    let tensors = parameters.len();
    sgd(&mut s.graph, SgdStep { tensors, ..SgdStep::default() }, clock, rate, &parameters, &gradients).unwrap();
    s.zero_the_rest();
    let results: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();

    machine.load(s);
    machine.run();
    let mut answers = read_results(machine, &results);
    // A run computes the loss before it moves the parameters.
    (0..STEPS).for_each(|_| machine.run());
    answers.insert("out/loss_after_50_gd".into(), machine.read("out/loss"));
    answers
}
