//! Rows brought to length 1, through which gradients go back.
//!
//! y_m = x_m / ‖x_m‖₂; a row of zeros stays one. dx_m = (dy_m − y_m (y_m · dy_m)) / ‖x_m‖₂: what is along the row changes nothing.

use super::unit_rows_grad::UnitRowsGrad;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Rows of length 1, and 1 / ‖x_m‖ \[M\], 0 for a row of zeros, for X \[M, N\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitRows;

impl UnitRows {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let [y, lengths] = y else { return };
        let rows = x[0].real().chunks_exact(columns).zip(y.real_mut().chunks_exact_mut(columns));
        for ((x, y), length) in rows.zip(lengths.real_mut()) {
            // By the largest, so that tiny numbers do not square to nothing.
            let largest = x.iter().fold(T::zero(), |most, x| most.max(x.abs()));
            if largest > T::zero() {
                let square = x.iter().fold(T::zero(), |sum, &x| sum + (x / largest) * (x / largest));
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = x / largest / square.sqrt());
                *length = T::one() / largest / square.sqrt();
            }
        }
    }
}

impl Op for UnitRows {
    fn name(&self) -> &'static str {
        "unit_rows"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        let (rows, _) = matrix(self.name(), "X", x)?;
        Ok(vec![x.clone(), Ty::f32(&[rows])])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1].is_some() {
            return Err(crate::error::Error::graph(
                self.name(),
                "only the rows can be differentiated, not their lengths",
            ));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(UnitRowsGrad, &[y[0], y[1], dy])?)])
    }

    crate::twin!();
}

/// One dispatch of a workgroup a row: all inputs, then all outputs.
pub(super) fn launch(stem: &'static str, r: &Request<'_>) -> Result<Launch> {
    let (rows, columns) = matrix(stem, "X", r.inputs[0])?;
    let bindings = (0..r.inputs.len()).map(Bind::Input).chain((0..r.outputs.len()).map(Bind::Output)).collect();
    Ok(Launch::single(ShaderKey::plain(stem), bindings, vec![rows as u32, columns as u32], Work::Groups(rows)))
}

/// Shapes of the cases, the last one timed.
pub(super) const SHAPES: [(usize, usize); 5] = [(1, 1), (3, 65), (67, 13), (2, 128), (512, 128)];

/// `shaders/norm/unit_rows.wgsl`, one workgroup a row.
pub struct UnitRowsKernel;

impl Kernel for UnitRowsKernel {
    fn stem(&self) -> &'static str {
        "unit_rows"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<UnitRows>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        launch(self.stem(), r)
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 5.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-9, 2e-5, Terms::Largest, "a sum of squares, a root and two divisions");
        let mut s = Samples::new("unit_rows");
        let mut cases = Vec::new();
        for (rows, columns) in SHAPES {
            let case = Case::new(format!("{rows}x{columns}"), UnitRows, vec![s.normal(&[rows, columns])], rounding);
            cases.push(if rows == 512 { case.benched() } else { case });
        }
        // More than differences are taken of: they mean nothing at a row of zeros, nor where numbers are tiny.
        for size in [0.0, 1e-25, 1e18] {
            let mut x = s.normal(&[97, 65]);
            x.real_mut().iter_mut().for_each(|x| *x *= size);
            cases.push(Case::new(format!("97x65 of {size:e}"), UnitRows, vec![x], rounding));
        }
        cases
    }
}
