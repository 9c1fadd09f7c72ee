//! Gradient of a linear layer with respect to its input: dx = (dy · W) ∘ act'(h), and the plain
//! product a · b.

use super::matmul_product::{self, Form};
use super::matmul_tiles::{self, Access, Operands, PRODUCT};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request};
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

/// `shaders/matmul_nn.wgsl`
pub struct MatMulNnKernel;

impl Kernel for MatMulNnKernel {
    fn stem(&self) -> &'static str {
        "matmul_nn"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<MatMul>() == Some(&MatMul::Nn) || op.downcast::<LinearInputGrad>().is_some()
    }

    fn rank(&self, r: &Request<'_>, profile: &DeviceProfile) -> u8 {
        matmul_product::rank(Form::Registers, r, profile)
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let e = MatMul::Nn.extents(r.inputs[0], r.inputs[1])?;
        let fused = r.op.downcast::<LinearInputGrad>();
        let (h, activation) = fused.map_or((Bind::Input(0), Activation::Identity), |op| (Bind::Input(2), op.0));
        Ok(matmul_tiles::launch(
            &Operands {
                stem: self.stem(),
                extents: e,
                aligned: e.k.is_multiple_of(4) && e.n.is_multiple_of(4),
                access: Access::Mask,
            },
            vec![Bind::Input(0), Bind::Input(1), h, Bind::Output(0)],
            &[activation as u32],
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        matmul_product::cost(r)
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("matmul_nn");
        let mut cases = Vec::new();
        for (m, n, k) in matmul_tiles::SHAPES {
            let inputs = vec![s.normal(&[m, k]), s.normal(&[k, n])];
            cases.push(Case::new(format!("{m}x{n}x{k}"), MatMul::Nn, inputs.clone(), PRODUCT));
            for activation in Activation::ALL.into_iter().filter(|&op| op != Activation::Identity) {
                let h = s.uniform(&[m, n], matmul_product::lowest(activation), 1.0);
                let label = format!("{m}x{n}x{k} {activation:?}");
                let masked = [inputs.clone(), vec![h]].concat();
                cases.push(Case::new(label, LinearInputGrad(activation), masked, PRODUCT));
            }
        }
        let inputs = vec![s.normal(&[128, 784]), s.normal(&[784, 64]), s.normal(&[128, 64])];
        cases.push(Case::new("128x64x784 relu", LinearInputGrad(Activation::Relu), inputs, PRODUCT).benched());
        cases
    }
}
