//! The matrix product, in the three layouts that training needs.
//!
//! | layout | computes | used for |
//! |---|---|---|
//! | `Nt` | a \[M, K\] · b \[N, K\]ᵀ | forward, with b the weights in \[out, in\] layout |
//! | `Nn` | a \[M, K\] · b \[K, N\]  | gradient of the input |
//! | `Tn` | a \[K, M\]ᵀ · b \[K, N\] | gradient of the weights, K the batch |
//!
//! The gradient of each layout is made of the other two, so products can be differentiated again.

pub(in crate::ops) mod matmul_cases;
pub mod matmul_cooperative;
pub mod matmul_nn;
pub mod matmul_nt;
pub(super) mod matmul_patches;
pub(in crate::ops) mod matmul_product;
pub mod matmul_shared;
pub mod matmul_subgroup;
pub(super) mod matmul_tiles;
pub mod matmul_tn;
pub mod matmul_uniform;

use super::kernel::check::{arity, matrix};
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::tensor::{HostTensor, Real, Ty};

/// The matrix product of two inputs; the variant says which of them is read transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatMul {
    /// a · bᵀ
    Nt,
    /// a · b
    Nn,
    /// aᵀ · b
    Tn,
}

/// Extents of a product: `m` × `n` results of `k` terms each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extents {
    /// Rows of the result.
    pub m: usize,
    /// Columns of the result.
    pub n: usize,
    /// Terms of each sum.
    pub k: usize,
}

impl MatMul {
    /// Extents of the product of operands of these types.
    ///
    /// # Errors
    /// When an operand is no matrix or the inner extents differ.
    pub fn extents(self, a: &Ty, b: &Ty) -> Result<Extents> {
        let (a0, a1) = matrix("matmul", "a", a)?;
        let (b0, b1) = matrix("matmul", "b", b)?;
        let (m, k, inner, n) = match self {
            MatMul::Nt => (a0, a1, b1, b0),
            MatMul::Nn => (a0, a1, b0, b1),
            MatMul::Tn => (a1, a0, b0, b1),
        };
        if k != inner {
            return Err(Error::graph("matmul", format!("inner extents differ: {a} and {b} as {self:?}")));
        }
        Ok(Extents { m, n, k })
    }

    /// The product, term by term: `out` \[m, n\] is overwritten.
    pub(crate) fn compute<T: Real>(self, e: Extents, a: &[T], b: &[T], out: &mut [T]) {
        for (i, row) in out.chunks_exact_mut(e.n).enumerate() {
            for (j, out) in row.iter_mut().enumerate() {
                *out = (0..e.k).fold(T::zero(), |sum, k| {
                    sum + match self {
                        MatMul::Nt => a[i * e.k + k] * b[j * e.k + k],
                        MatMul::Nn => a[i * e.k + k] * b[k * e.n + j],
                        MatMul::Tn => a[k * e.m + i] * b[k * e.n + j],
                    }
                });
            }
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        if let Ok(extents) = self.extents(&x[0].ty(), &x[1].ty()) {
            self.compute(extents, x[0].real(), x[1].real(), y[0].real_mut());
        }
    }
}

impl Op for MatMul {
    fn name(&self) -> &'static str {
        match self {
            MatMul::Nt => "matmul_nt",
            MatMul::Nn => "matmul_nn",
            MatMul::Tn => "matmul_tn",
        }
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [a, b] = arity("matmul", inputs)?;
        let extents = self.extents(a, b)?;
        Ok(vec![Ty::f32(&[extents.m, extents.n])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        let (a, b) = (x[0], x[1]);
        let (da, db) = match self {
            MatMul::Nt => (g.apply(MatMul::Nn, &[dy, b])?, g.apply(MatMul::Tn, &[dy, a])?),
            MatMul::Nn => (g.apply(MatMul::Nt, &[dy, b])?, g.apply(MatMul::Tn, &[a, dy])?),
            MatMul::Tn => (g.apply(MatMul::Nt, &[b, dy])?, g.apply(MatMul::Nn, &[a, dy])?),
        };
        Ok(vec![Some(da), Some(db)])
    }

    crate::twin!();
}
