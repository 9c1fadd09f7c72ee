//! Gradient of [`GaussianKl`]: dμ = dy · μ / v and dl = dy · ½ expm1(l) / v for v
//! valid samples, 0 for rows of padding.

use super::gaussian_kl::{GaussianKl, cases, expm1_rest};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (dμ, dl) for inputs (μ \[M, N\], l \[M, N\], clock, dy scalar).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaussianKlGrad(pub GaussianKl);

impl GaussianKlGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let valid = rows_per_sample::valid_rows(x[2].words(), self.0.rows_per_sample);
        let scale = x[3].real()[0] / T::of(clock::valid_rows(x[2].words()).max(1) as f64);
        let [d_mean, d_log_variance] = y else { return };
        let count = valid * columns;
        for (d, &mean) in d_mean.real_mut().iter_mut().zip(&x[0].real()[..count]) {
            *d = scale * mean;
        }
        for (d, &l) in d_log_variance.real_mut().iter_mut().zip(&x[1].real()[..count]) {
            *d = T::of(0.5) * scale * (expm1_rest(l) + l);
        }
    }
}

impl Op for GaussianKlGrad {
    fn name(&self) -> &'static str {
        "gaussian_kl_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [mean, log_variance, clock, dy] = arity(self.name(), inputs)?;
        self.0.infer_rows(self.name(), mean, log_variance, clock)?;
        same(self.name(), "the seed", dy, &Ty::f32(&[]))?;
        Ok(vec![mean.clone(), mean.clone()])
    }

    crate::twin!();
}

/// `shaders/loss/gaussian_kl_grad.wgsl`
pub struct GaussianKlGradKernel;

impl Kernel for GaussianKlGradKernel {
    fn stem(&self) -> &'static str {
        "gaussian_kl_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<GaussianKlGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "the means", r.inputs[0])?;
        let n = rows * columns;
        let inputs = (0..4).map(Bind::Input);
        let bindings = inputs.chain([Bind::Output(0), Bind::Output(1)]).collect();
        let rows_per_sample = r.op::<GaussianKlGrad>()?.0.rows_per_sample;
        let params = vec![n as u32, columns as u32, rows_per_sample as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 8.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "WGSL's exp at 3 + 2|x| ULP, less 1";
        cases("gaussian_kl_grad", |op, mut inputs, label| {
            inputs.push(HostTensor::from_f32(&[], &[0.7]));
            Case::new(label, GaussianKlGrad(op), inputs, Tolerance::new(1e-9, 2e-5, Terms::Largest, why))
        })
    }
}
