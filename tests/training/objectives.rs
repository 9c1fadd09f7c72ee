//! Every entropy with every schedule, as a run trains them: ten steps on every device and in every form of a
//! plan against the f64 interpreter.

use crate::common;
use crate::start::{DATA, start};
use crate::training::{difference, floats, forms};
use gpu_ae::config::augment::Augment;
use gpu_ae::config::objective::adversarial::Adversarial as Opponents;
use gpu_ae::config::objective::classifier::Classifier;
use gpu_ae::config::objective::clustering::{Adversarial, Clustering};
use gpu_ae::config::objective::contractive::{Contraction, ContractionMethod};
use gpu_ae::config::objective::contrastive_divergence::ContrastiveDivergence;
use gpu_ae::config::objective::corruption::{Corruption, Noise};
use gpu_ae::config::objective::huber::Huber;
use gpu_ae::config::objective::sparsity::{SparsityConfig, SparsityKind};
use gpu_ae::config::objective::variational::{Likelihood, Variational};
use gpu_ae::config::objective::wasserstein::{Distance, Wasserstein};
use gpu_ae::config::{Dropout, EntropyConfig, RunConfig};
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::graph::{Graph, Role, interpret};
use gpu_ae::model::graph::{RING_STEPS, terms, training};
use gpu_ae::nn::block::image::ImageSize;
use gpu_ae::nn::block::{ActivationBlock, BatchNormBlock, LinearBlock, ResidualBlock};
use gpu_ae::nn::{BlockConfig, Pass};
use gpu_ae::ops::array::activation::Activation::{Identity, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
use gpu_ae::plan::{Choices, Plan};
use gpu_ae::tensor::HostTensor;

const STEPS: usize = 10;
/// How far losses and weights may drift from f64 in ten steps.
const CURVE: f64 = 2e-3;
/// The same where draws steer perturbations: sines of WGSL are exact to 2⁻¹¹.
const STEERED: f64 = 5e-3;

/// The report's recipe on a small network, with these keys set.
fn config(set: &[(&str, &str)]) -> RunConfig {
    let mut config = RunConfig::recipe("report").unwrap();
    let layer = BlockConfig::linear;
    config.set_layers(&[layer(8, Relu), layer(5, Relu), layer(6, Relu), layer(12, Sigmoid)], 2);
    (config.batch_size, config.lr, config.entropy.layers) = (8, 1e-2, vec![1, 2]);
    set.iter().for_each(|(key, value)| config.set("test", key, value).unwrap());
    config.check().unwrap();
    config.settled()
}

/// What is compared after the steps: losses, the weight of the entropy and its memory, parameters.
fn watched(graph: &Graph) -> Vec<String> {
    let others = ["ring", "lambda_entropy", "lambda_kl", "multiplier"];
    let moves = |role: Role, name: &str| role.is_parameter() || others.contains(&name);
    graph.sources().filter(|(_, s)| moves(s.role, &s.name)).map(|(_, s)| s.name.clone()).collect()
}

fn follows(label: &str, config: &RunConfig, device: &mut dyn Device, form: &str, choices: &Choices) {
    let curve = if config.clustering.is_some_and(|it| it.adversarial.is_some()) { STEERED } else { CURVE };
    let graph = training(config, DATA).unwrap();
    let mut feeds = start(&graph, config);
    let plan = Plan::chosen("train", &graph, device.profile(), choices).unwrap();
    device.clear();
    let program = device.load(plan).unwrap();
    for (name, value) in &feeds {
        device.write(program, name, &value.to_device_bytes()).unwrap();
    }
    device.run(program, STEPS as u32).unwrap();
    for _ in 0..STEPS {
        interpret(&graph, &mut feeds).unwrap();
    }
    for name in watched(&graph) {
        let got: Vec<f64> = device.read_f32(program, &name).unwrap().into_iter().map(f64::from).collect();
        let worst = difference(&got, &floats(&feeds[&name]));
        assert!(worst < curve, "{label}, {form}, {name} on {}: off by {worst:.1e}", device.name());
    }
    let ring = device.read_f32(program, "ring").unwrap();
    let width = 1 + terms(config, Pass::Train).len();
    assert_eq!(ring.len(), width * RING_STEPS);
    if config.clustering.is_some_and(|it| it.adversarial.is_some()) {
        assert!(ring[width * STEPS - 1] > 1e-4, "{label}: perturbations change nothing");
    }
    assert!(ring[width * (STEPS - 1)] > 0.0 && ring[width * STEPS] == 0.0, "{label}: not {STEPS} steps");
}

const SUBJECTS: &[(&str, &[(&str, &str)])] = &[
    ("weights", &[("alpha", "1")]),
    ("product", &[("activity", "product")]),
    ("paths", &[("entropy", "paths"), ("alpha", "1")]),
    ("paths of order 2", &[("entropy", "paths"), ("alpha", "2"), ("entropy.path_bias", "edge")]),
    ("widths", &[("entropy", "widths"), ("alpha", "0.5")]),
    ("codes", &[("entropy", "codes")]),
    ("codes, average", &[("entropy", "codes"), ("entropy.averaging", "average"), ("entropy.beta", "1.5")]),
    ("maximised", &[("alpha", "1"), ("entropy.maximise", "true")]),
];

const SCHEDULES: &[(&str, &[(&str, &str)])] = &[
    ("constant", &[]),
    ("warm-up", &[("entropy.schedule.kind", "warm-up"), ("entropy.schedule.from", "1"), ("entropy.schedule.to", "3")]),
    ("budget", &[("entropy.schedule.kind", "budget"), ("warm_up", "1"), ("budget", "0.5"), ("lambda", "1")]),
];

fn each(mut task: impl FnMut(&str, &RunConfig)) {
    for (subject, keys) in SUBJECTS {
        for (schedule, more) in SCHEDULES {
            if *subject == "maximised" && *schedule == "budget" {
                continue;
            }
            task(&format!("{subject}, {schedule}"), &config(&[*keys, more].concat()));
        }
    }
}

#[test]
fn ten_steps_of_every_objective_follow_the_interpreter_on_the_cpu_device() {
    let mut device = CpuDevice::new();
    each(|label, config| {
        for (form, choices) in forms() {
            follows(label, config, &mut device, form, &choices);
        }
    });
}

#[test]
fn ten_steps_of_every_objective_follow_the_interpreter_on_the_adapter() {
    let Some(mut device) = common::gpu() else { return };
    each(|label, config| {
        let choices = Choices::by_kind(device.profile());
        follows(label, config, device.as_mut(), "static", &choices);
    });
    for (form, choices) in forms() {
        let config = config(&[SUBJECTS[2].1, SCHEDULES[2].1].concat());
        follows("paths, budget", &config, device.as_mut(), form, &choices);
        let budget = RunConfig { batch_size: 8, ..self::config(SCHEDULES[2].1) };
        follows("report's, budget", &budget, device.as_mut(), form, &choices);
    }
}

/// Every model on the small network, with every option of its own.
fn models() -> Vec<(&'static str, RunConfig)> {
    let small = || {
        let entropy = EntropyConfig::default();
        RunConfig { lambda_mse: 1.0, lambda_entropy: 0.0, entropy, ..config(&[]) }
    };
    let layer = BlockConfig::linear;
    let sparse = |kind, activation| RunConfig {
        encoder: vec![layer(8, activation), layer(9, activation)],
        decoder: vec![layer(12, Sigmoid)],
        sparsity: Some(SparsityConfig { kind, weight: 0.05, target: 0.1, layers: vec![1, 2] }),
        ..small()
    };
    let noisy = |kind| RunConfig { corruption: Some(Corruption { kind, amount: 0.3 }), ..small() };
    let variational = |likelihood, last, warm_up| RunConfig {
        encoder: vec![layer(8, Relu), layer(3, Identity)],
        decoder: vec![layer(6, Relu), layer(12, last)],
        lambda_mse: 0.0,
        variational: Some(Variational { likelihood, sigma: 0.5, beta: 0.7, warm_up }),
        ..small()
    };
    let contractive = |method, encoder: &[BlockConfig], probes| RunConfig {
        encoder: encoder.to_vec(),
        decoder: vec![layer(6, LeakyRelu), layer(12, Sigmoid)],
        contractive: Some(Contraction { method, weight: 0.2, probes }),
        ..small()
    };
    let (exact, estimated) = (ContractionMethod::Exact, ContractionMethod::Hutchinson);
    let deep = [layer(8, Tanh), layer(3, Sigmoid)];
    let tied = |layers: &[BlockConfig]| {
        let mut config = RunConfig { tied: true, ..small() };
        config.set_layers(layers, layers.len() / 2);
        config
    };
    let machine = RunConfig {
        contrastive_divergence: Some(ContrastiveDivergence { steps: 2 }),
        lambda_mse: 0.0,
        ..tied(&[layer(9, Sigmoid), layer(12, Sigmoid)])
    };
    let wasserstein = |kind| RunConfig {
        encoder: vec![layer(8, Relu), layer(3, Identity)],
        decoder: vec![layer(6, Relu), layer(12, Sigmoid)],
        wasserstein: Some(Wasserstein { kind, weight: 0.3, jitter: 1e-2 }),
        ..small()
    };
    let classifier = |frozen| RunConfig {
        encoder: vec![layer(8, Relu), layer(5, Tanh)],
        decoder: vec![layer(3, Identity)],
        lambda_mse: 0.0,
        classifier: Some(Classifier { frozen, ..Classifier::default() }),
        ..small()
    };
    let cluster = |hidden: Vec<BlockConfig>, adversarial| RunConfig {
        encoder: [hidden, vec![layer(4, Identity)]].concat(),
        decoder: Vec::new(),
        lambda_mse: 0.0,
        clustering: Some(Clustering { balance: 2.0, consistency: None, adversarial }),
        ..small()
    };
    let normalised = |width| {
        let linear = LinearBlock { linear: width, activation: Identity, bias: false };
        let relu = BlockConfig::Activation(ActivationBlock { activation: Relu });
        vec![BlockConfig::Linear(linear), BlockConfig::Norm(BatchNormBlock::new()), relu]
    };
    let perturbed = Some(Adversarial { epsilon: 0.5, probe: 1.0, weight: 2.0 });
    let around = ResidualBlock { residual: vec![layer(8, Relu), layer(8, Identity)], shortcut: Vec::new() };
    let blocks = RunConfig {
        encoder: [normalised(8), vec![BlockConfig::Residual(around), layer(5, Relu)]].concat(),
        decoder: vec![layer(12, Sigmoid)],
        ..small()
    };
    let opponents = |encoder: Vec<BlockConfig>, decoder: Vec<BlockConfig>| RunConfig {
        encoder: [encoder, vec![layer(1, Identity)]].concat(),
        decoder: [decoder, vec![layer(12, Sigmoid)]].concat(),
        lambda_mse: 0.0,
        adversarial: Some(Opponents { code: 3 }),
        ..small()
    };
    let layer_norm: BlockConfig = toml::from_str("norm = \"layer\"").unwrap();
    let per_sample = RunConfig {
        encoder: vec![layer(8, Identity), layer_norm, layer(5, Relu)],
        decoder: vec![layer(12, Sigmoid)],
        ..small()
    };
    let huber = |weight: f32, delta| RunConfig {
        lambda_mse: if weight < 1.0 { 1.0 } else { 0.0 },
        huber: Some(Huber { weight, delta }),
        ..small()
    };
    let changed = |augment: Augment, config: RunConfig| RunConfig {
        augment: Some(Augment { image: Some(ImageSize([4, 3, 1])), ..augment }),
        ..config
    };
    let cut = Augment { resized_crop: 0.3, flip: 0.5, contrast: 0.5, brightness: 0.3, ..Augment::default() };
    let models = vec![
        ("images moved", changed(Augment { crop: 1, ..Augment::affine() }, small())),
        ("images cut and brightened", changed(cut, small())),
        (
            "cluster, images moved, perturbed",
            changed(Augment::affine(), cluster([normalised(9), normalised(7)].concat(), perturbed)),
        ),
        ("huber", huber(1.0, 0.1)),
        ("huber beside the squared error", huber(0.5, 0.3)),
        ("dcgan", opponents(vec![layer(8, LeakyRelu)], vec![layer(6, Relu)])),
        ("dcgan, normalised", opponents([vec![layer(8, Tanh)], normalised(7)].concat(), normalised(6))),
        ("layer norm", per_sample),
        ("cluster", cluster(vec![layer(9, Relu)], None)),
        ("cluster, perturbed", cluster([normalised(9), normalised(7)].concat(), perturbed)),
        ("blocks", blocks),
        ("contractive", contractive(exact, &[layer(7, Sigmoid)], 1)),
        ("contractive, tanh", contractive(exact, &[layer(7, Tanh)], 1)),
        ("contractive, softplus", contractive(exact, &[layer(7, Softplus)], 1)),
        ("contractive, relu", contractive(exact, &[layer(7, Relu)], 1)),
        ("contractive, deep", contractive(exact, &deep, 1)),
        ("contractive, estimated", contractive(estimated, &deep, 2)),
        (
            "contractive, under noise and dropout",
            RunConfig {
                corruption: Some(Corruption { kind: Noise::Gaussian, amount: 0.3 }),
                dropout: Some(Dropout { rate: 0.3, layers: vec![1] }),
                ..contractive(exact, &deep, 1)
            },
        ),
        ("rbm", machine),
        ("tied", tied(&[layer(8, Relu), layer(5, Relu), layer(8, Relu), layer(12, Sigmoid)])),
        ("classifier", classifier(false)),
        ("classifier, frozen", classifier(true)),
        ("sparse", sparse(SparsityKind::L1, Relu)),
        ("sparse, to a rate", sparse(SparsityKind::Divergence, Sigmoid)),
        ("denoising, gaussian", noisy(Noise::Gaussian)),
        ("denoising, masking", noisy(Noise::Masking)),
        ("denoising, salt and pepper", noisy(Noise::SaltPepper)),
        ("dropout", RunConfig { dropout: Some(Dropout { rate: 0.3, layers: vec![1, 3] }), ..small() }),
        ("vae", variational(Likelihood::Bernoulli, Sigmoid, 0.0)),
        ("vae, warmed up", variational(Likelihood::Bernoulli, Sigmoid, 2.0)),
        ("vae, gaussian", variational(Likelihood::Gaussian, Identity, 2.0)),
        ("wae", wasserstein(Distance::MmdImq)),
        ("wae, rbf", wasserstein(Distance::MmdRbf)),
        ("wae, scales", wasserstein(Distance::MmdImqMulti)),
        ("wae, gaussian", wasserstein(Distance::Gaussian)),
        ("wae, diagonal", wasserstein(Distance::GaussianDiagonal)),
    ];
    models.iter().for_each(|(label, config)| config.check().unwrap_or_else(|error| panic!("{label}: {error}")));
    models
}

#[test]
fn ten_steps_of_every_model_follow_the_interpreter() {
    for (label, config) in models() {
        for (form, choices) in forms() {
            follows(label, &config, &mut CpuDevice::new(), form, &choices);
        }
        for mut device in common::devices() {
            let choices = Choices::by_kind(device.profile());
            follows(label, &config, device.as_mut(), "static", &choices);
        }
    }
}

/// A weight under a budget grows while the error is below it and falls while it is above.
#[test]
fn a_budget_drives_the_weight_both_ways() {
    for (budget, grows) in [("0.9", true), ("0.001", false)] {
        let keys = [("entropy.schedule.kind", "budget"), ("warm_up", "0"), ("budget", budget), ("lambda", "0.5")];
        let config = config(&keys);
        let graph = training(&config, DATA).unwrap();
        let mut feeds = start(&graph, &config);
        feeds.insert("multiplier".into(), HostTensor::from_f32(&[2], &[0.1, 0.1]));
        interpret(&graph, &mut feeds).unwrap();
        feeds.insert("lambda_entropy".into(), HostTensor::from_f32(&[], &[0.01]));
        let mut last = 0.01;
        for _ in 0..8 {
            interpret(&graph, &mut feeds).unwrap();
            let weight = floats(&feeds["lambda_entropy"])[0];
            assert!(if grows { weight > last } else { weight < last }, "budget {budget}: {last} then {weight}");
            last = weight;
        }
    }
}
