//! Gradients of entropies added in place to what the products have left, instead of being written apart and
//! added by kernels of their own.
//!
//! A parameter's gradient is a tree of sums. Each tree is taken apart into its leaves; leaves that can be
//! added in place ([`Op::adding`](crate::graph::Op::adding)) come last, as operations that add to the sum
//! of the others. The order of addition changes, which is why this is done on the graph, where every device
//! sees it alike.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::rewrite::Builder;
use crate::error::Result;
use crate::graph::{Graph, OpRef, Var};
use crate::ops::array::binary::Binary;

/// A sum of two or more values of one type.
struct Tree {
    root: Var,
    sums: Vec<usize>,
    leaves: Vec<Var>,
}

/// An operation that adds in place, the first of its outputs that do, and the trees these are leaves of.
struct Addend {
    node: usize,
    op: OpRef,
    first: usize,
    trees: Vec<usize>,
}

pub(in crate::plan) fn accumulate_in_place(graph: &Graph) -> Result<Graph> {
    let trees = trees(graph);
    let addends = addends(graph, &trees);
    let touched: BTreeSet<usize> = addends.iter().flat_map(|addend| addend.trees.iter().copied()).collect();
    let Some(position) = touched.iter().map(|&tree| trees[tree].root.node).max() else { return Ok(graph.clone()) };
    let uses = graph.uses();
    let roots = touched.iter().map(|&tree| trees[tree].root);
    // What an addend has beside its gradients moves with it.
    let beside = addends.iter().flat_map(|Addend { node, first, trees, .. }| {
        let ports = 0..graph.nodes()[*node].outputs.len();
        let others = ports.filter(move |port| !(*first..first + trees.len()).contains(port));
        others.map(move |port| Var { node: *node, port })
    });
    let mut readers = roots.chain(beside).flat_map(|var| &uses[var.node][var.port]);
    if readers.any(|&(reader, _)| reader <= position) {
        return Ok(graph.clone());
    }

    let mut removed: HashSet<usize> = addends.iter().map(|addend| addend.node).collect();
    removed.extend(touched.iter().flat_map(|&tree| trees[tree].sums.iter().copied()));
    let mut builder = Builder::new(graph);
    for index in 0..graph.nodes().len() {
        if !removed.contains(&index) {
            builder.copy(index)?;
        }
        if index == position {
            emit(graph, &mut builder, &trees, &touched, &addends)?;
        }
    }
    builder.finish()
}

/// The operation that would add, and which of its outputs.
fn adding(graph: &Graph, node: usize) -> Option<(OpRef, Range<usize>)> {
    let node = &graph.nodes()[node];
    node.op.adding(node.outputs.len())
}

/// The operations that take part: each output that adds is a leaf of exactly one sum, wanted nowhere else,
/// that has something else to be added to.
fn addends(graph: &Graph, trees: &[Tree]) -> Vec<Addend> {
    let uses = graph.uses();
    let is_addend = |var: &Var| adding(graph, var.node).is_some_and(|(_, outputs)| outputs.contains(&var.port));
    let is_private = |var: Var| {
        let wanted = graph.results().iter().any(|(_, result)| *result == var);
        uses[var.node][var.port].len() == 1 && !wanted
    };
    // The first addition overwrites what it adds to: a sum made for it, or a single leaf, which must
    // then be nobody else's, not from outside and not itself an update of a buffer. A view is nobody else's
    // if what it shows is not.
    let is_overwritable = |var: Var| {
        let shown = graph.viewed(var);
        let node = graph.node(shown);
        is_private(var) && is_private(shown) && node.is_computed() && node.op.aliases().is_empty()
    };
    let tree_of = |var: Var| {
        let tree = trees.iter().position(|tree| tree.leaves.contains(&var))?;
        let others: Vec<Var> = trees[tree].leaves.iter().copied().filter(|leaf| !is_addend(leaf)).collect();
        let base = match others[..] {
            [] => false,
            [only] => is_overwritable(only),
            _ => true,
        };
        (base && is_private(var)).then_some(tree)
    };
    let addend = |node: usize| {
        let (op, outputs) = adding(graph, node)?;
        let first = outputs.start;
        let trees = outputs.map(|port| tree_of(Var { node, port })).collect::<Option<_>>()?;
        Some(Addend { node, op, first, trees })
    };
    (0..graph.nodes().len()).filter_map(addend).collect()
}

/// Sums of the other leaves, then the gradients added to them one after the other.
fn emit(
    graph: &Graph,
    builder: &mut Builder<'_>,
    trees: &[Tree],
    touched: &BTreeSet<usize>,
    addends: &[Addend],
) -> Result<()> {
    let absorbed = |leaf: &Var| {
        addends.iter().any(|a| a.node == leaf.node && (a.first..a.first + a.trees.len()).contains(&leaf.port))
    };
    let mut totals = vec![None; trees.len()];
    for &tree in touched {
        for leaf in trees[tree].leaves.iter().filter(|leaf| !absorbed(leaf)) {
            let leaf = builder.translate(&[*leaf])?[0];
            totals[tree] = Some(match totals[tree] {
                Some(sum) => builder.graph.apply(Binary::Add, &[sum, leaf])?,
                None => leaf,
            });
        }
    }
    for Addend { node, op, first, trees } in addends {
        let mut inputs = builder.translate(&graph.nodes()[*node].inputs)?;
        inputs.extend(trees.iter().filter_map(|&tree| totals[tree]));
        let outputs = builder.graph.push(op.clone(), &inputs)?;
        for (port, var) in outputs.into_iter().enumerate() {
            if (*first..first + trees.len()).contains(&port) {
                totals[trees[port - first]] = Some(var);
            } else {
                builder.map.insert(Var { node: *node, port }, var);
            }
        }
    }
    for &tree in touched {
        if let Some(total) = totals[tree] {
            builder.map.insert(trees[tree].root, total);
        }
    }
    Ok(())
}

/// All maximal trees of element-wise sums whose inner values are used nowhere else.
fn trees(graph: &Graph) -> Vec<Tree> {
    let uses = graph.uses();
    let is_sum = |node: usize| {
        let n = &graph.nodes()[node];
        n.op.downcast::<Binary>() == Some(&Binary::Add) && graph.ty(n.inputs[0]) == graph.ty(n.inputs[1])
    };
    let is_inner = |var: Var| {
        let wanted = graph.results().iter().any(|(_, result)| *result == var);
        is_sum(var.node) && !wanted && matches!(uses[var.node][0][..], [(user, _)] if is_sum(user))
    };
    let mut trees = Vec::new();
    for node in (0..graph.nodes().len()).filter(|&node| is_sum(node)) {
        let root = Var { node, port: 0 };
        if is_inner(root) {
            continue;
        }
        let mut tree = Tree { root, sums: vec![node], leaves: Vec::new() };
        let mut open = graph.nodes()[node].inputs.clone();
        while let Some(var) = open.pop() {
            if is_inner(var) {
                tree.sums.push(var.node);
                open.extend(&graph.nodes()[var.node].inputs);
            } else {
                tree.leaves.push(var);
            }
        }
        trees.push(tree);
    }
    trees
}
