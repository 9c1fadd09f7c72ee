//! Networks of pixels, through views, against the same ones of matrices.

use std::sync::Arc;

use super::{C, H, N, VALID, W, bits, dispatches, profile};
use crate::training::{difference, forms, interpreted, run_once, write};
use gpu_ae::autodiff;
use gpu_ae::graph::{Feeds, Graph, Op, Role, Source, Var};
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::losses::{Activity, weight_entropy};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::add_bias::AddBias;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::reshape::Reshape;
use gpu_ae::ops::array::sum_all::SumAll;
use gpu_ae::ops::array::sum_axis::SumAxis;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::matmul::MatMul;
use gpu_ae::ops::norm::batch_norm::BatchNorm;
use gpu_ae::ops::norm::moments::Moments;
use gpu_ae::ops::norm::normalise_rows::NormaliseRows;
use gpu_ae::ops::step::adam_step::AdamStep;
use gpu_ae::ops::step::clock;
use gpu_ae::ops::step::clock_advance::ClockAdvance;
use gpu_ae::optim::adam;
use gpu_ae::plan::{Choices, Plan, fuse};
use gpu_ae::tensor::{DType, HostTensor, Ty};

/// Channels behind the first product.
const K: usize = 6;

/// A graph, its terms with their seeds, and what it is differentiated by.
struct Model {
    graph: Graph,
    seeds: Vec<(Var, Var)>,
    wrt: Vec<Var>,
}

/// A network of pixels, of images \[N, H, W, C\] with a view around every operation, or of matrices throughout.
struct Pixels {
    g: Graph,
    images: bool,
    wrt: Vec<Var>,
}

impl Pixels {
    fn dims(&self, channels: usize) -> Vec<usize> {
        if self.images { vec![N, H, W, channels] } else { vec![N * H * W, channels] }
    }

    fn parameter(&mut self, name: &str, dims: &[usize]) -> Var {
        let var = self.g.source(Role::Param, name, Ty::f32(dims));
        self.wrt.push(var);
        var
    }

    /// A value as rows of pixels.
    fn rows(&mut self, x: Var) -> Var {
        let n = self.g.ty(x).elements();
        let channels = *self.g.ty(x).shape.dims().last().unwrap();
        if self.images { self.g.apply(Reshape::to(&[n / channels, channels]), &[x]).unwrap() } else { x }
    }

    /// An operation on rows of pixels.
    fn apply(&mut self, op: impl Op, x: Var, others: &[Var]) -> Var {
        let x = self.rows(x);
        let y = self.g.push(Arc::new(op), &[&[x], others].concat()).unwrap()[0];
        let channels = self.g.ty(y).shape.dims()[1];
        if self.images { self.g.apply(Reshape::to(&[N, H, W, channels]), &[y]).unwrap() } else { y }
    }

    fn scalar(&mut self, x: Var) -> Var {
        let square = self.g.apply(Binary::Mul, &[x, x]).unwrap();
        self.g.apply(SumAll, &[square]).unwrap()
    }

    fn finish(self, terms: &[Var]) -> Model {
        let Pixels { g: mut graph, wrt, .. } = self;
        let seed = graph.source(Role::State, "seed", Ty::f32(&[]));
        let seeds: Vec<(Var, Var)> = terms.iter().map(|&term| (term, seed)).collect();
        Model { graph, seeds, wrt }
    }
}

fn pixels(images: bool) -> Model {
    let mut p = Pixels { g: Graph::new(), images, wrt: Vec::new() };
    let clock = p.g.source(Role::State, "clock", clock::ty());
    let dims = p.dims(C);
    let x = p.parameter("x", &dims);
    let target = p.g.source(Role::Input, "target", Ty::f32(&dims));
    let [w, b, v, c] = [("w", &[K, C][..]), ("b", &[K]), ("v", &[C, K]), ("c", &[C])].map(|(n, d)| p.parameter(n, d));
    let [scale, shift] = ["scale", "shift"].map(|name| p.parameter(name, &[K]));
    let rows_per_sample = H * W;
    let product = p.apply(MatMul::Nt, x, &[w]);
    let shifted = p.apply(AddBias, product, &[b]);
    let hidden = p.apply(Activation::Tanh, shifted, &[]);
    let normal = p.apply(BatchNorm::new(rows_per_sample), hidden, &[scale, shift, clock]);
    let product = p.apply(MatMul::Nt, normal, &[v]);
    let shifted = p.apply(AddBias, product, &[c]);
    let output = p.apply(Activation::Sigmoid, shifted, &[]);
    let [output, target, hidden] = [output, target, hidden].map(|var| p.rows(var));
    let kind = LossKind::Mse;
    let loss = p.g.apply(ReconstructionLoss { kind, rows_per_sample }, &[output, target, clock]).unwrap();
    let moments = p.g.push(Arc::new(Moments { rows_per_sample }), &[hidden, clock]).unwrap();
    let sums = p.g.apply(SumAxis::Rows, &[hidden]).unwrap();
    let directions = p.g.apply(NormaliseRows { scale: 2.0 }, &[hidden]).unwrap();
    let terms = [loss, p.scalar(moments[0]), p.scalar(moments[1]), p.scalar(sums)];
    let terms = [&terms[..], &[p.scalar(directions)]].concat();
    // No gradient goes back through a direction.
    let (last, differentiated) = terms.split_last().unwrap();
    let mut model = p.finish(differentiated);
    model.graph.result("directions", *last);
    model
}

/// Pixels of a first layer that are features of a second: a view that no operation can do without.
fn flattened() -> Model {
    let mut p = Pixels { g: Graph::new(), images: true, wrt: Vec::new() };
    let clock = p.g.source(Role::State, "clock", clock::ty());
    let x = p.parameter("x", &[N, H, W, C]);
    let target = p.g.source(Role::Input, "target", Ty::f32(&[N, 3]));
    // A parameter that is seen as a matrix, and one that is one.
    let w = p.parameter("w", &[K, 1, 1, C]);
    let w = p.rows(w);
    let [b, v, c] = [("b", &[K][..]), ("v", &[3, H * W * K]), ("c", &[3])].map(|(name, dims)| p.parameter(name, dims));
    let product = p.apply(MatMul::Nt, x, &[w]);
    let shifted = p.apply(AddBias, product, &[b]);
    let hidden = p.g.apply(Activation::Tanh, &[shifted]).unwrap();
    let features = p.g.apply(Reshape::to(&[N, H * W * K]), &[hidden]).unwrap();
    let product = p.g.apply(MatMul::Nt, &[features, v]).unwrap();
    let output = p.g.apply(AddBias, &[product, c]).unwrap();
    let mean = ReconstructionLoss { kind: LossKind::Sse, rows_per_sample: 1 };
    let loss = p.g.apply(mean, &[output, target, clock]).unwrap();
    p.finish(&[loss])
}

/// Values for all sources, in the order of their elements whatever their shapes.
fn feeds(graph: &Graph) -> Feeds<f64> {
    let mut rng = crate::difference::rng(7);
    let sources: Vec<Source> = graph.sources().map(|(_, source)| source.clone()).collect();
    let feed = |source: Source| {
        let dims = source.ty.shape.dims();
        let value = match source.ty.dtype {
            DType::U32 => HostTensor::from_words(dims, clock::with_valid_rows(VALID).words()),
            _ if matches!(source.role, Role::FirstMoment | Role::SecondMoment) => HostTensor::zeros(&source.ty),
            _ => crate::difference::signed(&mut rng, dims),
        };
        (source.name, value)
    };
    sources.into_iter().map(feed).collect()
}

/// The model with its terms and all gradients as results, which differences agree with.
fn differentiated(model: Model) -> (Graph, Feeds<f64>) {
    let Model { graph, seeds, wrt } = model;
    let feeds = feeds(&graph);
    crate::difference::check(&graph, &seeds, &wrt, &feeds).unwrap().unwrap();
    let mut graph = graph;
    let gradients = autodiff::grad(&mut graph, &seeds, &wrt).unwrap();
    let terms = seeds.iter().map(|(term, _)| *term);
    for (i, var) in terms.chain(gradients.into_iter().flatten()).enumerate() {
        graph.result(format!("result {i:02}"), var);
    }
    (graph, feeds)
}

fn assert_close(got: &[(String, Vec<f64>)], expected: &[(String, Vec<f64>)], allowed: f64, label: &str) {
    assert_eq!(got.len(), expected.len(), "{label}");
    for ((name, got), (_, expected)) in got.iter().zip(expected) {
        let worst = difference(got, expected);
        assert!(worst <= allowed, "{label}, {name}: off by {worst:.1e}: {got:?}, expected {expected:?}");
    }
}

/// In every form, by the interpreter and on every device.
fn agrees(graph: &Graph, feeds: &Feeds<f64>) {
    let expected = interpreted(graph, feeds);
    for (form, choices) in forms() {
        let fused = fuse(graph, &choices.fusions, &profile()).unwrap();
        assert_close(&interpreted(&fused, feeds), &expected, 1e-12, form);
    }
    for mut device in crate::common::devices() {
        let label = device.name().to_string();
        assert_close(&run_once(device.as_mut(), graph, feeds).unwrap(), &expected, 2e-5, &label);
    }
}

#[test]
fn operations_on_matrices_serve_images() {
    let [(images, feeds), (matrices, flat)] = [true, false].map(|images| differentiated(pixels(images)));
    agrees(&images, &feeds);
    for (form, choices) in forms() {
        let [of_images, of_matrices] =
            [&images, &matrices].map(|graph| Plan::chosen("plan", graph, &profile(), &choices).unwrap());
        assert_eq!(of_images.dispatches(), of_matrices.dispatches(), "{form}\n{of_images}\n{of_matrices}");
        assert_eq!(of_images.bytes(), of_matrices.bytes(), "{form}");
        for mut device in crate::common::devices() {
            let device = device.as_mut();
            let same = bits(device, &images, &feeds, &choices) == bits(device, &matrices, &flat, &choices);
            assert!(same, "{form} on {}", device.name());
        }
    }
}

/// Fusions look through the view: both layers are one kernel each, and so is the way back between them.
#[test]
fn pixels_become_features() {
    let (graph, feeds) = differentiated(flattened());
    agrees(&graph, &feeds);
    let fused = fuse(&graph, &Choices::by_kind(&profile()).fusions, &profile()).unwrap();
    let count = |name: &str| fused.nodes().iter().filter(|node| node.op.name() == name).count();
    assert_eq!(["linear", "linear_input_grad", "linear_weight_grad"].map(count), [2, 1, 2], "{fused}");
    assert_eq!(["activation", "activation_grad", "add_bias", "sum_axis"].map(count), [0; 4], "{fused}");
}

/// A training step of two layers with an entropy, the weights of the first a matrix or a filter that is seen as one.
fn filtered(filter: bool) -> Graph {
    let mut p = Pixels { g: Graph::new(), images: false, wrt: Vec::new() };
    let clock = p.g.source(Role::State, "clock", clock::ty());
    let [rate, one, lambda] = ["rate", "one", "lambda"].map(|name| p.g.source(Role::State, name, Ty::f32(&[])));
    let ring = p.g.source(Role::State, "ring", Ty::f32(&[4, 3]));
    let [x, target] = ["x", "target"].map(|name| p.g.source(Role::Input, name, Ty::f32(&[N, C])));
    let w = p.parameter("w", if filter { &[K, 2, 2, C / 4] } else { &[K, C] });
    let [b, v, c] = [("b", &[K][..]), ("v", &[C, K]), ("c", &[C])].map(|(name, dims)| p.parameter(name, dims));
    let weight = if filter { p.g.apply(Reshape::to(&[K, C]), &[w]).unwrap() } else { w };
    let product = p.apply(MatMul::Nt, x, &[weight]);
    let shifted = p.apply(AddBias, product, &[b]);
    let hidden = p.apply(Activation::Tanh, shifted, &[]);
    let product = p.apply(MatMul::Nt, hidden, &[v]);
    let output = p.apply(AddBias, product, &[c]);
    let mean = ReconstructionLoss { kind: LossKind::Mse, rows_per_sample: 1 };
    let loss = p.g.apply(mean, &[output, target, clock]).unwrap();
    let Pixels { mut g, wrt, .. } = p;
    let layer = |name: &str, weight, bias| Layer { name: name.into(), weight, bias, activation: Activation::Tanh };
    let layers = [layer("first", weight, b), layer("second", v, c)];
    let entropy = weight_entropy(&mut g, &layers[0], &layers[1], Activity::Both, 0.5, 1.0).unwrap();
    let gradients = autodiff::grad(&mut g, &[(loss, one), (entropy, lambda)], &wrt)
        .unwrap()
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    let settings = AdamStep::new(1);
    let advance = ClockAdvance { beta1: settings.beta1, beta2: settings.beta2 };
    let advanced = g.push(Arc::new(advance), &[clock, ring, loss, entropy]).unwrap()[0];
    let pairs: Vec<(String, Var)> = ["w", "b", "v", "c"].map(str::to_string).into_iter().zip(wrt).collect();
    adam::adam(&mut g, settings, advanced, rate, &pairs, &gradients).unwrap();
    g
}

/// The gradient of a filter lies with the others, though it is computed as that of a matrix.
#[test]
fn gradients_are_packed_through_views() {
    let [filter, matrix] = [true, false].map(filtered);
    for (form, choices) in forms() {
        let [of_filter, of_matrix] = [&filter, &matrix].map(|g| Plan::chosen("plan", g, &profile(), &choices).unwrap());
        assert_eq!(dispatches(&of_filter), dispatches(&of_matrix), "{form}\n{of_filter}\n{of_matrix}");
        for mut device in crate::common::devices() {
            let trained = [&filter, &matrix].map(|graph| {
                let plan = Plan::chosen("train", graph, device.profile(), &choices).unwrap();
                device.clear();
                let program = device.load(plan).unwrap();
                write(device.as_mut(), program, graph, &feeds(graph)).unwrap();
                device.run(program, 3).unwrap();
                ["w", "b", "v", "c"].map(|name| device.read_f32(program, name).unwrap())
            });
            assert!(trained[0] == trained[1] && trained[0].iter().flatten().all(|x| x.is_finite()), "{form}");
        }
    }
    let fused = fuse(&filter, &Choices::by_kind(&profile()).fusions, &profile()).unwrap();
    for name in ["linear_chain", "linear_weight_grads", "weight_entropies"] {
        assert!(fused.nodes().iter().any(|node| node.op.name() == name), "no {name}:\n{fused}");
    }
}
