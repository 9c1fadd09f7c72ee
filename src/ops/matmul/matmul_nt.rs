//! Forward pass of a linear layer: y = act(x · Wᵀ + b), and the plain product a · bᵀ.

use std::sync::Arc;

use super::matmul_product::{self, Form};
use super::matmul_tiles::{self, Access, Operands, PRODUCT};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::activation::{Activation, SIGMOID};
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::{self, Gathered};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance};
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

/// `shaders/matmul_nt.wgsl`
pub struct MatMulNtKernel;

impl Kernel for MatMulNtKernel {
    fn stem(&self) -> &'static str {
        "matmul_nt"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        gathered::unwrap(op, 0).is_some_and(|(op, gathered)| {
            op.downcast::<Linear>().is_some() || (!gathered && op.downcast::<MatMul>() == Some(&MatMul::Nt))
        })
    }

    fn rank(&self, r: &Request<'_>, profile: &DeviceProfile) -> u8 {
        matmul_product::rank(Form::Registers, r, profile)
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (op, gathered) = gathered::unwrap(r.op, 0).unwrap_or((r.op, false));
        let linear = op.downcast::<Linear>();
        // The data and the row numbers stand where x would.
        let w = 1 + usize::from(gathered);
        let (n, k) = matrix(self.stem(), "W", r.inputs[w])?;
        let m = r.outputs[0].shape.dims()[0];
        let (bias, activation) = linear.map_or((Bind::Input(0), Activation::Identity), |op| (Bind::Input(w + 1), op.0));
        let mut bindings = vec![Bind::Input(0), Bind::Input(w), bias, Bind::Output(0)];
        bindings.extend(gathered.then_some(Bind::Input(1)));
        Ok(matmul_tiles::launch(
            &Operands {
                stem: self.stem(),
                extents: Extents { m, n, k },
                aligned: k.is_multiple_of(4) && n.is_multiple_of(4),
                access: if gathered { Access::GatherLeft } else { Access::Plain },
            },
            bindings,
            &[activation as u32, u32::from(linear.is_some())],
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        matmul_product::cost(r)
    }

    fn cases(&self) -> Vec<Case> {
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
        cases.extend(matmul_product::activation_cases(self.stem()));
        for (m, n, k) in matmul_tiles::GATHERED {
            let op =
                Gathered { op: Arc::new(Linear(Activation::Relu)), position: 0, gather: BatchGather { features: k } };
            let inputs = [gathered::batch(&mut s, m, k), vec![s.normal(&[n, k]), s.normal(&[n])]].concat();
            cases.push(Case::new(format!("{m}x{n}x{k} gathered"), op, inputs, PRODUCT));
        }
        let inputs = vec![s.normal(&[128, 784]), s.normal(&[64, 784]), s.normal(&[64])];
        cases.push(Case::new("128x64x784 relu", Linear(Activation::Relu), inputs, PRODUCT).benched());
        cases
    }
}
