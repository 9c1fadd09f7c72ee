//! What several devices that learn together have of a value, added up: the sum that all of them go on with.
//!
//! No device computes it. A plan pauses there, and the host puts the sum over all members, in the order of their ranks, in the
//! place of what its own device has (`src/train/group`); for a device that is alone that is the value itself, which is what
//! the twin says.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::array::unary::Unary;
use crate::ops::kernel::check::float;
use crate::tensor::{HostTensor, Real, Ty};

/// Sums over all members of any number of tensors, each in the place of its input. Those of one arena lie side by side, so that little
/// is exchanged at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllReduce {
    /// Names of the arenas that they lie in, where they are computed, and how many lie there, in their order.
    pub arenas: Vec<(&'static str, usize)>,
}

impl AllReduce {
    /// Of so many tensors that lie in one arena.
    pub fn of(arena: &'static str, tensors: usize) -> Self {
        AllReduce { arenas: vec![(arena, tensors)] }
    }

    fn tensors(&self) -> usize {
        self.arenas.iter().map(|(_, tensors)| tensors).sum()
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y.iter_mut().zip(x).for_each(|(y, x)| y.data.clone_from(&x.data));
    }
}

impl Op for AllReduce {
    fn name(&self) -> &'static str {
        "all_reduce"
    }

    fn attributes(&self) -> String {
        self.arenas.iter().map(|(arena, _)| *arena).collect::<Vec<_>>().join(", ")
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let tensors = self.tensors();
        if tensors == 0 || inputs.len() != tensors {
            return Err(Error::graph(self.name(), format!("takes {tensors} inputs, got {}", inputs.len())));
        }
        inputs.iter().try_for_each(|input| float(self.name(), "an input", input))?;
        Ok(inputs.iter().map(|&ty| ty.clone()).collect())
    }

    /// Every member's loss depends on every member's value, and what is differentiated is the sum of all losses.
    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let known: Vec<Var> = dy.iter().copied().flatten().collect();
        if known.is_empty() {
            return Ok(dy.to_vec());
        }
        // Copies, since others may read the gradients later as they are.
        let copy = |dy: Var| g.apply(Unary::Affine { scale: 1.0, shift: 0.0 }, &[dy]);
        let copies = known.into_iter().map(copy).collect::<Result<Vec<Var>>>()?;
        let exchange = AllReduce::of("exchanged gradients", copies.len());
        let mut sums = g.push(Arc::new(exchange), &copies)?.into_iter();
        Ok(dy.iter().map(|dy| dy.and_then(|_| sums.next())).collect())
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        (0..self.tensors()).map(|t| (t, t)).collect()
    }

    fn is_exchange(&self) -> bool {
        true
    }

    fn packed_inputs(&self, _inputs: usize) -> Vec<(&'static str, Range<usize>)> {
        let mut end = 0;
        let packed = |&(arena, tensors): &(&'static str, usize)| {
            end += tensors;
            (arena, end - tensors..end)
        };
        self.arenas.iter().map(packed).collect()
    }

    crate::twin!();
}
