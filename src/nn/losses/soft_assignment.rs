//! Entropy of soft assignments of rows to columns: certain per row, balanced over the batch.
//!
//! Source: Paiton and Lundquist, corrected as in FORMULAS §2. The sound objective is mean H + λ KL with
//! λ ≥ 1; the sums and averaging terms of the source are there to be studied.

use crate::error::Result;
use crate::graph::{Graph, Var};
use crate::ops::array::element::Element;
use crate::ops::entropy::softmax_entropy::{SoftmaxEntropy, Total};

/// The totals of soft assignments, as scalars.
#[derive(Clone, Copy, Debug)]
pub struct SoftAssignment {
    /// ΣH, summed over rows.
    pub entropy: Var,
    /// ΣH over the number of rows.
    pub mean_entropy: Var,
    /// A_doc.
    pub document: Var,
    /// A_avg.
    pub average: Var,
    /// KL(q̄‖u).
    pub divergence: Var,
}

/// The totals of q = softmax(−βX) for X \[rows, columns\] and a clock that says how many rows count.
///
/// # Errors
/// When X is no matrix.
pub fn soft_assignment(g: &mut Graph, x: Var, clock: Var, beta: f32) -> Result<SoftAssignment> {
    let statistics = g.push(std::sync::Arc::new(SoftmaxEntropy { beta, rows_per_sample: 1 }), &[x, clock])?;
    let mut total = |which: Total| g.apply(Element(which as usize), &[statistics[0]]);
    Ok(SoftAssignment {
        entropy: total(Total::Entropy)?,
        mean_entropy: total(Total::MeanEntropy)?,
        document: total(Total::Document)?,
        average: total(Total::Average)?,
        divergence: total(Total::Divergence)?,
    })
}
