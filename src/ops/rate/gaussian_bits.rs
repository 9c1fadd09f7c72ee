//! Bits of whole numbers under Gaussians: y = −log₂ (Φ((z − μ + ½)/s) − Φ((z − μ − ½)/s)).
//!
//! Source: Ballé et al., "Variational image compression with a scale hyperprior" (2018), eq. 3 with a mean; the stable form is
//! FORMULAS §4.

use super::gaussian_bin::bin;
use super::gaussian_bits_grad::GaussianBitsGrad;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Bits of every element for inputs (z, μ, s) of one shape, s positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaussianBits;

impl GaussianBits {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let inputs = x[0].real().iter().zip(x[1].real()).zip(x[2].real());
        for (y, ((&z, &mean), &scale)) in y[0].real_mut().iter_mut().zip(inputs) {
            *y = T::of(bin((z - mean).abs().f64(), scale.f64()).bits);
        }
    }

    pub(super) fn check(op: &str, [z, mean, scale]: [&Ty; 3]) -> Result<()> {
        float(op, "z", z)?;
        same(op, "the mean", mean, z)?;
        same(op, "the scale", scale, z)
    }
}

impl Op for GaussianBits {
    fn name(&self) -> &'static str {
        "gaussian_bits"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [z, mean, scale] = arity(self.name(), inputs)?;
        Self::check(self.name(), [z, mean, scale])?;
        Ok(vec![z.clone()])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        use crate::ops::array::unary::Unary;
        let Some(dy) = dy[0] else { return Ok(vec![None; 3]) };
        let slopes = g.push(std::sync::Arc::new(GaussianBitsGrad), &[x[0], x[1], x[2], dy])?;
        let of_mean = g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[slopes[0]])?;
        Ok(vec![Some(slopes[0]), Some(of_mean), Some(slopes[1])])
    }

    crate::twin!();
}

/// `shaders/rate/gaussian_bits.wgsl`
pub struct GaussianBitsKernel;

impl Kernel for GaussianBitsKernel {
    fn stem(&self) -> &'static str {
        "gaussian_bits"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<GaussianBits>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let bindings = [0, 1, 2].map(Bind::Input).into_iter().chain([Bind::Output(0)]).collect();
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 60.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why =
            "erfcx by a polynomial at 3e-7, WGSL's exp and log at 3 ULP and more, and log₂ of a probability near 1";
        let tolerance = Tolerance::new(2e-6, 2e-5, Terms::Each, why);
        cases("gaussian_bits", |_, inputs, label| Case::new(label, GaussianBits, inputs, tolerance))
    }
}

/// Cases for both kernels: near the mean and far from it, narrow and wide, and where the ways to compute it meet.
pub(super) fn cases(stem: &str, make: impl Fn(&mut Samples, Vec<HostTensor<f32>>, String) -> Case) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (n, reach, scales, label) in [
        (1, 2.0, [0.5, 0.6], "one"),
        (67, 3.0, [0.11, 2.0], "near"),
        (129, 40.0, [0.11, 4.0], "far"),
        (257, 300.0, [3.9, 300.0], "wide"),
        (1 << 16, 4.0, [0.11, 6.0], "many"),
    ] {
        let z: Vec<f32> = s.uniform(&[n], -reach, reach).real().iter().map(|z| z.round()).collect();
        let inputs =
            vec![HostTensor::from_f32(&[n], &z), s.uniform(&[n], -1.0, 1.0), s.uniform(&[n], scales[0], scales[1])];
        let case = make(&mut s, inputs, format!("{n} {label}"));
        cases.push(if n > 1 << 15 { case.benched() } else { case });
    }
    // Extremes, among so many that nobody takes differences of them: scales are too small for that.
    let (distances, scales) = ([8.0, 1e4, -1e4, 0.0, 0.0, 0.5], [1.0, 1e-4, 0.11, 1e-3, 300.0, 4.0]);
    let n = 65_535 * 64 + 3;
    let spread = |own: &[f32], rest: &[f32]| HostTensor::from_f32(&[n], &[own, &rest[own.len()..]].concat());
    let [z, mean] = [s.cheap(&[n]), s.cheap(&[n])].map(|values| values.real().to_vec());
    let inputs = vec![spread(&distances, &z), spread(&[0.0; 6], &mean), spread(&scales, &vec![0.7; n])];
    cases.push(make(&mut s, inputs, "extremes, over 65,535 groups".into()));
    cases
}
