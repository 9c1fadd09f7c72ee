//! Gradient of [`SoftmaxCrossEntropy`] by the logits: dX_mk = dy (q_mk − \[k = c_m\]) / v.

use super::softmax_cross_entropy::{SoftmaxCrossEntropy, cases};
use super::softmax_rows;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::log_sum_exp::log_softmax;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::tensor::{HostTensor, Real, Ty};

/// dX for inputs (logits, labels, clock, dy); rows of padding get zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftmaxCrossEntropyGrad(pub SoftmaxCrossEntropy);

impl SoftmaxCrossEntropyGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let rows = rows_per_sample::valid_rows(x[2].words(), self.0.rows_per_sample);
        let scale = x[3].scalar() / T::of(rows.max(1) as f64);
        let logits = x[0].real().chunks_exact(columns).zip(x[1].words());
        for ((row, &label), dx) in logits.zip(y[0].real_mut().chunks_exact_mut(columns)).take(rows) {
            let label = (label as usize).min(columns - 1);
            for (k, (dx, log_q)) in dx.iter_mut().zip(log_softmax(row)).enumerate() {
                *dx = scale * if k == label { log_q.exp_m1() } else { log_q.exp() };
            }
        }
    }
}

impl Op for SoftmaxCrossEntropyGrad {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [logits, labels, clock, dy] = arity(self.name(), inputs)?;
        self.0.infer_rows(self.name(), logits, labels, clock)?;
        same(self.name(), "dy", dy, &Ty::f32(&[]))?;
        Ok(vec![logits.clone()])
    }

    crate::twin!();
}

/// `shaders/loss/softmax_cross_entropy_grad.wgsl`, one invocation a row.
pub struct SoftmaxCrossEntropyGradKernel;

impl Kernel for SoftmaxCrossEntropyGradKernel {
    fn stem(&self) -> &'static str {
        "softmax_cross_entropy_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SoftmaxCrossEntropyGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        softmax_rows::launch(self.stem(), r, r.op::<SoftmaxCrossEntropyGrad>()?.0.rows_per_sample, Work::Invocations)
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 10.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        cases("softmax_cross_entropy_grad", |op, mut inputs, label| {
            inputs.push(HostTensor::from_f32(&[], &[0.7]));
            let why = "shares exact to WGSL's exp at 3 to 20 ULP";
            Case::new(label, SoftmaxCrossEntropyGrad(op), inputs, Tolerance::new(2e-7, 8e-5, Terms::Largest, why))
        })
    }
}
