//! Gradient of [`GroupNorm`]. With x̂ = (x − μ)/√(σ² + ε) and means over the numbers of a sample's group:
//! dx = (γ dy − mean(γ dy) − x̂ mean(γ dy x̂))/√(σ² + ε); over all samples and rows dβ = Σ dy, dγ = Σ dy x̂.

use super::group_norm::{Extents, GroupNorm, cases, inverse_deviation};
use super::stretches::Binds;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance};
use crate::tensor::{HostTensor, Real, Ty};

/// (dX, dγ, dβ) for inputs (X \[N·P, C\], scale \[C\], moments \[2, N·G\], dY \[N·P, C\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupNormGrad(pub GroupNorm);

impl GroupNormGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok(extents) = self.0.extents("group_norm_grad", &x[0].ty()) else { return };
        let groups = extents.samples * extents.groups;
        let (dy, scale, (mean, variance)) = (x[3].real(), x[1].real(), x[2].real().split_at(groups));
        let x = x[0].real();
        let inverse: Vec<T> = variance.iter().map(|&variance| inverse_deviation(variance)).collect();
        let standard = |i: usize, group: usize| (x[i] - mean[group]) * inverse[group];
        let [dx, d_scale, d_shift] = y else { return };
        let (dx, d_scale, d_shift) = (dx.real_mut(), d_scale.real_mut(), d_shift.real_mut());
        let mut sums = vec![[T::zero(); 2]; groups];
        extents.each(|i, c, group| {
            d_shift[c] += dy[i];
            d_scale[c] += dy[i] * standard(i, group);
            sums[group][0] += scale[c] * dy[i];
            sums[group][1] += scale[c] * dy[i] * standard(i, group);
        });
        let count = extents.count::<T>();
        extents.each(|i, c, group| {
            let [plain, with_x] = sums[group];
            dx[i] = inverse[group] * (scale[c] * dy[i] - (plain + standard(i, group) * with_x) / count);
        });
    }
}

impl Op for GroupNormGrad {
    fn name(&self) -> &'static str {
        "group_norm_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, scale, moments, dy] = arity(self.name(), inputs)?;
        let Extents { samples, columns, groups, .. } = self.0.extents(self.name(), x)?;
        same(self.name(), "the scale", scale, &Ty::f32(&[columns]))?;
        same(self.name(), "the moments", moments, &Ty::f32(&[2, samples * groups]))?;
        same(self.name(), "dY", dy, x)?;
        Ok(vec![x.clone(), scale.clone(), scale.clone()])
    }

    crate::twin!();
}

/// `shaders/norm/norm_grad_stretches.wgsl`, `norm_grad_join.wgsl`, `norm_grad_apply.wgsl`.
pub struct GroupNormGradKernel;

impl Kernel for GroupNormGradKernel {
    fn stem(&self) -> &'static str {
        "group_norm_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<GroupNormGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let of = r.op::<GroupNormGrad>()?.0.stretches(self.stem(), r.inputs[0])?;
        let [x, scale, moments, dy] = [0, 1, 2, 3].map(Bind::Input);
        let binds = Binds { clock: x.clone(), x, scale, moments };
        Ok(of.backward(binds, dy, [0, 1, 2].map(Bind::Output)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 12.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "four sums in trees, a root, and differences of what nearly cancels";
        let far = "x − μ is off by half an ULP of 1000, 3e-5, and so is every sum of it";
        let mut s = Samples::new("group_norm_grad");
        let gradients: Vec<HostTensor<f32>> =
            cases("group_norm_grad", |op, inputs, label| Case::new(label, op, inputs, Tolerance::EXACT))
                .iter()
                .map(|case| s.normal(case.inputs[0].shape.dims()))
                .collect();
        cases("group_norm_grad", |op, mut inputs, label| {
            let types = op.infer(&inputs.iter().map(HostTensor::ty).collect::<Vec<_>>().iter().collect::<Vec<_>>());
            let mut forward: Vec<HostTensor<f32>> = types.unwrap_or_default().iter().map(HostTensor::zeros).collect();
            op.eval_f32(&inputs.iter().collect::<Vec<_>>(), &mut forward);
            inputs.truncate(2);
            inputs.extend(forward.pop());
            inputs.extend(gradients.iter().find(|dy| dy.shape == inputs[0].shape).cloned());
            let tolerance = match label.contains("1000") {
                true => Tolerance::new(1e-4, 2e-4, Terms::Largest, far),
                false => Tolerance::new(1e-5, 4e-5, Terms::Largest, why),
            };
            Case::new(label, GroupNormGrad(op), inputs, tolerance)
        })
    }
}
