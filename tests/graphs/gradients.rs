//! Every gradient rule against f64 central differences, through the interpreter. The operations come
//! from the registry of kernels: a new one is either differentiated here without further ado, or fails
//! until it is listed among the refusals of `gradients_exceptions.rs` with its reason.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::difference::{self, away_from_zero, check, signed};
use crate::gradients_exceptions::{CARRIERS, CONSTANT, REFUSED, STOPS, is_refused, is_refused_case};
use gpu_ae::graph::{Feeds, Graph, OpRef, Role, Var};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::reshape::Reshape;
use gpu_ae::ops::array::sum_all::SumAll;
use gpu_ae::ops::step::all_reduce::AllReduce;
use gpu_ae::ops::{Case, KERNELS, Tolerance};
use gpu_ae::tensor::{Data, HostTensor, Ty};

/// Elements up to which a case is small enough for differences.
const SMALL: usize = 6_000;

/// Operations that have no kernel, being views.
fn views() -> Vec<Case> {
    let case = |from: &[usize], to: &[usize]| {
        let elements: Vec<f32> = (0..from.iter().product()).map(|i| (i as f32 * 0.7).sin()).collect();
        let label = format!("{from:?} to {to:?}");
        Case::new(label, Reshape::to(to), vec![HostTensor::from_f32(from, &elements)], Tolerance::EXACT)
    };
    vec![case(&[2, 3, 4, 5], &[24, 5]), case(&[24, 5], &[2, 60]), case(&[1], &[]), case(&[7], &[7])]
}

/// What the host exchanges between devices has no kernel either. Of a member alone the sum is its own value;
/// `tests/training/together.rs` has several.
fn exchanges() -> Vec<Case> {
    let wave = |shape: &[usize]| {
        let elements: Vec<f32> = (0..shape.iter().product()).map(|i| (i as f32 * 0.7).sin()).collect();
        HostTensor::from_f32(shape, &elements)
    };
    let case = |label: &str, inputs: Vec<HostTensor<f32>>| {
        let exchange = AllReduce::of("exchanged", inputs.len());
        Case::new(label, exchange, inputs, Tolerance::EXACT)
    };
    vec![case("one tensor", vec![wave(&[3, 5])]), case("three tensors", vec![wave(&[7]), wave(&[]), wave(&[2, 3, 4])])]
}

fn cases() -> impl Iterator<Item = Case> {
    let has_slope = |case: &Case| !STOPS.iter().any(|(name, _)| *name == case.op.name());
    KERNELS.iter().flat_map(|kernel| kernel.cases()).chain(views()).chain(exchanges()).filter(has_slope)
}

/// An operation alone in a graph, with a random seed for every output that carries a gradient.
struct Alone {
    graph: Graph,
    inputs: Vec<Var>,
    outputs: Vec<Var>,
    seeds: Vec<(Var, Var)>,
    wrt: Vec<Var>,
    feeds: Feeds<f64>,
}

fn alone(op: &OpRef, inputs: &[HostTensor<f32>]) -> Alone {
    let mut rng = difference::rng(inputs.len() as u64);
    let mut graph = Graph::new();
    let mut feeds = Feeds::new();
    let mut wrt = Vec::new();
    let mut vars = Vec::new();
    for (i, input) in inputs.iter().enumerate() {
        let mut wide = match &input.data {
            Data::Real(x) => HostTensor::from_f32(input.shape.dims(), x),
            Data::Words(x) => HostTensor::from_words(input.shape.dims(), x),
            Data::Bytes(x) => HostTensor::from_bytes(input.shape.dims(), x),
        };
        // Kinks of ReLU, of absolute values and of entropies at 0 are kept at a distance.
        if op.name().starts_with("activ")
            || ["renyi", "path", "sparsity"].iter().any(|kind| op.name().starts_with(kind))
        {
            away_from_zero(&mut wide);
        }
        let var = graph.source(Role::Input, format!("input {i}"), input.ty());
        if matches!(input.data, Data::Real(_)) && !CONSTANT.iter().any(|(name, at, _)| (*name, *at) == (op.name(), i)) {
            wrt.push(var);
        }
        feeds.insert(format!("input {i}"), wide);
        vars.push(var);
    }
    let outputs = graph.push(op.clone(), &vars).unwrap();
    let carriers = CARRIERS.iter().find(|(name, _, _)| *name == op.name()).map(|(_, ports, _)| *ports);
    let mut seeds = Vec::new();
    for output in outputs.iter().copied().filter(|output| carriers.is_none_or(|ports| ports.contains(&output.port))) {
        let ty = graph.ty(output).clone();
        let name = format!("seed {}", output.port);
        feeds.insert(name.clone(), signed(&mut rng, ty.shape.dims()));
        seeds.push((output, graph.source(Role::Input, name, Ty::f32(ty.shape.dims()))));
    }
    Alone { graph, inputs: vars, outputs, seeds, wrt, feeds }
}

/// Σ v² over all of `vars`.
fn squares(graph: &mut Graph, vars: &[Var]) -> Var {
    let square = |graph: &mut Graph, var: Var| {
        let square = graph.apply(Binary::Mul, &[var, var]).unwrap();
        graph.apply(SumAll, &[square]).unwrap()
    };
    let first = square(graph, vars[0]);
    vars[1..].iter().fold(first, |sum, &var| {
        let next = square(graph, var);
        graph.apply(Binary::Add, &[sum, next]).unwrap()
    })
}

fn one(graph: &mut Graph, feeds: &mut Feeds<f64>) -> Var {
    feeds.insert("one".into(), HostTensor::from_f32(&[], &[1.0]));
    graph.source(Role::State, "one", Ty::f32(&[]))
}

#[test]
fn every_rule_agrees_with_differences_and_everything_else_refuses_by_name() {
    let mut proved = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for case in cases() {
        let name = case.op.name();
        if is_refused(name) || is_refused_case(&case.op) {
            let Alone { mut graph, inputs, outputs, seeds, .. } = alone(&case.op, &case.inputs);
            let dy: Vec<Option<Var>> = seeds.iter().map(|(_, seed)| Some(*seed)).collect();
            let error = case.op.vjp(&mut graph, &inputs, &outputs, &dy).expect_err(name).to_string();
            assert!(error.contains(name), "the refusal of {name} does not name it: {error}");
            if is_refused(name) {
                refused.insert(name);
            }
        } else if case.inputs.iter().map(|input| input.ty().elements()).sum::<usize>() <= SMALL {
            let Alone { graph, seeds, wrt, feeds, .. } = alone(&case.op, &case.inputs);
            check(&graph, &seeds, &wrt, &feeds)
                .unwrap_or_else(|error| panic!("{name} {}: {error}; list it as refused with its reason", case.label))
                .unwrap_or_else(|problem| panic!("{name} {} {}: {problem}", case.op.attributes(), case.label));
            proved.insert(name);
        }
    }
    let listed: BTreeSet<&str> = REFUSED.iter().map(|(name, _)| *name).collect();
    assert_eq!(refused, listed, "an operation listed as refused has no case");
    let all: BTreeSet<&str> = cases().map(|case| case.op.name()).collect();
    let judged: BTreeSet<&str> = proved.union(&refused).copied().collect();
    assert_eq!(judged, all, "an operation has no case small enough for differences");
    let mut declared = declared();
    assert!(
        STOPS.iter().all(|(name, _)| declared.remove(name)),
        "an operation whose rule is not what differences say is declared nowhere"
    );
    assert_eq!(judged, declared, "an operation of src/ops appears in no kernel's cases");
}

/// Names that the sources of the operations declare.
fn declared() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    let mut places = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ops"))];
    while let Some(place) = places.pop() {
        if place.is_dir() {
            places.extend(std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let source: &'static str = std::fs::read_to_string(place).unwrap().leak();
        for body in source.split("fn name(&self) -> &'static str {").skip(1) {
            let body = body.split("\n    }\n").next().unwrap_or_default();
            names.extend(body.split('"').skip(1).step_by(2));
        }
    }
    names
}

#[test]
fn gradients_of_gradients_agree_with_differences_or_refuse_by_name() {
    let mut proved = BTreeSet::new();
    for case in cases().filter(|case| !is_refused(case.op.name()) && !is_refused_case(&case.op)) {
        if case.inputs.iter().map(|input| input.ty().elements()).sum::<usize>() > SMALL / 4 {
            continue;
        }
        let Alone { graph, seeds, wrt, mut feeds, .. } = alone(&case.op, &case.inputs);
        let (mut graph, gradients) = check(&graph, &seeds, &wrt, &feeds).unwrap().unwrap();
        if gradients.is_empty() {
            continue;
        }
        let sum = squares(&mut graph, &gradients);
        let seed = one(&mut graph, &mut feeds);
        let label = format!("{} {}", case.op.name(), case.label);
        match check(&graph, &[(sum, seed)], &wrt, &feeds) {
            Ok(Ok(_)) => drop(proved.insert(case.op.name())),
            Ok(Err(problem)) => panic!("{label}: {problem}"),
            Err(error) => {
                let error = error.to_string();
                let names_it = |name: &str| error.starts_with(&format!("{name}: "));
                let refuses = REFUSED.iter().any(|(name, _)| names_it(name));
                // Some gradients are made of outputs that carry none.
                assert!(refuses || CARRIERS.iter().any(|(name, _, _)| names_it(name)), "{label}: {error}");
            }
        }
    }
    for name in ["activation", "activation_grad", "add_bias", "binary", "matmul_nt", "matmul_nn", "matmul_tn", "unary"]
    {
        assert!(proved.contains(name), "{name} has no second gradient; a contractive penalty needs it");
    }
}

/// The harness itself: a gradient that is wrong by 1 % must not pass.
#[test]
fn a_gradient_off_by_one_percent_is_noticed() {
    #[derive(Debug)]
    struct WrongRule;
    impl WrongRule {
        fn eval<T: gpu_ae::tensor::Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
            y[0].real_mut().iter_mut().zip(x[0].real()).for_each(|(y, &x)| *y = x * x);
        }
    }
    impl gpu_ae::graph::Op for WrongRule {
        fn name(&self) -> &'static str {
            "wrong_rule"
        }
        fn infer(&self, inputs: &[&Ty]) -> gpu_ae::Result<Vec<Ty>> {
            Ok(vec![inputs[0].clone()])
        }
        fn vjp(&self, g: &mut Graph, x: &[Var], _: &[Var], dy: &[Option<Var>]) -> gpu_ae::Result<Vec<Option<Var>>> {
            let twice = gpu_ae::ops::array::unary::Unary::Affine { scale: 2.02, shift: 0.0 };
            let slope = g.apply(twice, &[x[0]])?;
            Ok(vec![Some(g.apply(Binary::Mul, &[slope, dy[0].unwrap()])?)])
        }
        gpu_ae::twin!();
    }
    let op: OpRef = Arc::new(WrongRule);
    let Alone { graph, seeds, wrt, feeds, .. } = alone(&op, &[HostTensor::from_f32(&[3], &[0.5, -0.7, 0.2])]);
    let problem = check(&graph, &seeds, &wrt, &feeds).unwrap().unwrap_err();
    assert!(problem.contains("input 0"), "{problem}");
}

/// Σ (dy/dx)² of a linear layer with a sigmoid, differentiated: the contractive penalty.
#[test]
fn contractive_penalty_of_a_sigmoid_layer() {
    for (batch, inputs, outputs) in [(1, 1, 1), (3, 5, 2), (7, 4, 9)] {
        let mut rng = difference::rng(5);
        let mut graph = Graph::new();
        let mut feeds = Feeds::new();
        let x = graph.source(Role::Input, "x", Ty::f32(&[batch, inputs]));
        let layer = crate::layers::layer(&mut graph, "layer", inputs, outputs, Activation::Sigmoid);
        let y = layer.forward(&mut graph, x).unwrap();
        let seed = graph.source(Role::Input, "seed", graph.ty(y).clone());
        let wrt = [x, layer.weight, layer.bias];
        let names = ["x", "layer.weight", "layer.bias", "seed"];
        for (name, var) in names.into_iter().zip([x, layer.weight, layer.bias, seed]) {
            feeds.insert(name.into(), signed(&mut rng, graph.ty(var).shape.dims()));
        }
        let slope = gpu_ae::autodiff::grad(&mut graph, &[(y, seed)], &[x]).unwrap()[0].unwrap();
        let penalty = squares(&mut graph, &[slope]);
        let seed = one(&mut graph, &mut feeds);
        let (_, gradients) = check(&graph, &[(penalty, seed)], &wrt, &feeds).unwrap().unwrap();
        assert_eq!(gradients.len(), 3, "x, weights and biases all move the penalty");
    }
}
