//! Sum, difference and product of two tensors of one shape, or of a tensor and a scalar.
//!
//! y_i = a_i ∘ b_i, or a_i ∘ b when b is a scalar.

use super::sum_all::SumAll;
use super::unary::Unary;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Element-wise combination of two tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a · b
    Mul,
}

impl Binary {
    fn combine<T: Real>(self, a: T, b: T) -> T {
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (a, b) = (x[0].real(), x[1].real());
        for (i, y) in y[0].real_mut().iter_mut().enumerate() {
            *y = self.combine(a[i], b[if b.len() == 1 { 0 } else { i }]);
        }
    }
}

impl Op for Binary {
    fn name(&self) -> &'static str {
        "binary"
    }

    fn attributes(&self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [a, b] = arity("binary", inputs)?;
        float("binary", "a", a)?;
        float("binary", "b", b)?;
        if a.shape != b.shape && !b.shape.dims().is_empty() {
            return Err(Error::graph("binary", format!("b must be {a} like a, or a scalar, got {b}")));
        }
        Ok(vec![a.clone()])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        let (da, mut db) = match self {
            Binary::Add => (dy, dy),
            Binary::Sub => (dy, g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[dy])?),
            Binary::Mul => {
                let da = g.apply(Binary::Mul, &[dy, x[1]])?;
                (da, g.apply(Binary::Mul, &[dy, x[0]])?)
            }
        };
        // A scalar was spread over the whole of a, so its gradient is the sum over a.
        if g.ty(x[1]) != g.ty(db) {
            db = g.apply(SumAll, &[db])?;
        }
        Ok(vec![Some(da), Some(db)])
    }

    crate::twin!();
}

/// `shaders/array/binary.wgsl`
pub struct BinaryKernel;

impl Kernel for BinaryKernel {
    fn stem(&self) -> &'static str {
        "binary"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Binary>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let kind = *r.op::<Binary>()?;
        let n = r.inputs[0].elements();
        let scalar = u32::from(r.inputs[1].shape.dims().is_empty());
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)],
            vec![n as u32, kind as u32, scalar],
            Work::Invocations(n),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(0.0, 1e-6, Terms::Each, "one rounding of a sum, difference or product");
        let mut s = Samples::new("binary");
        let mut cases = Vec::new();
        for op in [Binary::Add, Binary::Sub, Binary::Mul] {
            for n in [1, 63, 64, 65, 1009] {
                cases.push(Case::new(format!("{op:?} {n}"), op, vec![s.normal(&[n]), s.normal(&[n])], rounding));
            }
            cases.push(Case::new(format!("{op:?} 37 by scalar"), op, vec![s.normal(&[37]), s.normal(&[])], rounding));
        }
        let n = 1 << 18;
        cases
            .push(Case::new(format!("Add {n}"), Binary::Add, vec![s.normal(&[n]), s.normal(&[n])], rounding).benched());
        let n = 65_535 * 64 + 7;
        cases.push(Case::new("Add over 65,535 groups", Binary::Add, vec![s.cheap(&[n]), s.cheap(&[n])], rounding));
        cases
    }
}
