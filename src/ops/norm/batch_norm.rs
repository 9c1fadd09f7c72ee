//! Columns of a batch brought to mean 0 and variance 1, then scaled and shifted.
//!
//! Source: Ioffe and Szegedy, "Batch Normalization" (2015). Over v valid rows, with μ_n and σ²_n (over v, not
//! v − 1) of column n: y = γ (x − μ)/√(σ² + ε) + β. Rows of padding become 0. For use after training
//! the moments of the whole data set take the place of those of a batch, and fold into the layer before.
//! Golden `batch_norm2d`.

use super::batch_norm_grad::BatchNormGrad;
use super::stretches::{Binds, Stretches};
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Rows that belong to one sample.
    pub rows_per_sample: usize,
    /// Added to the variance, so that a constant column is divided by something.
    pub epsilon: f32,
}

/// What is added to the variance unless told otherwise; PyTorch adds half of it.
pub const EPSILON: f32 = 2e-5;

/// Rows up to which a workgroup goes down a column by itself, in one dispatch; more are cut into stretches.
const FEW: usize = 1024;

impl BatchNorm {
    /// With so many rows a sample, and the usual number added to the variance.
    pub fn new(rows_per_sample: usize) -> Self {
        BatchNorm { rows_per_sample, epsilon: EPSILON }
    }

    /// In words, for plans and sites; what is as usual goes without saying.
    pub(super) fn attributes(self) -> String {
        let epsilon = if self.epsilon == EPSILON { String::new() } else { format!("epsilon={:e}", self.epsilon) };
        rows_per_sample::attributes(epsilon, self.rows_per_sample)
    }

    /// How a GPU goes through so many rows and columns, if it does so in stretches.
    pub(super) fn stretches(self, rows: usize, columns: usize) -> Option<Stretches> {
        let BatchNorm { rows_per_sample, epsilon } = self;
        let all = Stretches { samples: 1, rows, columns, groups: columns, epsilon, counted: Some(rows_per_sample) };
        (rows > FEW).then_some(all)
    }

    /// Parameters of the shaders that go down columns.
    pub(super) fn params(self, rows: usize, columns: usize) -> Vec<u32> {
        vec![rows as u32, columns as u32, self.epsilon.to_bits(), self.rows_per_sample as u32]
    }

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
                *y = scale[n] * ((x - mean[n]) * inverse_deviation(variance[n], self.epsilon)) + shift[n];
            }
        }
    }
}

/// 1/√(σ² + ε)
pub(super) fn inverse_deviation<T: Real>(variance: T, epsilon: f32) -> T {
    T::one() / (variance + T::of(f64::from(epsilon))).sqrt()
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn attributes(&self) -> String {
        BatchNorm::attributes(*self)
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

/// `shaders/norm/batch_norm.wgsl`, one workgroup a column; many rows in stretches (`stretches.rs`).
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
        let of = *r.op::<BatchNorm>()?;
        if let Some(stretches) = of.stretches(rows, columns) {
            let [x, scale, shift, clock] = [0, 1, 2, 3].map(Bind::Input);
            let binds = Binds { x, scale, clock, moments: Bind::Output(1) };
            return Ok(stretches.forward(binds, shift, Bind::Output(0)));
        }
        let bindings = (0..4).map(Bind::Input).chain((0..2).map(Bind::Output)).collect();
        let params = of.params(rows, columns);
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
        // In stretches, some of them of padding.
        (1025, 7, 1025, 1),
        (2001, 33, 400, 3),
        (4096, 3, 17, 64),
        (70_000, 1, 70_000, 1),
    ] {
        let inputs = vec![s.normal(&[m, n]), s.uniform(&[n], 0.5, 2.0), s.normal(&[n]), clock::with_valid_rows(valid)];
        let case =
            make(BatchNorm::new(rows_per_sample), inputs, format!("{m}x{n} of {rows_per_sample}, {valid} valid"));
        cases.push(if m == 250 { case.benched() } else { case });
    }
    let inputs = vec![s.normal(&[35, 4]), s.uniform(&[4], 0.5, 2.0), s.normal(&[4]), clock::with_valid_rows(35)];
    cases.push(make(BatchNorm { epsilon: 1e-3, ..BatchNorm::new(1) }, inputs, "35x4, another epsilon".into()));
    cases
}
