//! What the losses promise beyond their golden vectors, in f64: invariances, limits and slopes at the
//! points where formulas have corners.

use gpu_ae::autodiff::grad;
use gpu_ae::config::objective::huber::huber;
use gpu_ae::graph::{Feeds, Graph, Role, Var, interpret};
use gpu_ae::nn::losses::{Activity, weight_entropy};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::entropy::renyi_entropy::RenyiEntropy;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::step::clock;
use gpu_ae::tensor::{Data, HostTensor, Shape, Ty};

fn tensor(dims: &[usize], values: &[f64]) -> HostTensor<f64> {
    HostTensor { shape: Shape::new(dims), data: Data::Real(values.to_vec()) }
}

/// Value of a scalar, and its gradient with respect to one source.
fn value_and_gradient(mut g: Graph, mut feeds: Feeds<f64>, loss: Var, wrt: Var) -> (f64, Vec<f64>) {
    let one = g.source(Role::State, "one", Ty::f32(&[]));
    feeds.insert("one".into(), tensor(&[], &[1.0]));
    let gradient = grad(&mut g, &[(loss, one)], &[wrt]).unwrap()[0].unwrap();
    let values = interpret(&g, &mut feeds).unwrap();
    (values.get(loss).scalar(), values.get(gradient).real().to_vec())
}

fn renyi(alpha: f32, weights: &[f64]) -> (f64, Vec<f64>) {
    let mut g = Graph::new();
    let a = g.source(Role::Param, "a", Ty::f32(&[weights.len()]));
    let h = g.apply(RenyiEntropy { alpha }, &[a]).unwrap();
    value_and_gradient(g, Feeds::from([("a".into(), tensor(&[weights.len()], weights))]), h, a)
}

/// H does not change when all weights are scaled, so its gradient is orthogonal to them, however many
/// are tied for the largest.
#[test]
fn entropy_gradients_are_orthogonal_to_the_weights() {
    for alpha in [0.04, 0.5, 1.0, 2.0, 5.0, f32::INFINITY] {
        for weights in [&[3.0, 1.0, 3.0, 0.5, 3.0][..], &[2.0; 6], &[0.0, 4.0, 0.0], &[1.0, 2.0, 3.0]] {
            let (_, gradient) = renyi(alpha, weights);
            let product: f64 = weights.iter().zip(&gradient).map(|(a, da)| a * da).sum();
            assert!(product.abs() < 1e-12, "alpha={alpha} {weights:?}: {product:e}");
        }
    }
}

/// The infinite order is the limit of large ones, ties included.
#[test]
fn the_infinite_order_is_a_limit() {
    let weights = [3.0, 1.0, 3.0, 0.5];
    let (limit, large) = (renyi(f32::INFINITY, &weights), renyi(1e5, &weights));
    assert!((limit.0 - large.0).abs() < 1e-4);
    for (a, b) in limit.1.iter().zip(&large.1) {
        assert!((a - b).abs() < 1e-4, "{:?} {:?}", limit.1, large.1);
    }
}

#[test]
fn dead_weights_stay_dead_at_every_order() {
    for alpha in [0.0, 0.5, 1.0, 2.0, f32::INFINITY] {
        let (_, gradient) = renyi(alpha, &[0.0, 1.0, 2.0]);
        assert_eq!(gradient[0], 0.0, "alpha={alpha}");
    }
}

/// A ReLU neuron computes the same when its row and bias are multiplied by c and its column in the next
/// layer is divided by c; the product of both directions must not notice, the single ones do.
#[test]
fn only_the_product_survives_rescaling_a_neuron() {
    let entropy = |activity: Activity, c: f64| {
        let mut g = Graph::new();
        let left = crate::layers::layer(&mut g, "left", 2, 3, Activation::Relu);
        let right = crate::layers::layer(&mut g, "right", 3, 2, Activation::Relu);
        let h = weight_entropy(&mut g, &left, &right, activity, 0.5, 1.0).unwrap();
        let mut feeds = Feeds::from([
            ("left.weight".into(), tensor(&[3, 2], &[0.5 * c, -1.5 * c, 0.25, 2.0, -1.0, 0.75])),
            ("left.bias".into(), tensor(&[3], &[0.5 * c, -0.25, 1.0])),
            ("right.weight".into(), tensor(&[2, 3], &[1.0 / c, 0.5, -2.0, -0.5 / c, 1.5, 0.25])),
            ("right.bias".into(), tensor(&[2], &[0.0, 0.0])),
        ]);
        interpret(&g, &mut feeds).unwrap().get(h).scalar()
    };
    assert!((entropy(Activity::Product, 1.0) - entropy(Activity::Product, 64.0)).abs() < 1e-12);
    for activity in [Activity::Incoming, Activity::Outgoing, Activity::Both, Activity::Sum] {
        assert!((entropy(activity, 1.0) - entropy(activity, 64.0)).abs() > 1e-3, "{activity:?}");
    }
}

/// The cross entropy is smooth: at a logit of exactly 0, where its stable form has corners that cancel,
/// the slope is σ(0) − x.
#[test]
fn the_cross_entropy_has_no_corner_at_zero() {
    let at = |logit: f64, target: f64| {
        let mut g = Graph::new();
        let [l, x] = ["l", "x"].map(|name| g.source(Role::Input, name, Ty::f32(&[1, 1])));
        let c = g.source(Role::State, "clock", clock::ty());
        let loss = g.apply(ReconstructionLoss { kind: LossKind::Bce, rows_per_sample: 1 }, &[l, x, c]).unwrap();
        let words = clock::start(1, 1, false, 0);
        let feeds = Feeds::from([
            ("l".into(), tensor(&[1, 1], &[logit])),
            ("x".into(), tensor(&[1, 1], &[target])),
            ("clock".into(), HostTensor::from_words(&[clock::WORDS], &words)),
        ]);
        value_and_gradient(g, feeds, loss, l)
    };
    for target in [0.0, 0.3, 1.0] {
        let slope = at(0.0, target).1[0];
        let difference = (at(1e-5, target).0 - at(-1e-5, target).0) / 2e-5;
        assert!((slope - (0.5 - target)).abs() < 1e-12, "{slope}");
        assert!((slope - difference).abs() < 1e-9, "{slope} {difference}");
    }
}

/// A parabola up to δ, a straight line beyond, over the rows that count; and its slope, which never exceeds δ.
#[test]
fn the_huber_loss_is_a_parabola_with_straight_ends() {
    let (delta, valid) = (0.25, 2);
    let (y, x) = ([0.1, 0.9, 0.5, 0.3, 7.0, 7.0], [0.0, 0.2, 0.5, 0.5, 0.0, 0.0]);
    let mut g = Graph::new();
    let [prediction, target] = ["y", "x"].map(|name| g.source(Role::Input, name, Ty::f32(&[3, 2])));
    let c = g.source(Role::State, "clock", clock::ty());
    let loss = huber(&mut g, prediction, target, c, delta as f32).unwrap();
    let words = clock::with_valid_rows(valid);
    let feeds = Feeds::from([
        ("y".into(), tensor(&[3, 2], &y)),
        ("x".into(), tensor(&[3, 2], &x)),
        ("clock".into(), HostTensor::from_words(&[clock::WORDS], words.words())),
    ]);
    let (value, slopes) = value_and_gradient(g, feeds, loss, prediction);
    let counted = (2 * valid) as f64;
    let each = |(y, x): (&f64, &f64)| {
        let d: f64 = y - x;
        if d.abs() <= delta { 0.5 * d * d } else { delta * (d.abs() - 0.5 * delta) }
    };
    let expected: f64 = y.iter().zip(&x).take(2 * valid).map(each).sum::<f64>() / counted;
    assert!((value - expected).abs() < 1e-7, "{value} and {expected}");
    for (i, slope) in slopes.iter().enumerate() {
        let expected = if i < 2 * valid { (y[i] - x[i]).clamp(-delta, delta) / counted } else { 0.0 };
        assert!((slope - expected).abs() < 1e-7, "{i}: {slope} and {expected}");
    }
}
