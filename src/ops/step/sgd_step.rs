//! One step of stochastic gradient descent with momentum over all parameters at once.
//!
//! g ← g + λw, u ← μu + g, w ← w − ηu, or with Nesterov's momentum w ← w − η(g + μu), as PyTorch's
//! `SGD(momentum=μ, weight_decay=λ, nesterov=…)` without dampening; the first step from u = 0 gives u = g + λw. Nothing is
//! written once the clock's latch is set.
//!
//! Source: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning" (2013).

use std::ops::Range;

use super::clock;
use super::decayed::{Decayed, runs, table};
use super::packed_step::{PackedStep, SHAPES, SPARED, case_inputs};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// One step for inputs (clock, learning rate, w…, g…, u…), n tensors of each. Outputs (w…, u…)
/// overwrite their inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SgdStep {
    /// Momentum μ.
    pub momentum: f32,
    /// Weight decay λ, a term λw in the gradient.
    pub decay: f32,
    /// Which parameters decay.
    pub decayed: Decayed,
    /// Whether the step looks ahead along the momentum, as Nesterov's does.
    pub nesterov: bool,
    /// Number of tensors.
    pub tensors: usize,
}

impl SgdStep {
    fn packed(&self) -> PackedStep {
        PackedStep { tensors: self.tensors, moments: 1 }
    }

    /// The decay of a parameter.
    pub(crate) fn decay_of(&self, ty: &Ty) -> f32 {
        self.decayed.lambda(self.decay, ty)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let frozen = x[0].words()[clock::BAD_STEP] != 0;
        let (learning_rate, of) = (x[1].scalar(), |number: f32| T::of(f64::from(number)));
        let n = self.tensors;
        for t in 0..n {
            let [w, g, u] = [0, 1, 2].map(|group| x[2 + group * n + t].real());
            let decay = of(self.decay_of(&x[2 + t].ty()));
            for i in 0..w.len() {
                let g = g[i] + decay * w[i];
                let moved = of(self.momentum) * u[i] + g;
                let step = if self.nesterov { g + of(self.momentum) * moved } else { moved };
                y[t].real_mut()[i] = if frozen { w[i] } else { w[i] - learning_rate * step };
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
        let nesterov = if self.nesterov { " Nesterov" } else { "" };
        let (decay, of) = (self.decay, self.decayed.words());
        let decay = if decay > 0.0 { format!(" L2={decay}{of}") } else { String::new() };
        format!("{} tensors momentum={}{nesterov}{decay}", self.tensors, self.momentum)
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
        let parameters = &r.inputs[op.packed().group(0)];
        let runs = runs(parameters.iter().copied(), |ty| op.decay_of(ty));
        let mut params = vec![words as u32, op.momentum.to_bits(), u32::from(op.nesterov), 0];
        params.extend(table(parameters, &runs));
        Ok(Launch::single(
            ShaderKey { constants: vec![("RUNS", runs.len() as u32)], ..ShaderKey::plain(self.stem()) },
            op.packed().bindings(),
            params,
            Work::Invocations(words),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements: usize = r.outputs[..r.outputs.len() / 2].iter().map(|ty| ty.elements()).sum();
        Ok(Cost { flops: 6.0 * elements as f64, bytes: 20.0 * elements as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-7, 1e-6, Terms::OfAbsoluteInputs, "nine roundings");
        let mut s = Samples::new("sgd_step");
        let mut case = |label: &str, op: SgdStep, shapes: &[&[usize]], latched: u32| {
            let mut words = clock::start(64, 64, false, 0);
            words[clock::BAD_STEP] = latched;
            let inputs = case_inputs(&words, 1e-2, shapes, 3, |_, shape| s.normal(shape));
            Case::new(label, SgdStep { tensors: shapes.len(), ..op }, inputs, rounding)
        };
        let plain = SgdStep { momentum: 0.9, ..SgdStep::default() };
        let decays = SgdStep { decay: 0.1, ..plain };
        let nesterov = SgdStep { nesterov: true, ..decays };
        let [one, several, many] = SHAPES;
        vec![
            case(one.0, plain, one.1, 0),
            case(several.0, plain, several.1, 0),
            case("latched", decays, &[&[65]], 4),
            case("L2", decays, &[&[129], &[1]], 0),
            case("L2 of weights", SgdStep { decayed: Decayed::Weights, ..decays }, SPARED, 0),
            case("Nesterov", nesterov, several.1, 0),
            case("Nesterov, L2 of weights", SgdStep { decayed: Decayed::Weights, ..nesterov }, SPARED, 0),
            case("Nesterov, latched", nesterov, &[&[65]], 4),
            case(many.0, plain, many.1, 0).benched(),
        ]
    }
}
