//! Gradient of [`GaussianBits`] by the numbers and by the scales; that by the means is the
//! former's negative.

use super::gaussian_bin::bin;
use super::gaussian_bits::{GaussianBits, cases};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (dz, ds) for inputs (z, μ, s, dy) of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaussianBitsGrad;

impl GaussianBitsGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [dz, ds] = y else { return };
        for (i, (dz, ds)) in dz.real_mut().iter_mut().zip(ds.real_mut()).enumerate() {
            let [difference, scale, dy] = [x[0].real()[i] - x[1].real()[i], x[2].real()[i], x[3].real()[i]];
            let slopes = bin(difference.abs().f64(), scale.f64());
            let sign = if difference > T::zero() { T::one() } else { -T::one() };
            *dz = sign * dy * T::of(slopes.by_distance);
            *ds = dy * T::of(slopes.by_scale);
        }
    }
}

impl Op for GaussianBitsGrad {
    fn name(&self) -> &'static str {
        "gaussian_bits_grad"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [z, mean, scale, dy] = arity(self.name(), inputs)?;
        GaussianBits::check(self.name(), [z, mean, scale])?;
        same(self.name(), "the gradient", dy, z)?;
        Ok(vec![z.clone(), z.clone()])
    }

    crate::twin!();
}

/// `shaders/rate/gaussian_bits_grad.wgsl`
pub struct GaussianBitsGradKernel;

impl Kernel for GaussianBitsGradKernel {
    fn stem(&self) -> &'static str {
        "gaussian_bits_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<GaussianBitsGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let bindings = (0..4).map(Bind::Input).chain([Bind::Output(0), Bind::Output(1)]).collect();
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 70.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "erfcx by a polynomial at 3e-7 and its differences, WGSL's exp at 3 ULP and more, ½(1 + e) − x(1 − e) near 0";
        let tolerance = Tolerance::new(3e-6, 5e-5, Terms::Each, why);
        cases("gaussian_bits_grad", |s, mut inputs, label| {
            inputs.push(s.cheap(inputs[0].shape.dims()));
            Case::new(label, GaussianBitsGrad, inputs, tolerance)
        })
    }
}
