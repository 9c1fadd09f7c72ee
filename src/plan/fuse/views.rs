//! Views out of the way of the other fusions, which look for operations that follow one another.
//!
//! Every view shows a value that is computed or comes from outside, not another view; one that shows it as it is goes
//! away, and so does what nobody reads. Where elements are treated one by one, a view comes after instead of before:
//! act(view(x)) is view(act(x)), whose product is then found in front of it.

use std::collections::HashMap;

use super::rewrite::Builder;
use crate::error::Result;
use crate::graph::{Graph, Node, Op, Var};
use crate::ops::array::activation::Activation;
use crate::ops::array::activation_grad::ActivationGrad;
use crate::ops::array::reshape::Reshape;
use crate::tensor::{Shape, Ty};

/// Whether `op` makes one tensor of tensors of its shape, whatever that is, element by element. These are the
/// operations that end in the epilogue of a product.
fn is_of_elements(op: &dyn Op) -> bool {
    op.downcast::<Activation>().is_some() || op.downcast::<ActivationGrad>().is_some()
}

/// A graph under construction in which views are put off until somebody needs them.
struct Views<'a> {
    old: &'a Graph,
    builder: Builder<'a>,
    made: HashMap<(Var, Shape), Var>,
}

impl Views<'_> {
    /// The new value of an old one, under this shape.
    fn shown(&mut self, var: Var, shape: &Shape) -> Result<Var> {
        let root = self.builder.translate(&[self.old.viewed(var)])?[0];
        if self.builder.graph.ty(root).shape == *shape {
            return Ok(root);
        }
        if let Some(view) = self.made.get(&(root, shape.clone())) {
            return Ok(*view);
        }
        let view = self.builder.graph.apply(Reshape(shape.clone()), &[root])?;
        self.made.insert((root, shape.clone()), view);
        Ok(view)
    }

    fn add(&mut self, index: usize, node: &Node) -> Result<()> {
        if node.inputs.is_empty() {
            return self.builder.copy(index);
        }
        // The shape that the first operand is computed in, for as long as nobody asks for another.
        let first = self.builder.translate(&[self.old.viewed(node.inputs[0])])?[0];
        let own = is_of_elements(node.op.as_ref()).then(|| self.builder.graph.ty(first).shape.clone());
        let inputs = node.inputs.iter().map(|&var| {
            let shape = own.clone().unwrap_or_else(|| self.old.ty(var).shape.clone());
            self.shown(var, &shape)
        });
        let inputs = inputs.collect::<Result<Vec<Var>>>()?;
        let outputs = self.builder.graph.push(node.op.clone(), &inputs)?;
        for (port, var) in outputs.into_iter().enumerate() {
            self.builder.map.insert(Var { node: index, port }, var);
        }
        Ok(())
    }
}

/// The graph with as few views as its values need, each as late as can be.
pub(in crate::plan) fn settle_views(graph: &Graph) -> Result<Graph> {
    if graph.nodes().iter().all(|node| node.op.views().is_empty()) {
        return Ok(graph.clone());
    }
    let mut views = Views { old: graph, builder: Builder::new(graph), made: HashMap::new() };
    for (index, node) in graph.nodes().iter().enumerate().filter(|(_, node)| node.op.views().is_empty()) {
        views.add(index, node)?;
    }
    let mut results = Vec::new();
    for (name, var) in graph.results() {
        let Ty { shape, .. } = graph.ty(*var);
        results.push((name.clone(), views.shown(*var, shape)?));
    }
    let mut settled = views.builder.graph;
    results.into_iter().for_each(|(name, var)| settled.result(name, var));
    Ok(settled)
}
