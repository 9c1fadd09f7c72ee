//! The nearest whole numbers, ties to even, with the gradient of the identity: a straight-through estimator.
//!
//! Source: Bengio, Léonard and Courville, "Estimating or propagating gradients through stochastic neurons" (2013), §4; FORMULAS §4.
//! What is rounded has no slope that would teach anything, so whoever is behind it learns as if nothing were rounded.

use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Every element rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SteRound;

impl SteRound {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        for (y, &x) in y[0].real_mut().iter_mut().zip(x[0].real()) {
            *y = T::of(x.f64().round_ties_even());
        }
    }
}

impl Op for SteRound {
    fn name(&self) -> &'static str {
        "ste_round"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        float(self.name(), "x", x)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, _g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        Ok(vec![dy[0]])
    }

    crate::twin!();
}

/// `shaders/rate/ste_round.wgsl`
pub struct SteRoundKernel;

impl Kernel for SteRoundKernel {
    fn stem(&self) -> &'static str {
        "ste_round"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SteRound>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("ste_round");
        let ties = HostTensor::from_f32(&[9], &[-2.5, -1.5, -0.5, -0.49999997, 0.5, 1.5, 2.5, 8_388_607.5, 1e9]);
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "whole numbers are exact, but for the sign of 0");
        vec![
            Case::new("ties", SteRound, vec![ties], exact),
            Case::new("1", SteRound, vec![s.normal(&[1])], exact),
            Case::new("67x5", SteRound, vec![s.uniform(&[67, 5], -9.0, 9.0)], exact),
            Case::new("over 65,535 groups", SteRound, vec![s.cheap(&[65_535 * 64 + 3])], exact),
            Case::new("262144", SteRound, vec![s.cheap(&[1 << 18])], exact).benched(),
        ]
    }
}
