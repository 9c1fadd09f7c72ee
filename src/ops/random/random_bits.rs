//! Random words from the counter-based generator, keyed by the step: those of `draw.rs`, as they are.

use super::draw;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Tolerance};
use crate::tensor::{HostTensor, Real, Shape, Ty};

/// Random words of this shape for a clock as input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomBits {
    /// Shape of the result.
    pub shape: Shape,
    /// Distinguishes draws made in the same step.
    pub stream: u32,
}

impl RandomBits {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        draw::fill(x[0], self.stream, y[0].words_mut(), |words| words);
    }
}

impl Op for RandomBits {
    fn name(&self) -> &'static str {
        "random_bits"
    }

    fn attributes(&self) -> String {
        format!("stream {}", self.stream)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        draw::infer(self.name(), inputs, Ty::u32(self.shape.dims()))
    }

    crate::twin!();
}

/// `shaders/random/random_bits.wgsl`
pub struct RandomBitsKernel;

impl Kernel for RandomBitsKernel {
    fn stem(&self) -> &'static str {
        "random_bits"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<RandomBits>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        Ok(draw::launch(self.stem(), r, r.op::<RandomBits>()?.stream))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        draw::cases(128, |shape, stream, inputs| {
            let label = format!("{} words of stream {stream}", shape.elements());
            Case::new(label, RandomBits { shape, stream }, inputs, Tolerance::EXACT)
        })
    }
}
