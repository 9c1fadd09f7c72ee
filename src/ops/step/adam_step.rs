//! One step of Adam over all parameters of a model at once.
//!
//! Source: Kingma and Ba, "Adam" (2015), with ε outside the root as in the paper's algorithm 1;
//! decoupled decay: Loshchilov and Hutter (2019).
//!
//! m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w − η (m / c₁) / (√(v / c₂) + ε)
//!
//! c₁, c₂ are the bias corrections of the clock. Nothing is written once the clock's latch is set.

use std::ops::Range;

use super::clock;
use super::decayed::{Decayed, runs, table};
use super::packed_step::{PackedStep, SHAPES, SPARED, case_inputs};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// How weights are drawn towards zero. The numbers are those of the shader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum WeightDecay {
    /// Not at all.
    #[default]
    None = 0,
    /// A term λw in the gradient, as PyTorch's `Adam(weight_decay=λ)`.
    L2 = 1,
    /// w ← w − ηλw beside the step, as AdamW.
    Decoupled = 2,
}

/// One step of Adam for inputs (clock, learning rate, w…, g…, m…, v…), n tensors of each. Outputs
/// (w…, m…, v…) overwrite their inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root.
    pub epsilon: f32,
    /// Kind of weight decay.
    pub decay: WeightDecay,
    /// Strength of weight decay.
    pub lambda: f32,
    /// Which parameters decay.
    pub decayed: Decayed,
    /// Number of tensors.
    pub tensors: usize,
}

impl AdamStep {
    fn packed(&self) -> PackedStep {
        PackedStep { tensors: self.tensors, moments: 2 }
    }

    /// Adam with its customary constants over `tensors` tensors.
    pub fn new(tensors: usize) -> Self {
        let (decay, decayed) = (WeightDecay::None, Decayed::All);
        AdamStep { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay, lambda: 0.0, decayed, tensors }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let clock = x[0].words();
        let learning_rate = x[1].scalar();
        let correction = |word: usize| T::of(f64::from(f32::from_bits(clock[word])));
        let (c1, c2) = (correction(clock::CORRECTION1), correction(clock::CORRECTION2));
        let frozen = clock[clock::BAD_STEP] != 0;
        let n = self.tensors;
        for t in 0..n {
            let [w, g, m, v] = [0, 1, 2, 3].map(|group| x[2 + group * n + t].real());
            let lambda = self.lambda_of(&x[2 + t].ty());
            for i in 0..w.len() {
                let (new_w, new_m, new_v) = if frozen {
                    (w[i], m[i], v[i])
                } else {
                    self.update(learning_rate, lambda, [c1, c2], [w[i], g[i], m[i], v[i]])
                };
                y[t].real_mut()[i] = new_w;
                y[n + t].real_mut()[i] = new_m;
                y[2 * n + t].real_mut()[i] = new_v;
            }
        }
    }

    /// The decay of a parameter.
    pub(crate) fn lambda_of(&self, ty: &Ty) -> f32 {
        self.decayed.lambda(self.lambda, ty)
    }

    /// New weight and moments of one element of a parameter with this decay.
    pub(crate) fn update<T: Real>(
        &self,
        learning_rate: T,
        lambda: f32,
        corrections: [T; 2],
        [w, g, m, v]: [T; 4],
    ) -> (T, T, T) {
        let of = |x: f32| T::of(f64::from(x));
        let g = if self.decay == WeightDecay::L2 { g + of(lambda) * w } else { g };
        let m = of(self.beta1) * m + of(1.0 - self.beta1) * g;
        let v = of(self.beta2) * v + of(1.0 - self.beta2) * g * g;
        let w = if self.decay == WeightDecay::Decoupled { w - learning_rate * of(lambda) * w } else { w };
        (w - learning_rate * (m / corrections[0]) / ((v / corrections[1]).sqrt() + of(self.epsilon)), m, v)
    }
}

impl Op for AdamStep {
    fn name(&self) -> &'static str {
        "adam_step"
    }

    fn attributes(&self) -> String {
        let decay = match self.decay {
            WeightDecay::None => String::new(),
            kind => format!(" {kind:?}={}{}", self.lambda, self.decayed.words()),
        };
        format!("{} tensors beta={},{} eps={:e}{decay}", self.tensors, self.beta1, self.beta2, self.epsilon)
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

/// `shaders/step/adam_step.wgsl`
pub struct AdamStepKernel;

/// Names of the variants, the snippets by which they read, whether they read mirrors, and vectors that one invocation takes:
/// where all loads but those of the clock are cheap, more of them share those.
const WAYS: [(&str, &[&str], bool, usize); 2] =
    [("texels", &["texels", "adam_texels"], true, 16), ("", &["adam_buffers"], false, 4)];

impl Kernel for AdamStepKernel {
    fn stem(&self) -> &'static str {
        "adam_step"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AdamStep>().is_some()
    }

    fn variants(&self, _request: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        Ok(WAYS.iter().filter(|way| profile.texels || !way.2).map(|way| way.0).collect())
    }

    fn is_measured(&self) -> bool {
        false
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<AdamStep>()?;
        let vectors = op.packed().words(r.inputs).div_ceil(4);
        let parameters = &r.inputs[op.packed().group(0)];
        let &(_, reading, is_mirrored, each) = r.variant_in(&WAYS, |(name, ..)| name)?;
        let mut bindings = op.packed().bindings();
        if is_mirrored {
            // Weights and moments once more, to be read as they were.
            bindings.extend_from_within(3..);
        }
        let runs = runs(parameters.iter().copied(), |ty| op.lambda_of(ty));
        let [beta1, beta2, epsilon] = [op.beta1, op.beta2, op.epsilon].map(f32::to_bits);
        let mut params = vec![vectors as u32, op.decay as u32, beta1, beta2, epsilon, 0, 0, 0];
        params.extend(table(parameters, &runs));
        Ok(Launch::single(
            ShaderKey {
                stem: self.stem(),
                constants: vec![("RUNS", runs.len() as u32), ("EACH", each as u32)],
                snippets: reading.to_vec(),
            },
            bindings,
            params,
            Work::Invocations(vectors.div_ceil(each)),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements: usize = r.outputs[..r.outputs.len() / 3].iter().map(|ty| ty.elements()).sum();
        Ok(Cost { flops: 14.0 * elements as f64, bytes: 28.0 * elements as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-7,
            1e-5,
            Terms::Each,
            "a dozen roundings, WGSL's division at 2.5 ULP and root at 2 or more; moments are given non-negative so \
             that nothing cancels",
        );
        let mut s = Samples::new("adam_step");
        let mut case = |label: &str, op: AdamStep, shapes: &[&[usize]], latched: u32| {
            let mut words = clock::start(64, 64, false, 0);
            words[clock::CORRECTION1] = 0.271f32.to_bits();
            words[clock::CORRECTION2] = 0.003f32.to_bits();
            words[clock::BAD_STEP] = latched;
            let bounds = [(-1.0, 1.0), (0.1, 1.0), (0.0, 1.0), (0.0, 1.0)];
            let inputs = case_inputs(&words, 1e-3, shapes, 4, |group, shape| {
                let (low, high) = bounds[group];
                s.uniform(shape, low, high)
            });
            Case::new(label, AdamStep { tensors: shapes.len(), ..op }, inputs, rounding)
        };
        let adam = AdamStep::new(1);
        let l2 = AdamStep { decay: WeightDecay::L2, lambda: 0.1, ..adam };
        let decoupled = AdamStep { decay: WeightDecay::Decoupled, lambda: 0.1, ..adam };
        let decayed = Decayed::Weights;
        let [one, several, many] = SHAPES;
        vec![
            case(one.0, adam, one.1, 0),
            case(several.0, adam, several.1, 0),
            case("latched", adam, &[&[65]], 4),
            case("L2", l2, &[&[129]], 0),
            case("decoupled", decoupled, &[&[129]], 0),
            case("L2 of weights", AdamStep { decayed, ..l2 }, SPARED, 0),
            case("decoupled, of weights", AdamStep { decayed, ..decoupled }, SPARED, 0),
            case(many.0, adam, many.1, 0).benched(),
        ]
    }
}
