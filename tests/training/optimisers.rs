//! Every optimiser with every schedule of the learning rate, with and without a limit on gradients, as a run trains
//! with them: ten steps on every device and in every form of a plan against the f64 interpreter.

use crate::common;
use crate::start::{DATA, start};
use crate::training::{difference, floats, forms};
use gpu_ae::config::RunConfig;
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::graph::{Feeds, Graph, Role, interpret};
use gpu_ae::model::graph::training as training_graph;
use gpu_ae::model::optimiser::learning_rate_step;
use gpu_ae::nn::BlockConfig;
use gpu_ae::ops::array::activation::Activation::{Relu, Sigmoid};
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Plan};

const STEPS: usize = 10;
/// How far losses and weights may drift from f64 in ten steps.
const CURVE: f64 = 2e-3;

type Keys = &'static [(&'static str, &'static str)];

const OPTIMISERS: &[(&str, Keys)] = &[
    ("adam", &[]),
    ("adam with decay", &[("optimiser.weight_decay", "0.1")]),
    ("adamw", &[("optimiser.kind", "adamw"), ("optimiser.weight_decay", "0.5")]),
    ("sgd", &[("optimiser.kind", "sgd")]),
    ("sgd with decay", &[("optimiser.kind", "sgd"), ("optimiser.momentum", "0.5"), ("optimiser.weight_decay", "0.1")]),
    ("adam with decay of weights", &[("optimiser.weight_decay", "0.1"), ("optimiser.decay", "weights")]),
    (
        "adamw of weights",
        &[("optimiser.kind", "adamw"), ("optimiser.weight_decay", "0.5"), ("optimiser.decay", "weights")],
    ),
    ("nesterov", &[("optimiser.kind", "sgd"), ("optimiser.nesterov", "true")]),
    (
        "nesterov with decay of weights",
        &[
            ("optimiser.kind", "sgd"),
            ("optimiser.nesterov", "true"),
            ("optimiser.weight_decay", "0.1"),
            ("optimiser.decay", "weights"),
        ],
    ),
    ("lars", &[("optimiser.kind", "lars"), ("optimiser.trust", "0.1")]),
    ("lars with decay", &[("optimiser.kind", "lars"), ("optimiser.trust", "0.1"), ("optimiser.weight_decay", "0.1")]),
];

const SCHEDULES: &[(&str, Keys)] = &[
    ("constant", &[]),
    ("warmed up", &[("lr_schedule.warm_up", "1.5")]),
    ("step", &[("lr_schedule.kind", "step"), ("lr_schedule.every", "1"), ("lr_schedule.factor", "0.5")]),
    ("cosine", &[("lr_schedule.kind", "cosine"), ("lr_schedule.warm_up", "1"), ("lr_schedule.floor", "1e-3")]),
];

const LIMITS: &[(&str, Keys)] = &[
    ("free", &[]),
    ("clipped", &[("optimiser.clip", "0.005")]),
    ("scaled and clipped", &[("optimiser.loss_scale", "1024"), ("optimiser.clip", "0.005")]),
];

/// The report's recipe on a small network for four epochs, with these keys set.
fn config(set: &[(&str, &str)]) -> RunConfig {
    let layer = BlockConfig::linear;
    let mut config = RunConfig { batch_size: 8, epochs: 4, lr: 1e-2, ..RunConfig::recipe("report").unwrap() };
    config.set_layers(&[layer(8, Relu), layer(5, Relu), layer(6, Relu), layer(12, Sigmoid)], 2);
    config.entropy.layers = vec![1, 2];
    set.iter().for_each(|(key, value)| config.set("test", key, value).unwrap());
    config.check().unwrap();
    config
}

fn each(mut task: impl FnMut(&str, &RunConfig)) {
    for (optimiser, first) in OPTIMISERS {
        for (schedule, second) in SCHEDULES {
            for (limit, third) in LIMITS {
                // The scale of a loss and a schedule know nothing of each other.
                if limit.starts_with("scaled") && !second.is_empty() {
                    continue;
                }
                task(&format!("{optimiser}, {schedule}, {limit}"), &config(&[*first, *second, *third].concat()));
            }
        }
    }
}

/// Everything after ten steps by the interpreter.
fn interpreted(graph: &Graph, config: &RunConfig) -> Feeds<f64> {
    let mut feeds = start(graph, config);
    for _ in 0..STEPS {
        interpret(graph, &mut feeds).unwrap();
    }
    feeds
}

fn follows(label: &str, config: &RunConfig, device: &mut dyn Device, form: &str, choices: &Choices) {
    let graph = training_graph(config, DATA).unwrap();
    let expected = interpreted(&graph, config);
    device.clear();
    let program = device.load(Plan::chosen("train", &graph, device.profile(), choices).unwrap()).unwrap();
    for (name, value) in start(&graph, config) {
        device.write(program, &name, &value.to_device_bytes()).unwrap();
    }
    device.run(program, STEPS as u32).unwrap();
    let moves = |role: Role| matches!(role, Role::Param | Role::FirstMoment | Role::SecondMoment | Role::Average);
    let watched =
        graph.sources().filter(|(_, s)| moves(s.role) || ["ring", "learning_rate"].contains(&s.name.as_str()));
    for (_, source) in watched {
        let got: Vec<f64> = device.read_f32(program, &source.name).unwrap().into_iter().map(f64::from).collect();
        let worst = difference(&got, &floats(&expected[&source.name]));
        assert!(worst < CURVE, "{label}, {form}, {} on {}: off by {worst:.1e}", source.name, device.name());
    }
}

#[test]
fn ten_steps_follow_the_interpreter_on_the_cpu_device_in_every_form() {
    each(|label, config| {
        for (form, choices) in forms() {
            follows(label, config, &mut CpuDevice::new(), form, &choices);
        }
    });
}

#[test]
fn ten_steps_follow_the_interpreter_on_the_adapter() {
    let Some(mut device) = common::gpu() else { return };
    let mut number = 0;
    each(|label, config| {
        let choices = Choices::by_kind(device.profile());
        follows(label, config, device.as_mut(), "static", &choices);
        // Every form with every eighth: building pipelines takes the time.
        let (form, choices) = &forms()[number / 8 % forms().len()];
        follows(label, config, device.as_mut(), form, choices);
        number += 1;
    });
    let all = config(&[OPTIMISERS[2].1, SCHEDULES[3].1].concat());
    for (form, choices) in forms() {
        follows("adamw, cosine, free", &all, device.as_mut(), form, &choices);
    }
}

/// Beside any optimiser, and without an effect on what it does.
#[test]
fn means_of_weights_follow_the_interpreter_and_change_nothing_else() {
    for optimiser in [0, 3, 9] {
        let (label, keys) = OPTIMISERS[optimiser];
        let (alone, averaged) = (config(keys), config(&[keys, &[("optimiser.average", "0.7")]].concat()));
        for (form, choices) in forms() {
            follows(label, &averaged, &mut CpuDevice::new(), form, &choices);
        }
        if let Some(mut device) = common::gpu() {
            let choices = Choices::by_kind(device.profile());
            follows(label, &averaged, device.as_mut(), "static", &choices);
        }
        let [alone, averaged] =
            [&alone, &averaged].map(|config| interpreted(&training_graph(config, DATA).unwrap(), config));
        let name = "autoencoder.3.weight";
        assert_eq!(floats(&alone[name]), floats(&averaged[name]), "{label}");
        assert!(difference(&floats(&averaged[&format!("average.{name}")]), &floats(&alone[name])) > 1e-4, "{label}");
    }
}

/// No two settings come to the same, so none of them is without effect.
#[test]
fn every_setting_has_an_effect() {
    let mut seen: Vec<(String, Vec<f64>)> = Vec::new();
    each(|label, config| {
        // The scale of a loss is made to have none.
        if label.contains("scaled") {
            return;
        }
        let graph = training_graph(config, DATA).unwrap();
        let weights = floats(&interpreted(&graph, config)["autoencoder.1.weight"]);
        for (other, known) in &seen {
            assert!(difference(&weights, known) > 1e-6, "{label} is the same as {other}");
        }
        seen.push((label.to_string(), weights));
    });
}

/// The rate is that of the step being made, from the first one on.
#[test]
fn the_first_step_is_made_at_the_rate_of_the_schedule() {
    let keys = [("optimiser.kind", "sgd"), ("lr_schedule.warm_up", "4")];
    let moved = |config: &RunConfig| {
        let graph = training_graph(config, DATA).unwrap();
        let mut feeds = start(&graph, config);
        let before = floats(&feeds["autoencoder.1.weight"]);
        interpret(&graph, &mut feeds).unwrap();
        let after = floats(&feeds["autoencoder.1.weight"]);
        (floats(&feeds["learning_rate"])[0], after.iter().zip(before).map(|(a, b)| a - b).collect::<Vec<f64>>())
    };
    let ((rate, warm), (whole, cold)) = (moved(&config(&keys)), moved(&config(&keys[..1])));
    assert!((rate / whole - 1.0 / 12.0).abs() < 1e-6, "{rate}, without warm-up {whole}");
    let scaled: Vec<f64> = cold.iter().map(|step| step / 12.0).collect();
    assert!(difference(&warm, &scaled) < 1e-6);
}

/// The schedule follows the run's number of epochs and peak, whatever was before.
#[test]
fn a_schedule_is_a_function_of_the_configuration() {
    let keys = [("lr_schedule.kind", "cosine"), ("lr_schedule.warm_up", "1")];
    let short = learning_rate_step(&config(&keys), DATA.rows).unwrap();
    let long = learning_rate_step(&RunConfig { epochs: 8, ..config(&keys) }, DATA.rows).unwrap();
    assert!((short.rate(2) - 1e-2).abs() < 1e-8 && short.rate(12) == 0.0);
    assert!((long.rate(2) - 1e-2).abs() < 1e-8 && long.rate(12) > 3e-3 && long.rate(24) == 0.0);
    assert_eq!(learning_rate_step(&config(&[]), DATA.rows), None);
}

#[test]
fn the_small_network_takes_any_adam_and_any_schedule_but_nothing_else() {
    let profile = DeviceProfile::portable(DeviceKind::Discrete);
    each(|label, config| {
        let graph = training_graph(config, DATA).unwrap();
        let plan = Plan::chosen("train", &graph, &profile, &Choices::small_network()).unwrap();
        let kernels: Vec<&str> = plan.steps.iter().map(|step| step.kernel).collect();
        let fits = config.optimiser.clip.is_none() && label.starts_with("adam");
        assert_eq!(kernels.contains(&"network_update"), fits, "{label}: {kernels:?}");
        if fits {
            let step = learning_rate_step(config, DATA.rows).map(|_| "learning_rate_step");
            let expected: Vec<&str> =
                step.into_iter().chain(["network_pass", "network_update", "clock_advance"]).collect();
            assert_eq!(kernels, expected, "{label}");
        }
        assert_eq!(kernels.contains(&"clip_norm"), config.optimiser.clip.is_some(), "{label}: {kernels:?}");
    });
}
