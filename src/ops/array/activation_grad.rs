//! Gradient of an activation from its output: dx = dy ∘ act'(h), h = act(x).

use super::activation::{Activation, SIGMOID, SMOOTH};
use super::binary::Binary;
use super::unary::Unary;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dx = dy ∘ act'(h) for inputs (dy, h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivationGrad(pub Activation);

impl ActivationGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (dy, h) = (x[0].real(), x[1].real());
        for (i, dx) in y[0].real_mut().iter_mut().enumerate() {
            *dx = dy[i] * self.0.slope(h[i]);
        }
    }
}

impl Op for ActivationGrad {
    fn name(&self) -> &'static str {
        "activation_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy, h] = arity("activation_grad", inputs)?;
        float("activation_grad", "dy", dy)?;
        same("activation_grad", "h", h, dy)?;
        Ok(vec![dy.clone()])
    }

    /// With s(h) the slope: d/d dy = s(h) ∘ ddx, d/dh = s'(h) ∘ dy ∘ ddx, where s' is 1 − 2h for the
    /// sigmoid, −2h for tanh, e^{−h} for softplus and 0 for what is piecewise linear.
    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(ddx) = dy[0] else { return Ok(vec![None, None]) };
        let ddy = g.apply(*self, &[ddx, x[1]])?;
        let curvature = match self.0 {
            Activation::Identity | Activation::Relu | Activation::LeakyRelu | Activation::LeakierRelu => {
                return Ok(vec![Some(ddy), None]);
            }
            Activation::Sigmoid => g.apply(Unary::Affine { scale: -2.0, shift: 1.0 }, &[x[1]])?,
            Activation::Tanh => g.apply(Unary::Affine { scale: -2.0, shift: 0.0 }, &[x[1]])?,
            Activation::Softplus => {
                let negated = g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[x[1]])?;
                g.apply(Unary::Exp, &[negated])?
            }
        };
        let product = g.apply(Binary::Mul, &[ddx, x[0]])?;
        Ok(vec![Some(ddy), Some(g.apply(Binary::Mul, &[product, curvature])?)])
    }

    crate::twin!();
}

/// `shaders/array/activation_grad.wgsl`
pub struct ActivationGradKernel;

impl Kernel for ActivationGradKernel {
    fn stem(&self) -> &'static str {
        "activation_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ActivationGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let kind = r.op::<ActivationGrad>()?.0;
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32, kind as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 3.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "a product with 0 or 1 rounds nothing");
        let mut s = Samples::new("activation_grad");
        let mut cases = Vec::new();
        for n in [1, 63, 257] {
            for op in Activation::ALL {
                let tolerance = match op {
                    Activation::Identity | Activation::Relu => exact,
                    Activation::Sigmoid => SIGMOID,
                    Activation::Tanh | Activation::LeakyRelu | Activation::Softplus | Activation::LeakierRelu => SMOOTH,
                };
                let inputs = vec![s.normal(&[n]), s.uniform(&[n], -0.5, 1.0)];
                cases.push(Case::new(format!("{op:?} {n}"), ActivationGrad(op), inputs, tolerance));
            }
        }
        let h = HostTensor::from_f32(&[6], &[1e-7, 1e-3, 0.499, 0.501, 20.0, 200.0]);
        let softplus = ActivationGrad(Activation::Softplus);
        cases.push(Case::new("softplus, small and large", softplus, vec![s.normal(&[6]), h], SMOOTH));
        let inputs = vec![s.normal(&[128, 784]), s.uniform(&[128, 784], 0.0, 1.0)];
        cases.push(Case::new("sigmoid 128x784", ActivationGrad(Activation::Sigmoid), inputs, SIGMOID).benched());
        cases
    }
}
