//! Operations that run by themselves: optimisers, the clock, those of elements; everything else by its twin.

use bytemuck::{cast_slice, cast_slice_mut};

use super::ceilings;
use super::kernels::augment::AugmentKernel;
use super::kernels::bits::BitsKernel;
use super::kernels::conv::ConvKernel;
use super::kernels::cumulative::CumulativeKernel;
use super::kernels::elements::ElementKernel;
use super::kernels::max_pool::MaxPoolKernel;
use super::kernels::norm::NormKernel;
use super::kernels::optimisers::OptimiserKernel;
use super::kernels::paths::PathKernel;
use super::kernels::pixels::PixelKernel;
use super::kernels::sums::SumKernel;
use super::kernels::wide_rows::WideKernel;
use super::memory::{Span, Words};
use super::own::Own;
use crate::ops::ceiling::ceiling_copy::CeilingCopy;
use crate::ops::ceiling::ceiling_fma::CeilingFma;
use crate::ops::step::clock;
use crate::ops::step::clock_advance::ClockAdvance;
use crate::plan::{Place, Step};
use crate::tensor::{Data, HostTensor};

/// A step with what it needs to run.
pub(in crate::device) struct Lone {
    step: Step,
    inputs: Vec<Span>,
    outputs: Vec<Span>,
    kernel: Kernel,
}

enum Kernel {
    Optimiser(OptimiserKernel),
    Clock(ClockAdvance, Vec<f32>),
    Copy,
    Fma(CeilingFma),
    Paths(Box<PathKernel>),
    Elements(ElementKernel),
    Norm(NormKernel),
    Conv(ConvKernel),
    Sum(SumKernel),
    Pixels(PixelKernel),
    MaxPool(MaxPoolKernel),
    Augment(AugmentKernel),
    Wide(WideKernel),
    Bits(BitsKernel),
    Cumulative(CumulativeKernel),
    /// Inputs and outputs of the twin.
    Twin(Vec<HostTensor<f32>>, Vec<HostTensor<f32>>),
}

impl Lone {
    /// Prepares a step, given the memory of each of the plan's arenas.
    pub fn new(step: &Step, arenas: &[usize]) -> Self {
        let op = step.op.as_ref();
        let kernel = if let Some(optimiser) = OptimiserKernel::new(step) {
            Kernel::Optimiser(optimiser)
        } else if let Some(advance) = op.downcast::<ClockAdvance>() {
            Kernel::Clock(*advance, vec![0.0; step.inputs.len() - 2])
        } else if op.downcast::<CeilingCopy>().is_some() {
            Kernel::Copy
        } else if let Some(ceiling) = op.downcast::<CeilingFma>() {
            Kernel::Fma(*ceiling)
        } else if let Some(paths) = PathKernel::new(step) {
            Kernel::Paths(Box::new(paths))
        } else if let Some(conv) = ConvKernel::new(step) {
            Kernel::Conv(conv)
        } else if let Some(sum) = SumKernel::new(step) {
            Kernel::Sum(sum)
        } else if let Some(norm) = NormKernel::new(step) {
            Kernel::Norm(norm)
        } else if let Some(pixels) = PixelKernel::new(step) {
            Kernel::Pixels(pixels)
        } else if let Some(pool) = MaxPoolKernel::new(step) {
            Kernel::MaxPool(pool)
        } else if let Some(augment) = AugmentKernel::new(step) {
            Kernel::Augment(augment)
        } else if let Some(wide) = WideKernel::new(step) {
            Kernel::Wide(wide)
        } else if let Some(bits) = BitsKernel::new(step) {
            Kernel::Bits(bits)
        } else if let Some(cumulative) = CumulativeKernel::new(step) {
            Kernel::Cumulative(cumulative)
        } else if let Some(elements) = ElementKernel::new(step) {
            Kernel::Elements(elements)
        } else {
            let zeros = |places: &[Place]| places.iter().map(|p| HostTensor::zeros(&p.ty)).collect();
            Kernel::Twin(zeros(&step.inputs), zeros(&step.outputs))
        };
        let spans = |places: &[Place]| places.iter().map(|place| Span::of(place, arenas)).collect();
        Lone { inputs: spans(&step.inputs), outputs: spans(&step.outputs), step: step.clone(), kernel }
    }

    /// The kernel that it is; none where its twin computes it, or the code that is the twin's too.
    pub fn own(&self) -> Option<Own> {
        Some(match &self.kernel {
            Kernel::Optimiser(optimiser) => optimiser.own(),
            Kernel::Copy => Own::CeilingCopy,
            Kernel::Fma(_) => Own::CeilingFma,
            Kernel::Paths(_) => Own::Paths,
            Kernel::Elements(elements) => elements.own(),
            Kernel::Norm(norm) => norm.own(),
            Kernel::Conv(conv) => conv.own(),
            Kernel::Sum(_) => Own::SumRows,
            Kernel::Pixels(pixels) => pixels.own(),
            Kernel::MaxPool(_) => Own::MaxPool,
            Kernel::Augment(augment) => augment.own(),
            Kernel::Wide(wide) => wide.own(),
            Kernel::Bits(bits) => bits.own(),
            Kernel::Cumulative(cumulative) => cumulative.own(),
            Kernel::Clock(..) | Kernel::Twin(..) => return None,
        })
    }

    /// Runs it.
    pub fn run(&mut self, memory: &mut [Words]) {
        let Lone { step, inputs, outputs, kernel } = self;
        match kernel {
            Kernel::Optimiser(optimiser) => optimiser.run(inputs, outputs, memory),
            Kernel::Clock(advance, terms) => {
                for (term, input) in terms.iter_mut().zip(&inputs[2..]) {
                    *term = input.floats(memory)[0];
                }
                let mut words = [0; clock::WORDS];
                words.copy_from_slice(outputs[0].words(memory));
                advance.apply(&mut words, cast_slice_mut(outputs[1].words_mut(memory)), terms);
                outputs[0].words_mut(memory).copy_from_slice(&words);
            }
            Kernel::Copy => with_output(outputs[0], memory, |y, memory| ceilings::copy(inputs[0].floats(memory), y)),
            Kernel::Fma(ceiling) => {
                with_output(outputs[0], memory, |y, memory| ceilings::fma(ceiling, inputs[0].floats(memory), y));
            }
            Kernel::Elements(elements) => {
                with_output(outputs[0], memory, |y, memory| elements.run(inputs, y, memory));
            }
            Kernel::Norm(norm) => {
                norm.run(inputs, outputs, memory, |output, memory, task| with_output(output, memory, task))
            }
            Kernel::Conv(conv) => conv.run(inputs, outputs, memory),
            Kernel::Sum(sum) => sum.run(inputs, outputs, memory),
            Kernel::Pixels(pixels) => {
                with_output(outputs[0], memory, |y, memory| pixels.run(inputs, y, memory));
            }
            Kernel::MaxPool(pool) => {
                pool.run(inputs, outputs, memory, |output, memory, task| with_output(output, memory, task));
            }
            Kernel::Augment(augment) => {
                with_output(outputs[0], memory, |y, memory| augment.run(inputs, y, memory));
            }
            Kernel::Wide(wide) => wide.run(inputs, outputs, memory),
            Kernel::Bits(bits) => {
                for (port, output) in outputs.iter().enumerate() {
                    with_output(*output, memory, |y, memory| bits.run(port, inputs, y, memory));
                }
            }
            Kernel::Cumulative(cumulative) => {
                for (port, output) in outputs.iter().enumerate() {
                    with_output(*output, memory, |y, memory| cumulative.run(port, inputs, y, memory));
                }
            }
            Kernel::Paths(paths) => paths.run(inputs, outputs, memory),
            Kernel::Twin(x, y) => run_twin(step, [inputs, outputs], x, y, memory),
        }
    }
}

/// Lends out an output's floats while the rest of the memory is read: no step reads the arena that it
/// writes, but for what it overwrites.
fn with_output(output: Span, memory: &mut [Words], task: impl FnOnce(&mut [f32], &[Words])) {
    let mut taken = std::mem::take(&mut memory[output.memory]);
    task(output.part(&mut taken), memory);
    memory[output.memory] = taken;
}

/// Most inputs that a twin is given without asking for memory.
const BORROWED: usize = 16;

/// The operation's twin at f32, on copies.
fn run_twin(
    step: &Step,
    [inputs, outputs]: [&[Span]; 2],
    x: &mut [HostTensor<f32>],
    y: &mut [HostTensor<f32>],
    memory: &mut [Words],
) {
    for (tensor, input) in x.iter_mut().zip(inputs) {
        let words = input.words(memory);
        match &mut tensor.data {
            Data::Real(x) => x.copy_from_slice(cast_slice(words)),
            Data::Words(x) => x.copy_from_slice(words),
            Data::Bytes(x) => {
                let length = x.len();
                x.copy_from_slice(&cast_slice(words)[..length]);
            }
        }
    }
    for tensor in &mut *y {
        match &mut tensor.data {
            Data::Real(y) => y.fill(0.0),
            Data::Words(y) => y.fill(0),
            Data::Bytes(y) => y.fill(0),
        }
    }
    match &*x {
        [first, ..] if x.len() <= BORROWED => {
            let mut borrowed = [first; BORROWED];
            borrowed.iter_mut().zip(&*x).for_each(|(slot, tensor)| *slot = tensor);
            step.op.eval_f32(&borrowed[..x.len()], y);
        }
        _ => step.op.eval_f32(&x.iter().collect::<Vec<_>>(), y),
    }
    for (tensor, output) in y.iter().zip(outputs) {
        let words = output.words_mut(memory);
        match &tensor.data {
            Data::Real(y) => words.copy_from_slice(cast_slice(y)),
            Data::Words(y) => words.copy_from_slice(y),
            Data::Bytes(y) => cast_slice_mut::<u32, u8>(words)[..y.len()].copy_from_slice(y),
        }
    }
}
