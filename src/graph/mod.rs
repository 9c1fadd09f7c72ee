//! WHAT is computed: nodes, types and names. Pure data; knows no device.

mod interpret;
mod op;
mod source;

use std::fmt::{self, Display};
use std::sync::Arc;

pub use interpret::{Feeds, Values, interpret};
pub use op::{Op, OpRef, Precision};
pub use source::{Role, Source};

use crate::error::{Error, Result};
use crate::tensor::Ty;

/// One output of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var {
    /// Index of the node.
    pub node: usize,
    /// Which of its outputs.
    pub port: usize,
}

/// An operation applied to values.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is applied.
    pub op: OpRef,
    /// To which values.
    pub inputs: Vec<Var>,
    /// Types of the outputs.
    pub outputs: Vec<Ty>,
}

impl Node {
    /// Whether a device has something to run for this node: sources are there already, so is what a view shows, and what is
    /// exchanged with others is the host's to do.
    pub fn is_computed(&self) -> bool {
        !self.inputs.is_empty() && self.op.views().is_empty() && !self.op.is_exchange()
    }
}

/// A list of nodes in an order in which they can be computed, and the values that are wanted.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    results: Vec<(String, Var)>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// The nodes, each after everything it reads.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node that computes `var`.
    pub fn node(&self, var: Var) -> &Node {
        &self.nodes[var.node]
    }

    /// Type of a value.
    pub fn ty(&self, var: Var) -> &Ty {
        &self.nodes[var.node].outputs[var.port]
    }

    /// The value that `var` shows, at the end of a chain of views; `var` itself if it is no view.
    pub fn viewed(&self, var: Var) -> Var {
        let node = self.node(var);
        let shown = node.op.views().into_iter().find(|&(_, output)| output == var.port);
        shown.map_or(var, |(input, _)| self.viewed(node.inputs[input]))
    }

    /// The values to be kept, by name.
    pub fn results(&self) -> &[(String, Var)] {
        &self.results
    }

    /// Marks a value as wanted under a name.
    pub fn result(&mut self, name: impl Into<String>, var: Var) {
        self.results.push((name.into(), var));
    }

    /// Adds a node.
    ///
    /// # Errors
    /// When the operation refuses the types.
    pub fn push(&mut self, op: OpRef, inputs: &[Var]) -> Result<Vec<Var>> {
        let types: Vec<&Ty> = inputs.iter().map(|&v| self.ty(v)).collect();
        let outputs = op.infer(&types)?;
        let node = self.nodes.len();
        let vars = (0..outputs.len()).map(|port| Var { node, port }).collect();
        self.nodes.push(Node { op, inputs: inputs.to_vec(), outputs });
        Ok(vars)
    }

    /// Adds a node with one output.
    ///
    /// # Errors
    /// When the operation refuses the types.
    pub fn apply(&mut self, op: impl Op, inputs: &[Var]) -> Result<Var> {
        let name = op.name();
        match self.push(Arc::new(op), inputs)?[..] {
            [var] => Ok(var),
            ref vars => Err(Error::graph(name, format!("has {} outputs where one was expected", vars.len()))),
        }
    }

    /// Adds a value that comes from outside.
    pub fn source(&mut self, role: Role, name: impl Into<String>, ty: Ty) -> Var {
        let node = self.nodes.len();
        let op = Arc::new(Source { role, name: name.into(), ty: ty.clone() });
        self.nodes.push(Node { op, inputs: Vec::new(), outputs: vec![ty] });
        Var { node, port: 0 }
    }

    /// The source of this name, if there is one.
    pub fn source_named(&self, name: &str) -> Option<Var> {
        self.sources().find(|(_, source)| source.name == name).map(|(var, _)| var)
    }

    /// All sources in order of creation.
    pub fn sources(&self) -> impl Iterator<Item = (Var, &Source)> {
        self.nodes.iter().enumerate().filter_map(|(node, n)| Some((Var { node, port: 0 }, n.op.downcast::<Source>()?)))
    }

    /// Nodes that read each value: `(node, input position)` pairs, by producing node and port.
    pub fn uses(&self) -> Vec<Vec<Vec<(usize, usize)>>> {
        let mut uses: Vec<Vec<Vec<(usize, usize)>>> =
            self.nodes.iter().map(|n| vec![Vec::new(); n.outputs.len()]).collect();
        for (index, node) in self.nodes.iter().enumerate() {
            for (position, var) in node.inputs.iter().enumerate() {
                uses[var.node][var.port].push((index, position));
            }
        }
        uses
    }
}

impl Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, node) in self.nodes.iter().enumerate() {
            let inputs: Vec<String> = node.inputs.iter().map(|v| format!("%{}.{}", v.node, v.port)).collect();
            let outputs: Vec<String> = node.outputs.iter().map(ToString::to_string).collect();
            let attributes = node.op.attributes();
            let space = if attributes.is_empty() { "" } else { " " };
            writeln!(
                f,
                "%{index} = {}({}){space}{attributes} : {}",
                node.op.name(),
                inputs.join(", "),
                outputs.join(", ")
            )?;
        }
        Ok(())
    }
}
