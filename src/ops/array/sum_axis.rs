//! Sums of a matrix along one axis: over its rows (a bias gradient) or over its columns.

use super::broadcast::Broadcast;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Which axis of an [M, N] matrix is summed away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumAxis {
    /// y\[n\] = Σ_m x\[m, n\]
    Rows,
    /// y\[m\] = Σ_n x\[m, n\]
    Columns,
}

impl SumAxis {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let y = y[0].real_mut();
        for (m, row) in x[0].real().chunks_exact(columns).enumerate() {
            match self {
                SumAxis::Rows => y.iter_mut().zip(row).for_each(|(y, &value)| *y += value),
                SumAxis::Columns => y[m] = row.iter().copied().sum(),
            }
        }
    }
}

impl Op for SumAxis {
    fn name(&self) -> &'static str {
        "sum_axis"
    }

    fn attributes(&self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity("sum_axis", inputs)?;
        let (rows, columns) = matrix("sum_axis", "x", x)?;
        Ok(vec![Ty::f32(&[if *self == SumAxis::Rows { columns } else { rows }])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        let (rows, columns) = matrix("sum_axis", "x", g.ty(x[0]))?;
        let spread = match self {
            SumAxis::Rows => Broadcast::Rows(rows),
            SumAxis::Columns => Broadcast::Columns(columns),
        };
        Ok(vec![Some(g.apply(spread, &[dy])?)])
    }

    crate::twin!();
}

/// `shaders/array/sum_axis.wgsl`
pub struct SumAxisKernel;

impl Kernel for SumAxisKernel {
    fn stem(&self) -> &'static str {
        "sum_axis"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<SumAxis>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "x", r.inputs[0])?;
        // Outputs, terms of each, and the strides of both in x.
        let params = match r.op::<SumAxis>()? {
            SumAxis::Columns => [rows, columns, columns, 1],
            SumAxis::Rows => [columns, rows, 1, columns],
        };
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Output(0)],
            params.iter().map(|&p| p as u32).collect(),
            Work::Invocations(params[0]),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding =
            Tolerance::new(1e-7, 2e-5, Terms::OfAbsoluteInputs, "additions in a row, errors of half an ULP each");
        let mut s = Samples::new("sum_axis");
        let mut cases = Vec::new();
        for op in [SumAxis::Rows, SumAxis::Columns] {
            for (m, n) in [(1, 1), (1, 67), (67, 1), (63, 65), (128, 20), (13, 129)] {
                cases.push(Case::new(format!("{op:?} {m}x{n}"), op, vec![s.normal(&[m, n])], rounding));
            }
            let case = Case::new(format!("{op:?} 1024x784"), op, vec![s.normal(&[1024, 784])], rounding);
            cases.push(if op == SumAxis::Rows { case.benched() } else { case });
        }
        cases
    }
}
