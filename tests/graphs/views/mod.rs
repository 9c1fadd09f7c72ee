//! Views cost nothing, and the operations on matrices serve images: \[N·H·W, C\] is \[N, H, W, C\], a row a pixel.

mod pixels;
mod rows;

use crate::random_graph::random_graph;
use crate::training::{Recipe, forms, interpreted, training, write};
use crate::viewed::viewed;
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::graph::{Feeds, Graph};
use gpu_ae::ops::array::reshape::Reshape;
use gpu_ae::ops::{KERNELS, kernels_for};
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Plan, fuse};

/// Samples of a batch, and how many of them are valid.
const N: usize = 5;
const VALID: usize = 3;
/// Rows, columns and channels of an image.
const H: usize = 2;
const W: usize = 3;
const C: usize = 4;

fn profile() -> DeviceProfile {
    DeviceProfile::portable(DeviceKind::Discrete)
}

/// Dispatches of a plan, each with its grid, parameters and places.
fn dispatches(plan: &Plan) -> Vec<String> {
    plan.steps.iter().flat_map(|step| &step.dispatches).map(|dispatch| format!("{dispatch:?}")).collect()
}

#[test]
fn a_view_has_no_kernel() {
    assert_eq!(kernels_for(&Reshape::to(&[2, 3])).count(), 0);
    for case in KERNELS.iter().flat_map(|kernel| kernel.cases()) {
        assert!(case.op.views().is_empty(), "{} has a kernel", case.op.name());
    }
}

/// Through views, a graph takes the same dispatches on the same places, and once fused it is the same graph.
#[test]
fn views_change_no_plan() {
    let graphs = (0..60).map(|seed| random_graph(seed).0).chain([training(Recipe::small()).graph]);
    for (seed, graph) in graphs.enumerate() {
        let through_views = viewed(&graph, seed as u64);
        assert!(through_views.nodes().len() > graph.nodes().len(), "graph {seed} got no views");
        for (form, choices) in forms() {
            let plan = |graph: &Graph| Plan::chosen("plan", graph, &profile(), &choices).unwrap();
            let (plain, viewed) = (plan(&graph), plan(&through_views));
            assert_eq!(dispatches(&viewed), dispatches(&plain), "graph {seed} {form}\n{graph}\n{through_views}");
            assert_eq!((viewed.bytes(), viewed.steps.len()), (plain.bytes(), plain.steps.len()), "graph {seed} {form}");
            if !choices.fusions.is_empty() {
                let fused = |graph: &Graph| fuse(graph, &choices.fusions, &profile()).unwrap().to_string();
                assert_eq!(fused(&through_views), fused(&graph), "graph {seed} {form}");
                assert_eq!(viewed.to_string(), plain.to_string(), "graph {seed} {form}");
            }
        }
    }
}

/// Results of one run of the plan that these choices give, as bits.
fn bits(device: &mut dyn Device, graph: &Graph, feeds: &Feeds<f64>, choices: &Choices) -> Vec<(String, Vec<u8>)> {
    let plan = Plan::chosen("once", graph, device.profile(), choices).unwrap();
    device.clear();
    let program = device.load(plan).unwrap();
    write(device, program, graph, feeds).unwrap();
    device.run(program, 1).unwrap();
    graph.results().iter().map(|(name, _)| (name.clone(), device.read(program, name).unwrap())).collect()
}

#[test]
fn views_change_no_bit() {
    let mut device = CpuDevice::new();
    for seed in 0..40 {
        let (graph, feeds) = random_graph(seed);
        let through_views = viewed(&graph, seed);
        for choices in [Choices::default(), Choices::by_kind(device.profile())] {
            let [plain, viewed] = [&graph, &through_views].map(|g| bits(&mut device, g, &feeds, &choices));
            assert!(plain == viewed, "graph {seed}\n{graph}\n{through_views}");
        }
        let [plain, viewed] = [&graph, &through_views].map(|g| interpreted(g, &feeds));
        assert_eq!(plain, viewed, "graph {seed}");
    }
}

/// In place, through views and packed, over several steps.
#[test]
fn a_training_step_through_views_trains_alike() {
    let recipe = training(Recipe::small());
    let through_views = crate::training::Training { graph: viewed(&recipe.graph, 3), ..training(Recipe::small()) };
    let feeds = recipe.start(2);
    for mut device in crate::common::devices() {
        let device = device.as_mut();
        for choices in [Choices::default(), Choices::by_kind(device.profile())] {
            let [plain, viewed] = [&recipe, &through_views].map(|step| {
                let program = step.load_as(device, &feeds, &choices);
                device.run(program, 5).unwrap();
                step.weights(device, program)
            });
            assert!(plain == viewed, "{} trains otherwise", device.name());
        }
    }
    assert_eq!(recipe.interpreted_ring(&feeds, 3), through_views.interpreted_ring(&feeds, 3));
}
