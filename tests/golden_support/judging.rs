//! What trained networks are judged by: `pgd_linf`, `spectrum`, `sparsity`.

use std::sync::Arc;

use gpu_ae::graph::Role;
use gpu_ae::nn::layers::Layer;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::loss::softmax_cross_entropy::SoftmaxCrossEntropy;
use gpu_ae::statistics::sparsity::non_zeros;
use gpu_ae::statistics::spectrum::{effective_rank, participation, singular_values, stable_rank};
use gpu_ae::study::attack::{Ball, Norm};
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact};

/// Projected gradient descent on what two layers make of rows.
pub const PGD: Runner = Runner {
    formula: "pgd_linf",
    run: attacked,
    correct: as_they_are,
    exactness: exact,
    why: "two float64 implementations that add in different orders",
};

/// Singular values, and how many of them count.
pub const SPECTRUM: Runner = Runner {
    formula: "spectrum",
    run: spectrum,
    correct: as_they_are,
    exactness: |_| 1e-6,
    why: "singular values are roots of eigenvalues, so what is below 1e-8 of the largest is rounding",
};

/// Entries that are not 0.
pub const SPARSITY: Runner =
    Runner { formula: "sparsity", run: sparsity, correct: as_they_are, exactness: exact, why: "counts" };

/// The rows after the first and after the last step of an attack on what is loaded, whose gradient is `grad/loss/x`: from
/// rows x, moved by so much at first.
pub fn descend(case: &Case, machine: &mut dyn Machine, shape: &Shape, [x, delta]: [&[f64]; 2]) -> [Vec<f64>; 2] {
    let ball = Ball { norm: Norm::Largest, epsilon: case.number("eps") };
    let mut rows: Vec<f64> = x.iter().zip(delta).map(|(x, by)| x + by).collect();
    ball.project(&mut rows, x);
    let mut first = None;
    for _ in 0..case.number("steps") as usize {
        machine.feed("in/x", &HostTensor { shape: shape.clone(), data: Data::Real(rows.clone()) });
        machine.run();
        ball.step(&mut rows, x, &machine.read("grad/loss/x"), case.number("step"));
        first.get_or_insert_with(|| rows.clone());
    }
    [first.expect("an attack has steps"), rows]
}

fn attacked(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (count, _) = case.extents("x");
    let mut s = Setup::default();
    let clock = s.clock(count);
    let one = s.scalar("one", 1.0);
    let x = s.source(Role::Input, "in/x", case.input("x"));
    let words: Vec<u32> = case.input("labels").real().iter().map(|&label| label as u32).collect();
    let labels = s.source(Role::Input, "in/labels", &HostTensor::from_words(&[count], &words));
    let [w1, b1, w2, b2] = ["W1", "b1", "W2", "b2"].map(|name| s.source(Role::Param, name, case.input(name)));
    let layer = |weight, bias, activation| Layer { name: String::new(), weight, bias, activation };
    let g = &mut s.graph;
    let hidden = layer(w1, b1, Activation::Relu).forward(g, x).unwrap();
    let logits = layer(w2, b2, Activation::Identity).forward(g, hidden).unwrap();
    let loss = g.push(Arc::new(SoftmaxCrossEntropy { rows_per_sample: 1 }), &[logits, labels, clock]).unwrap()[0];
    s.gradients("loss", &[(loss, one)], &[("x", x)]);
    machine.load(s);
    let [x, delta] = ["x", "delta0"].map(|name| case.input(name));
    let [first, last] = descend(case, machine, &x.shape, [x.real(), delta.real()]);
    [("out/x_step1".to_string(), first), ("out/x_adv".to_string(), last)].into()
}

fn spectrum(case: &Case, _: &mut dyn Machine) -> Answers {
    let (_, columns) = case.extents("W");
    let values = singular_values(case.input("W").real(), columns);
    let counts = [
        ("out/eff_rank", effective_rank(&values)),
        ("out/stable_rank", stable_rank(&values)),
        ("out/participation", participation(&values)),
    ];
    let counts = counts.into_iter().map(|(name, value)| (name.to_string(), vec![value]));
    counts.chain([("out/sv".to_string(), values.clone())]).collect()
}

fn sparsity(case: &Case, _: &mut dyn Machine) -> Answers {
    let (_, width) = case.extents("zq");
    let codes: Vec<f32> = case.input("zq").real().iter().map(|&entry| entry as f32).collect();
    let count = non_zeros(&codes, width);
    [("out/nnz".to_string(), vec![count]), ("out/frac".to_string(), vec![count / width as f64])].into()
}
