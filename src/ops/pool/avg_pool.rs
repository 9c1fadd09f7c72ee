//! Means over windows: y\[n,i,j,c\] = Σ_{a,b} x\[n, i·s+a·d−p, j·s+b·d−p, c\] / (K·L), padding counted as pixels of 0, as PyTorch
//! does unless told otherwise. With a window as large as the image it is the global average. Golden `pool2d`.

use super::avg_pool_grad::AvgPoolGrad;
use super::tried::{SUM, pools};
use super::{Pool, apply, mapped};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y \[N·H'·W', C\] for an input x \[N·H·W, C\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool(pub Pool);

impl AvgPool {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        apply(&self.0, false, x[0], &mut y[0]);
    }
}

impl Op for AvgPool {
    fn name(&self) -> &'static str {
        "avg_pool"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        Ok(vec![mapped(self.name(), &self.0, x, false)?])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(AvgPoolGrad(self.0), &[dy])?)])
    }

    crate::twin!();
}

/// `shaders/pool/avg_pool.wgsl`, an invocation for each result.
pub struct AvgPoolKernel;

impl Kernel for AvgPoolKernel {
    fn stem(&self) -> &'static str {
        "avg_pool"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AvgPool>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let AvgPool(pool) = *r.op()?;
        let (rows, channels) = matrix(self.stem(), "y", r.outputs[0])?;
        let params = pool.params(rows * channels, channels)?;
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let AvgPool(pool) = *r.op()?;
        Ok(Cost::streaming(r, (r.outputs[0].elements() * pool.window.taps()) as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let case = |tried: super::tried::Tried| {
            Case::new(tried.label(), AvgPool(tried.pool), vec![s.normal(&tried.input())], SUM)
        };
        let mut cases: Vec<Case> = pools().into_iter().map(case).collect();
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}
