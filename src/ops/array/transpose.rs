//! A matrix with rows and columns exchanged: y\[n, m\] = x\[m, n\].
//!
//! For networks whose decoder has the encoder's weights: [`Transpose`] in a graph, and [`TransposeInto`] to bring a
//! parameter into line with the one it is tied to.

use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::ceiling::ceiling_copy;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// xᵀ \[N, M\] of x \[M, N\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transpose;

impl Transpose {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (rows, columns) = x[0].shape.matrix().unwrap_or((1, 1));
        let x = x[0].real();
        for (n, row) in y[0].real_mut().chunks_exact_mut(rows).enumerate() {
            for (m, y) in row.iter_mut().enumerate() {
                *y = x[m * columns + n];
            }
        }
    }
}

impl Op for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        let (rows, columns) = matrix(self.name(), "x", x)?;
        Ok(vec![Ty::f32(&[columns, rows])])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(Transpose, &[dy])?)])
    }

    crate::twin!();
}

/// A parameter y \[N, M\] overwritten by xᵀ, for inputs (x \[M, N\], y): the end of a step after which y is to be the
/// transpose of x again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransposeInto;

impl TransposeInto {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        Transpose.eval(&x[..1], y);
    }
}

impl Op for TransposeInto {
    fn name(&self) -> &'static str {
        "transpose_into"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, y] = arity(self.name(), inputs)?;
        let (rows, columns) = matrix(self.name(), "x", x)?;
        same(self.name(), "y", y, &Ty::f32(&[columns, rows]))?;
        Ok(vec![y.clone()])
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        vec![(1, 0)]
    }

    crate::twin!();
}

/// Side of the tile that `shaders/array/transpose.wgsl` gives a workgroup.
const SIDE: usize = 16;

/// `shaders/array/transpose.wgsl`, one workgroup a tile; what overwrites a parameter goes through memory of its own,
/// since x and y may lie in one arena, which no dispatch can read and write.
pub struct TransposeKernel;

impl Kernel for TransposeKernel {
    fn stem(&self) -> &'static str {
        "transpose"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Transpose>().is_some() || op.downcast::<TransposeInto>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "x", r.inputs[0])?;
        let tiles = rows.div_ceil(SIDE) * columns.div_ceil(SIDE);
        let params = vec![rows as u32, columns as u32];
        let to = |target: Bind| {
            Dispatch::new(ShaderKey::plain("transpose"), vec![Bind::Input(0), target], params, Work::Groups(tiles))
        };
        if r.op.downcast::<Transpose>().is_some() {
            return Ok(Launch { dispatches: vec![to(Bind::Output(0))], scratch: Vec::new() });
        }
        r.op::<TransposeInto>()?;
        let copy = ceiling_copy::copy(Bind::Scratch(0), Bind::Output(0), rows * columns);
        Ok(Launch { dispatches: vec![to(Bind::Scratch(0)), copy], scratch: vec![r.outputs[0].bytes()] })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "a copy rounds nothing");
        let mut s = Samples::new("transpose");
        let mut cases: Vec<Case> = [(1, 1), (1, 67), (67, 1), (15, 17), (16, 16), (17, 33), (64, 31)]
            .map(|(m, n)| Case::new(format!("{m}x{n}"), Transpose, vec![s.normal(&[m, n])], exact))
            .into();
        for (m, n) in [(1, 1), (13, 67), (64, 31)] {
            let inputs = vec![s.normal(&[m, n]), s.normal(&[n, m])];
            cases.push(Case::new(format!("{m}x{n} into another"), TransposeInto, inputs, exact));
        }
        // More tiles than one dimension of a grid holds.
        cases.push(Case::new("2x1048592", Transpose, vec![s.cheap(&[2, (1 << 20) + 16])], exact));
        cases.push(Case::new("784x256", Transpose, vec![s.normal(&[784, 256])], exact).benched());
        cases
    }
}
