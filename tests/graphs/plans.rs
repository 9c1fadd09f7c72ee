//! Plans against the interpreter, on random graphs and on every device, and what hardware gets of them.

use crate::common;
use crate::random_graph::random_graph;
use crate::training::{Recipe, difference, floats, forms, interpreted, run_once, training};
use gpu_ae::graph::{Graph, interpret};
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Fusion, Plan, fuse};

/// A graph after the fusions that every device gets.
pub fn elementary(graph: &Graph) -> gpu_ae::Result<Graph> {
    let profile = DeviceProfile::portable(DeviceKind::Software);
    fuse(graph, &Fusion::ELEMENTARY.iter().copied().collect(), &profile)
}

pub fn assert_close(got: &[(String, Vec<f64>)], expected: &[(String, Vec<f64>)], allowed: f64, label: &str) {
    assert_eq!(got.len(), expected.len(), "{label}");
    for ((name, got), (also, expected)) in got.iter().zip(expected) {
        assert_eq!(name, also, "{label}");
        // Gradients that nearly cancel are judged by the size of what cancels.
        let scale = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let worst = difference(got, expected) * scale.max(1e-30) / scale.max(1e-2);
        assert!(worst <= allowed, "{label}, {name}: off by {worst:.1e}: {got:?}, expected {expected:?}");
    }
}

#[test]
fn plans_of_random_graphs_agree_with_the_interpreter_on_every_device() {
    for mut device in common::devices() {
        for seed in 0..25 {
            let (graph, feeds) = random_graph(seed);
            let got = run_once(device.as_mut(), &graph, &feeds)
                .unwrap_or_else(|error| panic!("graph {seed} on {}: {error}", device.name()));
            assert_close(&got, &interpreted(&graph, &feeds), 1e-4, &format!("graph {seed} on {}", device.name()));
        }
    }
}

#[test]
fn fused_graphs_mean_the_same() {
    for seed in 0..400 {
        let (graph, feeds) = random_graph(seed);
        let fused = elementary(&graph).unwrap_or_else(|error| panic!("graph {seed}: {error}"));
        assert_close(&interpreted(&fused, &feeds), &interpreted(&graph, &feeds), 1e-12, &format!("graph {seed}"));
    }
}

/// In a training step the values that count are those written back to the sources.
#[test]
fn the_fused_training_step_updates_alike() {
    for recipe in [Recipe::small(), Recipe::plain(), Recipe { batch: 16, rows: 40, ..Recipe::report() }] {
        let training = training(recipe);
        let mut plain_feeds = training.start(6);
        interpret(&training.graph, &mut plain_feeds).unwrap();
        for (form, choices) in forms() {
            let profile = DeviceProfile::portable(DeviceKind::Discrete);
            let fused = fuse(&training.graph, &choices.fusions, &profile).unwrap();
            let mut fused_feeds = training.start(6);
            interpret(&fused, &mut fused_feeds).unwrap();
            for (_, source) in training.graph.sources() {
                let [got, expected] = [&fused_feeds, &plain_feeds].map(|feeds| floats(&feeds[&source.name]));
                let worst = difference(&got, &expected);
                assert!(worst <= 1e-12, "{form}, {}: off by {worst:.1e}", source.name);
            }
        }
        assert_ne!(floats(&plain_feeds["ring"]), floats(&training.start(6)["ring"]), "the step does something");
    }
}

/// The report's step on a discrete GPU: few dispatches, three on the small-network path.
#[test]
fn hardware_gets_few_large_dispatches() {
    let config = gpu_ae::config::RunConfig::default();
    let data = gpu_ae::model::graph::DataShape { rows: 60_000, features: 784, kind: gpu_ae::data::ValueKind::Byte };
    let graph = gpu_ae::model::graph::training(&config, data).unwrap();
    let profile = DeviceProfile::portable(DeviceKind::Discrete);
    let fused = Plan::new("train", &graph, &profile).unwrap();
    assert!(fused.dispatches() <= 16, "{fused}");
    let small = Plan::chosen("train", &graph, &profile, &Choices::small_network()).unwrap();
    assert_eq!(small.dispatches(), 3, "{small}");
}

#[test]
fn the_same_graph_gives_the_same_plan() {
    let profile = DeviceProfile::portable(DeviceKind::Discrete);
    let text = |graph: &Graph| Plan::new("twice", graph, &profile).unwrap().to_string();
    for graph in (0..20).map(|seed| random_graph(seed).0).chain([training(Recipe::report()).graph]) {
        let first = text(&graph);
        assert!((0..3).all(|_| text(&graph) == first), "{first}");
    }
}
