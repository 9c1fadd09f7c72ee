//! Gradient of [`BatchNorm`]. With x̂ = (x − μ)/√(σ² + ε) and sums over the v valid
//! rows: dβ = Σ dy, dγ = Σ dy x̂, dx = γ/√(σ² + ε) · (dy − dβ/v − x̂ dγ/v); rows of padding get 0.

use super::batch_norm::{BatchNorm, cases, inverse_deviation};
use super::stretches::Binds;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (dX, dγ, dβ) for inputs (X \[M, N\], scale \[N\], clock, moments \[2, N\], dY \[M, N\]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormGrad(pub BatchNorm);

impl BatchNormGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[1].shape.elements();
        let valid = rows_per_sample::valid_rows(x[2].words(), self.0.rows_per_sample);
        let count = T::of(valid.max(1) as f64);
        let ((mean, variance), dy) = (x[3].real().split_at(columns), x[4].real());
        let inverse: Vec<T> = variance.iter().map(|&v| inverse_deviation(v, self.0.epsilon)).collect();
        let [dx, d_scale, d_shift] = y else { return };
        let (d_scale, d_shift) = (d_scale.real_mut(), d_shift.real_mut());
        let rows = || x[0].real().chunks_exact(columns).zip(dy.chunks_exact(columns)).take(valid);
        for (row, dy) in rows() {
            for (n, (&x, &dy)) in row.iter().zip(dy).enumerate() {
                d_shift[n] += dy;
                d_scale[n] += dy * ((x - mean[n]) * inverse[n]);
            }
        }
        let scale = x[1].real();
        for (dx, (row, dy)) in dx.real_mut().chunks_exact_mut(columns).zip(rows()) {
            for (n, dx) in dx.iter_mut().enumerate() {
                let standard = (row[n] - mean[n]) * inverse[n];
                *dx = scale[n] * inverse[n] * (dy[n] - (d_shift[n] + standard * d_scale[n]) / count);
            }
        }
    }
}

impl Op for BatchNormGrad {
    fn name(&self) -> &'static str {
        "batch_norm_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, scale, clock, moments, dy] = arity(self.name(), inputs)?;
        self.0.infer_rows(self.name(), x, scale, clock)?;
        same(self.name(), "the moments", moments, &Ty::f32(&[2, scale.elements()]))?;
        same(self.name(), "dY", dy, x)?;
        Ok(vec![x.clone(), scale.clone(), scale.clone()])
    }

    crate::twin!();
}

/// `shaders/norm/batch_norm_grad.wgsl`, one workgroup a column; many rows in stretches (`stretches.rs`).
pub struct BatchNormGradKernel;

impl Kernel for BatchNormGradKernel {
    fn stem(&self) -> &'static str {
        "batch_norm_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<BatchNormGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "X", r.inputs[0])?;
        let BatchNormGrad(of) = *r.op()?;
        if let Some(stretches) = of.stretches(rows, columns) {
            let [x, scale, clock, moments, dy] = [0, 1, 2, 3, 4].map(Bind::Input);
            let binds = Binds { x, scale, clock, moments };
            return Ok(stretches.backward(binds, dy, [0, 1, 2].map(Bind::Output)));
        }
        let bindings = (0..5).map(Bind::Input).chain((0..3).map(Bind::Output)).collect();
        let params = of.params(rows, columns);
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(columns)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 12.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "four sums in a tree, a root, and differences of what nearly cancels";
        let mut s = Samples::new("batch_norm_grad");
        let gradients: Vec<HostTensor<f32>> =
            cases("batch_norm_grad", |op, inputs, label| Case::new(label, op, inputs, Tolerance::EXACT))
                .iter()
                .map(|case| s.normal(case.inputs[0].shape.dims()))
                .collect();
        cases("batch_norm_grad", |op, mut inputs, label| {
            let columns = inputs[1].shape.elements();
            let dims = inputs[0].shape.dims().to_vec();
            let mut forward = [&dims[..], &[2, columns]].map(|dims| HostTensor::zeros(&Ty::f32(dims)));
            op.eval_f32(&inputs.iter().collect::<Vec<_>>(), &mut forward);
            let [_, moments] = forward;
            inputs.remove(2);
            let dy = gradients.iter().find(|dy| dy.shape == inputs[0].shape).cloned();
            inputs.extend([moments].into_iter().chain(dy));
            Case::new(label, BatchNormGrad(op), inputs, Tolerance::new(1e-5, 4e-5, Terms::Largest, why))
        })
    }
}
