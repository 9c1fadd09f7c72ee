//! A copy, the measure of a device's memory: see [`crate::device::ceilings`].

use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, float};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y = x
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CeilingCopy;

impl CeilingCopy {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].real_mut().copy_from_slice(x[0].real());
    }
}

impl Op for CeilingCopy {
    fn name(&self) -> &'static str {
        "ceiling_copy"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        float(self.name(), "x", x)?;
        Ok(vec![x.clone()])
    }

    crate::twin!();
}

/// `shaders/ceiling/ceiling_copy.wgsl`
pub struct CeilingCopyKernel;

/// Vectors that one invocation copies, as in the shader.
const EACH: usize = 4;

/// The dispatch that copies `elements` floats.
pub(in crate::ops) fn copy(from: Bind, to: Bind, elements: usize) -> Dispatch {
    let vectors = elements.div_ceil(4);
    // Rounded up to whole workgroups: the last may have lanes that take fewer than EACH.
    let work = Work::Invocations(vectors.div_ceil(EACH));
    Dispatch::new(ShaderKey::plain("ceiling_copy"), vec![from, to], vec![vectors as u32], work)
}

impl Kernel for CeilingCopyKernel {
    fn stem(&self) -> &'static str {
        "ceiling_copy"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<CeilingCopy>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let dispatch = copy(Bind::Input(0), Bind::Output(0), r.inputs[0].elements());
        Ok(Launch { dispatches: vec![dispatch], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "a copy rounds nothing");
        let mut s = Samples::new("ceiling_copy");
        let mut case = |n: usize| Case::new(format!("{n}"), CeilingCopy, vec![s.cheap(&[n])], exact);
        vec![case(1), case(4), case(67), case(255), case(1025), case(4_001), case(1 << 20).benched()]
    }
}
