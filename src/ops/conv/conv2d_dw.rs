//! Gradient of a convolution with respect to its weights, dw\[o,a,b,c\] = Σ_{n,i,j} dy\[n,i,j,o\] x\[n, i·s+a·d−p, j·s+b·d−p, c\],
//! and, in the fused form, of the bias behind it, db\[o\] = Σ_{n,i,j} dy\[n,i,j,o\]. Source: `FORMULAS.md` §4a.

use super::Convolution;
use super::conv2d::Conv2d;
use super::conv2d_dx::Conv2dDx;
use super::direct::{self, SUM};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::arity;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dw \[O, K·L·C/groups\] for inputs (dy \[N·H'·W', O\], x \[N·H·W, C\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dDw(pub Convolution);

impl Conv2dDw {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok(counts) = self.0.of_both("conv2d_dw", &x[0].ty(), &x[1].ty()) else { return };
        let (dy, x, dw) = (x[0].real(), x[1].real(), y[0].real_mut());
        self.0.each_term(counts, |result, seen, weight| dw[weight] += dy[result] * x[seen]);
    }
}

impl Op for Conv2dDw {
    fn name(&self) -> &'static str {
        "conv2d_dw"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy, x] = arity(self.name(), inputs)?;
        Ok(vec![self.0.weights(self.0.of_both(self.name(), dy, x)?)])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(of_dw) = dy[0] else { return Ok(vec![None, None]) };
        let of_dy = g.apply(Conv2d(self.0), &[x[1], of_dw])?;
        Ok(vec![Some(of_dy), Some(g.apply(Conv2dDx(self.0), &[x[0], of_dw])?)])
    }

    crate::twin!();
}

/// (dw, db \[O\]) for the same inputs: both gradients in one pass over dy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dDwBias(pub Convolution);

impl Conv2dDwBias {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        Conv2dDw(self.0).eval(x, &mut y[..1]);
        let db = y[1].real_mut();
        for row in x[0].real().chunks_exact(db.len()) {
            db.iter_mut().zip(row).for_each(|(db, &dy)| *db += dy);
        }
    }
}

impl Op for Conv2dDwBias {
    fn name(&self) -> &'static str {
        "conv2d_dw_bias"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy, x] = arity(self.name(), inputs)?;
        let counts = self.0.of_both(self.name(), dy, x)?;
        Ok(vec![self.0.weights(counts), Ty::f32(&[counts.outputs])])
    }

    crate::twin!();
}

/// The convolution whose weights' gradient an operation is, and whether it has the bias's as well.
pub(in crate::ops) fn parts(op: &dyn Op) -> Option<(Convolution, bool)> {
    let plain = op.downcast::<Conv2dDw>().map(|op| (op.0, false));
    plain.or(op.downcast::<Conv2dDwBias>().map(|op| (op.0, true)))
}

/// `shaders/conv/conv2d_dw.wgsl`, a workgroup for each result.
pub struct Conv2dDwKernel;

impl Kernel for Conv2dDwKernel {
    fn stem(&self) -> &'static str {
        "conv2d_dw"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        parts(op).is_some()
    }

    /// Behind the products, which know no groups.
    fn rank(&self, _: &Request<'_>, _: &crate::ops::kernel::profile::DeviceProfile) -> Result<u8> {
        Ok(u8::MAX)
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (of, biased) = parts(r.op).ok_or_else(|| r.foreign())?;
        let counts = of.of_both(self.stem(), r.inputs[0], r.inputs[1])?;
        let elements = r.outputs[0].elements();
        let params = direct::params(&of, counts, elements, Activation::Identity, biased)?;
        let db = if biased { Bind::Output(1) } else { Bind::Scratch(0) };
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0), db];
        // The groups behind those of the weights sum the bias.
        let groups = elements + if biased { counts.outputs } else { 0 };
        let scratch = if biased { Vec::new() } else { vec![4] };
        Ok(Launch { scratch, ..Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(groups)) })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let (of, _) = parts(r.op).ok_or_else(|| r.foreign())?;
        Ok(Cost::streaming(r, 2.0 * of.products(of.of_both(self.stem(), r.inputs[0], r.inputs[1])?)))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases = Vec::new();
        for tried in direct::plain().into_iter().chain(direct::grouped()) {
            let [x, _, dy] = tried.inputs(&mut s);
            cases.push(Case::new(tried.label(), Conv2dDw(tried.of), vec![dy.clone(), x.clone()], SUM));
            cases.push(Case::new(format!("{} with bias", tried.label()), Conv2dDwBias(tried.of), vec![dy, x], SUM));
        }
        let tried = direct::benched();
        let [x, _, dy] = tried.inputs(&mut s);
        cases.push(Case::new(tried.label(), Conv2dDwBias(tried.of), vec![dy, x], SUM).benched());
        cases
    }
}
