//! Graphs in which values are read through views, for no reason but to see that it makes no difference.

use gpu_ae::graph::{Graph, Source, Var};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::activation_grad::ActivationGrad;
use gpu_ae::ops::array::reshape::Reshape;
use gpu_ae::rng::{Rng, Stream, stream_key};

/// A value under some other shape, itself where that happens to be its own.
fn bent(g: &mut Graph, dice: &mut Rng, var: Var) -> Var {
    let dims = g.ty(var).shape.dims().to_vec();
    let n: usize = dims.iter().product();
    let others = [vec![n], vec![1, n], vec![n, 1, 1], [&dims[..], &[1]].concat()];
    let other = &others[dice.below(others.len() as u32) as usize];
    g.apply(Reshape::to(other), &[var]).unwrap()
}

/// A value as it is, now and then by way of other shapes.
fn detour(g: &mut Graph, dice: &mut Rng, var: Var) -> Var {
    if dice.below(2) == 0 {
        return var;
    }
    let dims = g.ty(var).shape.dims().to_vec();
    let other = bent(g, dice, var);
    let other = if dice.below(2) == 0 { bent(g, dice, other) } else { other };
    g.apply(Reshape::to(&dims), &[other]).unwrap()
}

/// The same graph with detours, and with what treats element by element done under other shapes.
pub fn viewed(graph: &Graph, seed: u64) -> Graph {
    let mut dice = Rng::new(stream_key(seed, Stream::Data));
    let mut g = Graph::new();
    let mut values: Vec<Vec<Var>> = Vec::new();
    for node in graph.nodes() {
        if let Some(source) = node.op.downcast::<Source>() {
            values.push(vec![g.source(source.role, source.name.clone(), source.ty.clone())]);
            continue;
        }
        let inputs: Vec<Var> = node.inputs.iter().map(|var| values[var.node][var.port]).collect();
        let of_elements = node.op.downcast::<Activation>().is_some() || node.op.downcast::<ActivationGrad>().is_some();
        let outputs = if of_elements && dice.below(2) == 0 {
            let other = bent(&mut g, &mut dice, inputs[0]);
            let dims = g.ty(other).shape.dims().to_vec();
            let inputs: Vec<Var> = inputs.iter().map(|&var| g.apply(Reshape::to(&dims), &[var]).unwrap()).collect();
            let output = g.push(node.op.clone(), &inputs).unwrap()[0];
            vec![g.apply(Reshape::to(node.outputs[0].shape.dims()), &[output]).unwrap()]
        } else {
            let inputs: Vec<Var> = inputs.iter().map(|&var| detour(&mut g, &mut dice, var)).collect();
            g.push(node.op.clone(), &inputs).unwrap()
        };
        values.push(outputs);
    }
    for (name, var) in graph.results() {
        let result = detour(&mut g, &mut dice, values[var.node][var.port]);
        g.result(name.clone(), result);
    }
    g
}
