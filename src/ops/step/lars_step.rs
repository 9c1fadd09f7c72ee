//! One step of LARS over all parameters at once: gradient descent with momentum in which the step of every layer is as long
//! as its weights allow.
//!
//! Source: You, Gitman and Ginsburg, "Large Batch Training of Convolutional Networks" (2017), in the order of SimCLR (Chen,
//! Kornblith, Norouzi and Hinton, 2020): g ← g + λw, t = τ‖w‖ / ‖g‖, or 1 where either norm is 0, v ← μv + ηtg, w ← w − v.
//! Biases and what normalisations scale and shift by have λ = 0 and t = 1. Nothing is written once the clock's latch is set.
//!
//! Three stages, no atomics: every workgroup adds the squares of a strided share of one tensor, one workgroup a tensor adds
//! its shares in their order, and the third moves the parameters.

use std::ops::Range;

use super::clock;
use super::decayed::{Run, first_vector, is_weight, table};
use super::packed_step::{PackedStep, SHAPES, SPARED, case_inputs};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::sum_all::pairwise_sum;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// One step for inputs (clock, learning rate, w…, g…, v…), n tensors of each. Outputs (w…, v…) overwrite their inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LarsStep {
    /// Momentum μ.
    pub momentum: f32,
    /// Weight decay λ of weights.
    pub decay: f32,
    /// Trust τ: the share of a layer's norm that a step at a rate of 1 moves it by.
    pub trust: f32,
    /// Number of tensors.
    pub tensors: usize,
}

impl LarsStep {
    fn packed(&self) -> PackedStep {
        PackedStep { tensors: self.tensors, moments: 1 }
    }

    /// The decay of a parameter.
    pub(crate) fn decay_of(&self, ty: &Ty) -> f32 {
        if is_weight(ty) { self.decay } else { 0.0 }
    }

    /// What a step is multiplied by, given the squares of the weights and of their gradient.
    pub(crate) fn scale<T: Real>(&self, [weights, gradient]: [T; 2]) -> T {
        let is_scaled = weights > T::zero() && gradient > T::zero();
        if is_scaled { T::of(f64::from(self.trust)) * weights.sqrt() / gradient.sqrt() } else { T::one() }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let frozen = x[0].words()[clock::BAD_STEP] != 0;
        let (learning_rate, momentum) = (x[1].scalar(), T::of(f64::from(self.momentum)));
        let n = self.tensors;
        for t in 0..n {
            let (ty, [w, g, v]) = (x[2 + t].ty(), [0, 1, 2].map(|group| x[2 + group * n + t].real()));
            let decay = T::of(f64::from(self.decay_of(&ty)));
            let g: Vec<T> = g.iter().zip(w).map(|(&g, &w)| g + decay * w).collect();
            let squares = |values: &[T]| pairwise_sum(&values.iter().map(|&x| x * x).collect::<Vec<T>>());
            let trust = if is_weight(&ty) { self.scale([squares(w), squares(&g)]) } else { T::one() };
            for i in 0..w.len() {
                let moved = momentum * v[i] + learning_rate * trust * g[i];
                y[t].real_mut()[i] = if frozen { w[i] } else { w[i] - moved };
                y[n + t].real_mut()[i] = if frozen { v[i] } else { moved };
            }
        }
    }
}

impl Op for LarsStep {
    fn name(&self) -> &'static str {
        "lars_step"
    }

    fn attributes(&self) -> String {
        let decay = if self.decay > 0.0 { format!(" L2={}", self.decay) } else { String::new() };
        format!("{} tensors momentum={} trust={}{decay}", self.tensors, self.momentum, self.trust)
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

/// `shaders/step/lars_norms.wgsl`, `shaders/step/lars_trust.wgsl`, `shaders/step/lars_step.wgsl`
pub struct LarsStepKernel;

/// Shares of a tensor, as in the shaders.
const SHARES: usize = 64;

/// Vectors that one invocation of the last stage takes, as in the shader.
const EACH: usize = 4;

impl Kernel for LarsStepKernel {
    fn stem(&self) -> &'static str {
        "lars_step"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<LarsStep>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<LarsStep>()?;
        let (packed, n) = (op.packed(), op.tensors);
        let parameters = &r.inputs[packed.group(0)];
        let entry = |(t, ty): (usize, &&Ty)| {
            let scaled = u32::from(is_weight(ty));
            [first_vector(parameters, t), ty.elements() as u32, op.decay_of(ty).to_bits(), scaled]
        };
        let tensors: Vec<u32> = parameters.iter().enumerate().flat_map(entry).collect();
        let of_tensors =
            |stem: &'static str| ShaderKey { constants: vec![("TENSORS", n as u32)], ..ShaderKey::plain(stem) };
        let [gradients, weights] = [1, 0].map(|group| Bind::Inputs(packed.group(group)));
        let norms = Dispatch::new(
            of_tensors("lars_norms"),
            vec![gradients, weights, Bind::Scratch(0)],
            tensors,
            Work::Groups(n * SHARES),
        );
        let trust = Dispatch::new(
            of_tensors("lars_trust"),
            vec![Bind::Scratch(0), Bind::Scratch(1)],
            vec![op.trust.to_bits()],
            Work::Groups(n),
        );
        let runs = parameters.iter().enumerate().map(|(t, ty)| Run { tensors: t..t + 1, lambda: op.decay_of(ty) });
        let vectors = packed.words(r.inputs).div_ceil(4);
        let mut params = vec![vectors as u32, op.momentum.to_bits(), 0, 0];
        params.extend(table(parameters, &runs.collect::<Vec<Run>>()));
        let step = Dispatch::new(
            ShaderKey { constants: vec![("RUNS", n as u32)], ..ShaderKey::plain(self.stem()) },
            packed.bindings().into_iter().chain([Bind::Scratch(1)]).collect(),
            params,
            Work::Invocations(vectors.div_ceil(EACH)),
        );
        Ok(Launch { dispatches: vec![norms, trust, step], scratch: vec![8 * SHARES * n, 4 * n] })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements: usize = r.outputs[..r.outputs.len() / 2].iter().map(|ty| ty.elements()).sum();
        Ok(Cost { flops: 13.0 * elements as f64, bytes: 28.0 * elements as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-7,
            2e-6,
            Terms::Largest,
            "a dozen roundings; the root halves the error of sums of positive terms, at most a few hundred of them in a row, and \
             both roots and their quotient are WGSL's, of 2.5 ULP",
        );
        let mut s = Samples::new("lars_step");
        let mut case = |label: &str, op: LarsStep, shapes: &[&[usize]], latched: u32| {
            let mut words = clock::start(64, 64, false, 0);
            words[clock::BAD_STEP] = latched;
            let inputs = case_inputs(&words, 0.3, shapes, 3, |group, shape| match (label, group) {
                ("no weights" | "no gradients", group) if (group == 0) == (label == "no weights") && group < 2 => {
                    s.uniform(shape, 0.0, 0.0)
                }
                _ => s.normal(shape),
            });
            Case::new(label, LarsStep { tensors: shapes.len(), ..op }, inputs, rounding)
        };
        let plain = LarsStep { momentum: 0.9, trust: 1e-3, ..LarsStep::default() };
        let decays = LarsStep { decay: 0.05, trust: 0.5, ..plain };
        let [one, several, many] = SHAPES;
        vec![
            case(one.0, plain, one.1, 0),
            case(several.0, decays, several.1, 0),
            case("weights, biases and norms", decays, SPARED, 0),
            case("latched", decays, &[&[13, 5]], 4),
            case("no weights", decays, SPARED, 0),
            case("no gradients", plain, SPARED, 0),
            case(many.0, decays, many.1, 0).benched(),
        ]
    }
}
