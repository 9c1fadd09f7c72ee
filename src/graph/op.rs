//! What an operation is: types, gradient rule and CPU twin.

use std::any::Any;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use super::{Graph, Var};
use crate::error::Result;
use crate::tensor::{HostTensor, Real, Ty};

/// A shared operation.
pub type OpRef = Arc<dyn Op>;

/// One operation of a graph: pure meaning, no device.
///
/// Values are immutable; an operation that updates a buffer in place (Adam, the clock) returns the
/// new value as an output and declares the pair in [`Op::aliases`].
pub trait Op: Debug + Send + Sync + Any {
    /// The operation's name, also the stem of its main kernel.
    fn name(&self) -> &'static str;

    /// Constants of this instance for printing, such as `"alpha=0.04"`.
    fn attributes(&self) -> String {
        String::new()
    }

    /// Types of the outputs for given inputs, or what does not fit.
    ///
    /// # Errors
    /// [`crate::Error::Graph`] naming the operation and the mismatch.
    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>>;

    /// Adds the nodes that carry gradients `dy` of the outputs back to the inputs. `None` marks an
    /// output without gradient, or an input that does not get one.
    ///
    /// # Errors
    /// Refuses by name where no gradient rule exists.
    fn vjp(&self, g: &mut Graph, x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let _ = (g, x, y, dy);
        Err(crate::Error::graph(self.name(), "has no gradient rule, so nothing can be differentiated through it"))
    }

    /// Pairs (input, output) that live in the same memory: the output overwrites the input.
    fn aliases(&self) -> Vec<(usize, usize)> {
        Vec::new()
    }

    /// Pairs (input, output) in which the output is the input's memory: all its elements in their order, under
    /// another shape. An operation that has any has nothing but such outputs, computes nothing and copies nothing:
    /// it has no kernel, and a plan no step for it.
    fn views(&self) -> Vec<(usize, usize)> {
        Vec::new()
    }

    /// Whether it is nothing that a device computes, but what the host does with others while the device pauses: its outputs
    /// are its inputs' memory, in which what all of them have is put in the place of what this one has.
    fn is_exchange(&self) -> bool {
        false
    }

    /// The same operation with some of its `outputs` outputs added to values that come as further inputs, in
    /// place, and which outputs these are; none if it cannot.
    fn adding(&self, outputs: usize) -> Option<(OpRef, Range<usize>)> {
        let _ = outputs;
        None
    }

    /// Groups among `inputs` inputs that must lie in one arena, in order, so that one binding covers
    /// each group; with the arena's name for values that are computed rather than sources.
    fn packed_inputs(&self, inputs: usize) -> Vec<(&'static str, Range<usize>)> {
        let _ = inputs;
        Vec::new()
    }

    /// Groups among `inputs` inputs that must lie in one arena, in any order and with anything between
    /// them, since one binding spans them.
    fn spanned_inputs(&self, inputs: usize) -> Vec<Range<usize>> {
        let _ = inputs;
        Vec::new()
    }

    /// Groups among `outputs` outputs that must lie in one arena, in order, so that one binding covers
    /// each group.
    fn packed_outputs(&self, outputs: usize) -> Vec<Range<usize>> {
        let _ = outputs;
        Vec::new()
    }

    /// The twin at f32.
    fn eval_f32(&self, x: &[&HostTensor<f32>], y: &mut [HostTensor<f32>]);

    /// The twin at f64: the oracle.
    fn eval_f64(&self, x: &[&HostTensor<f64>], y: &mut [HostTensor<f64>]);

    /// For rewrites and kernels that look for one type of operation.
    fn as_any(&self) -> &dyn Any;
}

impl dyn Op {
    /// This operation as a concrete type, if it is one.
    pub fn downcast<O: Op>(&self) -> Option<&O> {
        self.as_any().downcast_ref::<O>()
    }
}

/// Evaluation at a chosen precision.
pub trait Precision: Real {
    /// Runs the twin of `op` at this precision.
    fn eval(op: &dyn Op, x: &[&HostTensor<Self>], y: &mut [HostTensor<Self>]);
}

impl Precision for f32 {
    fn eval(op: &dyn Op, x: &[&HostTensor<f32>], y: &mut [HostTensor<f32>]) {
        op.eval_f32(x, y);
    }
}

impl Precision for f64 {
    fn eval(op: &dyn Op, x: &[&HostTensor<f64>], y: &mut [HostTensor<f64>]) {
        op.eval_f64(x, y);
    }
}

/// Implements the object-safe halves of [`Op`] by one generic `eval<T: Real>` method of the type.
#[macro_export]
macro_rules! twin {
    () => {
        fn eval_f32(&self, x: &[&$crate::tensor::HostTensor<f32>], y: &mut [$crate::tensor::HostTensor<f32>]) {
            self.eval(x, y);
        }
        fn eval_f64(&self, x: &[&$crate::tensor::HostTensor<f64>], y: &mut [$crate::tensor::HostTensor<f64>]) {
            self.eval(x, y);
        }
        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    };
}
