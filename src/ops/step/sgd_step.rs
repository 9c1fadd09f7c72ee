//! One step of stochastic gradient descent with momentum over all parameters at once.
//!
//! u ← μu + g + λw, w ← w − ηu, as PyTorch's `SGD(momentum=μ, weight_decay=λ)` without dampening; the first
//! step from u = 0 gives u = g + λw. Nothing is written once the clock's latch is set.

use std::ops::Range;

use super::clock;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::same;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
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
        let n = self.tensors;
        if n == 0 || inputs.len() != 2 + 3 * n {
            return Err(Error::graph("sgd_step", format!("takes 2 + 3 x {n} inputs, got {}", inputs.len())));
        }
        same("sgd_step", "the clock", inputs[0], &clock::ty())?;
        same("sgd_step", "the learning rate", inputs[1], &Ty::f32(&[]))?;
        for i in 2 + n..inputs.len() {
            same("sgd_step", "gradients and moments", inputs[i], inputs[2 + (i - 2) % n])?;
        }
        Ok([&inputs[2..2 + n], &inputs[2 + 2 * n..]].concat().into_iter().cloned().collect())
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        let n = self.tensors;
        (0..n).flat_map(|t| [(2 + t, t), (2 + 2 * n + t, n + t)]).collect()
    }

    fn packed_inputs(&self, _inputs: usize) -> Vec<(&'static str, Range<usize>)> {
        let n = self.tensors;
        let group = |(i, name)| (name, 2 + i * n..2 + (i + 1) * n);
        ["params", "grads", "moment1"].into_iter().enumerate().map(group).collect()
    }

    crate::twin!();
}

/// `shaders/sgd_step.wgsl`
pub struct SgdStepKernel;

impl Kernel for SgdStepKernel {
    fn stem(&self) -> &'static str {
        "sgd_step"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SgdStep>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op.downcast::<SgdStep>().copied().unwrap_or(SgdStep { momentum: 0.0, decay: 0.0, tensors: 1 });
        let n = op.tensors;
        let words = crate::ops::packed_words(&r.inputs[2..2 + n]);
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![
                Bind::Input(0),
                Bind::Input(1),
                Bind::Inputs(2 + n..2 + 2 * n),
                Bind::Inputs(2..2 + n),
                Bind::Inputs(2 + 2 * n..2 + 3 * n),
            ],
            vec![words as u32, op.momentum.to_bits(), op.decay.to_bits()],
            Work::Invocations(words),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        let elements: usize = r.outputs[..r.outputs.len() / 2].iter().map(|ty| ty.elements()).sum();
        Cost { flops: 6.0 * elements as f64, bytes: 20.0 * elements as f64 }
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-7, 1e-6, Terms::OfAbsoluteInputs, "six roundings");
        let mut s = Samples::new("sgd_step");
        let mut case = |label: &str, decay: f32, shapes: &[&[usize]], latched: u32| {
            let mut words = clock::start(64, 64, false, 0);
            words[clock::BAD_STEP] = latched;
            let mut inputs = vec![HostTensor::from_words(&[clock::WORDS], &words), HostTensor::from_f32(&[], &[1e-2])];
            for _ in 0..3 {
                inputs.extend(shapes.iter().map(|shape| s.normal(shape)));
            }
            Case::new(label, SgdStep { momentum: 0.9, decay, tensors: shapes.len() }, inputs, rounding)
        };
        vec![
            case("1", 0.0, &[&[1]], 0),
            case("tensors of 67, 64 and 1", 0.0, &[&[67], &[8, 8], &[1]], 0),
            case("latched", 0.1, &[&[65]], 4),
            case("L2", 0.1, &[&[129], &[1]], 0),
            case("64x784, 64, 784x64, 784", 0.0, &[&[64, 784], &[64], &[784, 64], &[784]], 0).benched(),
        ]
    }
}
