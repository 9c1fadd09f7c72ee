//! A scalar or a vector spread over a larger tensor: the gradient of a sum.

use super::sum_all::SumAll;
use super::sum_axis::SumAxis;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float, vector};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Shape, Ty};

/// How the input is spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broadcast {
    /// A scalar over this shape.
    Scalar(Shape),
    /// A row vector \[N\] over this many rows: y\[m, n\] = x\[n\].
    Rows(usize),
    /// A column vector \[M\] over this many columns: y\[m, n\] = x\[m\].
    Columns(usize),
}

impl Broadcast {
    /// Index of the input element that output element `i` copies, as (i / divide) mod modulus.
    fn divide_and_modulus(&self, inputs: usize) -> (usize, usize) {
        match self {
            Broadcast::Scalar(_) => (1, 1),
            Broadcast::Rows(_) => (1, inputs),
            Broadcast::Columns(columns) => (*columns, inputs),
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (x, y) = (x[0].real(), y[0].real_mut());
        if let Broadcast::Rows(_) = self {
            y.chunks_exact_mut(x.len()).for_each(|row| row.copy_from_slice(x));
            return;
        }
        for (part, &x) in y.chunks_exact_mut(y.len() / x.len()).zip(x) {
            part.fill(x);
        }
    }
}

impl Op for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn attributes(&self) -> String {
        match self {
            Broadcast::Scalar(shape) => format!("to {shape}"),
            Broadcast::Rows(rows) => format!("over {rows} rows"),
            Broadcast::Columns(columns) => format!("over {columns} columns"),
        }
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity("broadcast", inputs)?;
        match self {
            Broadcast::Scalar(shape) => {
                float("broadcast", "x", x)?;
                if x.elements() != 1 {
                    return Err(Error::graph("broadcast", format!("x must be a scalar, got {x}")));
                }
                Ok(vec![Ty::f32(shape.dims())])
            }
            Broadcast::Rows(rows) => Ok(vec![Ty::f32(&[*rows, vector("broadcast", "x", x)?])]),
            Broadcast::Columns(columns) => Ok(vec![Ty::f32(&[vector("broadcast", "x", x)?, *columns])]),
        }
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(match self {
            Broadcast::Scalar(_) => g.apply(SumAll, &[dy])?,
            Broadcast::Rows(_) => g.apply(SumAxis::Rows, &[dy])?,
            Broadcast::Columns(_) => g.apply(SumAxis::Columns, &[dy])?,
        })])
    }

    crate::twin!();
}

/// `shaders/array/broadcast.wgsl`
pub struct BroadcastKernel;

impl Kernel for BroadcastKernel {
    fn stem(&self) -> &'static str {
        "broadcast"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Broadcast>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.outputs[0].elements();
        let (divide, modulus) = r.op::<Broadcast>()?.divide_and_modulus(r.inputs[0].elements());
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Output(0)],
            vec![n as u32, divide as u32, modulus as u32],
            Work::Invocations(n),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "a copy rounds nothing");
        let mut s = Samples::new("broadcast");
        vec![
            Case::new("scalar to scalar", Broadcast::Scalar(Shape::new(&[])), vec![s.normal(&[])], exact),
            Case::new("scalar to 7x13", Broadcast::Scalar(Shape::new(&[7, 13])), vec![s.normal(&[])], exact),
            Case::new("17 over 5 rows", Broadcast::Rows(5), vec![s.normal(&[17])], exact),
            Case::new("17 over 65 columns", Broadcast::Columns(65), vec![s.normal(&[17])], exact),
            Case::new("784 over 128 rows", Broadcast::Rows(128), vec![s.normal(&[784])], exact).benched(),
        ]
    }
}
