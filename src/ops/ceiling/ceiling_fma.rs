//! Multiplications and additions in registers, the measure of a device's arithmetic: see
//! [`crate::device::ceilings`].

use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, float};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Chains of each element: enough that none waits for another.
pub(crate) const CHAINS: usize = 12;
/// Steps of each chain in a round, as in the shader.
pub(crate) const STEPS: usize = 8;

/// y = Σ over chains k of what c ← c/2 + 1/2, repeated, makes of c = x + k/16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CeilingFma {
    /// Rounds of eight steps.
    pub rounds: usize,
}

impl CeilingFma {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let half = T::of(0.5);
        for (y, &x) in y[0].real_mut().iter_mut().zip(x[0].real()) {
            let chain = |k: usize| {
                let start = x + T::of(k as f64 / 16.0);
                (0..STEPS * self.rounds).fold(start, |c, _| c * half + half)
            };
            *y = (0..CHAINS).map(chain).sum();
        }
    }
}

impl Op for CeilingFma {
    fn name(&self) -> &'static str {
        "ceiling_fma"
    }

    fn attributes(&self) -> String {
        format!("{} rounds", self.rounds)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        float(self.name(), "x", x)?;
        Ok(vec![x.clone()])
    }

    crate::twin!();
}

/// `shaders/ceiling/ceiling_fma.wgsl`
pub struct CeilingFmaKernel;

impl Kernel for CeilingFmaKernel {
    fn stem(&self) -> &'static str {
        "ceiling_fma"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<CeilingFma>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let rounds = r.op::<CeilingFma>()?.rounds;
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        let params = vec![n as u32, rounds as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let rounds = r.op::<CeilingFma>()?.rounds;
        Ok(Cost::streaming(r, 2.0 * (r.inputs[0].elements() * rounds * STEPS * CHAINS) as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            0.0,
            1e-6,
            Terms::Each,
            "a sum of twelve numbers near 1 that each halve their rounding errors at every step",
        );
        let mut s = Samples::new("ceiling_fma");
        // Starts large enough that what is left of them after all halvings is seen in y.
        let mut case = |n: usize, rounds: usize, high: f32| {
            let label = format!("{n}, {rounds} rounds");
            Case::new(label, CeilingFma { rounds }, vec![s.uniform(&[n], 1.0, high)], rounding)
        };
        vec![case(1, 0, 9.0), case(7, 1, 1e3), case(67, 2, 1e6), case(1009, 1, 1e3), case(1 << 14, 64, 9.0).benched()]
    }
}
