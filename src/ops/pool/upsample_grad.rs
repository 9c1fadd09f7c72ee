//! Gradient of images made larger, their transpose: every pixel gets from each result the share that the result took of it.

use super::tried::SUM;
use super::upsample::{Between, Upsample, label, tried};
use super::{apply, mapped};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dx \[N·H·W, C\] for an input dy \[N·fH·fW, C\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpsampleGrad(pub Upsample);

impl UpsampleGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        apply(&self.0, true, x[0], &mut y[0]);
    }
}

impl Op for UpsampleGrad {
    fn name(&self) -> &'static str {
        "upsample_grad"
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

/// `shaders/pool/upsample_grad.wgsl`, an invocation for each pixel and channel of the image.
pub struct UpsampleGradKernel;

impl Kernel for UpsampleGradKernel {
    fn stem(&self) -> &'static str {
        "upsample_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<UpsampleGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let UpsampleGrad(of) = *r.op()?;
        let (rows, channels) = matrix(self.stem(), "dx", r.outputs[0])?;
        let params = of.params(rows * channels, channels);
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let UpsampleGrad(of) = *r.op()?;
        let flops = if of.between == Between::Bilinear { 8.0 } else { 1.0 };
        Ok(Cost::streaming(r, flops * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases: Vec<Case> = Vec::new();
        for (images, channels, of) in tried() {
            let pixels = images * of.size[0] * of.size[1] * of.factor * of.factor;
            let inputs = vec![s.normal(&[pixels, channels])];
            cases.push(Case::new(label(images, channels, &of), UpsampleGrad(of), inputs, SUM));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}
