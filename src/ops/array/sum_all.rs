//! Sum of all elements of a tensor, in an order that never changes.
//!
//! Two stages where the tensor is large: every workgroup adds a strided share, then one workgroup
//! adds the shares. No atomics, so the same bits come out every time.

use super::broadcast::Broadcast;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y = Σ x, a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumAll;

/// Sum by halves: the rounding error grows with the logarithm of the length, so that the f32 twin
/// stays a reference for long sums too.
pub(crate) fn pairwise_sum<T: Real>(x: &[T]) -> T {
    if x.len() <= 64 {
        return x.iter().fold(T::zero(), |sum, &v| sum + v);
    }
    let (left, right) = x.split_at(x.len() / 2);
    pairwise_sum(left) + pairwise_sum(right)
}

impl SumAll {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].real_mut()[0] = pairwise_sum(x[0].real());
    }
}

impl Op for SumAll {
    fn name(&self) -> &'static str {
        "sum_all"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity("sum_all", inputs)?;
        float("sum_all", "x", x)?;
        Ok(vec![Ty::f32(&[])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        let shape = g.ty(x[0]).shape.clone();
        Ok(vec![Some(g.apply(Broadcast::Scalar(shape), &[dy])?)])
    }

    crate::twin!();
}

/// Elements up to which one workgroup does the whole sum.
const ONE_STAGE: usize = 16_384;
/// Workgroups of the first stage.
const SHARES: usize = 64;

/// The dispatches that add `n` numbers from `source` into output `target`; `scratch` is the number of
/// the scratch buffer for the shares, [`scratch_bytes`] long.
pub(in crate::ops) fn stages(source: Bind, n: usize, target: usize, scratch: usize) -> Vec<Dispatch> {
    let add = |from: Bind, count: usize, to: Bind, groups: usize| {
        let params = vec![count as u32, groups as u32];
        Dispatch::new(ShaderKey::plain("sum_all"), vec![from, to], params, Work::Groups(groups))
    };
    if n <= ONE_STAGE {
        return vec![add(source, n, Bind::Output(target), 1)];
    }
    vec![add(source, n, Bind::Scratch(scratch), SHARES), add(Bind::Scratch(scratch), SHARES, Bind::Output(target), 1)]
}

/// Bytes of scratch memory that [`stages`] needs, whichever way it goes.
pub(in crate::ops) const SCRATCH_BYTES: usize = SHARES * 4;

/// `shaders/array/sum_all.wgsl`
pub struct SumAllKernel;

impl Kernel for SumAllKernel {
    fn stem(&self) -> &'static str {
        "sum_all"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SumAll>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        Ok(Launch { dispatches: stages(Bind::Input(0), r.inputs[0].elements(), 0, 0), scratch: vec![SCRATCH_BYTES] })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(
            1e-7,
            2e-5,
            Terms::OfAbsoluteInputs,
            "up to 4,096 additions in a row, half an ULP each, when all errors point the same way would give 2.4e-4; \
             they do not",
        );
        let mut s = Samples::new("sum_all");
        let mut cases = Vec::new();
        for n in [1, 2, 63, 64, 65, 127, 1009, ONE_STAGE, ONE_STAGE + 1] {
            cases.push(Case::new(format!("{n}"), SumAll, vec![s.normal(&[n])], rounding));
        }
        cases.push(Case::new("262144", SumAll, vec![s.normal(&[1 << 18])], rounding).benched());
        cases
    }
}
