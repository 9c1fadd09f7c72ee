//! Gradient of means over windows, their transpose: every pixel gets dy / (K·L) of each window that sees it.

use super::avg_pool::AvgPool;
use super::tried::{SUM, pools};
use super::{Pool, apply, mapped};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dx \[N·H·W, C\] for an input dy \[N·H'·W', C\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPoolGrad(pub Pool);

impl AvgPoolGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        apply(&self.0, true, x[0], &mut y[0]);
    }
}

impl Op for AvgPoolGrad {
    fn name(&self) -> &'static str {
        "avg_pool_grad"
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
        Ok(vec![Some(g.apply(AvgPool(self.0), &[of_dx])?)])
    }

    crate::twin!();
}

/// `shaders/pool/avg_pool_grad.wgsl`, an invocation for each pixel and channel of the image.
pub struct AvgPoolGradKernel;

impl Kernel for AvgPoolGradKernel {
    fn stem(&self) -> &'static str {
        "avg_pool_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AvgPoolGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let AvgPoolGrad(pool) = *r.op()?;
        let (rows, channels) = matrix(self.stem(), "dx", r.outputs[0])?;
        let params = pool.params(rows * channels, channels)?;
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let AvgPoolGrad(pool) = *r.op()?;
        Ok(Cost::streaming(r, (r.inputs[0].elements() * pool.window.taps()) as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let case = |tried: super::tried::Tried| {
            Case::new(tried.label(), AvgPoolGrad(tried.pool), vec![s.normal(&tried.output())], SUM)
        };
        let mut cases: Vec<Case> = pools().into_iter().map(case).collect();
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}
