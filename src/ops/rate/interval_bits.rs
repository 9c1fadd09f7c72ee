//! Bits of an interval of a logistic distribution: y = −log₂ (σ(u) − σ(l)).
//!
//! FORMULAS §4: ln (σ(u) − σ(l)) = −softplus(−u) − softplus(l) + log(1 − e^{l − u}), which neither cancels nor underflows. Which
//! numbers u and l belong to is a matter of whoever asks: edges of a bin under a logistic distribution, or what a learnt
//! [cumulative](super::cumulative) makes of them.

use super::interval_bits_grad::IntervalBitsGrad;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::{arity, float, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Bits of every element for inputs (u, l) of one shape, u above l.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalBits;

/// log(1 − e^{−d}) for d > 0.
pub(super) fn log1m_exp<T: Real>(d: T) -> T {
    if d < T::of(std::f64::consts::LN_2) { (-(-d).exp_m1()).ln() } else { (-(-d).exp()).ln_1p() }
}

pub(super) fn softplus<T: Real>(x: T) -> T {
    Activation::Softplus.value(x)
}

impl IntervalBits {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        for (y, (&u, &l)) in y[0].real_mut().iter_mut().zip(x[0].real().iter().zip(x[1].real())) {
            *y = (softplus(-u) + softplus(l) - log1m_exp(u - l)) / T::of(std::f64::consts::LN_2);
        }
    }
}

impl Op for IntervalBits {
    fn name(&self) -> &'static str {
        "interval_bits"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [upper, lower] = arity(self.name(), inputs)?;
        float(self.name(), "the upper edge", upper)?;
        same(self.name(), "the lower edge", lower, upper)?;
        Ok(vec![upper.clone()])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None; 2]) };
        let slopes = g.push(std::sync::Arc::new(IntervalBitsGrad), &[x[0], x[1], dy])?;
        Ok(vec![Some(slopes[0]), Some(slopes[1])])
    }

    crate::twin!();
}

/// `shaders/rate/interval_bits.wgsl`
pub struct IntervalBitsKernel;

impl Kernel for IntervalBitsKernel {
    fn stem(&self) -> &'static str {
        "interval_bits"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<IntervalBits>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 40.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "WGSL's exp and log at 3 ULP and more, and log₂ of a probability near 1";
        let tolerance = Tolerance::new(2e-6, 2e-5, Terms::Each, why);
        cases("interval_bits", |_, inputs, label| Case::new(label, IntervalBits, inputs, tolerance))
    }
}

/// Cases for both kernels: narrow and wide intervals, on both sides of 0 and far from it.
pub(super) fn cases(stem: &str, make: impl Fn(&mut Samples, Vec<HostTensor<f32>>, String) -> Case) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (n, reach, widths) in [
        (1, 1.0, [0.5, 0.6]),
        (67, 3.0, [0.01, 4.0]),
        (129, 80.0, [0.3, 60.0]),
        (65, 3e4, [8.0, 8e3]),
        (1 << 16, 6.0, [0.1, 9.0]),
    ] {
        let (lower, width) = (s.uniform(&[n], -reach, reach), s.uniform(&[n], widths[0], widths[1]));
        let upper: Vec<f32> = lower.real().iter().zip(width.real()).map(|(l, width)| l + width).collect();
        let case = make(&mut s, vec![HostTensor::from_f32(&[n], &upper), lower], format!("{n} to {reach}"));
        cases.push(if n > 1 << 15 { case.benched() } else { case });
    }
    let n = 65_535 * 64 + 3;
    let lower = s.cheap(&[n]);
    let upper: Vec<f32> = lower.real().iter().map(|l| l + 2.0).collect();
    cases.push(make(&mut s, vec![HostTensor::from_f32(&[n], &upper), lower], "over 65,535 groups".into()));
    cases
}
