//! A batch that goes through the network in parts: the same step as in one piece, with less in memory.

use crate::common;
use crate::descent::small;
use crate::start::{DATA, start};
use crate::training::{difference, floats, forms};
use gpu_ae::config::{MODELS, RunConfig};
use gpu_ae::data::ValueKind;
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::graph::{Feeds, Role, interpret};
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::nn::BlockConfig;
use gpu_ae::ops::array::activation::Activation::{Relu, Sigmoid};
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Plan};

const STEPS: usize = 10;
/// How far losses and weights may be from those of a batch in one piece, in f64 on both sides: the order of sums.
const SAME: f64 = 1e-9;
/// The same on devices, in f32, from the interpreter.
const CURVE: f64 = 2e-3;
/// How far losses in f32 may be from one another.
const LOSSES: f64 = 1e-5;

type Keys = &'static [(&'static str, &'static str)];

/// Networks without draws whose rows have nothing to do with one another, some by the name of their model.
const NETWORKS: &[(&str, Keys)] = &[
    ("plain", &[("lambda_entropy", "0")]),
    ("entropy of weights", &[]),
    ("entropy under a budget", &[("entropy.schedule", "{ kind = 'budget', mse = 0.01 }")]),
    ("entropy of paths", &[("entropy.of", "paths")]),
    ("tied", &[("tied", "true"), ("lambda_entropy", "0")]),
    ("sparse", &[("sparsity.kind", "l1")]),
    ("contractive", &[("contractive.method", "exact")]),
    ("conv", &[]),
    ("clipped", &[("optimiser.clip", "0.005")]),
    // Views of a row that are no draws, so that those of parts are those of the whole.
    (
        "simclr",
        &[
            ("encoder", "[{ linear = 8, activation = 'tanh' }, { linear = 5 }]"),
            ("augment.image", "4x3x1"),
            ("augment.flip", "1"),
            ("augment.resized_crop", "0"),
            ("augment.jitter", "0"),
        ],
    ),
    ("descending, averaged", &[("optimiser.kind", "sgd"), ("optimiser.average", "0.9")]),
];

/// Batches of 8 rows, the last of an epoch with 4, so that half of its four parts have no row.
fn config(label: &str, keys: &[(&str, &str)], parts: usize) -> RunConfig {
    let parts = ("optimiser.accumulate", &*parts.to_string());
    if MODELS.contains(&label) {
        let mut config = small(label);
        config.set_all("test", &[keys, &[parts]].concat()).unwrap();
        config.check().unwrap();
        return config;
    }
    let layer = BlockConfig::linear;
    let mut config = RunConfig { batch_size: 8, epochs: 4, lr: 1e-2, ..RunConfig::recipe("report").unwrap() };
    let middle = if keys.iter().any(|(key, _)| *key == "tied") { 8 } else { 6 };
    config.set_layers(&[layer(8, Relu), layer(5, Relu), layer(middle, Relu), layer(12, Sigmoid)], 2);
    config.entropy.layers = vec![1, 2];
    for (key, value) in keys {
        if *value == "paths" {
            config.entropy.layers.clear();
        }
        config.set("test", key, value).unwrap();
    }
    config.set("test", parts.0, parts.1).unwrap();
    config.check().unwrap();
    config
}

fn interpreted(config: &RunConfig) -> Feeds<f64> {
    let graph = training(config, DATA).unwrap();
    let mut feeds = start(&graph, config);
    for _ in 0..STEPS {
        interpret(&graph, &mut feeds).unwrap();
    }
    feeds
}

/// Everything that is watched, after ten steps on a device.
fn on_device(config: &RunConfig, device: &mut dyn Device, choices: &Choices, names: &[String]) -> Vec<Vec<f64>> {
    let graph = training(config, DATA).unwrap();
    device.clear();
    let program = device.load(Plan::chosen("train", &graph, device.profile(), choices).unwrap()).unwrap();
    for (name, value) in start(&graph, config) {
        device.write(program, &name, &value.to_device_bytes()).unwrap();
    }
    device.run(program, STEPS as u32).unwrap();
    let read = |name: &String| device.read_f32(program, name).unwrap().into_iter().map(f64::from).collect();
    names.iter().map(read).collect()
}

fn watched(config: &RunConfig) -> Vec<String> {
    let graph = training(config, DATA).unwrap();
    let moves = |role: Role| matches!(role, Role::Param | Role::Buffer | Role::FirstMoment | Role::SecondMoment);
    let sources = graph.sources().filter(|(_, source)| moves(source.role) || source.name == "ring");
    sources.map(|(_, source)| source.name.clone()).collect()
}

#[test]
fn parts_of_a_batch_make_the_step_of_the_whole() {
    for (label, keys) in NETWORKS {
        let whole = interpreted(&config(label, keys, 1));
        for parts in [2, 4, 8] {
            let found = interpreted(&config(label, keys, parts));
            for name in watched(&config(label, keys, 1)) {
                let worst = difference(&floats(&found[&name]), &floats(&whole[&name]));
                assert!(worst < SAME, "{label} in {parts} parts, {name}: off by {worst:.1e}");
            }
        }
    }
}

#[test]
fn parts_of_a_batch_follow_the_interpreter_on_every_device_in_every_form() {
    for (label, keys) in NETWORKS {
        let config = config(label, keys, 4);
        let (names, expected) = (watched(&config), interpreted(&config));
        let check = |device: &mut dyn Device, form: &str, choices: &Choices| {
            for (name, got) in names.iter().zip(on_device(&config, device, choices, &names)) {
                let worst = difference(&got, &floats(&expected[name]));
                assert!(worst < CURVE, "{label}, {form}, {name} on {}: off by {worst:.1e}", device.name());
            }
        };
        for (form, choices) in forms() {
            check(&mut CpuDevice::new(), form, &choices);
        }
        if let Some(mut device) = common::gpu() {
            let choices = Choices::by_kind(device.profile());
            check(device.as_mut(), "static", &choices);
        }
    }
}

#[test]
fn losses_of_ten_steps_are_those_of_the_whole_batch_in_f32() {
    let ring = ["ring".to_string()];
    for (label, keys) in NETWORKS {
        let [whole, parts] = [1, 4].map(|parts| {
            let mut device = CpuDevice::new();
            let choices = Choices::by_kind(device.profile());
            on_device(&config(label, keys, parts), &mut device, &choices, &ring).remove(0)
        });
        let worst = difference(&parts, &whole);
        assert!(worst < LOSSES, "{label}: off by {worst:.1e}");
    }
}

/// Whatever a model draws or normalises by, in its parts.
#[test]
fn a_part_without_rows_is_no_danger_to_any_model() {
    let mut tried = 0;
    for model in MODELS.iter().filter(|model| **model != "hopfield") {
        let mut config = small(model);
        config.optimiser.accumulate = Some(4);
        if config.check().is_err() {
            continue;
        }
        let feeds = interpreted(&config);
        for name in watched(&config) {
            assert!(floats(&feeds[&name]).iter().all(|value| value.is_finite()), "{model}: {name}");
        }
        let graph = training(&config, DATA).unwrap();
        let names: Vec<String> = graph.sources().map(|(_, source)| source.name.clone()).collect();
        assert!(
            names.iter().all(|name| names.iter().filter(|other| *other == name).count() == 1),
            "{model}: {names:?}"
        );
        let mut device = CpuDevice::new();
        let choices = Choices::by_kind(device.profile());
        let ring = on_device(&config, &mut device, &choices, &["ring".to_string()]).remove(0);
        let worst = difference(&ring, &floats(&feeds["ring"]));
        assert!(worst < CURVE, "{model}: off by {worst:.1e}");
        tried += 1;
    }
    assert!(tried >= 12, "{tried} models");
}

/// What only one part needs at a time takes as much less as there are parts, on any kind of device.
#[test]
fn less_is_held_in_memory() {
    let data = DataShape { rows: 10_000, features: 3072, kind: ValueKind::Byte };
    let mut config = RunConfig::model("resnet").unwrap();
    let mut slots = |kind: DeviceKind, parts: usize| {
        config.optimiser.accumulate = Some(parts);
        config.check().unwrap();
        let plan = Plan::new("train", &training(&config, data).unwrap(), &DeviceProfile::portable(kind)).unwrap();
        plan.arenas.iter().filter(|arena| arena.name.contains("/slot")).map(|arena| arena.bytes).sum::<usize>()
    };
    for kind in [DeviceKind::Discrete, DeviceKind::Software, DeviceKind::Cpu] {
        let [whole, parts] = [1, 8].map(|parts| slots(kind, parts));
        println!("{kind:?}: {whole} bytes in one piece, {parts} in eight parts");
        assert!(parts * 6 < whole, "{kind:?}: {parts} bytes in parts, {whole} in one piece");
    }
}
