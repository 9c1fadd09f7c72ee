//! What the optimisers' steps have in common: inputs (clock, learning rate, w…, g…, and one or two moments… of
//! every parameter), each group an arena of one layout; outputs (w…, moments…) that overwrite their inputs.

use std::ops::Range;

use super::clock;
use crate::error::{Error, Result};
use crate::ops::kernel::Bind;
use crate::ops::kernel::check::same;
use crate::tensor::{HostTensor, Ty};

/// The arenas of the groups.
const ARENAS: [&str; 4] = ["params", "grads", "moment1", "moment2"];

/// A step over tensors of a model.
pub(super) struct PackedStep {
    /// Number of tensors in each group.
    pub tensors: usize,
    /// Number of moments.
    pub moments: usize,
}

impl PackedStep {
    /// Inputs of a group: 0 parameters, 1 gradients, then the moments.
    pub fn group(&self, group: usize) -> Range<usize> {
        2 + group * self.tensors..2 + (group + 1) * self.tensors
    }

    fn groups(&self) -> usize {
        2 + self.moments
    }

    /// Types of the outputs.
    pub fn infer(&self, op: &str, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let (n, groups) = (self.tensors, self.groups());
        if n == 0 || inputs.len() != 2 + groups * n {
            return Err(Error::graph(op, format!("takes 2 + {groups} x {n} inputs, got {}", inputs.len())));
        }
        same(op, "the clock", inputs[0], &clock::ty())?;
        same(op, "the learning rate", inputs[1], &Ty::f32(&[]))?;
        for i in 2 + n..inputs.len() {
            same(op, "gradients and moments", inputs[i], inputs[2 + (i - 2) % n])?;
        }
        Ok([&inputs[2..2 + n], &inputs[2 + 2 * n..]].concat().into_iter().cloned().collect())
    }

    /// Parameters and moments are overwritten.
    pub fn aliases(&self) -> Vec<(usize, usize)> {
        let moments = self.group(2).start..self.group(1 + self.moments).end;
        self.group(0).chain(moments).enumerate().map(|(output, input)| (input, output)).collect()
    }

    /// Each group lies in an arena of its own.
    pub fn packed_inputs(&self) -> Vec<(&'static str, Range<usize>)> {
        ARENAS.into_iter().take(self.groups()).enumerate().map(|(group, arena)| (arena, self.group(group))).collect()
    }

    /// Bindings from 1 on: clock, learning rate, gradients, parameters, moments.
    pub fn bindings(&self) -> Vec<Bind> {
        let groups = [1, 0].into_iter().chain(2..self.groups()).map(|group| Bind::Inputs(self.group(group)));
        [Bind::Input(0), Bind::Input(1)].into_iter().chain(groups).collect()
    }

    /// Words of one group's arena.
    pub fn words(&self, inputs: &[&Ty]) -> usize {
        crate::ops::packed_words(&inputs[self.group(0)])
    }
}

/// Shapes that every step is proved on, under a label.
pub(super) const SHAPES: [(&str, &[&[usize]]); 3] = [
    ("1", &[&[1]]),
    ("tensors of 67, 64 and 1", &[&[67], &[8, 8], &[1]]),
    ("64x784, 64, 784x64, 784", &[&[64, 784], &[64], &[784, 64], &[784]]),
];

/// Weights with biases and normalisations between them, some of them side by side.
pub(super) const SPARED: &[&[usize]] = &[&[17, 9], &[17], &[17], &[3, 3, 5, 7], &[7], &[1], &[2, 131], &[1, 1], &[65]];

/// Inputs of a case: a clock of these words, a learning rate, and every tensor of every group drawn.
pub(super) fn case_inputs(
    words: &[u32],
    learning_rate: f32,
    shapes: &[&[usize]],
    groups: usize,
    mut draw: impl FnMut(usize, &[usize]) -> HostTensor<f32>,
) -> Vec<HostTensor<f32>> {
    let state = [HostTensor::from_words(&[clock::WORDS], words), HostTensor::from_f32(&[], &[learning_rate])];
    let tensors = (0..groups).flat_map(|group| shapes.iter().map(move |shape| (group, *shape)));
    state.into_iter().chain(tensors.map(|(group, shape)| draw(group, shape))).collect()
}
