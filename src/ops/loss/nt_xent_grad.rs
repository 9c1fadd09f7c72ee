//! Gradient of [`NtXent`] by the cosines of the views.
//!
//! With p_ij = e^{c_ij / τ} over the sum of row i: dc_ij = dℓ_i (p_ij − \[j = p(i)\]) / τ, 0 on the diagonal and in padding.

use super::nt_xent::{CASES, NtXent, launch, views};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance};
use crate::tensor::{HostTensor, Real, Ty};

/// dc for inputs (c, clock, log Σ of each row, dℓ \[N\]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NtXentGrad(pub NtXent);

impl NtXentGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let n = x[2].shape.dims()[0];
        let valid = rows_per_sample::valid_rows(x[1].words(), 1).min(n);
        let (totals, losses) = (x[2].real(), x[3].real());
        let scale = T::one() / T::of(f64::from(self.0.temperature));
        let rows = x[0].real().chunks_exact(n).zip(y[0].real_mut().chunks_exact_mut(n));
        for (i, (row, dx)) in rows.enumerate().take(valid) {
            for (j, (dx, &cosine)) in dx.iter_mut().zip(row).enumerate().take(valid).filter(|(j, _)| *j != i) {
                let share = (cosine * scale - totals[i]).exp() - if j == i ^ 1 { T::one() } else { T::zero() };
                *dx = losses[i] * share * scale;
            }
        }
    }
}

impl Op for NtXentGrad {
    fn name(&self) -> &'static str {
        "nt_xent_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [cosines, clock, totals, dy] = arity(self.name(), inputs)?;
        let rows = self.0.rows(self.name(), cosines, clock)?;
        same(self.name(), "the totals", totals, &Ty::f32(&[rows]))?;
        same(self.name(), "dy", dy, &Ty::f32(&[rows]))?;
        Ok(vec![cosines.clone()])
    }

    crate::twin!();
}

/// `shaders/loss/nt_xent_grad.wgsl`, one workgroup a row.
pub struct NtXentGradKernel;

impl Kernel for NtXentGradKernel {
    fn stem(&self) -> &'static str {
        "nt_xent_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<NtXentGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        launch(self.stem(), r, r.op::<NtXentGrad>()?.0)
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 8.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("nt_xent_grad");
        let why = "shares exact to WGSL's exp of cosines over the temperature";
        let tolerance = Tolerance::new(1e-6, 2e-4, Terms::Largest, why);
        let case = |(rows, valid, width, temperature): (usize, usize, usize, f32)| {
            let mut inputs = views(&mut s, rows, valid, width);
            let mut totals = s.uniform(&[rows], 3.0, 4.0);
            // Of a smooth function any totals would do; these keep the shares below 1.
            totals.real_mut().iter_mut().for_each(|total| *total += 1.0 / temperature);
            inputs.extend([totals, s.normal(&[rows])]);
            let label = format!("{rows} views of {width}, {valid} valid, at {temperature}");
            let case = Case::new(label, NtXentGrad(NtXent { temperature }), inputs, tolerance);
            if rows == 512 { case.benched() } else { case }
        };
        CASES.into_iter().map(case).collect()
    }
}
