//! Gradient of images with their own reflection around them, its transpose: every pixel gets dy of all its reflections.

use super::pad_reflect::{PadReflect, label, tried};
use super::tried::SUM;
use super::{apply, mapped};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dx \[N·H·W, C\] for an input dy \[N·(H+2p)·(W+2p), C\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PadReflectGrad(pub PadReflect);

impl PadReflectGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        apply(&self.0, true, x[0], &mut y[0]);
    }
}

impl Op for PadReflectGrad {
    fn name(&self) -> &'static str {
        "pad_reflect_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy] = arity(self.name(), inputs)?;
        Ok(vec![mapped(self.name(), &self.0, dy, true)?])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(of_dx) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(self.0, &[of_dx])?)])
    }

    crate::twin!();
}

/// `shaders/pool/pad_reflect_grad.wgsl`, an invocation for each pixel and channel of the image.
pub struct PadReflectGradKernel;

impl Kernel for PadReflectGradKernel {
    fn stem(&self) -> &'static str {
        "pad_reflect_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<PadReflectGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let PadReflectGrad(of) = *r.op()?;
        let (rows, channels) = matrix(self.stem(), "dx", r.outputs[0])?;
        let params = of.params(rows * channels, channels);
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases: Vec<Case> = Vec::new();
        for (images, channels, of) in tried() {
            let pixels = images * (of.size[0] + 2 * of.padding) * (of.size[1] + 2 * of.padding);
            let inputs = vec![s.normal(&[pixels, channels])];
            cases.push(Case::new(label(images, channels, &of), PadReflectGrad(of), inputs, SUM));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}
