//! Loss scaling as a run trains with it: powers of two change no bit of what is learnt, and a step whose gradients are too large
//! moves nothing but the scale.

use crate::common;
use crate::start::{DATA, start};
use gpu_ae::config::RunConfig;
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::graph::Role;
use gpu_ae::model::graph::{DataShape, training as training_graph};
use gpu_ae::model::start::start_values;
use gpu_ae::nn::BlockConfig;
use gpu_ae::ops::array::activation::Activation::{Relu, Sigmoid};
use gpu_ae::ops::step::clock;
use gpu_ae::plan::{Choices, Plan};

fn config(set: &[(&str, &str)]) -> RunConfig {
    let layer = BlockConfig::linear;
    let mut config = RunConfig { batch_size: 8, epochs: 40, lr: 1e-2, ..RunConfig::recipe("plain").unwrap() };
    config.set_layers(&[layer(8, Relu), layer(5, Relu), layer(12, Sigmoid)], 2);
    set.iter().for_each(|(key, value)| config.set("test", key, value).unwrap());
    config.check().unwrap();
    config
}

/// The sources of a step that hold f32, by name, as they begin, and as they are after each of so many steps; the last the clock's.
fn trained(config: &RunConfig, device: &mut dyn Device, steps: usize) -> Vec<Vec<(String, Vec<f32>)>> {
    let graph = training_graph(config, DATA).unwrap();
    device.clear();
    let choices = Choices::by_kind(device.profile());
    let program = device.load(Plan::chosen("train", &graph, device.profile(), &choices).unwrap()).unwrap();
    for (name, value) in start(&graph, config) {
        device.write(program, &name, &value.to_device_bytes()).unwrap();
    }
    let moves = |role: Role| matches!(role, Role::Param | Role::FirstMoment | Role::SecondMoment | Role::State);
    let mut seen = Vec::new();
    for step in 0..=steps {
        if step > 0 {
            device.run(program, 1).unwrap();
        }
        let watched = graph.sources().filter(|(_, source)| moves(source.role) || source.name == "ring");
        seen.push(watched.map(|(_, it)| (it.name.clone(), device.read_f32(program, &it.name).unwrap())).collect());
    }
    seen
}

fn named<'a>(seen: &'a [(String, Vec<f32>)], name: &str) -> &'a [f32] {
    &seen.iter().find(|(other, _)| other == name).unwrap().1
}

fn word(seen: &[(String, Vec<f32>)], word: usize) -> u32 {
    named(seen, "clock")[word].to_bits()
}

fn devices(mut task: impl FnMut(&mut dyn Device)) {
    task(&mut CpuDevice::new());
    if let Some(mut device) = common::gpu() {
        task(device.as_mut());
    }
}

#[test]
fn a_scale_changes_no_bit_of_what_is_learnt() {
    devices(|device| {
        let plain = trained(&config(&[]), device, 12).pop().unwrap();
        let scaled = trained(&config(&[("optimiser.loss_scale", "4096")]), device, 12).pop().unwrap();
        for (name, values) in &plain {
            assert_eq!(values, named(&scaled, name), "{name} on {}", device.name());
        }
        assert_eq!((named(&scaled, "loss_scale")[0], named(&scaled, "loss_scale.streak")[0]), (4096.0, 12.0));
    });
}

/// Gradients of some 1e31 times 2²⁴ are infinite in f32, so that the first steps halve the scale until they are not.
#[test]
fn a_step_with_gradients_that_are_too_large_halves_the_scale_and_moves_nothing_else() {
    let keys = [
        ("optimiser.loss_scale", "16777216"),
        ("lambda_mse", "1e37"),
        ("optimiser.kind", "sgd"),
        ("optimiser.momentum", "0"),
        ("lr", "1e-36"),
    ];
    let config = config(&keys);
    devices(|device| {
        let steps = 40;
        let seen = trained(&config, device, steps);
        let mut held = 0;
        for pair in seen.windows(2) {
            let [before, after] = [&pair[0], &pair[1]].map(|it| named(it, "loss_scale")[0]);
            let is_held = after < before;
            held += usize::from(is_held);
            for (name, values) in pair[0].iter().filter(|(name, _)| name.starts_with("autoencoder")) {
                assert_eq!(values == named(&pair[1], name), is_held, "{name} on {}", device.name());
            }
            if is_held {
                assert_eq!((after, named(&pair[1], "loss_scale.streak")[0]), (before / 2.0, 0.0));
            }
        }
        let last = seen.last().unwrap();
        assert!((1..steps / 2 + 5).contains(&held), "{held} steps were held on {}", device.name());
        assert_eq!((word(last, clock::STEP), word(last, clock::BAD_STEP)), (steps as u32, 0));
        let ring = named(last, "ring");
        let mean = |steps: std::ops::Range<usize>| steps.map(|step| ring[2 * step + 1]).sum::<f32>() / 12.0;
        assert!(mean(steps - 12..steps) < 0.97 * mean(0..12), "{:?}", &ring[..2 * steps]);
    });
}

#[test]
fn opponents_have_a_scale_each() {
    let mut config = RunConfig::model("dcgan").unwrap();
    config.set("test", "optimiser.loss_scale", "1024").unwrap();
    config.check().unwrap();
    let graph = training_graph(&config, DataShape { features: 784, ..DATA }).unwrap();
    let scales: Vec<&str> = graph.sources().map(|(_, it)| it.name.as_str()).filter(|it| it.contains("scale")).collect();
    let expected = ["loss_scale_discriminator", "loss_scale_discriminator.streak"];
    assert_eq!(scales[..2], expected);
    assert_eq!(scales[2..], ["loss_scale_generator", "loss_scale_generator.streak"]);
    let values = start_values(&config, 784, DATA.rows).unwrap();
    let (_, bytes) = values.iter().find(|(name, _)| name == "loss_scale_generator").unwrap();
    assert_eq!(bytemuck::pod_read_unaligned::<f32>(bytes), 1024.0);
}
