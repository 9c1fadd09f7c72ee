//! Columns of a matrix multiplied by a number each: y\[m, n\] = x\[m, n\] s\[n\].

use super::binary::Binary;
use super::sum_axis::SumAxis;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y = x ∘ s for inputs x \[M, N\] and s \[N\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleColumns;

impl ScaleColumns {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (x, s) = (x[0].real(), x[1].real());
        for (i, y) in y[0].real_mut().iter_mut().enumerate() {
            *y = x[i] * s[i % s.len()];
        }
    }
}

impl Op for ScaleColumns {
    fn name(&self) -> &'static str {
        "scale_columns"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, s] = arity(self.name(), inputs)?;
        let (_, columns) = matrix(self.name(), "x", x)?;
        same(self.name(), "s", s, &Ty::f32(&[columns]))?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        let products = g.apply(Binary::Mul, &[dy, x[0]])?;
        let of_s = g.apply(SumAxis::Rows, &[products])?;
        Ok(vec![Some(g.apply(ScaleColumns, &[dy, x[1]])?), Some(of_s)])
    }

    crate::twin!();
}

/// `shaders/array/scale_columns.wgsl`
pub struct ScaleColumnsKernel;

impl Kernel for ScaleColumnsKernel {
    fn stem(&self) -> &'static str {
        "scale_columns"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ScaleColumns>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (n, columns) = (r.inputs[0].elements(), r.inputs[1].elements());
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)],
            vec![n as u32, columns as u32],
            Work::Invocations(n),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(0.0, 1e-6, Terms::OfAbsoluteInputs, "one rounding of a product");
        let mut s = Samples::new("scale_columns");
        let mut cases: Vec<Case> = [(1, 1), (3, 67), (65, 20), (127, 5)]
            .map(|(m, n)| {
                Case::new(format!("{m}x{n}"), ScaleColumns, vec![s.normal(&[m, n]), s.normal(&[n])], rounding)
            })
            .into();
        let inputs = vec![s.normal(&[128, 784]), s.normal(&[784])];
        cases.push(Case::new("128x784", ScaleColumns, inputs, rounding).benched());
        cases
    }
}
