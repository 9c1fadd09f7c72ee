//! Convolutions on the processor: forward, the gradient of the input, those of weights and bias.

mod bands;
mod depthwise;
mod gradient;
mod panel_sums;
mod passes;
mod patches;
mod planes;
mod tile;
mod turned;

use super::activation::{activate, slopes};
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::array::activation::Activation;
use crate::ops::conv::conv2d_dx::After;
use crate::ops::conv::{conv2d, conv2d_dw, conv2d_dx};
use crate::plan::Step;
use gradient::WeightGradient;
use patches::Patches;

/// A step that is a convolution or a gradient of one.
pub(in crate::device) enum ConvKernel {
    /// y = act(conv(x, w) + b), or the convolution alone.
    Forward(Box<Patches>, Option<Activation>),
    /// dx, dx ∘ act'(h), or act(dx + b).
    Input(Box<Patches>, After),
    /// dw, and db where there are two outputs.
    Weights(Box<WeightGradient>),
}

impl ConvKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let (op, ty) = (step.op.as_ref(), |input: usize| &step.inputs[input].ty);
        if let Some((of, activation)) = conv2d::parts(op) {
            let counts = of.of_input("conv2d", ty(0), ty(1)).ok()?;
            return Some(ConvKernel::Forward(Box::new(Patches::new(of, counts, false)), activation));
        }
        if let Some((of, after)) = conv2d_dx::parts(op) {
            let counts = of.of_output("conv2d_dx", ty(0), ty(1)).ok()?;
            return Some(ConvKernel::Input(Box::new(Patches::new(of, counts, true)), after));
        }
        let (of, _) = conv2d_dw::parts(op)?;
        let counts = of.of_both("conv2d_dw", ty(0), ty(1)).ok()?;
        Some(ConvKernel::Weights(Box::new(WeightGradient::new(of, counts))))
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        match self {
            ConvKernel::Forward(..) => Own::Conv,
            ConvKernel::Input(..) => Own::ConvInputGrad,
            ConvKernel::Weights(_) => Own::ConvWeightGrad,
        }
    }

    /// Runs it; no output lies in the memory of an input.
    pub fn run(&mut self, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
        let mut taken = std::mem::take(&mut memory[outputs[0].memory]);
        let shared = &*memory;
        let input = |number: usize| inputs[number].floats(shared);
        match self {
            ConvKernel::Forward(patches, None) => {
                patches.run(input(0), input(1), outputs[0].part(&mut taken), |_, _| {})
            }
            ConvKernel::Forward(patches, Some(activation)) => {
                let bias = input(2);
                patches.run(input(0), input(1), outputs[0].part(&mut taken), |y, _| {
                    activate(y, bias.len(), bias, *activation);
                });
            }
            ConvKernel::Input(patches, after) => {
                let after = *after;
                patches.run(input(0), input(1), outputs[0].part(&mut taken), |dx, begin| match after {
                    After::Nothing => {}
                    After::Slope(activation) => slopes(dx, &input(2)[begin..], activation),
                    After::Bias(activation) => activate(dx, input(2).len(), input(2), activation),
                });
            }
            ConvKernel::Weights(gradient) => {
                gradient.run(input(0), input(1), outputs[0].part(&mut taken), outputs.len() > 1);
            }
        }
        memory[outputs[0].memory] = taken;
        if let (ConvKernel::Weights(gradient), [_, db]) = (self, outputs) {
            gradient.join_bias(db.part(&mut memory[db.memory]));
        }
    }
}
