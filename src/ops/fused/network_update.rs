//! Weight gradients, the entropies' share of them and Adam in one kernel: the second half of the
//! small-network path (see [`super::network`]).

use std::ops::Range;
use std::sync::Arc;

use super::linear_weight_grads::tiles;
use super::network::{Network, SUMS, examples};
use crate::error::{Error, Result};
use crate::graph::{Op, Precision};
use crate::ops::batch::gathered;
use crate::ops::entropy::activeness::Direction;
use crate::ops::entropy::activeness_grad::{ActivenessGrad, ActivenessGradAdd};
use crate::ops::kernel::check::same;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::matmul::matmul_tn::LinearWeightGrad;
use crate::ops::step::adam_step::{AdamStep, WeightDecay};
use crate::ops::step::clock;
use crate::ops::step::clock_advance::ClockAdvance;
use crate::ops::step::decayed::Decayed;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Ty};

/// (loss, sum of entropies…, W, b, …, first moments…, second moments…) for inputs (data, rows, workspace,
/// clock, learning rate, W, b, …, first moments…, second moments…). Parameters and moments are
/// overwritten, unless a loss of the step is not finite or the clock's latch is set.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkUpdate {
    /// The network.
    pub network: Arc<Network>,
    /// The optimiser.
    pub adam: AdamStep,
    /// How the clock is about to move: Adam's corrections are those of the step being made.
    pub advance: ClockAdvance,
}

impl NetworkUpdate {
    fn tensors(&self) -> usize {
        2 * self.network.layers.len()
    }

    /// Inputs that hold parameters (0), first (1) or second moments (2).
    fn group(&self, which: usize) -> Range<usize> {
        let first = 5 + which * self.tensors();
        first..first + self.tensors()
    }

    fn eval<T: Precision>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let network = &*self.network;
        let (places, n) = (network.workspace(), self.tensors());
        let part = |place: usize, dims: &[usize]| {
            let mut tensor = HostTensor::<T>::zeros(&Ty::f32(dims));
            let elements = tensor.real().len();
            tensor.real_mut().copy_from_slice(&x[2].real()[place..place + elements]);
            tensor
        };
        let loss = part(places.losses, &[network.batch]).real().iter().copied().sum::<T>();
        y[0].real_mut()[0] = loss;
        for (t, term) in network.terms.iter().enumerate() {
            let sum = y[1 + term.value].scalar() + x[2].real()[places.entropies[t]];
            y[1 + term.value].real_mut()[0] = sum;
        }
        let outputs = 1 + network.sums;
        for (output, input) in y[outputs..].iter_mut().zip(&x[5..]) {
            output.real_mut().copy_from_slice(input.real());
        }
        let clock = x[3].words();
        let finite = y[..outputs].iter().all(|value| value.scalar().is_finite());
        if clock[clock::BAD_STEP] != 0 || !finite {
            return;
        }
        let types = network.parameters();
        let mut gradients: Vec<HostTensor<T>> = types.iter().map(HostTensor::zeros).collect();
        for i in 0..network.layers.len() {
            let dims = [network.batch, network.inputs(i)];
            let mut input = HostTensor::zeros(&Ty::f32(&dims));
            if i == 0 {
                T::eval(&network.gather, &x[..2], std::slice::from_mut(&mut input));
            } else {
                input = part(places.values[i - 1], &dims);
            }
            let delta = part(places.deltas[i], &[network.batch, network.layers[i].0]);
            T::eval(&LinearWeightGrad, &[&delta, &input], &mut gradients[2 * i..2 * i + 2]);
        }
        let parameters = &x[self.group(0)];
        for (t, term) in network.terms.iter().enumerate() {
            let [w, b] = term.parameters;
            let slopes = part(places.slopes[t], &[network.neurons(term)]);
            let mut sums = [gradients[w].clone(), gradients[b].clone()];
            let add = ActivenessGradAdd(ActivenessGrad(term.activeness));
            let inputs = [parameters[w], parameters[b], &slopes, &gradients[w], &gradients[b]];
            T::eval(&add, &inputs, &mut sums);
            let [dw, db] = sums;
            (gradients[w], gradients[b]) = (dw, db);
        }
        let rate = x[4].scalar();
        let correction = |word: usize, beta: f32| T::of(f64::from(beta * f32::from_bits(clock[word]) + (1.0 - beta)));
        let corrections =
            [correction(clock::CORRECTION1, self.advance.beta1), correction(clock::CORRECTION2, self.advance.beta2)];
        for (t, gradient) in gradients.iter().enumerate() {
            let lambda = self.adam.lambda_of(&types[t]);
            for (i, &g) in gradient.real().iter().enumerate() {
                let [w, m, v] = [0, 1, 2].map(|group| x[self.group(group).start + t].real()[i]);
                let (w, m, v) = self.adam.update(rate, lambda, corrections, [w, g, m, v]);
                for (group, value) in [w, m, v].into_iter().enumerate() {
                    y[outputs + group * n + t].real_mut()[i] = value;
                }
            }
        }
    }
}

impl Op for NetworkUpdate {
    fn name(&self) -> &'static str {
        "network_update"
    }

    fn attributes(&self) -> String {
        format!("{} {}", self.network.describe(), self.adam.attributes())
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let network = &*self.network;
        if inputs.len() != self.group(2).end || network.sums > SUMS {
            let problem = format!("takes 5 inputs and three of each parameter, and at most {SUMS} sums of entropies");
            return Err(Error::graph(self.name(), problem));
        }
        network.gather.check_bytes(self.name(), inputs[0])?;
        network.gather.infer(&inputs[..2])?;
        same(self.name(), "the workspace", inputs[2], &Ty::f32(&[network.workspace().elements]))?;
        same(self.name(), "the clock", inputs[3], &clock::ty())?;
        same(self.name(), "the learning rate", inputs[4], &Ty::f32(&[]))?;
        let types = network.parameters();
        for group in 0..3 {
            for (input, ty) in inputs[self.group(group)].iter().zip(&types) {
                same(self.name(), "a parameter or moment", input, ty)?;
            }
        }
        let tensors = std::iter::repeat_n(types, 3).flatten();
        Ok(std::iter::repeat_n(Ty::f32(&[]), 1 + network.sums).chain(tensors).collect())
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        (0..3 * self.tensors()).map(|i| (5 + i, 1 + self.network.sums + i)).collect()
    }

    fn spanned_inputs(&self, _: usize) -> Vec<Range<usize>> {
        std::iter::once(3..5).collect()
    }

    fn packed_inputs(&self, _: usize) -> Vec<(&'static str, Range<usize>)> {
        vec![("params", self.group(0)), ("gradients", 0..0), ("moment1", self.group(1)), ("moment2", self.group(2))]
    }

    fn packed_outputs(&self, _: usize) -> Vec<Range<usize>> {
        std::iter::once(0..1 + self.network.sums).collect()
    }

    crate::twin!();
}

/// `shaders/fused/network_update.wgsl`
pub struct NetworkUpdateKernel;

impl NetworkUpdateKernel {
    /// The uniform block, and the number of tiles.
    fn params(op: &NetworkUpdate) -> (Vec<u32>, usize) {
        let network = &*op.network;
        let (places, weights) = (network.workspace(), network.parameter_places());
        let (mut layers, mut all) = (Vec::new(), 0);
        for (i, &(width, _)) in network.layers.iter().enumerate() {
            let inputs = network.inputs(i);
            let below = if i == 0 { 0 } else { places.values[i - 1] };
            layers.extend([inputs, width, all, below]);
            layers.extend([places.deltas[i], weights[2 * i], weights[2 * i + 1], 0]);
            all += tiles(width, inputs);
        }
        let mut terms: Vec<u32> = Vec::new();
        for (t, term) in network.terms.iter().enumerate() {
            let [w, b] = term.parameters.map(|parameter| parameter as u32 / 2);
            let incoming = u32::from(term.activeness.direction == Direction::Incoming);
            terms.extend([w, b, incoming, term.activeness.bias_weight.to_bits()]);
            terms.extend([places.slopes[t] as u32, places.entropies[t] as u32, term.value as u32, 0]);
        }
        terms.resize(terms.len().max(8), 0);
        let sizes = [network.batch, network.gather.features, all, places.losses, 0, 0];
        let mut params: Vec<u32> = sizes.map(|size| size as u32).to_vec();
        let adam = &op.adam;
        params.extend([adam.decay as u32, network.sums as u32]);
        // Every layer has a matrix and a vector.
        let [of_weights, of_biases] = [&[1, 1][..], &[1]].map(|dims| adam.lambda_of(&Ty::f32(dims)));
        params.extend([adam.beta1, adam.beta2, adam.epsilon, of_weights].map(f32::to_bits));
        params.extend([op.advance.beta1, op.advance.beta2, of_biases, 0.0].map(f32::to_bits));
        params.extend(layers.into_iter().map(|word| word as u32));
        params.extend(terms);
        params.extend([0; 1 + SUMS]);
        (params, all)
    }
}

impl Kernel for NetworkUpdateKernel {
    fn stem(&self) -> &'static str {
        "network_update"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<NetworkUpdate>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<NetworkUpdate>()?;
        let network = &*op.network;
        let (params, tiles) = Self::params(op);
        let last = params.len() - (1 + SUMS);
        let mut offsets = vec![(4, 0, Bind::Input(3)), (5, 0, Bind::Input(4))];
        offsets.extend((0..1 + network.sums).map(|output| (last + output, 7, Bind::Output(output))));
        let constants = [
            ("LAYERS", network.layers.len()),
            ("TERMS", network.terms.len().max(1)),
            ("TERMS_USED", network.terms.len()),
        ];
        let outputs = 1 + network.sums;
        let overwritten = |group: usize| {
            let first = outputs + group * op.tensors();
            Bind::Span(vec![Bind::Output(first), Bind::Output(first + op.tensors() - 1)])
        };
        let dispatch = Dispatch {
            shader: ShaderKey {
                constants: constants.iter().map(|&(name, value)| (name, value as u32)).collect(),
                ..ShaderKey::plain(self.stem())
            },
            bindings: vec![
                Bind::Span(vec![Bind::Input(3), Bind::Input(4)]),
                Bind::Input(0),
                Bind::Input(1),
                Bind::Input(2),
                overwritten(0),
                overwritten(1),
                overwritten(2),
                Bind::Span((0..outputs).map(Bind::Output).collect()),
            ],
            params,
            offsets,
            work: Work::Groups(tiles),
        };
        Ok(Launch { dispatches: vec![dispatch], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let flops = r.op::<NetworkUpdate>()?.network.flops();
        Ok(Cost { flops, bytes: Cost::streaming(r, 0.0).bytes - r.inputs[0].bytes() as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-6,
            1e-4,
            Terms::Largest,
            "gradients of up to 128 samples, 1e-6 each; Adam divides by the root of the second moment",
        );
        let mut s = Samples::new("network_update");
        let mut cases = Vec::new();
        for (number, network) in examples().into_iter().enumerate() {
            let types = network.parameters();
            let mut words = clock::start(2 * network.batch + 3, network.batch, true, 5);
            words[clock::CORRECTION1] = 0.1f32.to_bits();
            words[clock::CORRECTION2] = 0.001f32.to_bits();
            words[clock::BAD_STEP] = u32::from(number == 2);
            let mut inputs = gathered::batch(&mut s, network.batch, network.gather.features);
            inputs.push(s.uniform(&[network.workspace().elements], -1.0, 1.0));
            inputs.push(HostTensor::from_words(&[clock::WORDS], &words));
            inputs.push(HostTensor::from_f32(&[], &[1e-3]));
            inputs.extend(types.iter().map(|ty| s.normal(ty.shape.dims())));
            inputs.extend(types.iter().map(|ty| s.uniform(ty.shape.dims(), -0.1, 0.1)));
            // Far from zero, where the root's slope would blow up every rounding.
            inputs.extend(types.iter().map(|ty| s.uniform(ty.shape.dims(), 0.1, 1.0)));
            let (label, large) = (network.describe(), network.gather.features == 784);
            let adam = AdamStep::new(types.len());
            let advance = ClockAdvance { beta1: adam.beta1, beta2: adam.beta2 };
            let op = NetworkUpdate { network: Arc::new(network), adam, advance };
            if number == 1 {
                let mut broken = inputs.clone();
                broken[2].real_mut()[op.network.workspace().losses] = f32::INFINITY;
                cases.push(Case::new(format!("{label} infinite"), op.clone(), broken, rounding));
            }
            if number == 1 {
                let spared = AdamStep { decay: WeightDecay::L2, lambda: 0.1, decayed: Decayed::Weights, ..adam };
                for adam in [spared, AdamStep { decay: WeightDecay::Decoupled, ..spared }] {
                    let op = NetworkUpdate { adam, ..op.clone() };
                    cases.push(Case::new(format!("{label} {:?} of weights", adam.decay), op, inputs.clone(), rounding));
                }
            }
            let case = Case::new(label, op, inputs, rounding);
            cases.push(if large { case.benched() } else { case });
        }
        cases
    }
}
