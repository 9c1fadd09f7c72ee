//! What a kernel is: one way to compute an operation on a GPU, described without a device.

pub(super) mod check;
pub mod profile;
mod request;
pub(super) mod samples;

use std::ops::Range;

use crate::error::Result;
use crate::graph::{Op, OpRef};
use crate::shader::ShaderKey;
use crate::tensor::HostTensor;
use profile::DeviceProfile;
pub use request::{Applied, Request};

/// What a binding of a dispatch refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// An input of the operation.
    Input(usize),
    /// An input of the operation from this byte on, a multiple of [`super::ALIGNMENT`].
    InputFrom(usize, usize),
    /// A packed group of inputs as one range (see [`Op::packed_inputs`]).
    Inputs(Range<usize>),
    /// An output of the operation.
    Output(usize),
    /// One of the launch's scratch buffers.
    Scratch(usize),
    /// The smallest range that covers all of these, which must lie in one arena; a parameter word of the
    /// dispatch says where each lies in it (see [`Dispatch::offsets`]).
    Span(Vec<Bind>),
}

/// How much work a dispatch does; the workgroup size is the shader's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// This many invocations, rounded up to whole workgroups.
    Invocations(usize),
    /// This many workgroups.
    Groups(usize),
}

/// One dispatch of one shader.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Which shader, assembled how.
    pub shader: ShaderKey,
    /// What its bindings 1, 2, … refer to, in order.
    pub bindings: Vec<Bind>,
    /// The words of the uniform block at binding 0.
    pub params: Vec<u32>,
    /// Words of the block that only the plan can know: word, binding (counted from 0), and the value
    /// whose distance in elements from the binding's start the word is to hold.
    pub offsets: Vec<(usize, usize, Bind)>,
    /// The grid.
    pub work: Work,
}

impl Dispatch {
    /// A dispatch whose parameters are all known.
    pub fn new(shader: ShaderKey, bindings: Vec<Bind>, params: Vec<u32>, work: Work) -> Self {
        Dispatch { shader, bindings, params, offsets: Vec::new(), work }
    }
}

/// Everything that computes one operation: dispatches in order, and the scratch memory between them.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The dispatches, in order.
    pub dispatches: Vec<Dispatch>,
    /// Sizes of scratch buffers in bytes.
    pub scratch: Vec<usize>,
}

impl Launch {
    /// A launch of a single dispatch without scratch.
    pub fn single(shader: ShaderKey, bindings: Vec<Bind>, params: Vec<u32>, work: Work) -> Self {
        Launch { dispatches: vec![Dispatch::new(shader, bindings, params, work)], scratch: Vec::new() }
    }
}

/// Arithmetic and traffic of an operation, counted by hand: each input read once, each output
/// written once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Floating-point operations, a fused multiply-add counted as two.
    pub flops: f64,
    /// Bytes moved.
    pub bytes: f64,
}

impl Cost {
    /// `flops` operations over the inputs and outputs of `request`, each touched once.
    pub fn streaming(request: &Request<'_>, flops: f64) -> Self {
        let bytes: usize = request.inputs.iter().chain(request.outputs).map(|ty| ty.bytes()).sum();
        Cost { flops, bytes: bytes as f64 }
    }
}

/// What the rounding error of an output is proportional to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// The sum of the absolute terms: the twin run on absolute inputs, element by element.
    OfAbsoluteInputs,
    /// The largest magnitude of the output tensor.
    Largest,
    /// Each element's own magnitude.
    Each,
    /// Nothing: all bits must agree.
    Exact,
}

/// How close a kernel must come to its f64 twin: |got − twin| ≤ atol + rtol · terms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Absolute part.
    pub atol: f64,
    /// Relative part.
    pub rtol: f64,
    /// What the relative part multiplies.
    pub terms: Terms,
    /// Why these figures are right.
    pub why: &'static str,
}

impl Tolerance {
    /// Bits must agree: integer work.
    pub const EXACT: Tolerance = Tolerance { atol: 0.0, rtol: 0.0, terms: Terms::Exact, why: "integer arithmetic" };

    /// A tolerance with its reason.
    pub const fn new(atol: f64, rtol: f64, terms: Terms, why: &'static str) -> Self {
        Tolerance { atol, rtol, terms, why }
    }
}

/// One operation on one set of inputs, to be tested, and timed when `bench` is set.
#[derive(Clone, Debug)]
pub struct Case {
    /// Shapes and constants in words.
    pub label: String,
    /// The operation.
    pub op: OpRef,
    /// Its inputs.
    pub inputs: Vec<HostTensor<f32>>,
    /// How close the outputs must come.
    pub tolerance: Tolerance,
    /// Whether this case is the kernel's row in the benchmarks.
    pub bench: bool,
    /// Kernel and variant to compute it; any that can when there is none.
    pub kernel: Option<(&'static str, &'static str)>,
}

impl Case {
    /// A case that is only tested.
    pub fn new(label: impl Into<String>, op: impl Op, inputs: Vec<HostTensor<f32>>, tolerance: Tolerance) -> Self {
        Case { label: label.into(), op: std::sync::Arc::new(op), inputs, tolerance, bench: false, kernel: None }
    }

    /// The same case, computed by this kernel in this variant.
    pub fn computed_by(mut self, kernel: &'static str, variant: &'static str) -> Self {
        self.kernel = Some((kernel, variant));
        self
    }

    /// The same case, also timed.
    pub fn benched(mut self) -> Self {
        self.bench = true;
        self
    }
}

/// One way to compute an operation on a GPU.
pub trait Kernel: Sync {
    /// Stem of the shader file, of this file, of the pipeline's label, of the test and of the
    /// benchmark's row.
    fn stem(&self) -> &'static str;

    /// Whether this kernel computes `op`.
    fn matches(&self, op: &dyn Op) -> bool;

    /// Place among the kernels that compute the same operation when nothing was measured, the lowest
    /// first.
    ///
    /// # Errors
    /// When the operation is not what the kernel takes it for, which is a defect of the kernel.
    fn rank(&self, request: &Request<'_>, profile: &DeviceProfile) -> Result<u8> {
        let _ = (request, profile);
        Ok(0)
    }

    /// Names of the ways this kernel can compute an operation that matches, on such a device, the best
    /// guess first; none if the device lacks what it needs.
    ///
    /// # Errors
    /// As [`Kernel::rank`].
    fn variants(&self, request: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        let _ = (request, profile);
        Ok(vec![""])
    }

    /// Whether measuring says more of its variants than the device's profile does. Where not, the first is taken.
    fn is_measured(&self) -> bool {
        true
    }

    /// The dispatches for an operation that matches. What a kernel needs to know of the operation it asks as
    /// [`Request::op`], and never makes up.
    ///
    /// # Errors
    /// When the operation cannot be expressed, which is a defect of the kernel.
    fn launch(&self, request: &Request<'_>) -> Result<Launch>;

    /// Arithmetic and traffic.
    ///
    /// # Errors
    /// As [`Kernel::rank`].
    fn cost(&self, request: &Request<'_>) -> Result<Cost>;

    /// Inputs this kernel is proved on; ragged shapes included.
    fn cases(&self) -> Vec<Case>;
}
