//! Weight gradients of all layers in one kernel, as far as they are small: a large one fills a device by
//! itself and has better kernels of its own.

use std::sync::Arc;

use super::finder::Finder;
use super::rewrite::Match;
use crate::graph::Var;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::Gathered;
use crate::ops::fused::linear_weight_grads::{BUFFERS, LAYERS, LinearWeightGrads};
use crate::ops::matmul::matmul_tn::LinearWeightGrad;

/// Multiplications of a product up to which it is small.
const SMALL: usize = 1 << 24;

/// A product: its node, its deltas, its other operand, or the gathered batch.
struct Product {
    node: usize,
    dy: Var,
    x: Option<Var>,
}

/// Values by the buffer they will lie in: those that one operation packs share one.
#[derive(Default)]
struct Buffers(Vec<(Vec<Var>, Vec<Var>)>);

impl Buffers {
    /// Adds a value; false if there is no buffer left for it.
    fn add(&mut self, f: &Finder<'_>, var: Var) -> bool {
        if let Some((_, used)) = self.0.iter_mut().find(|(all, _)| all.contains(&var)) {
            if !used.contains(&var) {
                used.push(var);
            }
            return true;
        }
        if self.0.len() == BUFFERS {
            return false;
        }
        let ports = f.outputs(var.node).len();
        let packed = f.op(var.node).packed_outputs(ports).into_iter().find(|range| range.contains(&var.port));
        let all = packed.map_or(vec![var], |range| range.map(|port| Var { node: var.node, port }).collect());
        self.0.push((all, vec![var]));
        true
    }
}

/// Small products over one batch, with the gathered batch's inputs.
fn products(f: &Finder<'_>) -> (Vec<Product>, Option<(BatchGather, [Var; 2])>) {
    let mut gathered = None;
    let mut products = Vec::new();
    for node in 0..f.len() {
        let inputs = f.inputs(node);
        let product = if f.op(node).downcast::<LinearWeightGrad>().is_some() {
            Product { node, dy: inputs[0], x: Some(inputs[1]) }
        } else if let Some(Gathered { op, gather, .. }) = f.op(node).downcast::<Gathered>() {
            if op.downcast::<LinearWeightGrad>().is_none() {
                continue;
            }
            gathered = Some((*gather, [inputs[0], inputs[1]]));
            Product { node, dy: inputs[2], x: None }
        } else {
            continue;
        };
        let batch = f.ty(product.dy).shape.dims()[0];
        let small = batch * f.ty(Var { node, port: 0 }).elements() <= SMALL;
        if small && (0..2).all(|port| f.ends_packed(Var { node, port })) {
            products.push(product);
        }
    }
    (products, gathered)
}

/// The group of as many weight gradients as fit in one kernel.
pub(in crate::plan) fn weight_grads(f: &Finder<'_>) -> Option<Match> {
    let (found, gathered) = products(f);
    let batch = f.ty(found.first()?.dy).shape.dims()[0];
    let mut buffers = Buffers::default();
    let mut taken: Vec<&Product> = Vec::new();
    for product in found.iter().filter(|product| f.ty(product.dy).shape.dims()[0] == batch) {
        let fits = taken.len() < LAYERS && buffers.add(f, product.dy) && product.x.is_none_or(|x| buffers.add(f, x));
        if fits {
            taken.push(product);
        }
    }
    if taken.len() < 2 {
        return None;
    }
    let gathered = gathered.filter(|_| taken.iter().any(|product| product.x.is_none()));
    let values: Vec<Var> = buffers.0.iter().flat_map(|(_, used)| used.iter().copied()).collect();
    let number = |var: Var| values.iter().position(|value| *value == var);
    let numbered = taken.iter().map(|product| {
        let x = match product.x {
            Some(x) => Some(number(x)?),
            None => None,
        };
        Some((number(product.dy)?, x))
    });
    let op = LinearWeightGrads {
        gather: gathered.map(|(gather, _)| gather),
        buffers: buffers.0.iter().map(|(_, used)| used.len()).collect(),
        products: numbered.collect::<Option<Vec<_>>>()?,
    };
    Some(Match {
        nodes: taken.iter().map(|product| product.node).collect(),
        op: Arc::new(op),
        inputs: gathered.map_or(Vec::new(), |(_, inputs)| inputs.to_vec()).into_iter().chain(values).collect(),
        outputs: taken
            .iter()
            .enumerate()
            .flat_map(|(i, product)| [0, 1].map(|port| (Var { node: product.node, port }, 2 * i + port)))
            .collect(),
    })
}
