//! What an image has where another one was largest: the transpose of [`MaxPoolGrad`], for second derivatives.

use super::Pool;
use super::max_pool::winners;
use super::max_pool_grad::{MaxPoolGrad, each_winner};
use super::tried::{MOVED, distinct, pools};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y \[N·H'·W', C\] for inputs (v \[N·H·W, C\], winners u32 \[N·H'·W', C\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPoolPick(pub Pool);

impl MaxPoolPick {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let y = y[0].real_mut();
        each_winner(&self.0, x[1].shape.matrix(), x[1].words(), |result, seen| y[result] = x[0].real()[seen]);
    }
}

impl Op for MaxPoolPick {
    fn name(&self) -> &'static str {
        "max_pool_pick"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [v, winners] = arity(self.name(), inputs)?;
        self.0.check_sees(self.name())?;
        let y = self.0.result(self.name(), v)?;
        same(self.name(), "the winners", winners, &Ty::u32(y.shape.dims()))?;
        Ok(vec![y])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        Ok(vec![Some(g.apply(MaxPoolGrad(self.0), &[dy, x[1]])?), None])
    }

    crate::twin!();
}

/// `shaders/pool/max_pool_pick.wgsl`, an invocation for each result.
pub struct MaxPoolPickKernel;

impl Kernel for MaxPoolPickKernel {
    fn stem(&self) -> &'static str {
        "max_pool_pick"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<MaxPoolPick>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let MaxPoolPick(pool) = *r.op()?;
        let (rows, channels) = matrix(self.stem(), "y", r.outputs[0])?;
        let params = pool.params(rows * channels, channels)?;
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        // Of the image it reads no more than it writes.
        Ok(Cost { flops: 0.0, bytes: (3 * r.outputs[0].bytes()) as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases: Vec<Case> = Vec::new();
        for tried in pools() {
            let winners = winners(tried.pool, &distinct(&mut s, &tried.input()));
            let inputs = vec![s.normal(&tried.input()), winners];
            cases.push(Case::new(tried.label(), MaxPoolPick(tried.pool), inputs, MOVED));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}
