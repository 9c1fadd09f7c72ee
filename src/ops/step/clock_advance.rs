//! The end of a step: losses into the ring, the latch, and the clock moved on.
//!
//! One invocation reads the step's losses. If one is not finite (tested on its bits), the latch is set
//! to the step and the term, and from then on neither the clock nor, through it, a parameter moves.
//! Otherwise step, batch and epoch advance, the number of valid rows of the next batch is set, and
//! Adam's bias corrections follow c ← βc + (1 − β).
//!
//! The ring holds, for each of the last steps, the number of valid rows and every loss term.

use super::clock;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::same;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};
use std::ops::Range;

/// Losses into the ring and the clock moved on, for inputs (clock, ring \[steps, 1 + terms\], term…).
/// Outputs overwrite clock and ring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockAdvance {
    /// Decay of Adam's first moment.
    pub beta1: f32,
    /// Decay of Adam's second moment.
    pub beta2: f32,
}

impl ClockAdvance {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let mut words = x[0].words().to_vec();
        let mut ring = x[1].real().to_vec();
        let terms: Vec<T> = x[2..].iter().map(|term| term.scalar()).collect();
        self.apply(&mut words, &mut ring, &terms);
        y[0].words_mut().copy_from_slice(&words);
        y[1].real_mut().copy_from_slice(&ring);
    }

    /// Clock and ring after a step with these losses.
    pub(crate) fn apply<T: Real>(&self, words: &mut [u32], ring: &mut [T], terms: &[T]) {
        let bad = terms.iter().position(|term| !term.is_finite());
        if words[clock::BAD_STEP] == 0 {
            match bad {
                Some(term) => {
                    words[clock::BAD_STEP] = words[clock::STEP] + 1;
                    words[clock::BAD_TERM] = term as u32;
                }
                None => self.advance(words, ring, terms),
            }
        }
    }

    fn advance<T: Real>(&self, words: &mut [u32], ring: &mut [T], terms: &[T]) {
        let width = terms.len() + 1;
        let slot = words[clock::STEP] as usize % (ring.len() / width) * width;
        ring[slot] = T::of(f64::from(words[clock::VALID_ROWS]));
        ring[slot + 1..slot + width].copy_from_slice(terms);

        words[clock::STEP] += 1;
        words[clock::BATCH] += 1;
        if words[clock::BATCH] * words[clock::BATCH_SIZE] >= words[clock::ROWS] {
            words[clock::BATCH] = 0;
            words[clock::EPOCH] += 1;
        }
        let left = words[clock::ROWS] - words[clock::BATCH] * words[clock::BATCH_SIZE];
        words[clock::VALID_ROWS] = left.min(words[clock::BATCH_SIZE]);
        // Kept in f32 at every precision: these are words of the clock.
        for (word, beta) in [(clock::CORRECTION1, self.beta1), (clock::CORRECTION2, self.beta2)] {
            words[word] = (beta * f32::from_bits(words[word]) + (1.0 - beta)).to_bits();
        }
    }
}

impl Op for ClockAdvance {
    fn name(&self) -> &'static str {
        "clock_advance"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock, ring, terms @ ..] = inputs else {
            return Err(Error::graph("clock_advance", "takes a clock, a ring and the loss terms"));
        };
        same("clock_advance", "the clock", clock, &clock::ty())?;
        for term in terms {
            same("clock_advance", "a loss term", term, &Ty::f32(&[]))?;
        }
        let width = ring.shape.matrix().map_or(0, |(_, width)| width);
        if terms.is_empty() || width != terms.len() + 1 {
            return Err(Error::graph(
                "clock_advance",
                format!("a ring of {} columns for {} terms", width, terms.len()),
            ));
        }
        Ok(vec![(*clock).clone(), (*ring).clone()])
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        vec![(0, 0), (1, 1)]
    }

    /// The loss terms lie side by side, so that one binding covers them.
    fn packed_inputs(&self, inputs: usize) -> Vec<(&'static str, Range<usize>)> {
        vec![("terms", 2..inputs)]
    }

    crate::twin!();
}

/// `shaders/step/clock_advance.wgsl`
pub struct ClockAdvanceKernel;

impl Kernel for ClockAdvanceKernel {
    fn stem(&self) -> &'static str {
        "clock_advance"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ClockAdvance>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<ClockAdvance>()?;
        let terms = r.inputs.len() - 2;
        let slots = r.inputs[1].elements() / (terms + 1);
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Inputs(2..r.inputs.len()), Bind::Output(0), Bind::Output(1)],
            vec![terms as u32, slots as u32, op.beta1.to_bits(), op.beta2.to_bits()],
            Work::Groups(1),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost { flops: 4.0, bytes: 2.0 * r.inputs[0].bytes() as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let exact =
            Tolerance::new(0.0, 0.0, Terms::Each, "the bias corrections' rounding is that of f32 in the twin too");
        let mut s = Samples::new("clock_advance");
        let mut case = |label: &str, step: u32, batch: u32, latched: u32, terms: &[f32]| {
            let mut words = clock::start(1000, 64, true, 1);
            (words[clock::STEP], words[clock::BATCH], words[clock::BAD_STEP]) = (step, batch, latched);
            words[clock::CORRECTION1] = 0.1f32.to_bits();
            words[clock::CORRECTION2] = 0.001f32.to_bits();
            let mut inputs = vec![HostTensor::from_words(&[clock::WORDS], &words), s.normal(&[5, terms.len() + 1])];
            inputs.extend(terms.iter().map(|&term| HostTensor::from_f32(&[], &[term])));
            // Halves make the products exact, so that a fused multiply-add cannot differ.
            Case::new(label, ClockAdvance { beta1: 0.5, beta2: 0.75 }, inputs, exact)
        };
        vec![
            case("first step", 0, 0, 0, &[0.25]),
            case("ring wraps", 12, 12, 0, &[0.25, 1.5]),
            case("last batch", 14, 14, 0, &[0.25, 1.5, -2.0]),
            case("epoch ends", 15, 15, 0, &[0.25, 1.5]).benched(),
            case("not a number", 7, 7, 0, &[0.25, f32::NAN]),
            case("infinite", 7, 7, 0, &[f32::NEG_INFINITY, 1.0]),
            case("latched before", 7, 7, 3, &[0.25, 1.0]),
        ]
    }
}
