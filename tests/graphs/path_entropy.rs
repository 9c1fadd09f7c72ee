//! The path entropy against its definition: every path listed, weighed and normalised; and the laws that
//! hold beyond what can be listed. At f64, through the interpreter.

use gpu_ae::autodiff::grad;
use gpu_ae::graph::{Feeds, Graph, Role, interpret};
use gpu_ae::nn::losses::path_entropy;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::entropy::path_chain::PathBias;
use gpu_ae::ops::entropy::path_entropy::PathEntropy;
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::tensor::{Data, HostTensor, Shape, Ty};

const BIASES: [PathBias; 4] = [PathBias::None, PathBias::Source, PathBias::Product, PathBias::Edge];

/// Weights \[out, in\] and biases of every layer.
#[derive(Clone)]
struct Network(Vec<(usize, usize, Vec<f64>, Vec<f64>)>);

impl Network {
    fn random(widths: &[usize], seed: u64) -> Self {
        let mut rng = Rng::new(stream_key(seed, Stream::Data));
        let mut draw = |n: usize| (0..n).map(|_| f64::from(rng.range(-1.0, 1.0))).collect::<Vec<f64>>();
        let layers = widths.windows(2).map(|w| (w[1], w[0], draw(w[0] * w[1]), draw(w[1])));
        Network(layers.collect())
    }

    /// |weight| of the edge from k to j of a layer, biases included as `bias` says.
    fn edge(&self, bias: PathBias, l: usize, j: usize, k: usize) -> f64 {
        let (_, inputs, w, b) = &self.0[l];
        let w = w[j * inputs + k].abs();
        match bias {
            PathBias::None | PathBias::Source => w,
            PathBias::Product => w * b[j].abs(),
            PathBias::Edge => w + b[j].abs(),
        }
    }

    /// Weights of all paths that go on from node k of level l.
    fn paths_from(&self, bias: PathBias, l: usize, k: usize) -> Vec<f64> {
        if l == self.0.len() {
            return vec![1.0];
        }
        let onward = |j: usize| {
            let edge = self.edge(bias, l, j, k);
            self.paths_from(bias, l + 1, j).into_iter().map(move |path| edge * path)
        };
        (0..self.0[l].0).flat_map(onward).collect()
    }

    /// Weights of all paths.
    fn paths(&self, bias: PathBias) -> Vec<f64> {
        let mut paths: Vec<f64> = (0..self.0[0].1).flat_map(|k| self.paths_from(bias, 0, k)).collect();
        if bias == PathBias::Source {
            for (l, (_, _, _, b)) in self.0.iter().enumerate() {
                for (j, b) in b.iter().enumerate() {
                    paths.extend(self.paths_from(bias, l + 1, j).into_iter().map(|path| b.abs() * path));
                }
            }
        }
        paths
    }

    /// (H, log Z, gradient of H by W and b of every layer, where the order has one) as the operation has them.
    fn computed(&self, op: PathEntropy) -> (f64, f64, Vec<Vec<f64>>) {
        let mut g = Graph::new();
        let mut feeds: Feeds<f64> = Feeds::new();
        let mut layers = Vec::new();
        let mut parameters = Vec::new();
        for (l, (outputs, inputs, w, b)) in self.0.iter().enumerate() {
            let layer = crate::layers::layer(&mut g, &format!("{l}"), *inputs, *outputs, Activation::Relu);
            let tensor =
                |dims: &[usize], x: &[f64]| HostTensor { shape: Shape::new(dims), data: Data::Real(x.to_vec()) };
            feeds.insert(format!("{l}.weight"), tensor(&[*outputs, *inputs], w));
            feeds.insert(format!("{l}.bias"), tensor(&[*outputs], b));
            parameters.extend([layer.weight, layer.bias]);
            layers.push(layer);
        }
        let statistics = path_entropy(&mut g, &layers, op).unwrap();
        let one = g.source(Role::State, "one", Ty::f32(&[]));
        feeds.insert("one".into(), HostTensor::from_f32(&[], &[1.0]));
        let seeds = [(statistics.entropy, one)];
        let seeds = if op.alpha.is_finite() { &seeds[..] } else { &[] };
        let gradients = grad(&mut g, seeds, &parameters).unwrap();
        let values = interpret(&g, &mut feeds).unwrap();
        let gradients = gradients.into_iter().flatten().map(|var| values.get(var).real().to_vec()).collect();
        (values.get(statistics.entropy).scalar(), values.get(statistics.log_weight).scalar(), gradients)
    }
}

/// Rényi entropy by its textbook formula, which is exact enough away from order 1.
fn renyi(alpha: f64, weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    let p = weights.iter().map(|w| w / total).filter(|&p| p > 0.0);
    if alpha == 1.0 { p.map(|p| -p * p.ln()).sum() } else { p.map(|p| p.powf(alpha)).sum::<f64>().ln() / (1.0 - alpha) }
}

fn assert_close(got: f64, expected: f64, label: &str) {
    assert!((got - expected).abs() <= 1e-10 * expected.abs().max(1.0), "{label}: {got}, expected {expected}");
}

#[test]
fn up_to_four_layers_it_is_the_entropy_of_all_paths() {
    for (seed, widths) in [&[3, 4][..], &[3, 5, 2], &[4, 3, 2, 5], &[3, 4, 2, 3, 4]].into_iter().enumerate() {
        let network = Network::random(widths, seed as u64);
        for bias in BIASES {
            let paths = network.paths(bias);
            for alpha in [0.0, 0.25, 0.5, 1.0, 2.0, 5.0] {
                let (h, log_weight, _) = network.computed(PathEntropy { alpha, bias });
                let label = format!("{widths:?} {bias:?} alpha={alpha}");
                assert_close(h, renyi(f64::from(alpha), &paths), &label);
                assert_close(log_weight, paths.iter().sum::<f64>().ln(), &format!("{label} log Z"));
            }
            let (h, _, _) = network.computed(PathEntropy { alpha: f32::INFINITY, bias });
            let most = paths.iter().fold(0.0, |most: f64, &w| most.max(w));
            assert_close(h, (paths.iter().sum::<f64>() / most).ln(), &format!("{widths:?} {bias:?} alpha=inf"));
        }
    }
}

/// Beyond what can be listed: (log Z(A^α) − α log Z(A)) / (1 − α), and for Shannon's the recursion
/// G_l = A_l G_{l−1} + (A_l ∘ log A_l) F_{l−1}.
#[test]
fn deep_networks_agree_with_two_other_forms() {
    let network = Network::random(&[9, 12, 7, 7, 11, 5, 8, 13, 6, 10], 7);
    let log_sum = |alpha: f64| {
        let mut f = vec![1.0; 9];
        for l in 0..network.0.len() {
            let edge = |j: usize, k: usize| network.edge(PathBias::None, l, j, k).powf(alpha);
            f = (0..network.0[l].0).map(|j| f.iter().enumerate().map(|(k, f)| edge(j, k) * f).sum()).collect();
        }
        f.iter().sum::<f64>().ln()
    };
    for alpha in [0.5, 2.0, 3.0] {
        let (h, _, _) = network.computed(PathEntropy { alpha, bias: PathBias::None });
        let alpha = f64::from(alpha);
        assert_close(h, (log_sum(alpha) - alpha * log_sum(1.0)) / (1.0 - alpha), &format!("alpha={alpha}"));
    }
    let (mut f, mut g) = (vec![1.0; 9], vec![0.0; 9]);
    for l in 0..network.0.len() {
        let edge = |j: usize, k: usize| network.edge(PathBias::None, l, j, k);
        let part = |j: usize, k: usize| edge(j, k) * g[k] + edge(j, k) * edge(j, k).ln() * f[k];
        let next = (0..network.0[l].0).map(|j| (0..f.len()).map(|k| part(j, k)).sum()).collect();
        f = (0..network.0[l].0).map(|j| f.iter().enumerate().map(|(k, f)| edge(j, k) * f).sum()).collect();
        g = next;
    }
    let (z, s) = (f.iter().sum::<f64>(), g.iter().sum::<f64>());
    let (h, log_weight, _) = network.computed(PathEntropy { alpha: 1.0, bias: PathBias::None });
    assert_close(h, z.ln() - s / z, "Shannon");
    assert_close(log_weight, z.ln(), "log Z");
}

#[test]
fn it_lies_between_nothing_and_the_log_of_the_number_of_paths() {
    let widths = [6, 4, 3, 5];
    for seed in 0..20 {
        let network = Network::random(&widths, 100 + seed);
        for alpha in [0.04, 0.5, 1.0, 2.0] {
            let (h, _, _) = network.computed(PathEntropy { alpha, bias: PathBias::None });
            let most = widths.iter().map(|&n| (n as f64).ln()).sum::<f64>();
            assert!((0.0..=most).contains(&h), "alpha={alpha}: {h}, at most {most}");
        }
    }
    let mut uniform = Network::random(&widths, 3);
    uniform.0.iter_mut().for_each(|(_, _, w, _)| w.fill(-0.3));
    for alpha in [0.0, 0.5, 1.0, 2.0] {
        let (h, _, _) = uniform.computed(PathEntropy { alpha, bias: PathBias::None });
        assert_close(h, widths.iter().map(|&n| (n as f64).ln()).sum(), &format!("uniform, alpha={alpha}"));
    }
}

/// H does not change when a layer is scaled, so its gradient is orthogonal to every layer's weights.
#[test]
fn gradients_are_orthogonal_to_the_weights_of_every_layer() {
    let network = Network::random(&[5, 7, 3, 6], 11);
    for alpha in [0.04, 1.0, 2.0] {
        let (_, _, gradients) = network.computed(PathEntropy { alpha, bias: PathBias::None });
        for (l, (_, _, w, _)) in network.0.iter().enumerate() {
            let product: f64 = w.iter().zip(&gradients[2 * l]).map(|(w, dw)| w * dw).sum();
            assert!(product.abs() < 1e-12, "alpha={alpha}, layer {l}: {product:e}");
            assert!(gradients[2 * l].iter().any(|dw| dw.abs() > 1e-6), "alpha={alpha}, layer {l}: no gradient");
        }
    }
}

/// Row and bias of a neuron times c and its column in the next layer over c: the same function of a ReLU
/// network, and the same entropy without biases or with them as a source.
#[test]
fn rescaling_a_neuron_changes_nothing() {
    let network = Network::random(&[5, 7, 3, 6], 13);
    let mut rescaled = network.clone();
    let (c, neuron) = (37.0, 4);
    let (_, inputs, w, b) = &mut rescaled.0[0];
    w[neuron * *inputs..(neuron + 1) * *inputs].iter_mut().for_each(|w| *w *= c);
    b[neuron] *= c;
    let (outputs, inputs, w, _) = &mut rescaled.0[1];
    (0..*outputs).for_each(|j| w[j * *inputs + neuron] /= c);
    for alpha in [0.04, 1.0, 2.0] {
        for (bias, kept) in BIASES.into_iter().zip([true, true, false, false]) {
            let op = PathEntropy { alpha, bias };
            let (before, after) = (network.computed(op).0, rescaled.computed(op).0);
            assert_eq!((before - after).abs() < 1e-12, kept, "alpha={alpha} {bias:?}: {before} {after}");
        }
    }
}

#[test]
fn without_any_path_all_is_zero() {
    let mut network = Network::random(&[3, 4, 2], 17);
    network.0[1].2.fill(0.0);
    network.0[1].3.fill(0.0);
    for bias in BIASES {
        let (h, _, gradients) = network.computed(PathEntropy { alpha: 1.0, bias });
        assert_eq!(h, 0.0, "{bias:?}");
        assert!(gradients.iter().flatten().all(|&dw| dw == 0.0), "{bias:?}");
    }
}
