//! Random graphs of layers, sums, losses and gradients, with values for their sources.

use gpu_ae::autodiff;
use gpu_ae::graph::{Feeds, Graph, Role, Source, Var, interpret};
use gpu_ae::nn::layers::Layer;
use gpu_ae::nn::losses::{Activity, soft_assignment, weight_entropy};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::sum_all::SumAll;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::step::clock;
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::tensor::{DType, HostTensor, Ty};

struct Dice(Rng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0.below(n as u32) as usize
    }
    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A graph and feeds. Arguments of ReLUs stay away from 0, where one rounding changes a gradient.
pub fn random_graph(seed: u64) -> (Graph, Feeds<f64>) {
    (0..100)
        .map(|attempt| build(&mut Dice(Rng::new(stream_key(seed * 100 + attempt, Stream::Data)))))
        .find(|(graph, feeds)| {
            let values = interpret(graph, &mut feeds.clone()).unwrap();
            let bent = [Activation::Relu, Activation::LeakyRelu];
            let bent = |node: &&gpu_ae::graph::Node| node.op.downcast().is_some_and(|op| bent.contains(op));
            let mut arguments = graph.nodes().iter().filter(bent).flat_map(|n| values.get(n.inputs[0]).real());
            arguments.all(|x| x.abs() > 1e-3)
        })
        .unwrap()
}

fn build(dice: &mut Dice) -> (Graph, Feeds<f64>) {
    let mut graph = Graph::new();
    let g = &mut graph;
    let (rows, features) = (1 + dice.below(9), 1 + dice.below(9));
    let valid = 1 + dice.below(rows);
    let clock = g.source(Role::State, "clock", clock::ty());
    let x = g.source(Role::Input, "x", Ty::f32(&[rows, features]));
    let target = g.source(Role::Input, "target", Ty::f32(&[rows, features]));

    let mut layers: Vec<Layer> = Vec::new();
    let mut outputs = vec![x];
    let count = 2 + dice.below(3);
    for i in 0..count {
        let input = outputs[outputs.len() - 1];
        let width = if i + 1 == count { features } else { dice.pick(&[1, 3, 4, 8, 9, 17]) };
        let activation = dice.pick(&Activation::ALL);
        let inputs = g.ty(input).shape.dims()[1];
        let layer = crate::layers::layer(g, &format!("layer {i}"), inputs, width, activation);
        let mut output = layer.forward(g, input).unwrap();
        if dice.chance(20) && inputs == width {
            // The same weights twice, and a way around them.
            output = layer.forward(g, output).unwrap();
            output = g.apply(Binary::Add, &[output, input]).unwrap();
        }
        layers.push(layer);
        outputs.push(output);
    }

    let kind = dice.pick(&[LossKind::Mse, LossKind::Sse, LossKind::Bce]);
    let mut terms =
        vec![g.apply(ReconstructionLoss { kind, rows_per_sample: 1 }, &[outputs[count], target, clock]).unwrap()];
    for pair in layers.windows(2) {
        if dice.chance(60) {
            let activities = [Activity::Incoming, Activity::Outgoing, Activity::Both, Activity::Sum, Activity::Product];
            let (activity, alpha) = (dice.pick(&activities), dice.pick(&[0.04, 0.5, 1.0, 2.0, f32::INFINITY]));
            terms.push(weight_entropy(g, &pair[0], &pair[1], activity, alpha, 0.5).unwrap());
        }
    }
    if dice.chance(40) {
        let code = soft_assignment(g, outputs[1], clock, dice.pick(&[-1.0, 1.5])).unwrap();
        terms.extend([code.entropy, code.divergence]);
    }
    if dice.chance(30) {
        let weight = layers[0].weight;
        let square = g.apply(Binary::Mul, &[weight, weight]).unwrap();
        terms.push(g.apply(SumAll, &[square]).unwrap());
    }
    let seeds: Vec<(Var, Var)> = terms
        .iter()
        .enumerate()
        .map(|(i, &term)| (term, g.source(Role::State, format!("lambda {i}"), Ty::f32(&[]))))
        .collect();
    let mut wrt: Vec<Var> = layers.iter().flat_map(|layer| [layer.weight, layer.bias]).collect();
    if dice.chance(50) {
        wrt.push(x);
    }
    let gradients = autodiff::grad(g, &seeds, &wrt).unwrap();
    for (i, var) in terms.into_iter().chain(gradients.into_iter().flatten()).enumerate() {
        g.result(format!("result {i}"), var);
    }
    // Now and then something in the middle is wanted too.
    for node in 0..g.nodes().len() {
        let wanted = !g.nodes()[node].inputs.is_empty() && g.nodes()[node].outputs[0].dtype == DType::F32;
        if wanted && dice.chance(7) {
            let port = dice.below(g.nodes()[node].outputs.len());
            g.result(format!("middle {node}"), Var { node, port });
        }
    }
    let feeds = feed(&graph, valid, dice);
    (graph, feeds)
}

fn feed(graph: &Graph, valid: usize, dice: &mut Dice) -> Feeds<f64> {
    let sources: Vec<Source> = graph.sources().map(|(_, source)| source.clone()).collect();
    let mut feeds = Feeds::new();
    for source in sources {
        let dims = source.ty.shape.dims();
        let (low, high) = if source.name == "x" || source.name == "target" { (0.0, 1.0) } else { (-0.7, 0.7) };
        let value = match source.ty.dtype {
            DType::U32 => HostTensor::from_words(dims, clock::with_valid_rows(valid).words()),
            _ => {
                let elements: Vec<f32> = (0..source.ty.elements()).map(|_| dice.0.range(low, high)).collect();
                HostTensor::from_f32(dims, &elements)
            }
        };
        feeds.insert(source.name, value);
    }
    feeds
}
