//! Gradient of a linear layer with respect to its input: dx = (dy · W) ∘ act'(h), and the plain
//! product a · b.

use super::matmul_cases;
use super::matmul_tiles::{self, PRODUCT, TilesKernel};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::activation::Activation;
use crate::ops::kernel::Case;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::matmul::{Extents, MatMul};
use crate::tensor::{HostTensor, Real, Ty};

/// dx \[M, N\] for inputs (dy \[M, K\], W \[K, N\], h \[M, N\]): the fusion of the product with the gradient
/// of the activation that made h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearInputGrad(pub Activation);

impl LinearInputGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok(extents) = MatMul::Nn.extents(&x[0].ty(), &x[1].ty()) else { return };
        let dx = y[0].real_mut();
        MatMul::Nn.compute(extents, x[0].real(), x[1].real(), dx);
        for (dx, &h) in dx.iter_mut().zip(x[2].real()) {
            *dx = *dx * self.0.slope(h);
        }
    }
}

impl Op for LinearInputGrad {
    fn name(&self) -> &'static str {
        "linear_input_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy, w, h] = arity(self.name(), inputs)?;
        let Extents { m, n, .. } = MatMul::Nn.extents(dy, w)?;
        same(self.name(), "h", h, &Ty::f32(&[m, n]))?;
        Ok(vec![h.clone()])
    }

    crate::twin!();
}

/// `shaders/matmul/matmul_nn.wgsl`
pub const KERNEL: TilesKernel = TilesKernel { stem: "matmul_nn", layout: MatMul::Nn, cases };

fn cases() -> Vec<Case> {
    let mut s = Samples::new("matmul_nn");
    let mut cases = Vec::new();
    for (m, n, k) in matmul_tiles::SHAPES {
        let inputs = vec![s.normal(&[m, k]), s.normal(&[k, n])];
        cases.push(Case::new(format!("{m}x{n}x{k}"), MatMul::Nn, inputs.clone(), PRODUCT));
        for activation in Activation::ALL.into_iter().filter(|&op| op != Activation::Identity) {
            let h = s.uniform(&[m, n], matmul_cases::lowest(activation), 1.0);
            let label = format!("{m}x{n}x{k} {activation:?}");
            let masked = [inputs.clone(), vec![h]].concat();
            cases.push(Case::new(label, LinearInputGrad(activation), masked, PRODUCT));
        }
    }
    let inputs = vec![s.normal(&[128, 784]), s.normal(&[784, 64]), s.normal(&[128, 64])];
    cases.push(Case::new("128x64x784 relu", LinearInputGrad(Activation::Relu), inputs, PRODUCT).benched());
    cases
}
