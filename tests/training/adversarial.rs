//! Two networks that learn in turn, against the same step written out by hand for linear ones.

use crate::start::{DATA, start};
use crate::training::floats;
use gpu_ae::config::objective::adversarial::Adversarial;
use gpu_ae::config::{OptimiserConfig, OptimiserKind, RunConfig};
use gpu_ae::graph::{Graph, Role, interpret};
use gpu_ae::model::graph::{RING_STEPS, training};
use gpu_ae::nn::{BlockConfig, stream};
use gpu_ae::ops::array::activation::Activation::Identity;
use gpu_ae::ops::batch::batch_gather::BatchGather;
use gpu_ae::ops::batch::batch_rows::BatchRows;
use gpu_ae::ops::random::random_normal::RandomNormal;
use gpu_ae::ops::step::clock;
use gpu_ae::tensor::{Shape, Ty};

const FEATURES: usize = 12;
const CODE: usize = 3;
const BATCH: usize = 8;
const RATE: f64 = 0.5;

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// w·x + b.
fn logit(w: &[f64], b: f64, x: &[f64]) -> f64 {
    w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + b
}

/// D(x) = w·x + b and G(z) = Vz + c, one step of plain descent: D by −log σ(D(x)) − log(1 − σ(D(G(z)))), then G by
/// −log σ(D′(G(z))) under the D′ that has moved.
#[test]
fn the_generator_learns_from_the_discriminator_that_has_moved() {
    let config = RunConfig {
        encoder: vec![BlockConfig::linear(1, Identity)],
        decoder: vec![BlockConfig::linear(FEATURES, Identity)],
        adversarial: Some(Adversarial { code: CODE }),
        lambda_mse: 0.0,
        batch_size: BATCH,
        lr: RATE as f32,
        optimiser: OptimiserConfig { kind: OptimiserKind::Sgd, momentum: Some(0.0), ..OptimiserConfig::default() },
        ..RunConfig::recipe("plain").unwrap()
    };
    config.check().unwrap();
    let graph = training(&config, DATA).unwrap();
    let mut feeds = start(&graph, &config);

    // The batch and the codes, as the step draws them.
    let g = &mut Graph::new();
    let now = g.source(Role::State, "clock", clock::ty());
    let images = g.source(Role::Data, "train images", DATA.ty());
    let rows = g.apply(BatchRows(BATCH), &[now]).unwrap();
    let x = g.apply(BatchGather { features: FEATURES }, &[images, rows]).unwrap();
    let z = g.apply(RandomNormal { shape: Shape::new(&[BATCH, CODE]), stream: stream::CODE }, &[now]).unwrap();
    let drawn = interpret(g, &mut feeds.clone()).unwrap();
    let [x, z] = [x, z].map(|var| floats(drawn.get(var)));

    let names: Vec<String> = graph
        .sources()
        .filter(|(_, source)| source.role == Role::Param)
        .map(|(_, source)| source.name.clone())
        .collect();
    let [w, b, v, c] = &names[..] else { panic!("{names:?}") };
    assert_eq!(graph.ty(graph.sources().find(|(_, s)| s.name == *v).unwrap().0), &Ty::f32(&[FEATURES, CODE]));
    let read = |feeds: &gpu_ae::graph::Feeds<f64>, name: &String| floats(&feeds[name]);
    let [mut w1, mut b1, mut v1, mut c1] = [w, b, v, c].map(|name| read(&feeds, name));

    let fakes: Vec<Vec<f64>> = z
        .chunks(CODE)
        .map(|z| (0..FEATURES).map(|f| logit(&v1[f * CODE..(f + 1) * CODE], c1[f], z)).collect())
        .collect();
    let n = BATCH as f64;
    let (mut slope_w, mut slope_b, mut losses) = (vec![0.0; FEATURES], 0.0, [0.0; 2]);
    for (real, fake) in x.chunks(FEATURES).zip(&fakes) {
        let judged = [logit(&w1, b1[0], real), logit(&w1, b1[0], fake)].map(logistic);
        losses[0] -= (judged[0].ln() + (1.0 - judged[1]).ln()) / n;
        for (rows, slope) in [(real, (judged[0] - 1.0) / n), (&fake[..], judged[1] / n)] {
            slope_b += slope;
            slope_w.iter_mut().zip(rows).for_each(|(sum, x)| *sum += slope * x);
        }
    }
    w1.iter_mut().zip(&slope_w).for_each(|(w, slope)| *w -= RATE * slope);
    b1[0] -= RATE * slope_b;
    let slopes: Vec<f64> = fakes.iter().map(|fake| (logistic(logit(&w1, b1[0], fake)) - 1.0) / n).collect();
    losses[1] = fakes.iter().map(|fake| -logistic(logit(&w1, b1[0], fake)).ln() / n).sum();
    for (z, slope) in z.chunks(CODE).zip(&slopes) {
        for f in 0..FEATURES {
            c1[f] -= RATE * slope * w1[f];
            (0..CODE).for_each(|k| v1[f * CODE + k] -= RATE * slope * w1[f] * z[k]);
        }
    }

    interpret(&graph, &mut feeds).unwrap();
    for (name, expected) in [(w, &w1), (b, &b1), (v, &v1), (c, &c1)] {
        let got = read(&feeds, name);
        let worst = got.iter().zip(expected).map(|(got, expected)| (got - expected).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-6, "{name} is off by {worst:.1e}");
    }
    let ring = floats(&feeds["ring"]);
    assert_eq!(ring.len() / RING_STEPS, 5, "rows, two losses, two shares");
    for (got, expected) in ring[1..3].iter().zip(losses) {
        assert!((got - expected).abs() < 1e-6, "{got} for {expected}");
    }
}
