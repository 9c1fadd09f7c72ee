//! What pattern matching asks of a graph.

use crate::graph::{Graph, Op, OpRef, Role, Source, Var};
use crate::tensor::Ty;

/// A graph with what pattern matching asks of it.
pub(in crate::plan) struct Finder<'a> {
    graph: &'a Graph,
    uses: Vec<Vec<Vec<(usize, usize)>>>,
}

impl<'a> Finder<'a> {
    pub fn new(graph: &'a Graph) -> Self {
        Finder { graph, uses: graph.uses() }
    }

    /// Indices of the nodes that are an `O`.
    pub fn all<O: Op>(&self) -> impl Iterator<Item = (usize, &'a O)> {
        self.graph.nodes().iter().enumerate().filter_map(|(i, node)| Some((i, node.op.downcast::<O>()?)))
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.graph.nodes().len()
    }

    /// Whether a value, or what overwrites or shows it, is part of a group that lies in one arena.
    pub fn ends_packed(&self, var: Var) -> bool {
        self.readers(var).iter().any(|&(reader, at)| {
            let op = self.op(reader);
            if op.packed_inputs(self.inputs(reader).len()).iter().any(|(_, range)| range.contains(&at)) {
                return true;
            }
            let mut same_memory = op.aliases().into_iter().chain(op.views());
            let next = same_memory.find(|(input, _)| *input == at);
            next.is_some_and(|(_, port)| self.ends_packed(Var { node: reader, port }))
        })
    }

    /// What a node reads.
    pub fn inputs(&self, node: usize) -> &'a [Var] {
        &self.graph.nodes()[node].inputs
    }

    /// What a node computes.
    pub fn op(&self, node: usize) -> &'a dyn Op {
        self.graph.nodes()[node].op.as_ref()
    }

    /// The same, to be kept.
    pub fn shared_op(&self, node: usize) -> OpRef {
        self.graph.nodes()[node].op.clone()
    }

    /// Nodes that read a value, each with the position at which it does.
    pub fn readers(&self, var: Var) -> &[(usize, usize)] {
        &self.uses[var.node][var.port]
    }

    /// Type of a value.
    pub fn ty(&self, var: Var) -> &'a Ty {
        self.graph.ty(var)
    }

    /// What a value from outside is for; a view of one lies where that lies.
    pub fn role(&self, var: Var) -> Option<Role> {
        self.op(self.graph.viewed(var).node).downcast::<Source>().map(|source| source.role)
    }

    /// Whether a value is one of the graph's results.
    pub fn is_wanted(&self, var: Var) -> bool {
        self.graph.results().iter().any(|(_, result)| *result == var)
    }

    /// All outputs of a node, each as the same output of its replacement.
    pub fn outputs(&self, node: usize) -> Vec<(Var, usize)> {
        (0..self.graph.nodes()[node].outputs.len()).map(|port| (Var { node, port }, port)).collect()
    }

    /// The one node that reads `var`, if it is an `O` reading it at `position` and nobody else wants
    /// the value.
    pub fn only_user<O: Op>(&self, var: Var, position: usize) -> Option<(usize, &'a O)> {
        match self.readers(var)[..] {
            [(node, at)] if at == position && !self.is_wanted(var) => {
                Some((node, self.graph.nodes()[node].op.downcast()?))
            }
            _ => None,
        }
    }
}
