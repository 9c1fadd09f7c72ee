//! How well logits name the classes of rows: cross entropy of their softmax with labels, in nats.
//!
//! With q = softmax(X) of v valid rows of N classes and labels c: −Σ_m log q_{m,c_m} / v, whose gradient is
//! (q_mk − \[k = c_m\]) / v. Beside it what people look at: the share of rows whose largest logit, the first of equal
//! ones, is not the label's, and the mean of (q_mk − \[k = c_m\])² over rows and classes.

use super::softmax_cross_entropy_grad::SoftmaxCrossEntropyGrad;
use super::softmax_rows;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::array::log_sum_exp::log_softmax;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::tensor::{HostTensor, Real, Ty};

/// (cross entropy, \[error rate, mean square\]) for inputs (logits \[M, N\], labels u32 \[M\], clock), over the clock's valid
/// rows. Labels are below N; what is not is taken as the last class. Means are over
/// rows: where these are pixels, each has a label, and all of all samples weigh alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftmaxCrossEntropy {
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

/// Place of the first of the largest elements.
fn largest<T: Real>(row: &[T]) -> usize {
    (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
}

impl SoftmaxCrossEntropy {
    pub(in crate::ops) fn infer_rows(self, op: &str, logits: &Ty, labels: &Ty, clock: &Ty) -> Result<(usize, usize)> {
        let shape = matrix(op, "the logits", logits)?;
        rows_per_sample::check(op, shape.0, self.rows_per_sample)?;
        same(op, "the labels", labels, &Ty::u32(&[shape.0]))?;
        same(op, "the clock", clock, &clock::ty())?;
        Ok(shape)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let rows = rows_per_sample::valid_rows(x[2].words(), self.rows_per_sample);
        let (mut entropy, mut errors, mut squares) = (T::zero(), T::zero(), T::zero());
        for (row, &label) in x[0].real().chunks_exact(columns).zip(x[1].words()).take(rows) {
            let label = (label as usize).min(columns - 1);
            for (k, log_q) in log_softmax(row).enumerate() {
                let truth = if k == label { T::one() } else { T::zero() };
                squares += (log_q.exp() - truth) * (log_q.exp() - truth);
                entropy += if k == label { -log_q } else { T::zero() };
            }
            errors += if largest(row) == label { T::zero() } else { T::one() };
        }
        let count = T::of(rows.max(1) as f64);
        y[0].real_mut()[0] = entropy / count;
        y[1].real_mut().copy_from_slice(&[errors / count, squares / (count * T::of(columns as f64))]);
    }
}

impl Op for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy"
    }

    fn attributes(&self) -> String {
        rows_per_sample::attributes(String::new(), self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [logits, labels, clock] = arity(self.name(), inputs)?;
        self.infer_rows(self.name(), logits, labels, clock)?;
        Ok(vec![Ty::f32(&[]), Ty::f32(&[2])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1].is_some() {
            return Err(Error::graph(self.name(), "only the cross entropy can be differentiated, not the statistics"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None; 3]) };
        let dx = g.apply(SoftmaxCrossEntropyGrad(*self), &[x[0], x[1], x[2], dy])?;
        Ok(vec![Some(dx), None, None])
    }

    crate::twin!();
}

/// `shaders/loss/softmax_cross_entropy.wgsl`, one workgroup.
pub struct SoftmaxCrossEntropyKernel;

impl Kernel for SoftmaxCrossEntropyKernel {
    fn stem(&self) -> &'static str {
        "softmax_cross_entropy"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SoftmaxCrossEntropy>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        softmax_rows::launch(self.stem(), r, r.op::<SoftmaxCrossEntropy>()?.rows_per_sample, |_| Work::Groups(1))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 12.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        cases("softmax_cross_entropy", |op, inputs, label| {
            let why = "the log and exp of WGSL at 3 to 20 ULP, and means of terms that are not negative";
            Case::new(label, op, inputs, Tolerance::new(2e-6, 4e-5, Terms::Largest, why))
        })
    }
}

/// Cases for both kernels.
pub(in crate::ops) fn cases(
    stem: &str,
    make: impl Fn(SoftmaxCrossEntropy, Vec<HostTensor<f32>>, String) -> Case,
) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let labelled = |s: &mut Samples, m, n, scale: f32| [s.uniform(&[m, n], -scale, scale), s.words(&[m], n as u32)];
    let make = |rows_per_sample, inputs, label| make(SoftmaxCrossEntropy { rows_per_sample }, inputs, label);
    let mut cases = softmax_rows::cases(&mut s, 100.0, labelled, make);
    let equal = HostTensor::from_f32(&[5, 4], &[0.5; 20]);
    let inputs = vec![equal, s.words(&[5], 4), clock::with_valid_rows(5)];
    cases.push(make(1, inputs, "equal logits".into()));
    cases
}
