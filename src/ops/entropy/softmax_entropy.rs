//! Entropy of soft assignments: how certain each row of a batch is, and how evenly the columns are
//! used.
//!
//! Source: Paiton and Lundquist, "Entropy loss function for unsupervised deep learning", corrected as
//! in FORMULAS §2. lq = log_softmax(−βX) over N columns, q = e^lq, M valid rows, q̄ = mean of q over
//! rows, L_i = log Σ_m q_mi:
//!
//! * ΣH = −Σ_m Σ_i q lq, and its mean over rows
//! * A_doc = Σ_{m,i} log((N/M) q_mi)
//! * A_avg = Σ_i log((N/M) Σ_m q_mi) = Σ_i (L_i + log N − log M)
//! * KL(q̄‖u) = Σ_i q̄_i log(N q̄_i)
//!
//! β = −1: X are logits; β > 0: energies. Everything is kept in logarithms. A row's log Σ e^{−βx} is kept
//! as its largest logit and the log of the sum relative to it, never as their sum: next to a logit of
//! 1e4 the log of the sum would lose all but three digits, and with it every q.

use super::softmax_entropy_grad::SoftmaxEntropyGrad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::array::log_sum_exp::{log_sum_exp, log_total};
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (totals \[5\], row_max \[M\], row_log_sum \[M\], row_h \[M\], column_lse \[N\]) for inputs (X \[M, N\],
/// clock).
///
/// The totals are those of [`Total`]; the others are what the gradient needs: the largest logit, the
/// log of Σ_i e^{−βX_mi} relative to it, H_m and L_i, so that lq = (−βX − row_max) − row_log_sum. Rows
/// of padding have statistics of 0. M counts rows: every pixel is an assignment of its own where rows are pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftmaxEntropy {
    /// Inverse temperature and sign β.
    pub beta: f32,
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

/// Position of each quantity among the totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Total {
    /// ΣH
    Entropy = 0,
    /// A_doc
    Document = 1,
    /// A_avg
    Average = 2,
    /// KL(q̄‖u)
    Divergence = 3,
    /// ΣH / M
    MeanEntropy = 4,
}

impl SoftmaxEntropy {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let n = x[0].shape.matrix().map_or(1, |(_, n)| n);
        let m = rows_per_sample::valid_rows(x[1].words(), self.rows_per_sample);
        let minus_beta = T::of(-f64::from(self.beta));
        let mut lq: Vec<T> = x[0].real()[..m * n].iter().map(|&x| minus_beta * x).collect();
        let [totals, row_max, row_log_sum, row_h, column_lse] = y else { return };
        let log_ratio = T::of(n as f64 / m as f64).ln();
        let mut entropy = T::zero();
        let mut document = T::zero();
        for (row, lq) in lq.chunks_exact_mut(n).enumerate() {
            let (largest, log_sum) = log_total(lq.iter().copied());
            lq.iter_mut().for_each(|lq| *lq = (*lq - largest) - log_sum);
            let h = lq.iter().fold(T::zero(), |h, &lq| h - lq.exp() * lq);
            row_max.real_mut()[row] = largest;
            row_log_sum.real_mut()[row] = log_sum;
            row_h.real_mut()[row] = h;
            entropy += h;
            document += lq.iter().fold(T::zero(), |sum, &lq| sum + lq + log_ratio);
        }
        let mut average = T::zero();
        let mut divergence = T::zero();
        for column in 0..n {
            let lse = log_sum_exp(lq.iter().copied().skip(column).step_by(n));
            column_lse.real_mut()[column] = lse;
            average += lse + log_ratio;
            divergence += (lse + log_ratio).exp() / T::of(n as f64) * (lse + log_ratio);
        }
        totals.real_mut().copy_from_slice(&[entropy, document, average, divergence, entropy / T::of(m as f64)]);
    }
}

impl Op for SoftmaxEntropy {
    fn name(&self) -> &'static str {
        "softmax_entropy"
    }

    fn attributes(&self) -> String {
        rows_per_sample::attributes(format!("beta={}", self.beta), self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, clock] = arity(self.name(), inputs)?;
        let (m, n) = matrix(self.name(), "X", x)?;
        rows_per_sample::check(self.name(), m, self.rows_per_sample)?;
        same(self.name(), "the clock", clock, &clock::ty())?;
        Ok([5, m, m, m, n].map(|length| Ty::f32(&[length])).to_vec())
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1..].iter().any(Option::is_some) {
            return Err(Error::graph(self.name(), "only the totals can be differentiated, not the row statistics"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        let grad = SoftmaxEntropyGrad(*self);
        Ok(vec![Some(g.apply(grad, &[x[0], x[1], y[1], y[2], y[3], y[4], dy])?), None])
    }

    crate::twin!();
}

/// Large logits that differ by no more than a few: q is neither 0 nor 1.
pub(in crate::ops) fn near_ties() -> HostTensor<f32> {
    let rows = [[9_000.0, 9_001.0, 8_999.5, 0.0], [-9_999.0, -9_999.0, -9_999.0, -1e4], [1e4, 1e4, -1e4, -1e4]];
    HostTensor::from_f32(&[3, 4], &rows.concat())
}

/// `shaders/entropy/softmax_entropy_rows.wgsl`, then `softmax_entropy_columns.wgsl`, then
/// `softmax_entropy_totals.wgsl`.
pub struct SoftmaxEntropyKernel;

impl Kernel for SoftmaxEntropyKernel {
    fn stem(&self) -> &'static str {
        "softmax_entropy"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SoftmaxEntropy>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (m, n) = matrix(self.stem(), "X", r.inputs[0])?;
        let SoftmaxEntropy { beta, rows_per_sample } = *r.op::<SoftmaxEntropy>()?;
        let (x, clock) = (Bind::Input(0), Bind::Input(1));
        let [row_max, row_log_sum, row_h, column_lse] = [1, 2, 3, 4].map(Bind::Output);
        let params = vec![m as u32, n as u32, beta.to_bits(), rows_per_sample as u32];
        let row_document = Bind::Scratch(0);
        let rows = Dispatch::new(
            ShaderKey::plain("softmax_entropy_rows"),
            [&x, &clock, &row_max, &row_log_sum, &row_h, &row_document].map(Bind::clone).to_vec(),
            params.clone(),
            Work::Invocations(m),
        );
        let columns = Dispatch::new(
            ShaderKey::plain("softmax_entropy_columns"),
            vec![x, clock.clone(), row_max, row_log_sum, column_lse.clone()],
            params.clone(),
            Work::Invocations(n),
        );
        let totals = Dispatch::new(
            ShaderKey::plain("softmax_entropy_totals"),
            vec![clock, row_h, row_document, column_lse, Bind::Output(0)],
            params,
            Work::Groups(1),
        );
        Ok(Launch { dispatches: vec![rows, columns, totals], scratch: vec![m * 4] })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements = r.inputs[0].elements() as f64;
        Ok(Cost { flops: 16.0 * elements, bytes: 8.0 * elements })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-5,
            4e-5,
            Terms::Largest,
            "the golden vectors' bound of 1e-5, times 4 for WGSL's log and exp at 3 to 20 ULP",
        );
        let mut s = Samples::new("softmax_entropy");
        let mut cases = Vec::new();
        for (m, n, valid, rows_per_sample, beta, scale) in [
            (1, 1, 1, 1, -1.0, 1.0),
            (2, 3, 2, 1, -1.0, 1.0),
            (67, 13, 67, 1, 2.5, 1.0),
            (65, 20, 41, 1, -1.0, 5.0),
            (9, 5, 9, 1, -1.0, 1e4),
            (9, 5, 9, 1, 1.0, 1e4),
            (256, 10, 256, 1, -1.0, 3.0),
            (6, 5, 1, 3, -1.0, 1.0),
            (130, 7, 9, 10, 2.5, 1.0),
        ] {
            let inputs = vec![s.uniform(&[m, n], -scale, scale), clock::with_valid_rows(valid)];
            let label = format!("{m}x{n} of {rows_per_sample}, {valid} valid, beta={beta}, to {scale}");
            let case = Case::new(label, SoftmaxEntropy { beta, rows_per_sample }, inputs, rounding);
            cases.push(if m == 256 { case.benched() } else { case });
        }
        let inputs = vec![near_ties(), clock::with_valid_rows(3)];
        cases.push(Case::new("near ties at 1e4", SoftmaxEntropy { beta: -1.0, rows_per_sample: 1 }, inputs, rounding));
        cases
    }
}
