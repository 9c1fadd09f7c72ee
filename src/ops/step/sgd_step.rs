//! One step of stochastic gradient descent with momentum over all parameters at once.
//!
//! u ← μu + g + λw, w ← w − ηu, as PyTorch's `SGD(momentum=μ, weight_decay=λ)` without dampening; the first
//! step from u = 0 gives u = g + λw. Nothing is written once the clock's latch is set.

use std::ops::Range;

use super::clock;
use super::packed_step::{PackedStep, SHAPES, case_inputs};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// One step for inputs (clock, learning rate, w…, g…, u…), n tensors of each. Outputs (w…, u…)
/// overwrite their inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Momentum μ.
    pub momentum: f32,
    /// Weight decay λ, a term λw in the gradient.
    pub decay: f32,
    /// Number of tensors.
    pub tensors: usize,
}

impl SgdStep {
    fn packed(&self) -> PackedStep {
        PackedStep { tensors: self.tensors, moments: 1 }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let frozen = x[0].words()[clock::BAD_STEP] != 0;
        let (learning_rate, of) = (x[1].scalar(), |number: f32| T::of(f64::from(number)));
        let n = self.tensors;
        for t in 0..n {
            let [w, g, u] = [0, 1, 2].map(|group| x[2 + group * n + t].real());
            for i in 0..w.len() {
                let moved = of(self.momentum) * u[i] + (g[i] + of(self.decay) * w[i]);
                y[t].real_mut()[i] = if frozen { w[i] } else { w[i] - learning_rate * moved };
                y[n + t].real_mut()[i] = if frozen { u[i] } else { moved };
            }
        }
    }
}

impl Op for SgdStep {
    fn name(&self) -> &'static str {
        "sgd_step"
    }

    fn attributes(&self) -> String {
        let decay = if self.decay > 0.0 { format!(" L2={}", self.decay) } else { String::new() };
        format!("{} tensors momentum={}{decay}", self.tensors, self.momentum)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        self.packed().infer(self.name(), inputs)
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        self.packed().aliases()
    }

    fn packed_inputs(&self, _inputs: usize) -> Vec<(&'static str, Range<usize>)> {
        self.packed().packed_inputs()
    }

    crate::twin!();
}

/// `shaders/step/sgd_step.wgsl`
pub struct SgdStepKernel;

impl Kernel for SgdStepKernel {
    fn stem(&self) -> &'static str {
        "sgd_step"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SgdStep>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<SgdStep>()?;
        let words = op.packed().words(r.inputs);
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            op.packed().bindings(),
            vec![words as u32, op.momentum.to_bits(), op.decay.to_bits()],
            Work::Invocations(words),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements: usize = r.outputs[..r.outputs.len() / 2].iter().map(|ty| ty.elements()).sum();
        Ok(Cost { flops: 6.0 * elements as f64, bytes: 20.0 * elements as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-7, 1e-6, Terms::OfAbsoluteInputs, "six roundings");
        let mut s = Samples::new("sgd_step");
        let mut case = |label: &str, decay: f32, shapes: &[&[usize]], latched: u32| {
            let mut words = clock::start(64, 64, false, 0);
            words[clock::BAD_STEP] = latched;
            let inputs = case_inputs(&words, 1e-2, shapes, 3, |_, shape| s.normal(shape));
            Case::new(label, SgdStep { momentum: 0.9, decay, tensors: shapes.len() }, inputs, rounding)
        };
        let [one, several, many] = SHAPES;
        vec![
            case(one.0, 0.0, one.1, 0),
            case(several.0, 0.0, several.1, 0),
            case("latched", 0.1, &[&[65]], 4),
            case("L2", 0.1, &[&[129], &[1]], 0),
            case(many.0, 0.0, many.1, 0).benched(),
        ]
    }
}
