//! Gradient of the five totals of [`SoftmaxEntropy`].
//!
//! Source: FORMULAS §2. With r_mi = exp(lq_mi − L_i) and log q̄_i = L_i − log M, dX_mk is the sum of
//!
//! * (dΣH + dmean/M) · β q_k (lq_k + H_m)
//! * dA_doc · β (N q_k − 1)
//! * dA_avg · β (q_k Σ_i r_mi − r_mk)
//! * dKL · (β/M) q_k (Σ_i q_i log q̄_i − log q̄_k)

use super::softmax_entropy::{SoftmaxEntropy, near_ties};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dX for inputs (X, clock, row_max, row_log_sum, row_h, column_lse, dtotals \[5\]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftmaxEntropyGrad(pub SoftmaxEntropy);

impl SoftmaxEntropyGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let n = x[0].shape.matrix().map_or(1, |(_, n)| n);
        let m = rows_per_sample::valid_rows(x[1].words(), self.0.rows_per_sample);
        let beta = T::of(f64::from(self.0.beta));
        let [row_max, row_log_sum, row_h, column_lse] = [2, 3, 4, 5].map(|input| x[input].real());
        let [d_sum, d_doc, d_avg, d_kl, d_mean] = [0, 1, 2, 3, 4].map(|total| x[6].real()[total]);
        let (rows, count) = (T::of(m as f64), T::of(n as f64));
        let d_h = d_sum + d_mean / rows;
        let out = y[0].real_mut();
        for row in 0..m {
            let lq = |k: usize| (-beta * x[0].real()[row * n + k] - row_max[row]) - row_log_sum[row];
            let responsibility = |k: usize| (lq(k) - column_lse[k]).exp();
            let log_mean = |k: usize| column_lse[k] - rows.ln();
            let responsibilities = (0..n).fold(T::zero(), |sum, k| sum + responsibility(k));
            let cross = (0..n).fold(T::zero(), |sum, k| sum + lq(k).exp() * log_mean(k));
            for k in 0..n {
                let q = lq(k).exp();
                out[row * n + k] = beta
                    * (d_h * q * (lq(k) + row_h[row])
                        + d_doc * (count * q - T::one())
                        + d_avg * (q * responsibilities - responsibility(k))
                        + d_kl / rows * q * (cross - log_mean(k)));
            }
        }
    }
}

impl Op for SoftmaxEntropyGrad {
    fn name(&self) -> &'static str {
        "softmax_entropy_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let inputs = arity::<7>(self.name(), inputs)?;
        let (m, n) = matrix(self.name(), "X", inputs[0])?;
        rows_per_sample::check(self.name(), m, self.0.rows_per_sample)?;
        same(self.name(), "the clock", inputs[1], &clock::ty())?;
        for (input, length) in [(2, m), (3, m), (4, m), (5, n), (6, 5)] {
            same(self.name(), "row, column and total statistics", inputs[input], &Ty::f32(&[length]))?;
        }
        Ok(vec![inputs[0].clone()])
    }

    crate::twin!();
}

/// `shaders/entropy/softmax_entropy_grad.wgsl`, one invocation a row.
pub struct SoftmaxEntropyGradKernel;

impl Kernel for SoftmaxEntropyGradKernel {
    fn stem(&self) -> &'static str {
        "softmax_entropy_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SoftmaxEntropyGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (m, n) = matrix(self.stem(), "X", r.inputs[0])?;
        let SoftmaxEntropy { beta, rows_per_sample } = r.op::<SoftmaxEntropyGrad>()?.0;
        let mut bindings: Vec<Bind> = (0..7).map(Bind::Input).collect();
        bindings.push(Bind::Output(0));
        let params = vec![m as u32, n as u32, beta.to_bits(), rows_per_sample as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(m)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 30.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-6,
            8e-5,
            Terms::Largest,
            "the golden vectors' bound of 2e-5 for gradients, times 4 for WGSL's log and exp",
        );
        let mut s = Samples::new("softmax_entropy_grad");
        let mut cases = Vec::new();
        let only = |total: usize| [0, 1, 2, 3, 4].map(|t| if t == total { 0.7 } else { 0.0 });
        let mut case = |label: &str, x: HostTensor<f32>, valid: usize, forward: SoftmaxEntropy, seeds: [f32; 5]| {
            let clock = clock::with_valid_rows(valid);
            let types: Vec<Ty> = forward.infer(&[&x.ty(), &clock.ty()]).unwrap_or_default();
            let mut statistics: Vec<HostTensor<f32>> = types.iter().map(HostTensor::zeros).collect();
            forward.eval_f32(&[&x, &clock], &mut statistics);
            let label = format!("{}, {valid} valid, {}, {label}, seeds {seeds:?}", x.shape, forward.attributes());
            let mut inputs = vec![x, clock];
            inputs.extend(statistics.drain(1..));
            inputs.push(HostTensor::from_f32(&[5], &seeds));
            cases.push(Case::new(label, SoftmaxEntropyGrad(forward), inputs, rounding));
        };
        for (m, n, valid, rows_per_sample, beta, scale, seeds) in [
            (1, 1, 1, 1, -1.0, 1.0, [1.0; 5]),
            (67, 13, 67, 1, 2.5, 1.0, only(0)),
            (67, 13, 67, 1, 2.5, 1.0, only(1)),
            (67, 13, 60, 1, 2.5, 1.0, only(2)),
            (67, 13, 60, 1, 2.5, 1.0, only(3)),
            (67, 13, 60, 1, 2.5, 1.0, only(4)),
            (9, 5, 9, 1, -1.0, 1e4, [1.0; 5]),
            (256, 10, 256, 1, -1.0, 3.0, [0.0, 0.0, 0.0, 2.0, 1.0]),
            (6, 5, 1, 3, -1.0, 1.0, [1.0; 5]),
            (130, 7, 9, 10, 2.5, 1.0, [1.0; 5]),
        ] {
            let forward = SoftmaxEntropy { beta, rows_per_sample };
            case(&format!("to {scale}"), s.uniform(&[m, n], -scale, scale), valid, forward, seeds);
        }
        let ties = SoftmaxEntropy { beta: -1.0, rows_per_sample: 1 };
        (0..5).for_each(|total| case("near ties at 1e4", near_ties(), 3, ties, only(total)));
        cases.into_iter().map(|c| if c.inputs[0].shape.dims()[0] == 256 { c.benched() } else { c }).collect()
    }
}
