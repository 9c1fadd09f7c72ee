//! Normally distributed numbers from the counter-based generator, keyed by the step.
//!
//! The bits are those of [`super::random_bits`]; each pair of words makes a pair of numbers by Box and Muller:
//! √(−2 ln u₁) times cos and sin of 2π u₂, u₁ in (0, 1].

use super::draw;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance};
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
        draw::fill(x[0], self.stream, y[0].real_mut(), |words| {
            let radius = (T::of(-2.0) * T::of(1.0 - unit(words[0])).ln()).sqrt();
            let angle = T::of(std::f64::consts::TAU * unit(words[1]));
            [radius * angle.cos(), radius * angle.sin()]
        });
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
        draw::infer(self.name(), inputs, Ty::f32(self.shape.dims()))
    }

    crate::twin!();
}

/// `shaders/random/random_normal.wgsl`
pub struct RandomNormalKernel;

impl Kernel for RandomNormalKernel {
    fn stem(&self) -> &'static str {
        "random_normal"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<RandomNormal>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        Ok(draw::launch(self.stem(), r, r.op::<RandomNormal>()?.stream))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 20.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "WGSL promises sine and cosine to 2⁻¹¹, times a radius of up to 5.8";
        let tolerance = Tolerance::new(3e-3, 0.0, Terms::Each, why);
        draw::cases(256, |shape, stream, inputs| {
            let label = format!("{} numbers of stream {stream}", shape.elements());
            Case::new(label, RandomNormal { shape, stream }, inputs, tolerance)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::step::clock;

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
