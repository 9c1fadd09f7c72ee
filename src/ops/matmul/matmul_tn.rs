//! Gradients of a linear layer with respect to weights and bias: dW = dyᵀ · x, db = Σ dy, and the
//! plain product aᵀ · b.

use std::sync::Arc;

use super::matmul_tiles::{self, PRODUCT, TilesKernel};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::{self, Gathered};
use crate::ops::kernel::Case;
use crate::ops::kernel::check::arity;
use crate::ops::kernel::samples::Samples;
use crate::ops::matmul::{Extents, MatMul};
use crate::tensor::{HostTensor, Real, Ty};

/// (dW \[M, N\], db \[M\]) for inputs (dy \[K, M\], x \[K, N\]), K the batch: both gradients in one pass
/// over dy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearWeightGrad;

impl LinearWeightGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok(extents) = MatMul::Tn.extents(&x[0].ty(), &x[1].ty()) else { return };
        let [dw, db] = y else { return };
        MatMul::Tn.compute(extents, x[0].real(), x[1].real(), dw.real_mut());
        for row in x[0].real().chunks_exact(extents.m) {
            for (db, &dy) in db.real_mut().iter_mut().zip(row) {
                *db += dy;
            }
        }
    }
}

impl Op for LinearWeightGrad {
    fn name(&self) -> &'static str {
        "linear_weight_grad"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy, x] = arity(self.name(), inputs)?;
        let Extents { m, n, .. } = MatMul::Tn.extents(dy, x)?;
        Ok(vec![Ty::f32(&[m, n]), Ty::f32(&[m])])
    }

    crate::twin!();
}

/// `shaders/matmul/matmul_tn.wgsl`
pub const KERNEL: TilesKernel = TilesKernel { stem: "matmul_tn", layout: MatMul::Tn, cases };

fn cases() -> Vec<Case> {
    let mut s = Samples::new("matmul_tn");
    let mut cases = Vec::new();
    for (m, n, k) in matmul_tiles::SHAPES {
        let inputs = vec![s.normal(&[k, m]), s.normal(&[k, n])];
        cases.push(Case::new(format!("{m}x{n}x{k}"), MatMul::Tn, inputs.clone(), PRODUCT));
        cases.push(Case::new(format!("{m}x{n}x{k} with bias"), LinearWeightGrad, inputs, PRODUCT));
    }
    for (k, m, n) in matmul_tiles::GATHERED {
        let op = Gathered { op: Arc::new(LinearWeightGrad), position: 1, gather: BatchGather { features: n } };
        let inputs = [gathered::batch(&mut s, k, n), vec![s.normal(&[k, m])]].concat();
        cases.push(Case::new(format!("{m}x{n}x{k} gathered"), op, inputs, PRODUCT));
    }
    let inputs = vec![s.normal(&[128, 64]), s.normal(&[128, 784])];
    cases.push(Case::new("64x784x128 with bias", LinearWeightGrad, inputs, PRODUCT).benched());
    cases
}
