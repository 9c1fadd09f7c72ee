//! Forward pass of a linear layer: y = act(x · Wᵀ + b), and the plain product a · bᵀ.

use std::sync::Arc;

use super::matmul_cases;
use super::matmul_tiles::{self, PRODUCT, TilesKernel};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::activation::{Activation, SIGMOID};
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::{self, Gathered};
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Case, Tolerance};
use crate::ops::matmul::{Extents, MatMul};
use crate::tensor::{HostTensor, Real, Ty};

/// y \[M, N\] for inputs (x \[M, K\], W \[N, K\], b \[N\]): the fusion of product, bias and activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear(pub Activation);

impl Linear {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok(extents) = MatMul::Nt.extents(&x[0].ty(), &x[1].ty()) else { return };
        let y = y[0].real_mut();
        MatMul::Nt.compute(extents, x[0].real(), x[1].real(), y);
        for row in y.chunks_exact_mut(extents.n) {
            for (y, &b) in row.iter_mut().zip(x[2].real()) {
                *y = self.0.value(*y + b);
            }
        }
    }
}

impl Op for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, w, b] = arity(self.name(), inputs)?;
        let Extents { m, n, .. } = MatMul::Nt.extents(x, w)?;
        same(self.name(), "the bias", b, &Ty::f32(&[n]))?;
        Ok(vec![Ty::f32(&[m, n])])
    }

    crate::twin!();
}

/// `shaders/matmul/matmul_nt.wgsl`
pub const KERNEL: TilesKernel = TilesKernel { stem: "matmul_nt", layout: MatMul::Nt, cases };

fn cases() -> Vec<Case> {
    let mut s = Samples::new("matmul_nt");
    let mut cases = Vec::new();
    for (m, n, k) in matmul_tiles::SHAPES {
        let inputs = vec![s.normal(&[m, k]), s.normal(&[n, k])];
        cases.push(Case::new(format!("{m}x{n}x{k}"), MatMul::Nt, inputs.clone(), PRODUCT));
        let layer = [inputs, vec![s.normal(&[n])]].concat();
        cases.push(Case::new(format!("{m}x{n}x{k} relu"), Linear(Activation::Relu), layer.clone(), PRODUCT));
        let sigmoid = Tolerance { atol: 4e-5, ..SIGMOID };
        cases.push(Case::new(format!("{m}x{n}x{k} sigmoid"), Linear(Activation::Sigmoid), layer, sigmoid));
    }
    cases.extend(matmul_cases::activation_cases("matmul_nt"));
    for (m, n, k) in matmul_tiles::GATHERED {
        let op = Gathered { op: Arc::new(Linear(Activation::Relu)), position: 0, gather: BatchGather { features: k } };
        let inputs = [gathered::batch(&mut s, m, k), vec![s.normal(&[n, k]), s.normal(&[n])]].concat();
        cases.push(Case::new(format!("{m}x{n}x{k} gathered"), op, inputs, PRODUCT));
    }
    let inputs = vec![s.normal(&[128, 784]), s.normal(&[64, 784]), s.normal(&[64])];
    cases.push(Case::new("128x64x784 relu", Linear(Activation::Relu), inputs, PRODUCT).benched());
    cases
}
