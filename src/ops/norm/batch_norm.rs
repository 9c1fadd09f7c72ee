//! Columns of a batch brought to mean 0 and variance 1, then scaled and shifted.
//!
//! Source: Ioffe and Szegedy, "Batch Normalization" (2015). Over v valid rows, with μ_n and σ²_n (over v, not
//! v − 1) of column n: y = γ (x − μ)/√(σ² + ε) + β, ε = 2·10⁻⁵. Rows of padding become 0. For use after training
//! the moments of the whole data set take the place of those of a batch, and fold into the layer before.

use super::batch_norm_grad::BatchNormGrad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (Y \[M, N\], moments \[2, N\]: means, then variances) for inputs (X \[M, N\], scale \[N\], shift \[N\], clock). Means are
/// over rows: where these are pixels, over all pixels of all samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchNorm {
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
}

/// Added to the variance, so that a constant column is divided by something.
pub const EPSILON: f32 = 2e-5;

impl BatchNorm {
    pub(in crate::ops) fn infer_rows(self, op: &str, x: &Ty, scale: &Ty, clock: &Ty) -> Result<(usize, usize)> {
        let shape = matrix(op, "X", x)?;
        rows_per_sample::check(op, shape.0, self.rows_per_sample)?;
        same(op, "the scale", scale, &Ty::f32(&[shape.1]))?;
        same(op, "the clock", clock, &clock::ty())?;
        Ok(shape)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[1].shape.elements();
        let valid = rows_per_sample::valid_rows(x[3].words(), self.rows_per_sample);
        let [y, moments] = y else { return };
        let (mean, variance) = moments.real_mut().split_at_mut(columns);
        let rows = || x[0].real().chunks_exact(columns).take(valid);
        let count = T::of(valid.max(1) as f64);
        rows().for_each(|row| mean.iter_mut().zip(row).for_each(|(mean, &x)| *mean += x));
        mean.iter_mut().for_each(|mean| *mean = *mean / count);
        for row in rows() {
            for ((variance, &mean), &x) in variance.iter_mut().zip(&*mean).zip(row) {
                *variance += (x - mean) * (x - mean);
            }
        }
        variance.iter_mut().for_each(|variance| *variance = *variance / count);
        let (scale, shift) = (x[1].real(), x[2].real());
        for (y, row) in y.real_mut().chunks_exact_mut(columns).zip(rows()) {
            for (n, (y, &x)) in y.iter_mut().zip(row).enumerate() {
                *y = scale[n] * ((x - mean[n]) * inverse_deviation(variance[n])) + shift[n];
            }
        }
    }
}

/// 1/√(σ² + ε)
pub(in crate::ops) fn inverse_deviation<T: Real>(variance: T) -> T {
    T::one() / (variance + T::of(f64::from(EPSILON))).sqrt()
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn attributes(&self) -> String {
        rows_per_sample::attributes(String::new(), self.rows_per_sample)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, scale, shift, clock] = arity(self.name(), inputs)?;
        self.infer_rows(self.name(), x, scale, clock)?;
        same(self.name(), "the shift", shift, scale)?;
        Ok(vec![x.clone(), Ty::f32(&[2, scale.elements()])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1].is_some() {
            return Err(Error::graph(self.name(), "only the rows can be differentiated, not their moments"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None; 4]) };
        let gradients = g.push(std::sync::Arc::new(BatchNormGrad(*self)), &[x[0], x[1], x[3], y[1], dy])?;
        Ok(vec![Some(gradients[0]), Some(gradients[1]), Some(gradients[2]), None])
    }

    crate::twin!();
}

/// `shaders/norm/batch_norm.wgsl`, one workgroup a column.
pub struct BatchNormKernel;

impl Kernel for BatchNormKernel {
    fn stem(&self) -> &'static str {
        "batch_norm"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<BatchNorm>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "X", r.inputs[0])?;
        let bindings = (0..4).map(Bind::Input).chain((0..2).map(Bind::Output)).collect();
        let rows_per_sample = r.op::<BatchNorm>()?.rows_per_sample;
        let params = vec![rows as u32, columns as u32, EPSILON.to_bits(), rows_per_sample as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(columns)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 8.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "two sums in a tree and a root; a column is divided by its deviation, at least 0.0045";
        cases("batch_norm", |op, inputs, label| {
            Case::new(label, op, inputs, Tolerance::new(2e-6, 2e-5, Terms::Largest, why))
        })
    }
}

/// Cases for both kernels.
pub(in crate::ops) fn cases(stem: &str, make: impl Fn(BatchNorm, Vec<HostTensor<f32>>, String) -> Case) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (m, n, valid, rows_per_sample) in [
        (2, 1, 2, 1),
        (3, 5, 3, 1),
        (67, 13, 41, 1),
        (65, 70, 65, 1),
        (250, 400, 250, 1),
        (6, 3, 1, 3),
        (130, 7, 9, 10),
    ] {
        let inputs = vec![s.normal(&[m, n]), s.uniform(&[n], 0.5, 2.0), s.normal(&[n]), clock::with_valid_rows(valid)];
        let case = make(BatchNorm { rows_per_sample }, inputs, format!("{m}x{n} of {rows_per_sample}, {valid} valid"));
        cases.push(if m == 250 { case.benched() } else { case });
    }
    cases
}
