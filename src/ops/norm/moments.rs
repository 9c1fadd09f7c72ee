//! Mean and covariance of the rows of a batch, over v valid rows: m = Σ z / v, C = Σ (z − m)(z − m)ᵀ / v, as the
//! Gaussian that fits them best has it.

use super::moments_grad::MomentsGrad;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::array::unary::Unary;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (mean \[N\], covariance \[N, N\]) for inputs (Z \[M, N\], clock), over rows: where these are pixels, over all
/// pixels of all samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

impl Moments {
    pub(in crate::ops) fn infer_rows(self, op: &str, rows: &Ty, clock: &Ty) -> Result<(usize, usize)> {
        let shape = matrix(op, "Z", rows)?;
        rows_per_sample::check(op, shape.0, self.rows_per_sample)?;
        same(op, "the clock", clock, &clock::ty())?;
        Ok(shape)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = y[0].shape.elements();
        let valid = rows_per_sample::valid_rows(x[1].words(), self.rows_per_sample);
        let count = T::of(valid.max(1) as f64);
        let rows = || x[0].real().chunks_exact(columns).take(valid);
        let [mean, covariance] = y else { return };
        let (mean, covariance) = (mean.real_mut(), covariance.real_mut());
        rows().for_each(|row| mean.iter_mut().zip(row).for_each(|(mean, &z)| *mean += z));
        mean.iter_mut().for_each(|mean| *mean = *mean / count);
        for row in rows() {
            let centred: Vec<T> = row.iter().zip(&*mean).map(|(&z, &mean)| z - mean).collect();
            for (products, &a) in covariance.chunks_exact_mut(columns).zip(&centred) {
                products.iter_mut().zip(&centred).for_each(|(sum, &b)| *sum += a * b);
            }
        }
        covariance.iter_mut().for_each(|sum| *sum = *sum / count);
    }
}

impl Op for Moments {
    fn name(&self) -> &'static str {
        "moments"
    }

    fn attributes(&self) -> String {
        rows_per_sample::attributes(String::new(), self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [rows, clock] = arity(self.name(), inputs)?;
        let (_, columns) = self.infer_rows(self.name(), rows, clock)?;
        Ok(vec![Ty::f32(&[columns]), Ty::f32(&[columns, columns])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy.iter().all(Option::is_none) {
            return Ok(vec![None; 2]);
        }
        let mut or_zeros = |port: usize| match dy[port] {
            Some(dy) => Ok(dy),
            None => g.apply(Unary::Affine { scale: 0.0, shift: 0.0 }, &[y[port]]),
        };
        let (d_mean, d_covariance) = (or_zeros(0)?, or_zeros(1)?);
        Ok(vec![Some(g.apply(MomentsGrad(*self), &[x[0], x[1], y[0], d_mean, d_covariance])?), None])
    }

    crate::twin!();
}

/// `shaders/norm/moments.wgsl`
pub struct MomentsKernel;

impl Kernel for MomentsKernel {
    fn stem(&self) -> &'static str {
        "moments"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Moments>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (_, columns) = matrix(self.stem(), "Z", r.inputs[0])?;
        let bindings = (0..2).map(Bind::Input).chain((0..2).map(Bind::Output)).collect();
        let rows_per_sample = r.op::<Moments>()?.rows_per_sample;
        let (params, work) = (vec![columns as u32, rows_per_sample as u32], Work::Invocations(columns * columns));
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, work))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let columns = r.outputs[0].elements() as f64;
        Ok(Cost::streaming(r, 2.0 * columns * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "up to 1,000 additions in a row, whose roundings point in both directions";
        cases("moments", |op, inputs, _, label| {
            Case::new(label, op, inputs, Tolerance::new(2e-6, 1e-5, Terms::Largest, why))
        })
    }
}

/// Cases for both kernels, with columns of unequal scale; `make` also gets a source of further inputs.
pub(in crate::ops) fn cases(
    stem: &str,
    make: impl Fn(Moments, Vec<HostTensor<f32>>, &mut Samples, String) -> Case,
) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (m, n, valid, rows_per_sample, shift) in [
        (1, 1, 1, 1, 0.0),
        (3, 2, 3, 1, 2.0),
        (67, 13, 41, 1, 0.5),
        (65, 9, 64, 1, -3.0),
        (30, 70, 29, 1, 0.0),
        (1024, 5, 1000, 1, 1.0),
        (128, 20, 128, 1, 0.3),
        (6, 2, 1, 3, 1.0),
        (130, 7, 9, 10, 0.5),
    ] {
        let inputs = vec![s.uniform(&[m, n], shift - 1.5, shift + 1.5), clock::with_valid_rows(valid)];
        let case = make(
            Moments { rows_per_sample },
            inputs,
            &mut s,
            format!("{m}x{n} of {rows_per_sample}, {valid} valid, about {shift}"),
        );
        cases.push(if m == 128 { case.benched() } else { case });
    }
    cases
}
