//! Gradients of a linear layer with respect to weights and bias: dW = dyᵀ · x, db = Σ dy, and the
//! plain product aᵀ · b.

use std::sync::Arc;

use super::matmul_product::{self, Form};
use super::matmul_tiles::{self, Access, Operands, PRODUCT};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered::{self, Gathered};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request};
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

/// `shaders/matmul_tn.wgsl`
pub struct MatMulTnKernel;

impl Kernel for MatMulTnKernel {
    fn stem(&self) -> &'static str {
        "matmul_tn"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        gathered::unwrap(op, 1).is_some_and(|(op, gathered)| {
            op.downcast::<LinearWeightGrad>().is_some() || (!gathered && op.downcast::<MatMul>() == Some(&MatMul::Tn))
        })
    }

    fn rank(&self, r: &Request<'_>, profile: &DeviceProfile) -> u8 {
        matmul_product::rank(Form::Registers, r, profile)
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (op, gathered) = gathered::unwrap(r.op, 1).unwrap_or((r.op, false));
        let with_bias = op.downcast::<LinearWeightGrad>().is_some();
        // Gathered inputs are the data, the row numbers and dy.
        let (dy, x) = if gathered { (2, 0) } else { (0, 1) };
        let (k, m) = matrix(self.stem(), "dy", r.inputs[dy])?;
        let n = r.outputs[0].shape.dims()[1];
        let db = if with_bias { Bind::Output(1) } else { Bind::Scratch(0) };
        let mut bindings = vec![Bind::Input(dy), Bind::Input(x), Bind::Output(0), db];
        bindings.extend(gathered.then_some(Bind::Input(1)));
        let mut launch = matmul_tiles::launch(
            &Operands {
                stem: self.stem(),
                extents: Extents { m, n, k },
                aligned: m.is_multiple_of(4) && n.is_multiple_of(4),
                access: if gathered { Access::GatherRight } else { Access::Plain },
            },
            bindings,
            &[u32::from(with_bias)],
        );
        if !with_bias {
            launch.scratch.push(4);
        }
        Ok(launch)
    }

    fn cost(&self, r: &Request<'_>) -> Cost {
        matmul_product::cost(r)
    }

    fn cases(&self) -> Vec<Case> {
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
}
