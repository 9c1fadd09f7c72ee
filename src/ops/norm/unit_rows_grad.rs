//! Gradient of [`UnitRows`](super::unit_rows::UnitRows): dx_m = (dy_m − y_m (y_m · dy_m)) / ‖x_m‖₂.

use super::unit_rows::{SHAPES, launch};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Terms, Tolerance};
use crate::tensor::{HostTensor, Real, Ty};

/// dX for inputs (rows of length 1 Y \[M, N\], reciprocals of the lengths that they had \[M\], dY).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitRowsGrad;

impl UnitRowsGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], dx: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        let rows = x[0].real().chunks_exact(columns).zip(x[2].real().chunks_exact(columns)).zip(x[1].real());
        for (dx, ((y, dy), &length)) in dx[0].real_mut().chunks_exact_mut(columns).zip(rows) {
            let along = y.iter().zip(dy).fold(T::zero(), |sum, (&y, &dy)| sum + y * dy);
            for (dx, (&y, &dy)) in dx.iter_mut().zip(y.iter().zip(dy)) {
                *dx = (dy - y * along) * length;
            }
        }
    }
}

impl Op for UnitRowsGrad {
    fn name(&self) -> &'static str {
        "unit_rows_grad"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [y, lengths, dy] = arity(self.name(), inputs)?;
        let (rows, _) = matrix(self.name(), "Y", y)?;
        same(self.name(), "the lengths", lengths, &Ty::f32(&[rows]))?;
        same(self.name(), "dY", dy, y)?;
        Ok(vec![y.clone()])
    }

    crate::twin!();
}

/// `shaders/norm/unit_rows_grad.wgsl`, one workgroup a row.
pub struct UnitRowsGradKernel;

impl Kernel for UnitRowsGradKernel {
    fn stem(&self) -> &'static str {
        "unit_rows_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<UnitRowsGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        launch(self.stem(), r)
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 5.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-9, 2e-5, Terms::Largest, "a sum of products, and a difference");
        let mut s = Samples::new("unit_rows_grad");
        let case = |(rows, columns): (usize, usize)| {
            let inputs = vec![s.normal(&[rows, columns]), s.uniform(&[rows], 0.0, 2.0), s.normal(&[rows, columns])];
            let case = Case::new(format!("{rows}x{columns}"), UnitRowsGrad, inputs, rounding);
            if rows == 512 { case.benched() } else { case }
        };
        SHAPES.into_iter().map(case).collect()
    }
}
