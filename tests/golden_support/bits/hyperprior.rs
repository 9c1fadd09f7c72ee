//! Bits under Gaussians that a side code tells of, alone and in a network: `hyperprior_bits`, `entropy_bottleneck`.

use gpu_ae::graph::{Graph, Role, Var};
use gpu_ae::nn::Pass;
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::rate::logistic_bits;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::sum_all::SumAll;
use gpu_ae::ops::rate::gaussian_bits::GaussianBits;
use gpu_ae::ops::rate::ste_round::SteRound;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::rate::{finish, inputs, scales};
use crate::golden_support::conv::blocks::built;
use crate::golden_support::images::{images, in_file};
use crate::golden_support::machine::{Machine, Setup};
use crate::golden_support::vectors::Case;
use crate::golden_support::{Answers, Runner, as_they_are};

/// Bits under Gaussians that a side code tells of, and those of the side code.
pub const HYPERPRIOR: Runner = Runner {
    formula: "hyperprior_bits",
    run: hyperprior,
    correct: as_they_are,
    exactness: |_| 1e-6,
    why: "the least scales, 0.11 and 0.001, are constants of the graph, and those are f32",
};

/// A classifier of images whose code is priced so: the three ways back to its encoder.
pub const BOTTLENECK: Runner = Runner {
    formula: "entropy_bottleneck",
    run: bottleneck,
    correct: as_they_are,
    exactness: |_| 1e-6,
    why: "the least scales, 0.11 and 0.001, are constants of the graph, and those are f32",
};

/// What a code and its side code cost, number by number, and the sources that this depends on, as a case calls them; the last
/// layer is two, since one makes the means and the other one the scales.
struct Priced {
    side: Var,
    of_side: Var,
    rounded: Var,
    of_code: Var,
    wrt: Vec<(String, Var)>,
}

/// Names of the layers' weights and biases, in the order of the way, and of the side code's distribution.
struct Names {
    layers: [[&'static str; 2]; 4],
    prior: [&'static str; 2],
}

const HALVES: [&str; 2] = ["means", "scales"];

fn pass(g: &mut Graph, x: Var, [weight, bias]: [Var; 2], activation: Activation) -> Var {
    Layer { name: String::new(), weight, bias, activation }.forward(g, x).unwrap()
}

/// The price of `z`, where `drawn` makes of a side code what is coded of it.
fn priced(s: &mut Setup, case: &Case, names: &Names, z: Var, drawn: impl Fn(&mut Graph, Var) -> Var) -> Priced {
    let (_, width) = s.graph.ty(z).shape.matrix().unwrap();
    let mut wrt = Vec::new();
    let mut source = |s: &mut Setup, name: String, value: &HostTensor<f64>| {
        let var = s.source(Role::Param, &name, value);
        wrt.push((name, var));
        var
    };
    let [first, second, third] =
        [0, 1, 2].map(|at: usize| names.layers[at].map(|name| source(s, name.into(), case.input(name))));
    let prior = names.prior.map(|name| source(s, name.into(), case.input(name)));
    let [means, raw] = [0, 1].map(|half: usize| {
        names.layers[3].map(|name| {
            let whole = case.input(name);
            let rest = whole.shape.dims()[1..].to_vec();
            let values = whole.real().chunks_exact(whole.real().len() / 2).nth(half).unwrap().to_vec();
            let shape = Shape::new(&[vec![width], rest].concat());
            source(s, format!("{name} {}", HALVES[half]), &HostTensor { shape, data: Data::Real(values) })
        })
    });
    let g = &mut s.graph;
    let hidden = pass(g, z, first, Activation::Relu);
    let side = pass(g, hidden, second, Activation::Identity);
    let side = drawn(g, side);
    let of_side = logistic_bits(g, side, prior).unwrap();
    let inside = pass(g, side, third, Activation::Relu);
    let [mean, raw] = [means, raw].map(|layer| pass(g, inside, layer, Activation::Identity));
    let scale = scales(g, raw, None);
    let rounded = g.apply(SteRound, &[z]).unwrap();
    let of_code = g.apply(GaussianBits, &[rounded, mean, scale]).unwrap();
    Priced { side, of_side, rounded, of_code, wrt }
}

/// Joins the gradients of the two halves of the last layer.
fn join(answers: &mut Answers, of: &str, names: &Names) {
    for name in names.layers[3] {
        let halves =
            HALVES.map(|half| answers.remove(&format!("grad/{of}/{name} {half}")).expect("a gradient of a half"));
        answers.insert(format!("grad/{of}/{name}"), halves.concat());
    }
}

fn hyperprior(case: &Case, machine: &mut dyn Machine) -> Answers {
    let names = Names { layers: [["W1", "b1"], ["W2", "b2"], ["W3", "b3"], ["W4", "b4"]], prior: ["m", "k"] };
    let mut s = Setup::default();
    let one = s.scalar("one", 1.0);
    let [z, noise] = inputs(&mut s, case, ["z", "noise"]);
    let priced = priced(&mut s, case, &names, z, |g, side| g.apply(Binary::Add, &[side, noise]).unwrap());
    let g = &mut s.graph;
    let [of_code, of_side] = [priced.of_code, priced.of_side].map(|bits| g.apply(SumAll, &[bits]).unwrap());
    let total = g.apply(Binary::Add, &[of_code, of_side]).unwrap();
    for (name, value) in [("bits_z", of_code), ("bits_y", of_side), ("total", total)] {
        g.result(format!("out/{name}"), value);
    }
    let mut wrt: Vec<(&str, Var)> = priced.wrt.iter().map(|(name, var)| (name.as_str(), *var)).collect();
    wrt.push(("z", z));
    s.gradients("total", &[(total, one)], &wrt);
    let mut answers = finish(s, machine);
    join(&mut answers, "total", &names);
    answers
}

fn bottleneck(case: &Case, machine: &mut dyn Machine) -> Answers {
    let names = Names {
        layers: [
            ["hyper.enc1.weight", "hyper.enc1.bias"],
            ["hyper.enc2.weight", "hyper.enc2.bias"],
            ["hyper.dec1.weight", "hyper.dec1.bias"],
            ["hyper.dec2.weight", "hyper.dec2.bias"],
        ],
        prior: ["hyper.prior.loc", "hyper.prior.scale"],
    };
    let dims = |name: &str| case.input(name).shape.dims().to_vec();
    let (x, code) = (dims("x"), dims("encoder.fc.weight")[0]);
    let conv = |name: &str| {
        let channels = dims(name)[0];
        format!("{{ conv = {channels}, kernel = 3, stride = 2, padding = 1, activation = 'relu' }}")
    };
    let [first, second] = ["encoder.conv1.weight", "encoder.conv2.weight"].map(conv);
    let text = format!(
        "{{ unflatten = '{}x{}x{}' }}, {first}, {second}, {{ pool = 'global' }}, {{ linear = {code} }}",
        x[2], x[3], x[1]
    );
    let layers = ["conv1", "conv2", "fc"];
    let own = layers.iter().flat_map(|layer| ["weight", "bias"].map(|part| format!("encoder.{layer}.{part}")));
    let mut built = built(case, "x", &text, own.collect());
    let labels = built.labels(case);
    let (z, _) = built.pass(Pass::Train);
    let s = &mut built.setup;
    // Without noise the side code is rounded in training as well.
    let noise = case.has("noise").then(|| inputs(s, case, ["noise"])[0]);
    let drawn = |g: &mut Graph, side| match noise {
        Some(noise) => g.apply(Binary::Add, &[side, noise]).unwrap(),
        None => g.apply(SteRound, &[side]).unwrap(),
    };
    let priced = priced(s, case, &names, z, drawn);
    let head = ["head.weight", "head.bias"].map(|name| s.source(Role::Param, name, case.input(name)));
    let logits = pass(&mut s.graph, priced.rounded, head, Activation::Identity);
    let numbers = (x[0] * code) as f64;
    let (beta, charge) = (case.number("beta"), case.number("charge_side"));
    let one = s.scalar("one", 1.0);
    let of_code = s.scalar("price of the code", beta / numbers);
    let of_side = s.scalar("price of the side code", beta * charge / numbers);
    let loss = built.cross_entropy(logits, labels);
    let s = &mut built.setup;
    let sums = [priced.of_code, priced.of_side].map(|bits| s.graph.apply(SumAll, &[bits]).unwrap());
    let Priced { side, rounded, .. } = priced;
    for (name, value) in [
        ("z", z),
        ("zq", rounded),
        ("side", side),
        ("bits_z", priced.of_code),
        ("bits_y", priced.of_side),
        ("logits", logits),
        ("ce", loss),
        ("sum of code", sums[0]),
        ("sum of side", sums[1]),
    ] {
        s.graph.result(format!("out/{name}"), value);
    }
    let orders: Vec<_> = built.trained().map(|(own, name)| (name.clone(), own.var, own.order.clone())).collect();
    let mut wrt: Vec<(&str, Var)> = orders.iter().map(|(name, var, _)| (name.as_str(), *var)).collect();
    wrt.extend(priced.wrt.iter().map(|(name, var)| (name.as_str(), *var)));
    wrt.extend([("head.weight", head[0]), ("head.bias", head[1]), ("x", built.x)]);
    built.setup.gradients("L", &[(loss, one), (sums[0], of_code), (sums[1], of_side)], &wrt);
    let mut answers = finish(built.setup, machine);
    join(&mut answers, "L", &names);
    for (name, _, order) in &orders {
        answers.entry(format!("grad/L/{name}")).and_modify(|own| *own = in_file(order.as_ref(), std::mem::take(own)));
    }
    answers.entry("grad/L/x".into()).and_modify(|own| *own = images(std::mem::take(own), &x));
    let [of_code, of_side] = ["code", "side"].map(|of| answers.remove(&format!("out/sum of {of}")).unwrap()[0]);
    let bits = (of_code + charge * of_side) / numbers;
    let whole = answers["out/ce"][0] + beta * bits;
    answers.extend([("out/bits_per_dim".into(), vec![bits]), ("out/L".into(), vec![whole])]);
    answers
}
