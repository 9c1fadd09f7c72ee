//! Training curves: ten steps on every device against the f64 interpreter, the same bits every time, and
//! padding that counts nothing.

use crate::common;
use crate::training::{RING, Recipe, difference, forms, network, parameters, run_once, training};
use gpu_ae::autodiff;
use gpu_ae::device::Device;
use gpu_ae::graph::{Feeds, Graph, Role, Source, Var, interpret};
use gpu_ae::nn::losses::soft_assignment;
use gpu_ae::nn::{BlockConfig, Pass};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::step::clock;
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::tensor::{HostTensor, Ty};

const STEPS: usize = 10;

/// Ten steps of Adam multiply the rounding of one (1e-6 of the loss) a little; a wrong bias correction,
/// batch or gradient is off by a percent or more.
const CURVE: f64 = 1e-4;

#[test]
fn ten_steps_follow_the_interpreter_on_every_device() {
    for loss in [LossKind::Mse, LossKind::Sse] {
        let training = training(Recipe { loss, ..Recipe::small() });
        let start = training.start(1);
        let expected = training.interpreted_ring(&start, STEPS);
        let width = training.terms + 1;
        let rows: Vec<f64> = expected.iter().copied().step_by(width).take(STEPS).collect();
        assert_eq!(rows, [8., 8., 4., 8., 8., 4., 8., 8., 4., 8.], "the last batch of an epoch is partial");
        let epoch = |number: usize| -> f64 {
            (3 * number..3 * number + 3).map(|slot| expected[slot * width] * expected[slot * width + 1]).sum()
        };
        assert!(epoch(2) < 0.97 * epoch(0), "the loss falls: {} to {}", epoch(0), epoch(2));
        for mut device in common::devices() {
            let program = training.load(device.as_mut(), &start);
            device.run(program, STEPS as u32).unwrap();
            let got: Vec<f64> = device.read_f32(program, "ring").unwrap().into_iter().map(f64::from).collect();
            for column in 0..width {
                let take = |ring: &[f64]| -> Vec<f64> { (0..RING).map(|slot| ring[slot * width + column]).collect() };
                let worst = difference(&take(&got), &take(&expected));
                assert!(worst < CURVE, "{loss:?}, column {column} on {}: off by {worst:.1e}", device.name());
            }
            let clock = device.read_u32(program, "clock").unwrap();
            assert_eq!([clock::STEP, clock::EPOCH, clock::BATCH, clock::BAD_STEP].map(|w| clock[w]), [10, 3, 1, 0]);
        }
    }
}

/// Weights that fit in no second-level cache: the CPU device takes such a network in other blocks.
#[test]
fn a_wide_network_follows_the_interpreter() {
    const STEPS: usize = 3;
    let relu = |width| BlockConfig::linear(width, Activation::Relu);
    let last = BlockConfig::linear(200, Activation::Sigmoid);
    let layers = vec![relu(700), relu(190), last];
    // The second batch of an epoch has 50 rows: less than a block of 64.
    let recipe =
        Recipe { features: 200, layers, rows: 250, batch: 200, learning_rate: 1e-3, knob: false, ..Recipe::small() };
    let training = training(recipe);
    let start = training.start(2);
    let expected = training.interpreted_ring(&start, STEPS);
    let width = training.terms + 1;
    for mut device in common::devices() {
        let program = training.load(device.as_mut(), &start);
        device.run(program, STEPS as u32).unwrap();
        let got: Vec<f64> = device.read_f32(program, "ring").unwrap().into_iter().map(f64::from).collect();
        for column in 0..width {
            let take = |ring: &[f64]| -> Vec<f64> { (0..STEPS).map(|slot| ring[slot * width + column]).collect() };
            let worst = difference(&take(&got), &take(&expected));
            assert!(worst < CURVE, "column {column} on {}: off by {worst:.1e}", device.name());
        }
    }
}

#[test]
fn every_form_of_a_step_follows_the_interpreter() {
    let training = training(Recipe::plain());
    let start = training.start(6);
    let expected = training.interpreted_ring(&start, STEPS);
    let width = training.terms + 1;
    let mut dispatches = Vec::new();
    for mut device in common::devices() {
        for (form, choices) in forms() {
            let program = training.load_as(device.as_mut(), &start, &choices);
            dispatches.push((form, device.plan(program).dispatches()));
            device.run(program, STEPS as u32).unwrap();
            let got: Vec<f64> = device.read_f32(program, "ring").unwrap().into_iter().map(f64::from).collect();
            for column in 0..width {
                let take = |ring: &[f64]| -> Vec<f64> { (0..RING).map(|slot| ring[slot * width + column]).collect() };
                let worst = difference(&take(&got), &take(&expected));
                assert!(worst < CURVE, "{form}, column {column} on {}: off by {worst:.1e}", device.name());
            }
        }
    }
    assert!(dispatches.contains(&("small network", 3)), "{dispatches:?}");
}

#[test]
fn two_runs_give_the_same_bits_however_the_steps_are_submitted() {
    let training = training(Recipe::small());
    let start = training.start(2);
    for mut device in common::devices() {
        let run = |device: &mut dyn Device, portions: &[u32]| {
            let program = training.load(device, &start);
            portions.iter().for_each(|&steps| device.run(program, steps).unwrap());
            (training.weights(device, program), device.read(program, "ring").unwrap())
        };
        let first = run(device.as_mut(), &[10]);
        assert!(first == run(device.as_mut(), &[10]), "another run, other bits on {}", device.name());
        assert!(first == run(device.as_mut(), &[1, 2, 3, 4]), "other portions, other bits on {}", device.name());
        assert!(first != run(device.as_mut(), &[9]), "nothing moves on {}", device.name());
    }
}

/// Losses and gradients of a model on a batch that the host writes, with everything as a result.
fn losses(rows: usize, kind: LossKind) -> Graph {
    let mut g = Graph::new();
    let last = if kind == LossKind::Bce { Activation::Identity } else { Activation::Sigmoid };
    let layers = [(6, Activation::Relu), (3, Activation::Relu), (7, last)];
    let layers = layers.map(|(width, activation)| BlockConfig::linear(width, activation));
    let model = network(&mut g, 7, &layers);
    let x = g.source(Role::Input, "x", Ty::f32(&[rows, 7]));
    let clock = g.source(Role::State, "clock", clock::ty());
    let one = g.source(Role::State, "one", Ty::f32(&[]));
    let outputs = model.forward(&mut g, x, clock, Pass::Train).unwrap().outputs;
    let loss = g.apply(ReconstructionLoss { kind, rows_per_sample: 1 }, &[outputs[2], x, clock]).unwrap();
    let code = soft_assignment(&mut g, outputs[1], clock, -1.0).unwrap();
    let terms = [loss, code.entropy, code.document, code.average, code.divergence];
    let wrt = [parameters(&model), vec![x]].concat();
    let gradients = autodiff::grad(&mut g, &terms.map(|term| (term, one)), &wrt).unwrap();
    let all: Vec<Var> = terms.into_iter().chain(gradients.into_iter().flatten()).collect();
    for (i, var) in all.into_iter().enumerate() {
        g.result(format!("result {i:02}"), var);
    }
    g
}

/// Sources for [`losses`]; rows of x beyond the valid ones hold `padding`.
fn feeds(graph: &Graph, valid: usize, padding: f32) -> Feeds<f64> {
    let mut rng = Rng::new(stream_key(8, Stream::Data));
    let mut feeds = Feeds::new();
    let sources: Vec<Source> = graph.sources().map(|(_, source)| source.clone()).collect();
    for source in sources {
        let dims = source.ty.shape.dims();
        let value = match source.name.as_str() {
            "clock" => HostTensor::from_words(dims, clock::with_valid_rows(valid).words()),
            "one" => HostTensor::from_f32(dims, &[1.0]),
            "x" => continue,
            _ => {
                HostTensor::from_f32(dims, &(0..source.ty.elements()).map(|_| rng.range(-0.6, 0.6)).collect::<Vec<_>>())
            }
        };
        feeds.insert(source.name.clone(), value);
    }
    let rows = graph.sources().find(|(_, s)| s.name == "x").map_or(0, |(_, s)| s.ty.shape.dims()[0]);
    let x: Vec<f32> = (0..rows * 7).map(|i| if i < valid * 7 { rng.uniform() } else { padding }).collect();
    feeds.insert("x".into(), HostTensor::from_f32(&[rows, 7], &x));
    feeds
}

#[test]
fn a_batch_of_8_with_5_valid_rows_equals_a_batch_of_5() {
    for kind in [LossKind::Mse, LossKind::Sse, LossKind::Bce] {
        let (padded, whole) = (losses(8, kind), losses(5, kind));
        let interpreted = |graph: &Graph| -> Vec<(String, Vec<f64>)> {
            let values = interpret(graph, &mut feeds(graph, 5, 0.0)).unwrap();
            graph.results().iter().map(|(name, var)| (name.clone(), values.get(*var).real().to_vec())).collect()
        };
        let close = |a: &[(String, Vec<f64>)], b: &[(String, Vec<f64>)], allowed: f64, place: &str| {
            for ((name, a), (_, b)) in a.iter().zip(b) {
                let (valid, padding) = a.split_at(b.len());
                let worst = difference(valid, b);
                assert!(worst <= allowed, "{kind:?} {name} on {place}: off by {worst:.1e}");
                assert!(padding.iter().all(|&dx| dx == 0.0), "{kind:?} {name} on {place}: padding has a gradient");
            }
        };
        let expected = interpreted(&whole);
        close(&interpreted(&padded), &expected, 1e-13, "the interpreter");
        for mut device in common::devices() {
            let name = device.name().to_string();
            let device = device.as_mut();
            let got = run_once(device, &whole, &feeds(&whole, 5, 0.0)).unwrap();
            close(&got, &expected, 1e-4, &name);
            let zeros = run_once(device, &padded, &feeds(&padded, 5, 0.0)).unwrap();
            close(&zeros, &got, 2e-6, &name);
            // Exactly nothing: what stands in the padding does not move a bit.
            let garbage = run_once(device, &padded, &feeds(&padded, 5, 1e3)).unwrap();
            assert!(zeros == garbage, "{kind:?}: padding counts on {name}");
        }
    }
}
