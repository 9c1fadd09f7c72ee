//! The weight of a loss term, moved from step to step on the device.
//!
//! A ramp rises in a straight line. A budget makes the weight a Lagrange multiplier: the term is minimised
//! subject to another loss C staying within a budget κ, as in GECO (Rezende and Viola, "Taming VAEs", 2018).
//! GECO weighs the constraint, here the term has the weight, which is the same up to the step size:
//! λ ← λ · e^{−η (C̄/κ − 1)}, with C̄ a running mean of C and the bracket clamped to ±1. As long as the
//! budget is kept the term gains weight, when it is overdrawn it loses it. A term that is held to a budget itself is the other
//! way round: λ ← λ · e^{η (C̄/κ_t − 1)}. Since it follows its weight slowly, and goes on falling under a constant one, its budget comes
//! down as κ_t = κ · max(1, T/t), the t-th step behind the warm-up: pressed to κ at once, a code loses dimensions that do not come back.

use std::ops::Range;

use super::clock;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Weight of a term, and memory, after a step, for inputs (C, the term, clock, weight, memory \[2\]). The
/// outputs overwrite the last two inputs. The memory holds the running mean of C and the budget. Nothing
/// moves once the clock's latch is set, or when C or the term is not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MultiplierStep {
    /// From 0 at step `begin` to `weight` at step `end`, and so on for good.
    Ramp {
        /// Last step without weight.
        begin: u32,
        /// First step with the whole weight.
        end: u32,
        /// The whole weight.
        weight: f32,
    },
    /// As much as the budget allows.
    Budget {
        /// Steps without weight.
        begin: u32,
        /// The budget κ; 0 takes the running mean of C at step `begin`.
        budget: f32,
        /// Step size η.
        rate: f32,
        /// Decay of the running mean.
        decay: f32,
        /// Weight at step `begin`, and the smallest one.
        floor: f32,
        /// The largest weight.
        ceiling: f32,
    },
    /// As much as brings C, of which the term is, down to a budget.
    Hold {
        /// Steps without weight.
        begin: u32,
        /// Step from which on the budget is κ; before it is κ · (end − begin)/(step − begin).
        end: u32,
        /// The budget κ.
        budget: f32,
        /// Step size η.
        rate: f32,
        /// Decay of the running mean.
        decay: f32,
        /// Weight at step `begin`, and the smallest one.
        floor: f32,
        /// The largest weight.
        ceiling: f32,
    },
}

/// Position of the running mean in the memory.
pub const AVERAGE: usize = 0;
/// Position of the budget in the memory.
pub const BUDGET: usize = 1;
/// Type of the memory.
pub fn memory_ty() -> Ty {
    Ty::f32(&[2])
}

impl MultiplierStep {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (words, loss, term, weight) = (x[2].words(), x[0].scalar(), x[1].scalar(), x[3].scalar());
        let memory = [x[4].real()[AVERAGE], x[4].real()[BUDGET]];
        let moves = words[clock::BAD_STEP] == 0 && loss.is_finite() && term.is_finite();
        let (weight, memory) =
            if moves { self.step(words[clock::STEP], loss, weight, memory) } else { (weight, memory) };
        y[0].real_mut()[0] = weight;
        y[1].real_mut().copy_from_slice(&memory);
    }

    /// Weight and memory after step `step`, counted from 0.
    fn step<T: Real>(&self, step: u32, loss: T, weight: T, [average, budget]: [T; 2]) -> (T, [T; 2]) {
        let of = |x: f32| T::of(f64::from(x));
        match *self {
            MultiplierStep::Ramp { begin, end, weight } => {
                let done = f64::from((step + 1).saturating_sub(begin)) / f64::from(end.saturating_sub(begin).max(1));
                (of(weight) * T::of(done.min(1.0)), [average, budget])
            }
            MultiplierStep::Budget { begin, budget: given, rate, decay, floor, ceiling } => {
                let average = if step == 0 { loss } else { of(decay) * average + (T::one() - of(decay)) * loss };
                if step < begin {
                    return (T::zero(), [average, budget]);
                }
                if step == begin {
                    return (of(floor), [average, if given > 0.0 { of(given) } else { average }]);
                }
                let excess = (average / budget - T::one()).max(-T::one()).min(T::one());
                let weight = weight * (-of(rate) * excess).exp();
                (weight.max(of(floor)).min(of(ceiling)), [average, budget])
            }
            MultiplierStep::Hold { begin, end, budget: given, rate, decay, floor, ceiling } => {
                let average = if step == 0 { loss } else { of(decay) * average + (T::one() - of(decay)) * loss };
                if step < begin {
                    return (T::zero(), [average, budget]);
                }
                if step == begin {
                    return (of(floor), [average, of(given)]);
                }
                let larger = f64::from(end.saturating_sub(begin)) / f64::from(step - begin);
                let budget = of(given) * T::of(larger).max(T::one());
                let excess = (average / budget - T::one()).max(-T::one()).min(T::one());
                let weight = weight * (of(rate) * excess).exp();
                (weight.max(of(floor)).min(of(ceiling)), [average, budget])
            }
        }
    }
}

impl Op for MultiplierStep {
    fn name(&self) -> &'static str {
        "multiplier_step"
    }

    /// Without its numbers, which are no concern of those who choose kernels.
    fn attributes(&self) -> String {
        match self {
            MultiplierStep::Ramp { .. } => "ramp".into(),
            MultiplierStep::Budget { .. } => "budget".into(),
            MultiplierStep::Hold { .. } => "hold".into(),
        }
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [loss, term, clock, weight, memory] = arity(self.name(), inputs)?;
        same(self.name(), "the clock", clock, &clock::ty())?;
        for (what, ty) in [("the loss", loss), ("the term", term), ("the weight", weight)] {
            same(self.name(), what, ty, &Ty::f32(&[]))?;
        }
        same(self.name(), "the memory", memory, &memory_ty())?;
        Ok(vec![weight.clone(), memory.clone()])
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        vec![(3, 0), (4, 1)]
    }

    /// Clock, weight and memory are parts of one buffer, two of which are written: one binding covers them.
    fn spanned_inputs(&self, _inputs: usize) -> Vec<Range<usize>> {
        std::iter::once(2..5).collect()
    }

    crate::twin!();
}

/// `shaders/step/multiplier_step.wgsl`
pub struct MultiplierStepKernel;

impl Kernel for MultiplierStepKernel {
    fn stem(&self) -> &'static str {
        "multiplier_step"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<MultiplierStep>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let params = match *r.op::<MultiplierStep>()? {
            MultiplierStep::Ramp { begin, end, weight } => [&[0, begin, end, weight.to_bits()][..], &[0; 7]].concat(),
            MultiplierStep::Budget { begin, budget, rate, decay, floor, ceiling } => {
                let numbers = [budget, rate, decay, floor, ceiling].map(f32::to_bits);
                [&[1, begin, 0][..], &numbers, &[0; 3]].concat()
            }
            MultiplierStep::Hold { begin, end, budget, rate, decay, floor, ceiling } => {
                let numbers = [budget, rate, decay, floor, ceiling].map(f32::to_bits);
                [&[2, begin, end][..], &numbers, &[0; 3]].concat()
            }
        };
        let state = [Bind::Input(2), Bind::Output(0), Bind::Output(1)];
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Span(state.to_vec())];
        let offsets = state.into_iter().enumerate().map(|(i, part)| (8 + i, 2, part)).collect();
        let dispatch = Dispatch::new(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(1));
        Ok(Launch { dispatches: vec![Dispatch { offsets, ..dispatch }], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 10.0))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-8, 1e-5, Terms::Each, "a few roundings and WGSL's exp at 3 ULP and more");
        let budget =
            MultiplierStep::Budget { begin: 100, budget: 0.0, rate: 0.1, decay: 0.9, floor: 1e-5, ceiling: 0.5 };
        let given =
            MultiplierStep::Budget { begin: 100, budget: 0.03, rate: 0.1, decay: 0.9, floor: 1e-5, ceiling: 0.5 };
        let ramp = MultiplierStep::Ramp { begin: 100, end: 300, weight: -0.3 };
        let mut cases = Vec::new();
        let mut case = |label: &str, op: MultiplierStep, step: u32, loss: f32, weight: f32, memory: [f32; 2]| {
            let mut words = clock::start(1000, 64, true, 1);
            words[clock::STEP] = step;
            words[clock::BAD_STEP] = u32::from(label == "latched");
            let inputs = vec![
                HostTensor::from_f32(&[], &[loss]),
                HostTensor::from_f32(&[], &[2.5]),
                HostTensor::from_words(&[clock::WORDS], &words),
                HostTensor::from_f32(&[], &[weight]),
                HostTensor::from_f32(&[2], &memory),
            ];
            let case = Case::new(format!("{label}, step {step}"), op, inputs, rounding);
            cases.push(if step == 200 && label == "kept" { case.benched() } else { case });
        };
        for step in [0, 99, 100, 200, 299, 300, 5000] {
            case("ramp", ramp, step, 0.04, 7.0, [0.5, 0.25]);
        }
        case("at once", MultiplierStep::Ramp { begin: 0, end: 0, weight: 0.25 }, 0, 0.04, 0.0, [0.0, 0.0]);
        for (label, op) in [("measured", budget), ("given", given)] {
            for step in [0, 99, 100] {
                case(label, op, step, 0.04, 0.0, [0.05, 0.0]);
            }
        }
        case("kept", budget, 200, 0.025, 0.01, [0.026, 0.03]);
        case("overdrawn", budget, 200, 0.05, 0.01, [0.05, 0.03]);
        case("overdrawn by far", budget, 200, 0.9, 0.01, [0.9, 0.03]);
        case("at the floor", budget, 200, 0.05, 1e-5, [0.05, 0.03]);
        case("at the ceiling", budget, 200, 0.01, 0.5, [0.01, 0.03]);
        let held = |begin, end| MultiplierStep::Hold {
            begin,
            end,
            budget: 0.13,
            rate: 0.1,
            decay: 0.9,
            floor: 1e-2,
            ceiling: 5.0,
        };
        let hold = held(100, 500);
        for step in [0, 99, 100] {
            case("held", hold, step, 2.0, 0.0, [1.5, 0.0]);
        }
        for step in [101, 200, 300, 499, 500, 900] {
            case("held, too much of it", hold, step, 0.7, 0.5, [0.65, 0.13]);
        }
        case("held, far too much", hold, 200, 9.0, 0.5, [8.0, 0.13]);
        case("held, enough", hold, 600, 0.1, 0.5, [0.1, 0.13]);
        case("held at the floor", hold, 600, 0.01, 1e-2, [0.01, 0.13]);
        case("held at the ceiling", hold, 600, 0.9, 5.0, [0.9, 0.13]);
        case("held at once", held(0, 0), 1, 0.9, 0.5, [0.9, 0.13]);
        case("not finite", budget, 200, f32::NAN, 0.01, [0.05, 0.03]);
        case("latched", budget, 200, 0.05, 0.01, [0.05, 0.03]);
        cases
    }
}
