//! Normalisation: `layer_norm`, `batch_norm2d`, `group_norm`.

use std::sync::Arc;

use gpu_ae::graph::Role;
use gpu_ae::nn::block::{by_moments, layer_norm};
use gpu_ae::ops::norm::batch_norm::BatchNorm;
use gpu_ae::ops::norm::group_norm::{self, GroupNorm};

use super::machine::{Machine, Setup};
use super::vectors::Case;
use super::{Answers, Runner, as_they_are, exact, images, read_results};

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

/// Training, its moments, and what stands for it after.
pub const BATCH_NORM: Runner = Runner {
    formula: "batch_norm2d",
    run: batch,
    correct: without_averages,
    exactness: exact,
    why: "sums in another order",
};

/// Averages from step to step are not how the project finds what stands for a batch's moments: `src/train/moments.rs`.
fn without_averages(case: &mut Case) {
    case.forget("out/running_mean");
    case.forget("out/running_var");
}

fn batch(case: &Case, machine: &mut dyn Machine) -> Answers {
    let epsilon = case.number("eps") as f32;
    let (count, [height, width]) = images::extents(case.input("x"));
    let mut s = Setup::default();
    let mut source = |role, name: &str| s.source(role, &format!("in/{name}"), &images::rows(case.input(name)));
    let [x, w, b, mean, variance] = ["x", "w", "b", "rm", "rv"].map(|name| source(Role::Param, name));
    let dy = source(Role::Input, "dy");
    let clock = s.clock(count);
    let norm = BatchNorm { rows_per_sample: height * width, epsilon };
    let outputs = s.graph.push(Arc::new(norm), &[x, w, b, clock]).unwrap();
    let after = by_moments(&mut s.graph, x, [w, b, mean, variance], epsilon).unwrap();
    for (name, y) in [("y", outputs[0]), ("y_eval", after)] {
        s.graph.result(format!("out/{name}"), y);
        s.gradients(name, &[(y, dy)], &[("x", x), ("w", w), ("b", b)]);
    }
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    s.graph.result("moments", outputs[1]);
    machine.load(s);
    machine.run();
    let mut answers = images::read(case, machine, &names);
    let mut moments = machine.read("moments");
    answers.insert("out/var".into(), moments.split_off(moments.len() / 2));
    answers.insert("out/mean".into(), moments);
    answers
}

/// Groups of channels of every sample.
pub const GROUP_NORM: Runner =
    Runner { formula: "group_norm", run: group, correct: as_they_are, exactness: exact, why: "sums in another order" };

fn group(case: &Case, machine: &mut dyn Machine) -> Answers {
    assert_eq!(case.number("eps") as f32, group_norm::EPSILON, "the operation's own");
    let (_, [height, width]) = images::extents(case.input("x"));
    let mut s = Setup::default();
    let mut source = |role, name: &str| s.source(role, &format!("in/{name}"), &images::rows(case.input(name)));
    let [x, w, b] = ["x", "w", "b"].map(|name| source(Role::Param, name));
    let dy = source(Role::Input, "dy");
    let norm = GroupNorm { rows_per_sample: height * width, groups: case.number("groups") as usize };
    let y = s.graph.push(Arc::new(norm), &[x, w, b]).unwrap()[0];
    s.graph.result("out/y", y);
    s.gradients("y", &[(y, dy)], &[("x", x), ("w", w), ("b", b)]);
    let names: Vec<String> = s.graph.results().iter().map(|(name, _)| name.clone()).collect();
    machine.load(s);
    machine.run();
    images::read(case, machine, &names)
}
