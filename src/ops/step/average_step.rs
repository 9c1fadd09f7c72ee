//! A running mean of the weights, which moves less from step to step than they do and is often better.
//!
//! Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992), with decay as it is customary:
//! a ← a + (1 − d)(w − a), d = min(D, s / (9 + s)) after s steps, TensorFlow's warm-up (1 + t) / (10 + t) with t = s − 1. With
//! it the mean forgets quickly how it began while it is short, and is a mean of weights at all times: a bias correction would
//! have to be known to whoever reads it. Where w = a nothing is rounded. Nothing is written once the clock's latch is set.

use std::ops::Range;

use super::clock;
use super::packed_step::{SHAPES, SPARED};
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{float, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// One step for inputs (clock, w…, a…), n tensors of each, the clock after it was advanced. Outputs (a…) overwrite their inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AverageStep {
    /// Decay D of the mean, at least 0 and less than 1.
    pub decay: f32,
    /// Number of tensors.
    pub tensors: usize,
}

impl AverageStep {
    /// The share 1 − d of the weights in the mean after so many steps.
    pub fn share(&self, steps: u32) -> f32 {
        (1.0 - self.decay).max(9.0 / (9.0 + steps as f32))
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let clock = x[0].words();
        let frozen = clock[clock::BAD_STEP] != 0;
        let share = T::of(f64::from(self.share(clock[clock::STEP])));
        for (t, y) in y.iter_mut().enumerate() {
            let [w, a] = [1 + t, 1 + self.tensors + t].map(|input| x[input].real());
            for (y, (&w, &a)) in y.real_mut().iter_mut().zip(w.iter().zip(a)) {
                *y = if frozen { a } else { a + share * (w - a) };
            }
        }
    }
}

impl Op for AverageStep {
    fn name(&self) -> &'static str {
        "average_step"
    }

    fn attributes(&self) -> String {
        format!("{} tensors decay={}", self.tensors, self.decay)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let n = self.tensors;
        if n == 0 || inputs.len() != 1 + 2 * n {
            return Err(Error::graph(self.name(), format!("takes 1 + 2 x {n} inputs, got {}", inputs.len())));
        }
        same(self.name(), "the clock", inputs[0], &clock::ty())?;
        for t in 1..=n {
            float(self.name(), "a parameter", inputs[t])?;
            same(self.name(), "a mean", inputs[n + t], inputs[t])?;
        }
        Ok(inputs[1 + n..].iter().map(|&ty| ty.clone()).collect())
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        (0..self.tensors).map(|t| (1 + self.tensors + t, t)).collect()
    }

    fn packed_inputs(&self, _inputs: usize) -> Vec<(&'static str, Range<usize>)> {
        let n = self.tensors;
        vec![("params", 1..1 + n), ("average", 1 + n..1 + 2 * n)]
    }

    crate::twin!();
}

/// `shaders/step/average_step.wgsl`
pub struct AverageStepKernel;

/// Vectors that one invocation takes, as in the shader.
const EACH: usize = 4;

impl Kernel for AverageStepKernel {
    fn stem(&self) -> &'static str {
        "average_step"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AverageStep>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<AverageStep>()?;
        let n = op.tensors;
        let vectors = crate::ops::packed_words(&r.inputs[1..1 + n]).div_ceil(4);
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Inputs(1..1 + n), Bind::Inputs(1 + n..1 + 2 * n)],
            vec![vectors as u32, (1.0 - op.decay).to_bits()],
            Work::Invocations(vectors.div_ceil(EACH)),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements: usize = r.outputs.iter().map(|ty| ty.elements()).sum();
        Ok(Cost { flops: 3.0 * elements as f64, bytes: 12.0 * elements as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding =
            Tolerance::new(1e-7, 1e-6, Terms::Largest, "three roundings, and the share's quotient at 2.5 ULP");
        let mut s = Samples::new("average_step");
        let mut case = |label: &str, steps: u32, shapes: &[&[usize]], latched: u32| {
            let mut words = clock::start(64, 64, false, 0);
            (words[clock::STEP], words[clock::BAD_STEP]) = (steps, latched);
            let tensors = shapes.iter().chain(shapes).map(|shape| s.normal(shape));
            let inputs = [HostTensor::from_words(&[clock::WORDS], &words)].into_iter().chain(tensors).collect();
            Case::new(label, AverageStep { decay: 0.999, tensors: shapes.len() }, inputs, rounding)
        };
        let [one, several, many] = SHAPES;
        vec![
            case(one.0, 1, one.1, 0),
            case("the first step", 1, several.1, 0),
            case("the hundredth step", 100, SPARED, 0),
            case("long after", 1_000_000, several.1, 0),
            case("latched", 7, several.1, 7),
            case(many.0, 100, many.1, 0).benched(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_falls_to_that_of_the_decay() {
        let op = AverageStep { decay: 0.9, tensors: 1 };
        let shares = [1, 2, 81, 82, 1_000_000].map(|steps| op.share(steps));
        assert!((shares[0] - 0.9).abs() < 1e-6 && (shares[1] - 9.0 / 11.0).abs() < 1e-6);
        assert!(shares[2..].iter().all(|share| (share - 0.1).abs() < 1e-6), "{shares:?}");
    }
}
