//! The mechanism of graph rewrites: patterns found elsewhere are replaced here, all at once.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::graph::{Graph, OpRef, Source, Var};

/// A group of nodes to be replaced by one.
pub(in crate::plan) struct Match {
    /// Nodes that go away.
    pub nodes: Vec<usize>,
    /// The replacement.
    pub op: OpRef,
    /// What it reads, in terms of the graph as it was.
    pub inputs: Vec<Var>,
    /// Old values, and the output of the replacement that stands for each.
    pub outputs: Vec<(Var, usize)>,
}

impl Match {
    /// Where the replacement goes: at the last of its nodes, or at the first if something in between
    /// already reads an output and everything is ready by then. `moved` has the places of nodes that
    /// other replacements take along.
    fn position(&self, uses: &[Vec<Vec<(usize, usize)>>], moved: &HashMap<usize, usize>) -> Option<usize> {
        let (first, last) = (*self.nodes.iter().min()?, *self.nodes.iter().max()?);
        let place = |node: usize| moved.get(&node).copied().unwrap_or(node);
        let ready = self.inputs.iter().map(|v| place(v.node)).max().unwrap_or(0);
        let readers = self.outputs.iter().flat_map(|(var, _)| &uses[var.node][var.port]).map(|&(node, _)| node);
        let earliest = readers.filter(|node| !self.nodes.contains(node)).map(place).min().unwrap_or(usize::MAX);
        [last, first].into_iter().find(|&position| ready < position && position < earliest)
    }
}

/// Applies the matches that do not overlap; a match without a valid position is left alone.
pub(in crate::plan) fn apply(graph: &Graph, matches: Vec<Match>) -> Result<Graph> {
    let uses = graph.uses();
    let mut removed = HashMap::new();
    let mut at: HashMap<usize, Match> = HashMap::new();
    for m in matches {
        if m.nodes.iter().any(|node| removed.contains_key(node)) {
            continue;
        }
        if let Some(position) = m.position(&uses, &removed) {
            removed.extend(m.nodes.iter().map(|&node| (node, position)));
            at.insert(position, m);
        }
    }
    let mut builder = Builder::new(graph);
    for index in 0..graph.nodes().len() {
        if let Some(m) = at.get(&index) {
            builder.replace(m)?;
        } else if !removed.contains_key(&index) {
            builder.copy(index)?;
        }
    }
    builder.finish()
}

/// Replaces one group of nodes wherever in the graph they are: what depends on them is moved behind the
/// replacement. `None` when a node of the group itself depends on such a node.
pub(in crate::plan) fn collapse(graph: &Graph, group: &Match) -> Result<Option<Graph>> {
    let nodes = graph.nodes();
    let members: HashSet<usize> = group.nodes.iter().copied().collect();
    let mut after: HashSet<usize> = HashSet::new();
    for (index, node) in nodes.iter().enumerate() {
        let depends = node.inputs.iter().any(|var| members.contains(&var.node) || after.contains(&var.node));
        if depends && !members.contains(&index) {
            after.insert(index);
        }
    }
    let reads_later = |var: &Var| after.contains(&var.node);
    if group.inputs.iter().any(reads_later) || members.iter().any(|&node| nodes[node].inputs.iter().any(reads_later)) {
        return Ok(None);
    }
    let mut builder = Builder::new(graph);
    for index in (0..nodes.len()).filter(|index| !members.contains(index) && !after.contains(index)) {
        builder.copy(index)?;
    }
    builder.replace(group)?;
    for index in (0..nodes.len()).filter(|index| after.contains(index)) {
        builder.copy(index)?;
    }
    builder.finish().map(Some)
}

/// A new graph under construction, with the way from old values to new ones.
pub(in crate::plan) struct Builder<'a> {
    old: &'a Graph,
    /// The graph so far.
    pub graph: Graph,
    /// New value of each old one.
    pub map: HashMap<Var, Var>,
}

impl<'a> Builder<'a> {
    /// Starts from nothing.
    pub fn new(old: &'a Graph) -> Self {
        Builder { old, graph: Graph::new(), map: HashMap::new() }
    }

    /// The new values of old ones.
    pub fn translate(&self, vars: &[Var]) -> Result<Vec<Var>> {
        let removed = || Error::graph("rewrite", "a value was removed while in use");
        vars.iter().map(|var| self.map.get(var).copied().ok_or_else(removed)).collect()
    }

    /// Adds a group's replacement.
    fn replace(&mut self, group: &Match) -> Result<()> {
        let inputs = self.translate(&group.inputs)?;
        let outputs = self.graph.push(group.op.clone(), &inputs)?;
        for &(old, port) in &group.outputs {
            self.map.insert(old, outputs[port]);
        }
        Ok(())
    }

    /// Copies one node.
    pub fn copy(&mut self, index: usize) -> Result<()> {
        let node = &self.old.nodes()[index];
        let outputs = if let Some(source) = node.op.downcast::<Source>() {
            vec![self.graph.source(source.role, source.name.clone(), source.ty.clone())]
        } else {
            let inputs = self.translate(&node.inputs)?;
            self.graph.push(node.op.clone(), &inputs)?
        };
        for (port, var) in outputs.into_iter().enumerate() {
            self.map.insert(Var { node: index, port }, var);
        }
        Ok(())
    }

    /// Carries the results over.
    pub fn finish(mut self) -> Result<Graph> {
        for (name, var) in self.old.results() {
            let var = self.translate(&[*var])?[0];
            self.graph.result(name.clone(), var);
        }
        Ok(self.graph)
    }
}

/// Drops nodes that neither a result nor an update in place depends on. Sources stay: their memory is
/// the layout that plans share.
pub(in crate::plan) fn without_dead_nodes(graph: &Graph) -> Result<Graph> {
    let nodes = graph.nodes();
    let mut live: Vec<bool> = nodes.iter().map(|n| !n.op.aliases().is_empty() || n.inputs.is_empty()).collect();
    for (_, var) in graph.results() {
        live[var.node] = true;
    }
    for index in (0..nodes.len()).rev() {
        if live[index] {
            nodes[index].inputs.iter().for_each(|var| live[var.node] = true);
        }
    }
    let mut builder = Builder::new(graph);
    for index in (0..nodes.len()).filter(|&index| live[index]) {
        builder.copy(index)?;
    }
    builder.finish()
}
