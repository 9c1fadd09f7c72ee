//! Decisions, element by element: a sample of a Bernoulli variable, or the next state of a Hopfield network.
//!
//! * Bernoulli (p, u): 1 where u < p, else 0, so that u uniform in [0, 1) makes it 1 with probability p, never at
//!   p = 0 and always at p = 1
//! * sign (h, x): 1 where h > 0, −1 where h < 0, x where h = 0
//!
//! Both are flat wherever they are smooth: what comes out of them is a constant to any loss.

use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y for two inputs of one shape. The numbers are those of the shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Threshold {
    /// A sample for inputs (probability, uniform draw).
    Bernoulli = 0,
    /// A state for inputs (field, state before).
    Sign = 1,
}

impl Threshold {
    fn value<T: Real>(self, x: T, other: T) -> T {
        match self {
            Threshold::Bernoulli if other < x => T::one(),
            Threshold::Bernoulli => T::zero(),
            Threshold::Sign if x > T::zero() => T::one(),
            Threshold::Sign if x < T::zero() => -T::one(),
            Threshold::Sign => other,
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        for ((y, &x), &other) in y[0].real_mut().iter_mut().zip(x[0].real()).zip(x[1].real()) {
            *y = self.value(x, other);
        }
    }
}

impl Op for Threshold {
    fn name(&self) -> &'static str {
        "threshold"
    }

    fn attributes(&self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, other] = arity(self.name(), inputs)?;
        float(self.name(), "what is decided on", x)?;
        same(self.name(), "the second input", other, x)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, _g: &mut Graph, _x: &[Var], _y: &[Var], _dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        Ok(vec![None, None])
    }

    crate::twin!();
}

/// `shaders/random/threshold.wgsl`
pub struct ThresholdKernel;

impl Kernel for ThresholdKernel {
    fn stem(&self) -> &'static str {
        "threshold"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Threshold>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let kind = *r.op::<Threshold>()?;
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32, kind as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "a comparison rounds nothing");
        let mut s = Samples::new("threshold");
        let mut cases = vec![
            Case::new(
                "bernoulli at the ends and at the draw",
                Threshold::Bernoulli,
                vec![
                    HostTensor::from_f32(&[5], &[0.0, 0.0, 1.0, 0.5, 0.5]),
                    HostTensor::from_f32(&[5], &[0.0, 0.3, 0.999, 0.5, 0.499]),
                ],
                exact,
            ),
            Case::new(
                "sign keeps the state where the field is 0",
                Threshold::Sign,
                vec![
                    HostTensor::from_f32(&[6], &[0.0, -0.0, 2.0, -3.0, 0.0, 1e-30]),
                    HostTensor::from_f32(&[6], &[1.0, -1.0, -1.0, 1.0, 0.5, -1.0]),
                ],
                exact,
            ),
        ];
        for n in [1, 64, 65, 1013] {
            let (p, u) = (s.uniform(&[n], 0.0, 1.0), s.uniform(&[n], 0.0, 1.0));
            cases.push(Case::new(format!("bernoulli {n}"), Threshold::Bernoulli, vec![p, u], exact));
            let (h, x) = (s.normal(&[n]), s.normal(&[n]));
            cases.push(Case::new(format!("sign {n}"), Threshold::Sign, vec![h, x], exact));
        }
        let inputs = vec![s.uniform(&[128, 784], 0.0, 1.0), s.uniform(&[128, 784], 0.0, 1.0)];
        cases.push(Case::new("bernoulli 128x784", Threshold::Bernoulli, inputs, exact).benched());
        cases
    }
}
