//! Each fusion: that it changes no value, that it fires, and that it does not where somebody else needs what
//! it would remove.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plans::{assert_close, elementary};
use crate::training::{Recipe, interpreted, run_once, training};
use gpu_ae::config::RunConfig;
use gpu_ae::graph::{Feeds, Graph, OpRef, Role, Var};
use gpu_ae::model::forward::network;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::activation_grad::ActivationGrad;
use gpu_ae::ops::array::add_bias::AddBias;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::reshape::Reshape;
use gpu_ae::ops::array::scale_columns::ScaleColumns;
use gpu_ae::ops::array::sum_axis::SumAxis;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::conv::conv2d::Conv2d;
use gpu_ae::ops::conv::conv2d_dx::Conv2dDx;
use gpu_ae::ops::conv::{Convolution, Window};
use gpu_ae::ops::entropy::activeness::{Activeness, Direction};
use gpu_ae::ops::entropy::activeness_grad::ActivenessGrad;
use gpu_ae::ops::entropy::renyi_entropy::{RenyiEntropy, RenyiEntropyGrad};
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::loss::reconstruction_loss_grad::ReconstructionLossGrad;
use gpu_ae::ops::matmul::MatMul;
use gpu_ae::ops::step::clock;
use gpu_ae::tensor::{HostTensor, Ty};

/// How often each operation occurs.
fn census(graph: &Graph) -> BTreeMap<&'static str, usize> {
    let mut census = BTreeMap::new();
    graph.nodes().iter().for_each(|node| *census.entry(node.op.name()).or_default() += 1);
    census
}

#[test]
fn every_fusion_fires_in_the_reports_training_step() {
    let census = census(&elementary(&training(Recipe::report()).graph).unwrap());
    let count = |name: &str| census.get(name).copied().unwrap_or(0);
    for (name, expected) in [
        ("linear", 6),
        ("linear_input_grad", 5),
        ("linear_weight_grad", 6),
        ("reconstruction_loss_pair", 1),
        ("renyi_entropy_pair", 5),
        ("activeness_grad_add", 5),
    ] {
        assert_eq!(count(name), expected, "{name} in {census:?}");
    }
    let gone = "matmul_nt matmul_nn matmul_tn add_bias activation activation_grad sum_axis binary reconstruction_loss \
                reconstruction_loss_grad renyi_entropy renyi_entropy_grad activeness_grad";
    for name in gone.split_whitespace() {
        assert_eq!(count(name), 0, "{name} is left in {census:?}");
    }
}

/// A graph in which one fusion can fire, and the value that the fusion would remove or overwrite.
struct Bait {
    fusion: &'static str,
    graph: Graph,
    intermediate: Var,
}

fn input(g: &mut Graph, name: &str, dims: &[usize]) -> Var {
    g.source(Role::Input, name, Ty::f32(dims))
}

fn activeness_grad(g: &mut Graph, w: Var, b: Var, da: Var) -> Vec<Var> {
    let op: OpRef = Arc::new(ActivenessGrad(Activeness { direction: Direction::Incoming, bias_weight: 0.5 }));
    g.push(op, &[w, b, da]).unwrap()
}

fn baits() -> Vec<Bait> {
    let mut baits = Vec::new();
    let mut bait = |fusion, build: &dyn Fn(&mut Graph) -> (Var, Var)| {
        let mut graph = Graph::new();
        let (intermediate, end) = build(&mut graph);
        graph.result("end", end);
        baits.push(Bait { fusion, graph, intermediate });
    };
    bait("linear", &|g| {
        let x = input(g, "x", &[3, 4]);
        let layer = crate::layers::layer(g, "layer", 4, 5, Activation::Sigmoid);
        let end = layer.forward(g, x).unwrap();
        (Var { node: end.node - 2, port: 0 }, end)
    });
    bait("linear sigmoid", &|g| {
        let x = input(g, "x", &[3, 4]);
        let layer = crate::layers::layer(g, "layer", 4, 5, Activation::Sigmoid);
        let end = layer.forward(g, x).unwrap();
        (Var { node: end.node - 1, port: 0 }, end)
    });
    bait("linear_input_grad", &|g| {
        let [dy, w, h] = [("dy", [3, 5]), ("w", [5, 4]), ("h", [3, 4])].map(|(name, dims)| input(g, name, &dims));
        let product = g.apply(MatMul::Nn, &[dy, w]).unwrap();
        (product, g.apply(ActivationGrad(Activation::Relu), &[product, h]).unwrap())
    });
    bait("reconstruction_loss_grad sigmoid", &|g| {
        let [y, x] = ["y", "x"].map(|name| input(g, name, &[3, 5]));
        let clock = g.source(Role::State, "clock", clock::ty());
        let seed = input(g, "seed", &[]);
        let plain =
            ReconstructionLossGrad { kind: LossKind::Mse, activation: Activation::Identity, rows_per_sample: 1 };
        let gradient = g.apply(plain, &[y, x, clock, seed]).unwrap();
        (gradient, g.apply(ActivationGrad(Activation::Sigmoid), &[gradient, y]).unwrap())
    });
    // The same through views: what follows, follows under another shape.
    bait("linear sigmoid", &|g| {
        let x = input(g, "x", &[3, 4]);
        let layer = crate::layers::layer(g, "layer", 4, 6, Activation::Identity);
        let product = layer.forward(g, x).unwrap();
        let pixels = g.apply(Reshape::to(&[3, 2, 3]), &[product]).unwrap();
        (pixels, g.apply(Activation::Sigmoid, &[pixels]).unwrap())
    });
    bait("linear_input_grad", &|g| {
        let [dy, w, h] = [("dy", [3, 5]), ("w", [5, 8]), ("h", [6, 4])].map(|(name, dims)| input(g, name, &dims));
        let product = g.apply(MatMul::Nn, &[dy, w]).unwrap();
        let pixels = g.apply(Reshape::to(&[6, 4]), &[product]).unwrap();
        (pixels, g.apply(ActivationGrad(Activation::Relu), &[pixels, h]).unwrap())
    });
    bait("reconstruction_loss_grad sigmoid", &|g| {
        let [y, x] = [("y", [6, 5]), ("x", [3, 10])].map(|(name, dims)| input(g, name, &dims));
        let clock = g.source(Role::State, "clock", clock::ty());
        let seed = input(g, "seed", &[]);
        let plain =
            ReconstructionLossGrad { kind: LossKind::Mse, activation: Activation::Identity, rows_per_sample: 1 };
        let rows = g.apply(Reshape::to(&[3, 10]), &[y]).unwrap();
        let gradient = g.apply(plain, &[rows, x, clock, seed]).unwrap();
        let pixels = g.apply(Reshape::to(&[6, 5]), &[gradient]).unwrap();
        (pixels, g.apply(ActivationGrad(Activation::Sigmoid), &[pixels, y]).unwrap())
    });
    // What scales the columns of a product goes into its weights, and what follows is then the product's.
    for (fusion, which) in [("linear relu", 0), ("conv2d_layer relu", 1), ("conv_transpose2d_layer relu", 2)] {
        bait(fusion, &move |g| {
            let of = Convolution::new([4, 5], Window::square(3).padded(1));
            let (op, dims): (OpRef, _) = match which {
                0 => (Arc::new(MatMul::Nt), [5, 3]),
                1 => (Arc::new(Conv2d(of)), [5, 27]),
                _ => (Arc::new(Conv2dDx(of)), [3, 45]),
            };
            let (x, w) = (input(g, "x", &[40, 3]), g.source(Role::Param, "w", Ty::f32(&dims)));
            let product = g.push(op, &[x, w]).unwrap()[0];
            let [scale, shift] = ["s", "shift"].map(|name| input(g, name, &[5]));
            let scaled = g.apply(ScaleColumns, &[product, scale]).unwrap();
            let moved = g.apply(AddBias, &[scaled, shift]).unwrap();
            (product, g.apply(Activation::Relu, &[moved]).unwrap())
        });
    }
    // The sum that an in-place addition overwrites, then the addend that it removes.
    for overwritten in [true, false] {
        bait("activeness_grad_add", &move |g| {
            let (dy, x) = (input(g, "dy", &[6, 4]), input(g, "x", &[6, 5]));
            let (w, b, da) = (input(g, "w", &[4, 5]), input(g, "b", &[4]), input(g, "da", &[4]));
            let dw = g.apply(MatMul::Tn, &[dy, x]).unwrap();
            let db = g.apply(SumAxis::Rows, &[dy]).unwrap();
            let more = activeness_grad(g, w, b, da);
            let dw_sum = g.apply(Binary::Add, &[dw, more[0]]).unwrap();
            let db_sum = g.apply(Binary::Add, &[db, more[1]]).unwrap();
            g.result("db", db_sum);
            (if overwritten { dw } else { more[0] }, dw_sum)
        });
    }
    // That sum through a view.
    bait("activeness_grad_add", &|g| {
        let (dy, x) = (input(g, "dy", &[6, 2]), input(g, "x", &[6, 10]));
        let (w, b, da) = (input(g, "w", &[4, 5]), input(g, "b", &[4]), input(g, "da", &[4]));
        let dw = g.apply(MatMul::Tn, &[dy, x]).unwrap();
        let shown = g.apply(Reshape::to(&[4, 5]), &[dw]).unwrap();
        let db = g.apply(Unary::Exp, &[b]).unwrap();
        let more = activeness_grad(g, w, b, da);
        let dw_sum = g.apply(Binary::Add, &[shown, more[0]]).unwrap();
        let db_sum = g.apply(Binary::Add, &[db, more[1]]).unwrap();
        g.result("db", db_sum);
        (dw, dw_sum)
    });
    baits
}

/// Whether the fusion fired, after a check that the fused graph still means the same.
fn fires(bait: &Bait, graph: &Graph) -> bool {
    let fused = elementary(graph).unwrap_or_else(|error| panic!("{}: {error}", bait.fusion));
    let mut feeds = Feeds::new();
    for (_, source) in graph.sources() {
        let n = source.ty.elements();
        let elements: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7 + source.name.len() as f32).sin()).collect();
        let value = match source.name.as_str() {
            "clock" => HostTensor::from_words(&[n], clock::with_valid_rows(2).words()),
            _ => HostTensor::from_f32(source.ty.shape.dims(), &elements),
        };
        feeds.insert(source.name.clone(), value);
    }
    let expected = interpreted(graph, &feeds);
    assert_close(&interpreted(&fused, &feeds), &expected, 1e-13, bait.fusion);
    // What a device is left with is judged too: memory is overwritten there.
    let got = run_once(&mut gpu_ae::device::CpuDevice::new(), graph, &feeds).unwrap();
    assert_close(&got, &expected, 1e-5, bait.fusion);
    let (name, attribute) = bait.fusion.split_once(' ').unwrap_or((bait.fusion, ""));
    fused.nodes().iter().any(|node| node.op.name() == name && node.op.attributes().contains(attribute))
}

#[test]
fn fusions_spare_what_somebody_else_needs() {
    for bait in baits() {
        assert!(fires(&bait, &bait.graph), "{} does not fire", bait.fusion);
        let mut wanted = bait.graph.clone();
        wanted.result("intermediate", bait.intermediate);
        assert!(!fires(&bait, &wanted), "{} removes a result", bait.fusion);
        let mut read = bait.graph.clone();
        let reader = read.apply(Unary::Affine { scale: 2.0, shift: 0.5 }, &[bait.intermediate]).unwrap();
        read.result("reader", reader);
        assert!(!fires(&bait, &read), "{} removes what another node reads", bait.fusion);
    }
}

/// An in-place addition must not overwrite a value from outside.
#[test]
fn gradients_are_never_added_into_a_source() {
    let mut g = Graph::new();
    let (w, b, da) = (input(&mut g, "w", &[4, 5]), input(&mut g, "b", &[4]), input(&mut g, "da", &[4]));
    let [start, other] = [("start", &[4, 5][..]), ("other", &[4])].map(|(name, dims)| input(&mut g, name, dims));
    let more = activeness_grad(&mut g, w, b, da);
    for (name, base, addend) in [("dw", start, more[0]), ("db", other, more[1])] {
        let sum = g.apply(Binary::Add, &[base, addend]).unwrap();
        g.result(name, sum);
    }
    let bait = Bait { fusion: "activeness_grad_add", intermediate: w, graph: g.clone() };
    assert!(!fires(&bait, &g));
}

/// Two pairs whose nodes interleave, the second fed by the first: each alone could be fused at its first
/// node, but then the value between them would not be there yet.
#[test]
fn interleaved_pairs_are_ordered() {
    let mut g = Graph::new();
    let [p, q, x] = ["p", "q", "x"].map(|name| input(&mut g, name, &[3, 5]));
    let clock = g.source(Role::State, "clock", clock::ty());
    let seed = input(&mut g, "seed", &[]);
    let kind = LossKind::Mse;
    let plain = ReconstructionLossGrad { kind, activation: Activation::Identity, rows_per_sample: 1 };
    let first = g.apply(ReconstructionLoss { kind, rows_per_sample: 1 }, &[p, x, clock]).unwrap();
    let second = g.apply(ReconstructionLoss { kind, rows_per_sample: 1 }, &[q, x, clock]).unwrap();
    let between = g.apply(Unary::Exp, &[second]).unwrap();
    let first_grad = g.apply(plain, &[p, x, clock, seed]).unwrap();
    let second_grad = g.apply(plain, &[q, x, clock, first]).unwrap();
    for (i, var) in [between, first_grad, second_grad].into_iter().enumerate() {
        g.result(format!("result {i}"), var);
    }
    let bait = Bait { fusion: "reconstruction_loss_pair", intermediate: first, graph: g.clone() };
    assert!(fires(&bait, &g), "one of the two can be fused");
}

/// A value and a gradient of one input make a pair only if they are of the same function.
#[test]
fn pairs_are_of_one_kind() {
    let mut g = Graph::new();
    let [y, x] = ["y", "x"].map(|name| input(&mut g, name, &[3, 5]));
    let (a, seed) = (input(&mut g, "positive", &[7]), input(&mut g, "seed", &[]));
    let clock = g.source(Role::State, "clock", clock::ty());
    let plain = ReconstructionLossGrad { kind: LossKind::Sse, activation: Activation::Identity, rows_per_sample: 1 };
    let square = g.apply(Binary::Mul, &[a, a]).unwrap();
    // Of as many rows a sample.
    let [pixels, wanted] = ["pixels", "wanted"].map(|name| input(&mut g, name, &[9, 5]));
    let of_three = ReconstructionLossGrad { rows_per_sample: 3, ..plain };
    let vars = [
        g.apply(ReconstructionLoss { kind: LossKind::Sse, rows_per_sample: 1 }, &[pixels, wanted, clock]).unwrap(),
        g.apply(of_three, &[pixels, wanted, clock, seed]).unwrap(),
        g.apply(ReconstructionLoss { kind: LossKind::Mse, rows_per_sample: 1 }, &[y, x, clock]).unwrap(),
        g.apply(plain, &[y, x, clock, seed]).unwrap(),
        g.apply(RenyiEntropy { alpha: 0.5 }, &[square]).unwrap(),
        g.apply(RenyiEntropyGrad(RenyiEntropy { alpha: 2.0 }), &[square, seed]).unwrap(),
    ];
    for (i, var) in vars.into_iter().enumerate() {
        g.result(format!("result {i}"), var);
    }
    for fusion in ["reconstruction_loss_pair", "renyi_entropy_pair"] {
        assert!(!fires(&Bait { fusion, intermediate: vars[0], graph: g.clone() }, &g), "{fusion}");
    }
}

/// The norms of a network that is judged cost nothing but a pass over its weights; those of so few rows that this is more
/// stay where they are.
#[test]
fn norms_of_a_network_that_is_judged_are_in_its_weights() {
    let config = RunConfig::model("resnet").unwrap();
    let fused = |rows: usize| {
        let g = &mut Graph::new();
        let network = network(g, &config, 3072).unwrap();
        let x = input(g, "x", &[rows, 3072]);
        let code = network.encode(g, x).unwrap();
        g.result("code", code);
        census(&elementary(g).unwrap())
    };
    let (many, few) = (fused(64), fused(1));
    assert_eq!(many.get("conv2d_layer"), Some(&21), "{many:?}");
    assert!(!many.contains_key("scale_columns") && !many.contains_key("add_bias"), "{many:?}");
    assert!(few["scale_columns"] > 5 && few["conv2d_layer"] > 5, "{few:?}");
}
