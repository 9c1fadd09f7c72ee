//! The learning rate of a step, as a function of the clock alone: a run that is resumed computes the rates that it
//! would have had.
//!
//! Warm-up: Goyal et al., "Accurate, Large Minibatch SGD" (2017), a straight line from almost nothing to the rate
//! that the schedule says. Half a cosine: Loshchilov and Hutter, "SGDR" (2017), without restarts.
//!
//! With t steps done, of which W warm up: η(t) = min((t + 1) / W, 1) · s(t), where s is η, or η γ^⌊t / n⌋, or
//! f + (η − f) ½ (1 + cos π u) with u = (max(t, W) − W) / (T − W).

use std::ops::Range;

use super::clock;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// How a learning rate falls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decay {
    /// Not at all.
    Constant,
    /// Times `factor` after every `every` steps.
    Stairs {
        /// Steps between two falls, at least 1.
        every: u32,
        /// What the rate is multiplied by, more than 0 and at most 1.
        factor: f32,
    },
    /// Half a cosine from the peak to `floor`.
    Cosine {
        /// The step at which the floor is reached.
        end: u32,
        /// The rate from there on.
        floor: f32,
    },
}

/// The learning rate of the step that the clock stands at, for inputs (clock, learning rate). The output overwrites
/// the last input, which is not read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningRateStep {
    /// The rate before it falls.
    pub peak: f32,
    /// Steps of the warm-up.
    pub warm_up: u32,
    /// What comes after it, or beside it.
    pub decay: Decay,
}

impl LearningRateStep {
    /// The rate of step `step`, counted from 0.
    pub fn rate(&self, step: u32) -> f64 {
        let peak = f64::from(self.peak);
        let decayed = match self.decay {
            Decay::Constant => peak,
            Decay::Stairs { every, factor } => peak * f64::from(factor).powf(f64::from(step / every.max(1))),
            Decay::Cosine { end, floor } => {
                // ½ (1 + cos π u) = sin²(½ π (1 − u)), which does not cancel near the end.
                let left = end.saturating_sub(step.max(self.warm_up));
                let whole = end.saturating_sub(self.warm_up).max(1);
                let share = f64::from(left) / f64::from(whole);
                let floor = f64::from(floor);
                floor + (peak - floor) * (0.5 * std::f64::consts::PI * share).sin().powi(2)
            }
        };
        let done = if step < self.warm_up { f64::from(step + 1) / f64::from(self.warm_up) } else { 1.0 };
        done * decayed
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].real_mut()[0] = T::of(self.rate(x[0].words()[clock::STEP]));
    }
}

impl Op for LearningRateStep {
    fn name(&self) -> &'static str {
        "learning_rate_step"
    }

    /// Without its numbers, which are no concern of those who choose kernels.
    fn attributes(&self) -> String {
        let decay = match self.decay {
            Decay::Constant => "constant",
            Decay::Stairs { .. } => "stairs",
            Decay::Cosine { .. } => "cosine",
        };
        format!("{decay}{}", if self.warm_up > 0 { " warmed up" } else { "" })
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock, rate] = arity(self.name(), inputs)?;
        same(self.name(), "the clock", clock, &clock::ty())?;
        same(self.name(), "the learning rate", rate, &Ty::f32(&[]))?;
        Ok(vec![rate.clone()])
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        vec![(1, 0)]
    }

    /// Clock and rate are parts of one buffer, one of which is written: one binding covers them.
    fn spanned_inputs(&self, _inputs: usize) -> Vec<Range<usize>> {
        std::iter::once(0..2).collect()
    }

    crate::twin!();
}

/// `shaders/step/learning_rate_step.wgsl`
pub struct LearningRateStepKernel;

impl Kernel for LearningRateStepKernel {
    fn stem(&self) -> &'static str {
        "learning_rate_step"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<LearningRateStep>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<LearningRateStep>()?;
        let [kind, steps, amount] = match op.decay {
            Decay::Constant => [0, 0, 0],
            Decay::Stairs { every, factor } => [1, every.max(1), factor.to_bits()],
            Decay::Cosine { end, floor } => [2, end, floor.to_bits()],
        };
        let params = vec![op.peak.to_bits(), op.warm_up, kind, steps, amount, 0, 0];
        let state = [Bind::Input(0), Bind::Output(0)];
        let bindings = vec![Bind::Span(state.to_vec())];
        let offsets = state.into_iter().enumerate().map(|(i, part)| (5 + i, 0, part)).collect();
        let dispatch = Dispatch::new(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(1));
        Ok(Launch { dispatches: vec![Dispatch { offsets, ..dispatch }], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 20.0))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-12,
            2e-5,
            Terms::Each,
            "a sine of a dozen roundings squared; up to 30 products of powers, of which each doubles the error of one \
             rounding",
        );
        let stairs = Decay::Stairs { every: 100, factor: 0.7 };
        let cosine = Decay::Cosine { end: 1000, floor: 1e-5 };
        let mut cases = Vec::new();
        let mut case = |label: &str, warm_up: u32, decay: Decay, step: u32| {
            let mut words = clock::start(1000, 64, true, 1);
            words[clock::STEP] = step;
            words[clock::BAD_STEP] = u32::from(label == "latched");
            let inputs = vec![HostTensor::from_words(&[clock::WORDS], &words), HostTensor::from_f32(&[], &[7.0])];
            let op = LearningRateStep { peak: 3e-3, warm_up, decay };
            let case = Case::new(format!("{label}, step {step}"), op, inputs, rounding);
            cases.push(if label == "cosine" && step == 500 { case.benched() } else { case });
        };
        for step in [0, 30, 66, 67, 5000] {
            case("warm-up", 67, Decay::Constant, step);
        }
        for step in [0, 99, 100, 299, 1500, 3000] {
            case("stairs", 0, stairs, step);
            case("stairs, warmed up", 150, stairs, step);
        }
        for step in [0, 1, 500, 990, 999, 1000, 5000] {
            case("cosine", 0, cosine, step);
            case("cosine, warmed up", 150, cosine, step);
            case("to nothing", 0, Decay::Cosine { end: 1000, floor: 0.0 }, step);
        }
        case("nothing but warm-up", 20, Decay::Cosine { end: 20, floor: 0.0 }, 19);
        case("latched", 150, cosine, 200);
        cases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1e-3), "{got}, expected {expected}");
    }

    #[test]
    fn a_cosine_is_that_of_the_formula_and_keeps_its_floor() {
        let op = LearningRateStep { peak: 0.5, warm_up: 10, decay: Decay::Cosine { end: 110, floor: 0.125 } };
        for step in 10..110 {
            let u = f64::from(step - 10) / 100.0;
            close(op.rate(step), 0.125 + 0.375 * 0.5 * (1.0 + (std::f64::consts::PI * u).cos()));
        }
        close(op.rate(10), 0.5);
        close(op.rate(110), 0.125);
        close(op.rate(9999), 0.125);
    }

    #[test]
    fn a_warm_up_rises_in_a_straight_line_to_what_the_schedule_says() {
        let op = LearningRateStep { peak: 0.5, warm_up: 4, decay: Decay::Constant };
        [0.125, 0.25, 0.375, 0.5, 0.5, 0.5].iter().zip(0..).for_each(|(&rate, step)| close(op.rate(step), rate));
        let stairs = LearningRateStep { decay: Decay::Stairs { every: 3, factor: 0.5 }, ..op };
        [0.125, 0.25, 0.375, 0.25, 0.25, 0.25, 0.125]
            .iter()
            .zip(0..)
            .for_each(|(&rate, step)| close(stairs.rate(step), rate));
    }
}
