//! Gradient of [`Cumulative`] by the numbers and by the parameters of each column, these summed over the rows.

use super::cumulative::{Cumulative, cases};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (dz \[M, N\], gradients of the parameters \[N, P\]) for inputs (z \[M, N\], parameters \[N, P\], dy \[M, N\]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CumulativeGrad(pub Cumulative);

impl CumulativeGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (columns, size) = (x[0].shape.matrix().map_or(1, |(_, columns)| columns), self.0.parameters());
        let [dz, sums] = y else { return };
        for (i, dz) in dz.real_mut().iter_mut().enumerate() {
            let own = i % columns * size..(i % columns + 1) * size;
            let (z, dy) = (x[0].real()[i], x[2].real()[i]);
            *dz = self.0.back(z, &x[1].real()[own.clone()], dy, &mut sums.real_mut()[own]);
        }
    }
}

impl Op for CumulativeGrad {
    fn name(&self) -> &'static str {
        "cumulative_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [z, parameters, dy] = arity(self.name(), inputs)?;
        self.0.check(self.name(), z, parameters)?;
        same(self.name(), "the gradient", dy, z)?;
        Ok(vec![z.clone(), parameters.clone()])
    }

    crate::twin!();
}

/// `shaders/rate/cumulative_grad.wgsl`, one workgroup a column.
pub struct CumulativeGradKernel;

impl Kernel for CumulativeGradKernel {
    fn stem(&self) -> &'static str {
        "cumulative_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<CumulativeGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "z", r.inputs[0])?;
        let params = r.op::<CumulativeGrad>()?.0.words(rows * columns, columns);
        let bindings = [0, 1, 2].map(Bind::Input).into_iter().chain([Bind::Output(0), Bind::Output(1)]).collect();
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(columns)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let each = 30.0 * r.op::<CumulativeGrad>()?.0.parameters() as f64;
        Ok(Cost::streaming(r, each * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "WGSL's tanh at 1e-5 and less, whose slope 1 − tanh² may cancel, and sums over rows in a tree";
        let tolerance = Tolerance::new(1e-5, 5e-5, Terms::Largest, why);
        cases("cumulative_grad", |s, op, mut inputs, label| {
            inputs.push(s.normal(inputs[0].shape.dims()));
            Case::new(label, CumulativeGrad(op), inputs, tolerance)
        })
    }
}
