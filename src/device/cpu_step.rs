//! Operations that run by themselves: Adam, the clock, those of elements; everything else by its twin.

use bytemuck::{cast_slice, cast_slice_mut};
use rayon::prelude::*;

use super::cpu_ceilings;
use super::cpu_elements::ElementKernel;
use super::cpu_math::{flush, square, wide};
use super::cpu_memory::{Span, Words};
use super::cpu_norm::NormKernel;
use super::cpu_paths::PathKernel;
use crate::ops::adam_step::{AdamStep, WeightDecay};
use crate::ops::ceiling_copy::CeilingCopy;
use crate::ops::ceiling_fma::CeilingFma;
use crate::ops::clock;
use crate::ops::clock_advance::ClockAdvance;
use crate::plan::{Place, Step};
use crate::tensor::{Data, HostTensor};

/// A step with what it needs to run.
pub(super) struct Lone {
    step: Step,
    inputs: Vec<Span>,
    outputs: Vec<Span>,
    kernel: Kernel,
}

enum Kernel {
    Adam(AdamStep),
    Clock(ClockAdvance, Vec<f32>),
    Copy,
    Fma(CeilingFma),
    Paths(Box<PathKernel>),
    Elements(ElementKernel),
    Norm(NormKernel),
    /// Inputs and outputs of the twin.
    Twin(Vec<HostTensor<f32>>, Vec<HostTensor<f32>>),
}

impl Lone {
    /// Prepares a step, given the memory of each of the plan's arenas.
    pub fn new(step: &Step, arenas: &[usize]) -> Self {
        let op = step.op.as_ref();
        let kernel = if let Some(adam) = op.downcast::<AdamStep>() {
            Kernel::Adam(*adam)
        } else if let Some(advance) = op.downcast::<ClockAdvance>() {
            Kernel::Clock(*advance, vec![0.0; step.inputs.len() - 2])
        } else if op.downcast::<CeilingCopy>().is_some() {
            Kernel::Copy
        } else if let Some(ceiling) = op.downcast::<CeilingFma>() {
            Kernel::Fma(*ceiling)
        } else if let Some(paths) = PathKernel::new(step) {
            Kernel::Paths(Box::new(paths))
        } else if let Some(norm) = NormKernel::new(step) {
            Kernel::Norm(norm)
        } else if let Some(elements) = ElementKernel::new(step) {
            Kernel::Elements(elements)
        } else {
            let zeros = |places: &[Place]| places.iter().map(|p| HostTensor::zeros(&p.ty)).collect();
            Kernel::Twin(zeros(&step.inputs), zeros(&step.outputs))
        };
        let spans = |places: &[Place]| places.iter().map(|place| Span::of(place, arenas)).collect();
        Lone { inputs: spans(&step.inputs), outputs: spans(&step.outputs), step: step.clone(), kernel }
    }

    /// Runs it.
    pub fn run(&mut self, memory: &mut [Words]) {
        let Lone { step, inputs, outputs, kernel } = self;
        match kernel {
            Kernel::Adam(adam) => adam_step(adam, inputs, outputs, memory),
            Kernel::Clock(advance, terms) => {
                for (term, input) in terms.iter_mut().zip(&inputs[2..]) {
                    *term = input.floats(memory)[0];
                }
                let mut words = [0; clock::WORDS];
                words.copy_from_slice(outputs[0].words(memory));
                advance.apply(&mut words, cast_slice_mut(outputs[1].words_mut(memory)), terms);
                outputs[0].words_mut(memory).copy_from_slice(&words);
            }
            Kernel::Copy => {
                with_output(outputs[0], memory, |y, memory| cpu_ceilings::copy(inputs[0].floats(memory), y))
            }
            Kernel::Fma(ceiling) => {
                with_output(outputs[0], memory, |y, memory| cpu_ceilings::fma(ceiling, inputs[0].floats(memory), y));
            }
            Kernel::Elements(elements) => {
                with_output(outputs[0], memory, |y, memory| elements.run(inputs, y, memory));
            }
            Kernel::Norm(norm) => {
                norm.run(inputs, outputs, memory, |output, memory, task| with_output(output, memory, task))
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

/// Elements that one task takes.
const ELEMENTS: usize = 8192;

/// All parameters in one go: each of the four groups is one range of an arena, with padding that belongs
/// to no one between its tensors.
fn adam_step(adam: &AdamStep, inputs: &[Span], outputs: &[Span], memory: &mut [Words]) {
    let clock = inputs[0].words(memory);
    if clock[clock::BAD_STEP] != 0 {
        return;
    }
    let rate = inputs[1].floats(memory)[0];
    let [c1, c2] = [clock::CORRECTION1, clock::CORRECTION2].map(|word| 1.0 / f32::from_bits(clock[word]));
    // Without a branch in the loop: 0 and 1 stand for a decay that is not wanted.
    let in_gradient = if adam.decay == WeightDecay::L2 { adam.lambda } else { 0.0 };
    let shrink = if adam.decay == WeightDecay::Decoupled { 1.0 - rate * adam.lambda } else { 1.0 };
    let (beta1, beta2, epsilon) = (adam.beta1, adam.beta2, adam.epsilon);
    let n = adam.tensors;
    let group = |spans: &[Span]| {
        let length = spans[n - 1].start + spans[n - 1].length - spans[0].start;
        Span { length, ..spans[0] }
    };
    let spans = [&outputs[..n], &outputs[n..2 * n], &outputs[2 * n..]].map(group);
    let mut taken = spans.map(|span| std::mem::take(&mut memory[span.memory]));
    let [w, m, v] = &mut taken;
    let gradients = group(&inputs[2 + n..2 + 2 * n]).floats(memory);
    let blocks = spans[0].part(w).par_chunks_mut(ELEMENTS);
    let blocks = blocks.zip(spans[1].part(m).par_chunks_mut(ELEMENTS)).zip(spans[2].part(v).par_chunks_mut(ELEMENTS));
    let blocks = blocks.zip(gradients.par_chunks(ELEMENTS));
    blocks.for_each(|(((w, m), v), g)| {
        wide(
            (w, m, v),
            #[inline(always)]
            |(w, m, v): (&mut [f32], &mut [f32], &mut [f32])| {
                for (((w, m), v), &g) in w.iter_mut().zip(m).zip(v).zip(g) {
                    let g = g + in_gradient * *w;
                    *m = flush(beta1 * *m + (1.0 - beta1) * g);
                    *v = flush(beta2 * *v + (1.0 - beta2) * square(g));
                    *w = shrink * *w - rate * (*m * c1) / ((*v * c2).sqrt() + epsilon);
                }
            },
        );
    });
    for (span, words) in spans.iter().zip(taken) {
        memory[span.memory] = words;
    }
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
