//! Uniformly distributed numbers from the counter-based generator, keyed by the step.
//!
//! The words of [`super::random_bits`] as multiples of 2⁻²⁴ in [0, 1): exact in f32, so the same on every device.

use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::ops::step::clock;
use crate::rng::{threefry2x32, unit_f32};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Shape, Ty};

/// Independent uniform numbers of this shape for a clock as input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomUniform {
    /// Shape of the result.
    pub shape: Shape,
    /// Distinguishes draws made in the same step.
    pub stream: u32,
}

impl RandomUniform {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let clock = x[0].words();
        let step_key = [clock[clock::STEP_KEY], clock[clock::STEP_KEY + 1]];
        let key = threefry2x32(step_key, [clock[clock::STEP], self.stream]);
        for (i, pair) in y[0].real_mut().chunks_mut(2).enumerate() {
            let both = threefry2x32(key, [i as u32, self.stream]).map(|word| T::of(f64::from(unit_f32(word))));
            pair.copy_from_slice(&both[..pair.len()]);
        }
    }
}

impl Op for RandomUniform {
    fn name(&self) -> &'static str {
        "random_uniform"
    }

    fn attributes(&self) -> String {
        format!("stream {}", self.stream)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock] = arity("random_uniform", inputs)?;
        same("random_uniform", "the clock", clock, &clock::ty())?;
        Ok(vec![Ty::f32(self.shape.dims())])
    }

    crate::twin!();
}

/// `shaders/random_uniform.wgsl`
pub struct RandomUniformKernel;

impl Kernel for RandomUniformKernel {
    fn stem(&self) -> &'static str {
        "random_uniform"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<RandomUniform>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.outputs[0].elements();
        let stream = r.op.downcast::<RandomUniform>().map_or(0, |op| op.stream);
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        let work = Work::Invocations(n.div_ceil(2));
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32, stream], work))
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        Cost::streaming(r, 2.0 * r.outputs[0].elements() as f64)
    }

    fn cases(&self) -> Vec<Case> {
        [(1usize, 0u32), (2, 1), (63, 2), (1001, u32::MAX), (256 * 784, 5)]
            .map(|(n, stream)| {
                let mut words = clock::start(10, 5, true, u64::from(stream) << 20);
                words[clock::STEP] = 77;
                let op = RandomUniform { shape: Shape::new(&[n]), stream };
                let inputs = vec![HostTensor::from_words(&[clock::WORDS], &words)];
                let case = Case::new(format!("{n} numbers of stream {stream}"), op, inputs, Tolerance::EXACT);
                if n > 100_000 { case.benched() } else { case }
            })
            .into()
    }
}
