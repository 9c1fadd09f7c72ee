//! Rows brought to one length: directions, of perturbations for instance.
//!
//! y_m = s · x_m / ‖x_m‖₂; a row of zeros stays one. A direction is a constant of whatever it is used in:
//! no gradient goes back through it.

use super::check::{arity, matrix};
use super::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use super::samples::Samples;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Rows of length `scale` for X \[M, N\].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormaliseRows {
    /// Length s of the rows of the result.
    pub scale: f32,
}

impl NormaliseRows {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        for (x, y) in x[0].real().chunks_exact(columns).zip(y[0].real_mut().chunks_exact_mut(columns)) {
            // By the largest, so that tiny gradients do not square to nothing.
            let largest = x.iter().fold(T::zero(), |most, x| most.max(x.abs()));
            if largest > T::zero() {
                let square = x.iter().fold(T::zero(), |sum, &x| sum + (x / largest) * (x / largest));
                let factor = T::of(f64::from(self.scale)) / square.sqrt();
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = x / largest * factor);
            }
        }
    }
}

impl Op for NormaliseRows {
    fn name(&self) -> &'static str {
        "normalise_rows"
    }

    fn attributes(&self) -> String {
        format!("scale={}", self.scale)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        matrix(self.name(), "X", x)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, _g: &mut Graph, _x: &[Var], _y: &[Var], _dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        Ok(vec![None])
    }

    crate::twin!();
}

/// `shaders/normalise_rows.wgsl`, one workgroup a row.
pub struct NormaliseRowsKernel;

impl Kernel for NormaliseRowsKernel {
    fn stem(&self) -> &'static str {
        "normalise_rows"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<NormaliseRows>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "X", r.inputs[0])?;
        let scale = r.op.downcast::<NormaliseRows>().map_or(1.0, |op| op.scale);
        let params = vec![rows as u32, columns as u32, scale.to_bits()];
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(rows)))
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        Cost::streaming(r, 5.0 * r.inputs[0].elements() as f64)
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-9, 2e-5, Terms::Largest, "a sum of squares, a root and two divisions");
        let mut s = Samples::new("normalise_rows");
        let mut cases = Vec::new();
        for (rows, columns, size) in [(1, 1, 1.0), (3, 65, 1.0), (67, 13, 1e-25), (5, 31, 1e18), (256, 784, 1e-6)] {
            let mut x = s.normal(&[rows, columns]);
            x.real_mut().iter_mut().for_each(|x| *x *= size);
            if rows > 2 {
                x.real_mut()[columns..2 * columns].fill(0.0);
            }
            let label = format!("{rows}x{columns} of {size:e}");
            let case = Case::new(label, NormaliseRows { scale: 1.5 }, vec![x], rounding);
            cases.push(if rows == 256 { case.benched() } else { case });
        }
        cases
    }
}
