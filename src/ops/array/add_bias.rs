//! A bias added to every row of a matrix: y\[m, n\] = x\[m, n\] + b\[n\].

use super::sum_axis::SumAxis;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y = x + b for inputs x \[M, N\] and b \[N\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddBias;

impl AddBias {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (x, b) = (x[0].real(), x[1].real());
        for (i, y) in y[0].real_mut().iter_mut().enumerate() {
            *y = x[i] + b[i % b.len()];
        }
    }
}

impl Op for AddBias {
    fn name(&self) -> &'static str {
        "add_bias"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, b] = arity("add_bias", inputs)?;
        let (_, columns) = matrix("add_bias", "x", x)?;
        same("add_bias", "b", b, &Ty::f32(&[columns]))?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        let db = g.apply(SumAxis::Rows, &[dy])?;
        Ok(vec![Some(dy), Some(db)])
    }

    crate::twin!();
}

/// `shaders/array/add_bias.wgsl`
pub struct AddBiasKernel;

impl Kernel for AddBiasKernel {
    fn stem(&self) -> &'static str {
        "add_bias"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AddBias>().is_some()
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
        let rounding = Tolerance::new(0.0, 1e-6, Terms::OfAbsoluteInputs, "one rounding of a sum");
        let mut s = Samples::new("add_bias");
        let mut cases: Vec<Case> = [(1, 1), (3, 67), (65, 20), (127, 5)]
            .map(|(m, n)| Case::new(format!("{m}x{n}"), AddBias, vec![s.normal(&[m, n]), s.normal(&[n])], rounding))
            .into();
        let inputs = vec![s.normal(&[128, 784]), s.normal(&[784])];
        cases.push(Case::new("128x784", AddBias, inputs, rounding).benched());
        cases
    }
}
