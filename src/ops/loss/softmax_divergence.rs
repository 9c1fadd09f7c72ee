//! How far one set of soft assignments is from another: mean over rows of KL(p‖q) with p = softmax(P),
//! q = softmax(Q).
//!
//! dQ_mk = (q_mk − p_mk)/M. P is what Q is compared with, a constant: virtual adversarial training (Miyato et
//! al., 2018) compares what a network says of a perturbed input with what it says of the input itself.

use super::softmax_divergence_grad::SoftmaxDivergenceGrad;
use super::softmax_rows;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::array::log_sum_exp::log_softmax;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::tensor::{HostTensor, Real, Ty};

/// The mean divergence for inputs (P \[M, N\], Q \[M, N\], clock), over the clock's valid rows: over all pixels of all samples
/// where rows are pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftmaxDivergence {
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

impl SoftmaxDivergence {
    pub(in crate::ops) fn infer_rows(self, op: &str, p: &Ty, q: &Ty, clock: &Ty) -> Result<()> {
        rows_per_sample::check(op, matrix(op, "P", p)?.0, self.rows_per_sample)?;
        same(op, "Q", q, p)?;
        same(op, "the clock", clock, &clock::ty())
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let rows = rows_per_sample::valid_rows(x[2].words(), self.rows_per_sample);
        let mut sum = T::zero();
        for (p, q) in x[0].real().chunks_exact(columns).zip(x[1].real().chunks_exact(columns)).take(rows) {
            sum += log_softmax(p).zip(log_softmax(q)).fold(T::zero(), |sum, (p, q)| sum + p.exp() * (p - q));
        }
        y[0].real_mut()[0] = sum / T::of(rows as f64);
    }
}

impl Op for SoftmaxDivergence {
    fn name(&self) -> &'static str {
        "softmax_divergence"
    }

    fn attributes(&self) -> String {
        rows_per_sample::attributes(String::new(), self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [p, q, clock] = arity(self.name(), inputs)?;
        self.infer_rows(self.name(), p, q, clock)?;
        Ok(vec![Ty::f32(&[])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None; 3]) };
        let dq = g.apply(SoftmaxDivergenceGrad(*self), &[x[0], x[1], x[2], dy])?;
        Ok(vec![None, Some(dq), None])
    }

    crate::twin!();
}

/// `shaders/loss/softmax_divergence.wgsl`, one workgroup.
pub struct SoftmaxDivergenceKernel;

impl Kernel for SoftmaxDivergenceKernel {
    fn stem(&self) -> &'static str {
        "softmax_divergence"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SoftmaxDivergence>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        softmax_rows::launch(self.stem(), r, r.op::<SoftmaxDivergence>()?.rows_per_sample, |_| Work::Groups(1))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 20.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        cases("softmax_divergence", |op, inputs, label| {
            let why = "the log and exp of WGSL at 3 to 20 ULP, and differences of logarithms of nearly equal shares";
            Case::new(label, op, inputs, Tolerance::new(5e-6, 8e-5, Terms::Largest, why))
        })
    }
}

/// Cases for both kernels.
pub(in crate::ops) fn cases(
    stem: &str,
    make: impl Fn(SoftmaxDivergence, Vec<HostTensor<f32>>, String) -> Case,
) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let pair = |s: &mut Samples, m, n, scale: f32| [0, 1].map(|_| s.uniform(&[m, n], -scale, scale));
    let make = |rows_per_sample, inputs, label| make(SoftmaxDivergence { rows_per_sample }, inputs, label);
    let mut cases = softmax_rows::cases(&mut s, 30.0, pair, make);
    let same = s.uniform(&[9, 7], -3.0, 3.0);
    let inputs = vec![same.clone(), same, clock::with_valid_rows(9)];
    cases.push(make(1, inputs, "equal".into()));
    cases
}
