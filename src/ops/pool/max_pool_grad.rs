//! Gradient of the largest over windows: the pixel that won gets all of dy, from every window that it won.

use super::max_pool::winners;
use super::max_pool_pick::MaxPoolPick;
use super::tried::{SUM, distinct, pools};
use super::{Pool, images, mapped};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dx \[N·H·W, C\] for inputs (dy \[N·H'·W', C\], winners u32 \[N·H'·W', C\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPoolGrad(pub Pool);

impl MaxPoolGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let dx = y[0].real_mut();
        each_winner(&self.0, x[0].shape.matrix(), x[1].words(), |result, seen| dx[seen] += x[0].real()[result]);
    }
}

/// Calls `pair` with the places in the results and in the images of all winners.
pub(super) fn each_winner(
    pool: &Pool,
    results: Option<(usize, usize)>,
    winners: &[u32],
    mut pair: impl FnMut(usize, usize),
) {
    let (Ok([rows, columns]), Some((_, channels))) = (pool.output(), results) else { return };
    let pixels = pool.size[0] * pool.size[1];
    for (result, &winner) in winners.iter().enumerate() {
        let image = result / channels / (rows * columns);
        pair(result, (image * pixels + winner as usize) * channels + result % channels);
    }
}

impl Op for MaxPoolGrad {
    fn name(&self) -> &'static str {
        "max_pool_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy, winners] = arity(self.name(), inputs)?;
        self.0.check_sees(self.name())?;
        images(self.name(), "dy", dy, self.0.output()?)?;
        same(self.name(), "the winners", winners, &Ty::u32(dy.shape.dims()))?;
        Ok(vec![mapped(self.name(), &self.0, dy, true)?])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(of_dx) = dy[0] else { return Ok(vec![None, None]) };
        Ok(vec![Some(g.apply(MaxPoolPick(self.0), &[of_dx, x[1]])?), None])
    }

    crate::twin!();
}

/// `shaders/pool/max_pool_grad.wgsl`, an invocation for each pixel and channel of the image.
pub struct MaxPoolGradKernel;

impl Kernel for MaxPoolGradKernel {
    fn stem(&self) -> &'static str {
        "max_pool_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<MaxPoolGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let MaxPoolGrad(pool) = *r.op()?;
        let (rows, channels) = matrix(self.stem(), "dx", r.outputs[0])?;
        let params = pool.params(rows * channels, channels)?;
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases: Vec<Case> = Vec::new();
        for tried in pools() {
            let winners = winners(tried.pool, &distinct(&mut s, &tried.input()));
            let inputs = vec![s.normal(&tried.output()), winners];
            cases.push(Case::new(tried.label(), MaxPoolGrad(tried.pool), inputs, SUM));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases
    }
}
