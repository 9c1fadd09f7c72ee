//! Normally distributed numbers from the counter-based generator, keyed by the step.
//!
//! The bits are those of [`super::random_bits`]; each pair of words makes a pair of numbers by Box and Muller:
//! √(−2 ln u₁) times cos and sin of 2π u₂, u₁ in (0, 1].

use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::step::clock;
use crate::rng::threefry2x32;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Shape, Ty};

/// Independent standard normal numbers of this shape for a clock as input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomNormal {
    /// Shape of the result.
    pub shape: Shape,
    /// Distinguishes draws made in the same step.
    pub stream: u32,
}

/// A word as a multiple of 2⁻²⁴ in [0, 1).
fn unit(word: u32) -> f64 {
    f64::from(word >> 8) / f64::from(1 << 24)
}

impl RandomNormal {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let clock = x[0].words();
        let step_key = [clock[clock::STEP_KEY], clock[clock::STEP_KEY + 1]];
        let key = threefry2x32(step_key, [clock[clock::STEP], self.stream]);
        for (i, pair) in y[0].real_mut().chunks_mut(2).enumerate() {
            let bits = threefry2x32(key, [i as u32, self.stream]);
            let radius = (T::of(-2.0) * T::of(1.0 - unit(bits[0])).ln()).sqrt();
            let angle = T::of(std::f64::consts::TAU * unit(bits[1]));
            let both = [radius * angle.cos(), radius * angle.sin()];
            pair.copy_from_slice(&both[..pair.len()]);
        }
    }
}

impl Op for RandomNormal {
    fn name(&self) -> &'static str {
        "random_normal"
    }

    fn attributes(&self) -> String {
        format!("stream {}", self.stream)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock] = arity("random_normal", inputs)?;
        same("random_normal", "the clock", clock, &clock::ty())?;
        Ok(vec![Ty::f32(self.shape.dims())])
    }

    crate::twin!();
}

/// `shaders/random_normal.wgsl`
pub struct RandomNormalKernel;

impl Kernel for RandomNormalKernel {
    fn stem(&self) -> &'static str {
        "random_normal"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<RandomNormal>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.outputs[0].elements();
        let stream = r.op.downcast::<RandomNormal>().map_or(0, |op| op.stream);
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        let work = Work::Invocations(n.div_ceil(2));
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32, stream], work))
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        Cost::streaming(r, 20.0 * r.outputs[0].elements() as f64)
    }

    fn cases(&self) -> Vec<Case> {
        let why = "WGSL promises sine and cosine to 2⁻¹¹, times a radius of up to 5.8";
        let tolerance = Tolerance::new(3e-3, 0.0, Terms::Each, why);
        [(1usize, 0u32), (2, 1), (63, 2), (1001, u32::MAX), (256 * 784, 5)]
            .map(|(n, stream)| {
                let mut words = clock::start(10, 5, true, u64::from(stream) << 20);
                words[clock::STEP] = 77;
                let op = RandomNormal { shape: Shape::new(&[n]), stream };
                let inputs = vec![HostTensor::from_words(&[clock::WORDS], &words)];
                let case = Case::new(format!("{n} numbers of stream {stream}"), op, inputs, tolerance);
                if n > 100_000 { case.benched() } else { case }
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_standard_normal() {
        let n = 100_000;
        let op = RandomNormal { shape: Shape::new(&[n]), stream: 3 };
        let clock = HostTensor::from_words(&[clock::WORDS], &clock::start(10, 5, true, 9));
        let mut y = [HostTensor::<f64>::zeros(&Ty::f32(&[n]))];
        op.eval(&[&clock], &mut y);
        let x = y[0].real();
        let moment = |power: i32| x.iter().map(|x| x.powi(power)).sum::<f64>() / n as f64;
        for (power, expected, sd) in [(1, 0.0, 1.0), (2, 1.0, 1.5), (3, 0.0, 4.0), (4, 3.0, 10.0)] {
            let off = (moment(power) - expected).abs();
            assert!(off < 5.0 * sd / (n as f64).sqrt(), "moment {power} is off by {off}");
        }
        let beyond_two = x.iter().filter(|x| x.abs() > 2.0).count() as f64 / n as f64;
        assert!((beyond_two - 0.0455).abs() < 0.004, "{beyond_two} lie beyond 2");
    }
}
