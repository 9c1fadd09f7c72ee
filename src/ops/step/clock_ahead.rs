//! The clock as an optimiser needs it before a step is over: where parameters move twice in a step, the first time the step
//! has still to be drawn from and counted.
//!
//! A copy whose bias corrections are those of this step, c ← βc + (1 − β), as `clock_advance` will leave them, and whose
//! latch is set if the loss so far is not finite. All else is the clock's.

use super::clock;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// What an optimiser needs of a step that goes on, for inputs (clock, loss).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockAhead {
    /// Decay of Adam's first moment.
    pub beta1: f32,
    /// Decay of Adam's second moment.
    pub beta2: f32,
}

impl ClockAhead {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let words = y[0].words_mut();
        words.copy_from_slice(x[0].words());
        if words[clock::BAD_STEP] != 0 {
            return;
        }
        if !x[1].scalar().is_finite() {
            words[clock::BAD_STEP] = words[clock::STEP] + 1;
            return;
        }
        for (word, beta) in [(clock::CORRECTION1, self.beta1), (clock::CORRECTION2, self.beta2)] {
            words[word] = (beta * f32::from_bits(words[word]) + (1.0 - beta)).to_bits();
        }
    }
}

impl Op for ClockAhead {
    fn name(&self) -> &'static str {
        "clock_ahead"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock, loss] = arity(self.name(), inputs)?;
        same(self.name(), "the clock", clock, &clock::ty())?;
        same(self.name(), "the loss", loss, &Ty::f32(&[]))?;
        Ok(vec![clock::ty()])
    }

    crate::twin!();
}

/// `shaders/step/clock_ahead.wgsl`
pub struct ClockAheadKernel;

impl Kernel for ClockAheadKernel {
    fn stem(&self) -> &'static str {
        "clock_ahead"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ClockAhead>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<ClockAhead>()?;
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)],
            vec![op.beta1.to_bits(), op.beta2.to_bits()],
            Work::Groups(1),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost { flops: 4.0, bytes: 2.0 * r.inputs[0].bytes() as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let exact =
            Tolerance::new(0.0, 0.0, Terms::Each, "the bias corrections' rounding is that of f32 in the twin too");
        let case = |label: &str, latched: u32, loss: f32| {
            let mut words = clock::start(1000, 64, true, 1);
            (words[clock::STEP], words[clock::BAD_STEP]) = (7, latched);
            words[clock::CORRECTION1] = 0.1f32.to_bits();
            words[clock::CORRECTION2] = 0.001f32.to_bits();
            let inputs = vec![HostTensor::from_words(&[clock::WORDS], &words), HostTensor::from_f32(&[], &[loss])];
            // Halves make the products exact, so that a fused multiply-add cannot differ.
            Case::new(label, ClockAhead { beta1: 0.5, beta2: 0.75 }, inputs, exact)
        };
        vec![
            case("a step", 0, 0.25).benched(),
            case("not a number", 0, f32::NAN),
            case("infinite", 0, f32::INFINITY),
            case("latched before", 3, 0.25),
        ]
    }
}
