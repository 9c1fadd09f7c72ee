//! Gradient through [`Moments`]: dz = (dm + (z − m)(dC + dCᵀ))/v for v valid rows, 0 for rows of padding. That the
//! mean moves the covariance too makes no difference, since deviations from it add up to 0.

use super::moments::{Moments, cases};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dZ \[M, N\] for inputs (Z \[M, N\], clock, mean \[N\], dm \[N\], dC \[N, N\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MomentsGrad(pub Moments);

impl MomentsGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (mean, d_mean, d_covariance) = (x[2].real(), x[3].real(), x[4].real());
        let n = mean.len();
        let valid = rows_per_sample::valid_rows(x[1].words(), self.0.rows_per_sample);
        let count = T::of(valid.max(1) as f64);
        // dC + dCᵀ, which is its own transpose.
        let both: Vec<T> = (0..n * n).map(|i| d_covariance[i] + d_covariance[i % n * n + i / n]).collect();
        let rows = y[0].real_mut().chunks_exact_mut(n).zip(x[0].real().chunks_exact(n)).take(valid);
        for (d, row) in rows {
            d.copy_from_slice(d_mean);
            for ((&z, &mean), both) in row.iter().zip(mean).zip(both.chunks_exact(n)) {
                d.iter_mut().zip(both).for_each(|(d, &both)| *d += (z - mean) * both);
            }
            d.iter_mut().for_each(|d| *d = *d / count);
        }
    }
}

impl Op for MomentsGrad {
    fn name(&self) -> &'static str {
        "moments_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [rows, clock, mean, d_mean, d_covariance] = arity(self.name(), inputs)?;
        let (_, n) = self.0.infer_rows(self.name(), rows, clock)?;
        same(self.name(), "the mean", mean, &Ty::f32(&[n]))?;
        same(self.name(), "the mean's gradient", d_mean, mean)?;
        same(self.name(), "the covariance's gradient", d_covariance, &Ty::f32(&[n, n]))?;
        Ok(vec![rows.clone()])
    }

    crate::twin!();
}

/// `shaders/norm/moments_grad.wgsl`
pub struct MomentsGradKernel;

impl Kernel for MomentsGradKernel {
    fn stem(&self) -> &'static str {
        "moments_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<MomentsGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "Z", r.inputs[0])?;
        let bindings = (0..5).map(Bind::Input).chain([Bind::Output(0)]).collect();
        let rows_per_sample = r.op::<MomentsGrad>()?.0.rows_per_sample;
        let params = vec![rows as u32, columns as u32, rows_per_sample as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * columns)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 4.0 * r.inputs[2].elements() as f64 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "sums of as many terms as there are columns";
        cases("moments_grad", |op, mut inputs, s, label| {
            let n = inputs[0].shape.matrix().map_or(1, |(_, n)| n);
            inputs.extend([s.normal(&[n]), s.normal(&[n]), s.normal(&[n, n])]);
            Case::new(label, MomentsGrad(op), inputs, Tolerance::new(1e-8, 1e-5, Terms::Largest, why))
        })
    }
}
