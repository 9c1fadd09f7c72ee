//! Uniformly distributed numbers from the counter-based generator, keyed by the step.
//!
//! The words of [`super::random_bits`] as multiples of 2⁻²⁴ in [0, 1): exact in f32, so the same on every device.

use super::draw;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Tolerance};
use crate::rng::unit_f32;
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
        let of = |word| T::of(f64::from(unit_f32(word)));
        draw::fill(x[0], self.stream, y[0].real_mut(), |words| words.map(of));
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
        draw::infer(self.name(), inputs, Ty::f32(self.shape.dims()))
    }

    crate::twin!();
}

/// `shaders/random/random_uniform.wgsl`
pub struct RandomUniformKernel;

impl Kernel for RandomUniformKernel {
    fn stem(&self) -> &'static str {
        "random_uniform"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<RandomUniform>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        Ok(draw::launch(self.stem(), r, r.op::<RandomUniform>()?.stream))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 2.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        draw::cases(256, |shape, stream, inputs| {
            let label = format!("{} numbers of stream {stream}", shape.elements());
            Case::new(label, RandomUniform { shape, stream }, inputs, Tolerance::EXACT)
        })
    }
}
