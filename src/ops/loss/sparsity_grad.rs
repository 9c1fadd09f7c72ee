//! Gradient of [`Sparsity`]: dh = dy · f'(a_j) · sign(h) / v for v valid rows, 0 for rows
//! of padding and for h = 0.

use super::sparsity::{Sparsity, cases};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dH for inputs (H \[M, N\], clock, rates \[N\], dy scalar).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SparsityGrad(pub Sparsity);

impl SparsityGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let valid = rows_per_sample::valid_rows(x[1].words(), self.0.rows_per_sample);
        let scale = x[3].real()[0] / T::of(valid.max(1) as f64);
        let rows = y[0].real_mut().chunks_exact_mut(columns).zip(x[0].real().chunks_exact(columns));
        for (d, h) in rows.take(valid) {
            for ((d, &h), &rate) in d.iter_mut().zip(h).zip(x[2].real()) {
                let sign = if h == T::zero() { h } else { h.signum() };
                *d = scale * self.0.penalty.slope(rate) * sign;
            }
        }
    }
}

impl Op for SparsityGrad {
    fn name(&self) -> &'static str {
        "sparsity_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [h, clock, rates, dy] = arity(self.name(), inputs)?;
        let (_, columns) = self.0.infer_rows(self.name(), h, clock)?;
        same(self.name(), "the rates", rates, &Ty::f32(&[columns]))?;
        same(self.name(), "the seed", dy, &Ty::f32(&[]))?;
        Ok(vec![h.clone()])
    }

    crate::twin!();
}

/// `shaders/loss/sparsity_grad.wgsl`
pub struct SparsityGradKernel;

impl Kernel for SparsityGradKernel {
    fn stem(&self) -> &'static str {
        "sparsity_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SparsityGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (n, columns) = (r.inputs[0].elements(), r.inputs[2].elements());
        let Sparsity { penalty, rows_per_sample } = r.op::<SparsityGrad>()?.0;
        let (kind, target) = penalty.parts();
        let bindings = (0..4).map(Bind::Input).chain([Bind::Output(0)]).collect();
        let params = vec![n as u32, columns as u32, kind, target.to_bits(), rows_per_sample as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 3.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "divisions at 2.5 ULP, and their difference";
        cases("sparsity_grad", |op, mut inputs, label| {
            let columns = inputs[0].shape.dims()[1];
            let mut statistics = [&[][..], &[columns]].map(|dims| HostTensor::zeros(&Ty::f32(dims)));
            op.eval_f32(&[&inputs[0], &inputs[1]], &mut statistics);
            let [_, rates] = statistics;
            inputs.extend([rates, HostTensor::from_f32(&[], &[0.7])]);
            Case::new(label, SparsityGrad(op), inputs, Tolerance::new(1e-9, 2e-5, Terms::Largest, why))
        })
    }
}
