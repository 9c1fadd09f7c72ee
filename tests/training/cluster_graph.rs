//! The step of clustering, with and without perturbations, on every device against the f64 interpreter.

use crate::common;
use gpu_ae::graph::{Feeds, Graph, Role, interpret};
use gpu_ae::model::graph::DataShape;
use gpu_ae::ops::step::clock;
use gpu_ae::plan::{Choices, Plan};
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::study::cluster::graph;
use gpu_ae::study::cluster::{Adversarial, ClusterConfig};
use gpu_ae::tensor::HostTensor;

const DATA: DataShape = DataShape { rows: 20, features: 12 };
const STEPS: usize = 6;
/// How far losses and weights may drift from f64: sines of WGSL are exact to 2⁻¹¹ and steer perturbations.
const CURVE: f64 = 5e-3;

fn config(augment: Option<Adversarial>) -> ClusterConfig {
    ClusterConfig {
        data: "digits".into(),
        data_dir: None,
        device: "cpu".into(),
        seed: 3,
        clusters: 4,
        hidden: vec![9, 7],
        epochs: 1,
        batch_size: 8,
        lr: 1e-2,
        weight_decay: 1e-2,
        balance: 2.0,
        augment,
    }
}

fn start(graph: &Graph) -> Feeds<f64> {
    let mut rng = Rng::new(stream_key(11, Stream::Data));
    let mut feeds: Feeds<f64> = Feeds::new();
    for (_, source) in graph.sources() {
        let dims = source.ty.shape.dims();
        let n = source.ty.elements();
        let value = match (source.role, source.name.as_str()) {
            (_, "clock") => HostTensor::from_words(dims, &clock::start(DATA.rows, 8, true, 7)),
            (_, "learning_rate") => HostTensor::from_f32(dims, &[1e-2]),
            (_, "one") => HostTensor::from_f32(dims, &[1.0]),
            (_, "balance" | "augmentation") => HostTensor::from_f32(dims, &[2.0]),
            (_, "neighbour distances") => {
                let values: Vec<f32> = (0..n).map(|_| rng.range(0.2, 2.0)).collect();
                HostTensor::from_f32(dims, &values)
            }
            (Role::Data, _) => {
                let bytes: Vec<u8> = (0..n).map(|_| rng.below(256) as u8).collect();
                HostTensor::from_bytes(dims, &bytes)
            }
            (Role::Param, _) => {
                let values: Vec<f32> = (0..n).map(|_| rng.range(-0.6, 0.6)).collect();
                HostTensor::from_f32(dims, &values)
            }
            _ => HostTensor::zeros(&source.ty),
        };
        feeds.insert(source.name.clone(), value);
    }
    feeds
}

#[test]
fn steps_with_and_without_perturbations_follow_the_interpreter() {
    for augment in [None, Some(Adversarial { epsilon: 0.5, probe: 1.0, weight: 2.0 })] {
        let graph = graph::training(&config(augment), DATA).unwrap();
        let mut expected = start(&graph);
        for _ in 0..STEPS {
            interpret(&graph, &mut expected).unwrap();
        }
        let columns = if augment.is_some() { 4 } else { 3 };
        let ring = expected["ring"].real();
        assert_eq!(ring.len() % columns, 0);
        if augment.is_some() {
            let last = &ring[(STEPS - 1) % 3 * columns..][..columns];
            assert!(last[3] > 1e-4, "perturbations change nothing: {last:?}");
        }
        for mut device in common::devices() {
            for choices in [Choices::default(), Choices::by_kind(device.profile())] {
                let plan = Plan::chosen("train", &graph, device.profile(), &choices).unwrap();
                device.clear();
                let program = device.load(plan).unwrap();
                for (name, value) in start(&graph) {
                    device.write(program, &name, &value.to_device_bytes()).unwrap();
                }
                device.run(program, STEPS as u32).unwrap();
                for (_, source) in graph.sources().filter(|(_, s)| s.role == Role::Param || s.name == "ring") {
                    let got = device.read_f32(program, &source.name).unwrap();
                    let expected = expected[&source.name].real();
                    let scale = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
                    let off = got.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
                    let label = format!("{augment:?}, {} on {}", source.name, device.name());
                    assert!(off < CURVE * scale, "{label}: off by {off:.1e} of {scale:.1e}");
                }
            }
        }
    }
}
