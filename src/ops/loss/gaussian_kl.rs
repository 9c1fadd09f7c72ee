//! How far diagonal Gaussians are from the standard one, in nats.
//!
//! Source: Kingma and Welling, "Auto-Encoding Variational Bayes" (2013), appendix B; FORMULAS §3. With mean μ and
//! log-variance l of v valid samples, d_j = Σ_m ½ (μ² + expm1(l) − l) / v and KL = Σ_j d_j. Near l = 0 the
//! difference expm1(l) − l is a series, since it would lose all its digits otherwise.

use super::gaussian_kl_grad::GaussianKlGrad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::array::sum_all;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (KL, d \[N\]) for inputs (μ \[M, N\], l \[M, N\], clock): the divergence, and that of each dimension, which is for
/// people to see. Both are of a sample: sums over its rows, means over the valid samples, so that a map of codes has
/// the divergence that it has as one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaussianKl {
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

/// expm1(x) − x.
pub(in crate::ops) fn expm1_rest<T: Real>(x: T) -> T {
    if x.abs() > T::of(0.5) {
        return x.exp_m1() - x;
    }
    let series = (3..=20).rev().fold(T::one(), |sum, k| T::one() + x / T::of(f64::from(k)) * sum);
    T::of(0.5) * x * x * series
}

impl GaussianKl {
    pub(in crate::ops) fn infer_rows(
        self,
        op: &str,
        mean: &Ty,
        log_variance: &Ty,
        clock: &Ty,
    ) -> Result<(usize, usize)> {
        let shape = matrix(op, "the mean", mean)?;
        rows_per_sample::check(op, shape.0, self.rows_per_sample)?;
        same(op, "the log-variance", log_variance, mean)?;
        same(op, "the clock", clock, &clock::ty())?;
        Ok(shape)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let valid = rows_per_sample::valid_rows(x[2].words(), self.rows_per_sample);
        let [total, of_columns] = y else { return };
        let rows = x[0].real().chunks_exact(columns).zip(x[1].real().chunks_exact(columns)).take(valid);
        for (mean, log_variance) in rows {
            for ((sum, &mean), &l) in of_columns.real_mut().iter_mut().zip(mean).zip(log_variance) {
                *sum += T::of(0.5) * (mean * mean + expm1_rest(l));
            }
        }
        let count = T::of(clock::valid_rows(x[2].words()).max(1) as f64);
        of_columns.real_mut().iter_mut().for_each(|sum| *sum = *sum / count);
        total.real_mut()[0] = of_columns.real().iter().copied().sum();
    }
}

impl Op for GaussianKl {
    fn name(&self) -> &'static str {
        "gaussian_kl"
    }

    fn attributes(&self) -> String {
        rows_per_sample::attributes(String::new(), self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [mean, log_variance, clock] = arity(self.name(), inputs)?;
        let (_, columns) = self.infer_rows(self.name(), mean, log_variance, clock)?;
        Ok(vec![Ty::f32(&[]), Ty::f32(&[columns])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1].is_some() {
            return Err(Error::graph(self.name(), "only the total can be differentiated, not that of a dimension"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None; 3]) };
        let gradients = g.push(std::sync::Arc::new(GaussianKlGrad(*self)), &[x[0], x[1], x[2], dy])?;
        Ok(vec![Some(gradients[0]), Some(gradients[1]), None])
    }

    crate::twin!();
}

/// `shaders/loss/gaussian_kl_columns.wgsl`, one workgroup a dimension, then `sum_all.wgsl`.
pub struct GaussianKlKernel;

impl Kernel for GaussianKlKernel {
    fn stem(&self) -> &'static str {
        "gaussian_kl"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<GaussianKl>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (_, n) = matrix(self.stem(), "the mean", r.inputs[0])?;
        let bindings = [0, 1, 2].map(Bind::Input).into_iter().chain([Bind::Output(1)]).collect();
        let rows_per_sample = r.op::<GaussianKl>()?.rows_per_sample;
        let (columns, params) = (ShaderKey::plain("gaussian_kl_columns"), vec![n as u32, rows_per_sample as u32]);
        let columns = Dispatch::new(columns, bindings, params, Work::Groups(n));
        let dispatches = [vec![columns], sum_all::stages(Bind::Output(1), n, 0, 0)].concat();
        Ok(Launch { dispatches, scratch: vec![sum_all::SCRATCH_BYTES] })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 12.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "WGSL's exp at 3 + 2|x| ULP, and sums of positive terms in a tree";
        cases("gaussian_kl", |op, inputs, label| {
            Case::new(label, op, inputs, Tolerance::new(1e-9, 4e-5, Terms::Largest, why))
        })
    }
}

/// Cases for both kernels.
pub(in crate::ops) fn cases(stem: &str, make: impl Fn(GaussianKl, Vec<HostTensor<f32>>, String) -> Case) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (m, n, valid, rows_per_sample, scale) in [
        (1, 1, 1, 1, 1.0),
        (3, 2, 3, 1, 4.0),
        (67, 13, 41, 1, 1.0),
        (65, 5, 65, 1, 1e-3),
        (128, 20, 128, 1, 2.0),
        (1024, 64, 1000, 1, 1.0),
        (6, 2, 1, 3, 1.0),
        (130, 7, 9, 10, 2.0),
    ] {
        let inputs = [0, 1].map(|_| s.uniform(&[m, n], -scale, scale));
        let inputs = inputs.into_iter().chain([clock::with_valid_rows(valid)]).collect();
        let case = make(
            GaussianKl { rows_per_sample },
            inputs,
            format!("{m}x{n} of {rows_per_sample}, {valid} valid, to {scale}"),
        );
        cases.push(if m == 1024 { case.benched() } else { case });
    }
    cases
}
