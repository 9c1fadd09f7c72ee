//! Views that find each other: `nt_xent`, and with a price on their codes `simclr_bits`.

use gpu_ae::graph::{Role, Var};
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::losses::nt_xent;
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::broadcast::Broadcast;
use gpu_ae::ops::array::sum_all::SumAll;
use gpu_ae::ops::rate::gaussian_bits::GaussianBits;
use gpu_ae::ops::rate::ste_round::SteRound;
use gpu_ae::tensor::{Data, HostTensor, Shape};

use super::rate::{finish, scales};
use crate::golden_support::machine::{Machine, Setup};
use crate::golden_support::vectors::Case;
use crate::golden_support::{Answers, Runner, as_they_are, exact};

/// The loss of two views of every row.
pub const NT_XENT: Runner = Runner {
    formula: "nt_xent",
    run: alone,
    correct: as_they_are,
    exactness: |_| 1e-6,
    why: "the temperature is a constant of the graph, and those are f32",
};

/// The same of what a head makes of rounded codes, with the price of both views.
pub const PRICED: Runner = Runner {
    formula: "simclr_bits",
    run: with_bits,
    correct: as_they_are,
    exactness: |name| if name.contains("hq") { exact(name) } else { 1e-6 },
    why: "the temperature and the least scale, 0.11, are constants of the graph, and those are f32",
};

/// First and second views of all rows, those of a row side by side.
fn side_by_side([first, second]: [&HostTensor<f64>; 2]) -> HostTensor<f64> {
    let (rows, columns) = first.shape.matrix().unwrap();
    let pairs = first.real().chunks_exact(columns).zip(second.real().chunks_exact(columns));
    let values = pairs.flat_map(|(first, second)| [first, second].concat()).collect();
    HostTensor { shape: Shape::new(&[2 * rows, columns]), data: Data::Real(values) }
}

/// The way back, of values with so many of a view.
fn apart(values: &[f64], columns: usize) -> [Vec<f64>; 2] {
    [0, 1].map(|view| values.chunks_exact(columns).skip(view).step_by(2).flatten().copied().collect())
}

fn alone(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, columns) = case.extents("z1");
    let mut s = Setup::default();
    let clock = s.clock(2 * rows);
    let one = s.scalar("one", 1.0);
    let z = s.source(Role::Param, "z", &side_by_side(["z1", "z2"].map(|name| case.input(name))));
    let [loss, _] = nt_xent(&mut s.graph, z, clock, case.number("tau") as f32).unwrap();
    s.graph.result("out/loss", loss);
    s.gradients("loss", &[(loss, one)], &[("z", z)]);
    let mut answers = finish(s, machine);
    let gradients = apart(&answers.remove("grad/loss/z").unwrap(), columns);
    answers.extend(["grad/loss/z1", "grad/loss/z2"].map(String::from).into_iter().zip(gradients));
    answers
}

fn with_bits(case: &Case, machine: &mut dyn Machine) -> Answers {
    let (rows, _) = case.extents("x1");
    let mut s = Setup::default();
    let clock = s.clock(2 * rows);
    let one = s.scalar("one", 1.0);
    let x = s.source(Role::Input, "x", &side_by_side(["x1", "x2"].map(|name| case.input(name))));
    let mut wrt: Vec<(String, Var)> = Vec::new();
    let mut source = |s: &mut Setup, name: String| {
        let var = s.source(Role::Param, &name, case.input(&name));
        wrt.push((name, var));
        var
    };
    let [f0, f2, head0, head2] = ["f.0", "f.2", "proj.0", "proj.2"]
        .map(|layer| ["weight", "bias"].map(|part| source(&mut s, format!("{layer}.{part}"))));
    let [location, raw] = ["prior.loc", "prior.scale"].map(|name| source(&mut s, name.into()));
    let g = &mut s.graph;
    let mut layer = |x, [weight, bias]: [Var; 2], activation| {
        Layer { name: String::new(), weight, bias, activation }.forward(g, x).unwrap()
    };
    let hidden = layer(x, f0, Activation::Relu);
    let code = layer(hidden, f2, Activation::Identity);
    let g = &mut s.graph;
    let rounded = g.apply(SteRound, &[code]).unwrap();
    let mut layer = |x, [weight, bias]: [Var; 2], activation| {
        Layer { name: String::new(), weight, bias, activation }.forward(g, x).unwrap()
    };
    let hidden = layer(rounded, head0, Activation::Relu);
    let z = layer(hidden, head2, Activation::Identity);
    let g = &mut s.graph;
    let [loss, _] = nt_xent(g, z, clock, case.number("tau") as f32).unwrap();
    let mean = g.apply(Broadcast::Rows(2 * rows), &[location]).unwrap();
    let scale = scales(g, raw, Some(2 * rows));
    let bits = g.apply(GaussianBits, &[rounded, mean, scale]).unwrap();
    let total = g.apply(SumAll, &[bits]).unwrap();
    let (_, width) = g.ty(rounded).shape.matrix().unwrap();
    for (name, value) in [("nt_xent", loss), ("bits", bits), ("hq", rounded)] {
        g.result(format!("out/{name}"), value);
    }
    let price = s.scalar("price", case.number("beta") / (rows * width) as f64);
    let wrt: Vec<(&str, Var)> = wrt.iter().map(|(name, var)| (name.as_str(), *var)).collect();
    s.gradients("L", &[(loss, one), (total, price)], &wrt);
    let mut answers = finish(s, machine);
    let bits = apart(&answers.remove("out/bits").unwrap(), width);
    let bits = bits.map(|of_view| of_view.iter().sum::<f64>() / (rows * width) as f64);
    let codes = apart(&answers.remove("out/hq").unwrap(), width);
    let whole = answers["out/nt_xent"][0] + case.number("beta") * (bits[0] + bits[1]);
    answers.insert("out/L".into(), vec![whole]);
    for (view, (bits, codes)) in bits.into_iter().zip(codes).enumerate() {
        answers.insert(format!("out/bpd{}", view + 1), vec![bits]);
        answers.insert(format!("out/hq{}", view + 1), codes);
    }
    answers
}
