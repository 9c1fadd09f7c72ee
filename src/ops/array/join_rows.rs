//! Two matrices, one behind the other.

use super::slice_rows::SliceRows;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// \[M + K, N\] for A \[M, N\] and B \[K, N\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinRows;

impl JoinRows {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (first, second) = y[0].real_mut().split_at_mut(x[0].real().len());
        first.copy_from_slice(x[0].real());
        second.copy_from_slice(x[1].real());
    }
}

impl Op for JoinRows {
    fn name(&self) -> &'static str {
        "join_rows"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [a, b] = arity(self.name(), inputs)?;
        let [(m, columns), (k, others)] = [matrix(self.name(), "A", a)?, matrix(self.name(), "B", b)?];
        if columns != others {
            return Err(Error::graph(self.name(), format!("{a} and {b} have rows of different widths")));
        }
        Ok(vec![Ty::f32(&[m + k, columns])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None; 2]) };
        let mut from = 0;
        let mut part = |x: Var| {
            let rows = g.ty(x).shape.matrix().map_or(0, |(rows, _)| rows);
            let own = SliceRows { from, rows };
            from += rows;
            g.apply(own, &[dy]).map(Some)
        };
        Ok(vec![part(x[0])?, part(x[1])?])
    }

    crate::twin!();
}

/// `shaders/array/join_rows.wgsl`
pub struct JoinRowsKernel;

impl Kernel for JoinRowsKernel {
    fn stem(&self) -> &'static str {
        "join_rows"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<JoinRows>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let [first, all] = [r.inputs[0].elements(), r.outputs[0].elements()];
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        let params = vec![first as u32, all as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(all)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("join_rows");
        let mut case = |m: usize, k: usize, n: usize| {
            let inputs = vec![s.cheap(&[m, n]), s.cheap(&[k, n])];
            Case::new(format!("{m} and {k} rows of {n}"), JoinRows, inputs, Tolerance::EXACT)
        };
        vec![
            case(1, 1, 1),
            case(3, 2, 7),
            case(67, 13, 5),
            case(2_100_000, 2_100_003, 1),
            case(3072, 1024, 128).benched(),
        ]
    }
}
