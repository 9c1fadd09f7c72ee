//! Gradient of [`SoftmaxDivergence`] by the logits Q: dQ_mk = dy (q_mk − p_mk)/M.

use super::softmax_divergence::{SoftmaxDivergence, cases};
use super::softmax_rows;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::log_sum_exp::log_softmax;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::tensor::{HostTensor, Real, Ty};

/// dQ for inputs (P, Q, clock, dy); rows of padding get zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftmaxDivergenceGrad(pub SoftmaxDivergence);

impl SoftmaxDivergenceGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let rows = rows_per_sample::valid_rows(x[2].words(), self.0.rows_per_sample);
        let scale = x[3].scalar() / T::of(rows as f64);
        let pairs = x[0].real().chunks_exact(columns).zip(x[1].real().chunks_exact(columns));
        for ((p, q), dq) in pairs.zip(y[0].real_mut().chunks_exact_mut(columns)).take(rows) {
            for ((dq, p), q) in dq.iter_mut().zip(log_softmax(p)).zip(log_softmax(q)) {
                *dq = scale * (q.exp() - p.exp());
            }
        }
    }
}

impl Op for SoftmaxDivergenceGrad {
    fn name(&self) -> &'static str {
        "softmax_divergence_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [p, q, clock, dy] = arity(self.name(), inputs)?;
        self.0.infer_rows(self.name(), p, q, clock)?;
        same(self.name(), "dy", dy, &Ty::f32(&[]))?;
        Ok(vec![q.clone()])
    }

    crate::twin!();
}

/// `shaders/loss/softmax_divergence_grad.wgsl`, one invocation a row.
pub struct SoftmaxDivergenceGradKernel;

impl Kernel for SoftmaxDivergenceGradKernel {
    fn stem(&self) -> &'static str {
        "softmax_divergence_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SoftmaxDivergenceGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        softmax_rows::launch(self.stem(), r, r.op::<SoftmaxDivergenceGrad>()?.0.rows_per_sample, Work::Invocations)
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 20.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        cases("softmax_divergence_grad", |op, mut inputs, label| {
            inputs.push(HostTensor::from_f32(&[], &[0.7]));
            let why = "differences of shares, each exact to WGSL's exp at 3 to 20 ULP";
            Case::new(label, SoftmaxDivergenceGrad(op), inputs, Tolerance::new(2e-7, 8e-5, Terms::Largest, why))
        })
    }
}
