//! The batch read straight from the data set's bytes by whatever needs it, instead of written down as
//! floats first.

use std::sync::Arc;

use super::finder::Finder;
use super::rewrite::Match;
use crate::graph::{Op, Var};
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::Gathered;
use crate::ops::loss::reconstruction_loss_grad;
use crate::ops::matmul::matmul_nt::Linear;
use crate::ops::matmul::matmul_tn::LinearWeightGrad;
use crate::tensor::DType;

/// Whether a kernel can gather the input of `op` at this position itself.
fn can_gather(op: &dyn Op, position: usize) -> bool {
    match position {
        0 => op.downcast::<Linear>().is_some(),
        1 => op.downcast::<LinearWeightGrad>().is_some() || reconstruction_loss_grad::parts(op).is_some(),
        _ => false,
    }
}

/// Every reader of a batch, if all of them can gather.
pub(in crate::plan) fn gather_prologue(f: &Finder<'_>) -> Vec<Match> {
    let mut matches = Vec::new();
    for (node, gather) in f.all::<BatchGather>().filter(|(_, gather)| gather.features.is_multiple_of(4)) {
        // What gathers for itself unpacks bytes.
        if f.ty(f.inputs(node)[0]).dtype != DType::U8 {
            continue;
        }
        let batch = Var { node, port: 0 };
        let readers = f.readers(batch);
        if f.is_wanted(batch) || readers.iter().any(|&(reader, at)| !can_gather(f.op(reader), at)) {
            continue;
        }
        for &(reader, position) in readers {
            let mut inputs = [f.inputs(node), f.inputs(reader)].concat();
            inputs.remove(2 + position);
            matches.push(Match {
                nodes: vec![reader],
                op: Arc::new(Gathered { op: f.shared_op(reader), position, gather: *gather }),
                inputs,
                outputs: f.outputs(reader),
            });
        }
    }
    matches
}
