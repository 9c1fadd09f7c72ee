//! Gradient of [`IntervalBits`](super::interval_bits::IntervalBits) by both edges.
//!
//! d bits/du = −e^a/ln 2 and d bits/dl = e^b/ln 2 with a = ln σ'(u) − ln P = softplus(l) − softplus(u) − log(1 − e^{l − u}) and b
//! = softplus(−u) − softplus(−l) − log(1 − e^{l − u}); on the side of 0 where the two softplus of one of them are large their
//! difference is that of the other less u − l.

use super::interval_bits::{cases, log1m_exp, softplus};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, float, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (du, dl) for inputs (u, l, dy) of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalBitsGrad;

impl IntervalBitsGrad {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [du, dl] = y else { return };
        for (i, (du, dl)) in du.real_mut().iter_mut().zip(dl.real_mut()).enumerate() {
            let [u, l, dy] = [0, 1, 2].map(|input| x[input].real()[i]);
            let d = u - l;
            let (inside, scale) = (log1m_exp(d), dy / T::of(std::f64::consts::LN_2));
            let (a, b) = if u + l > T::zero() {
                let b = softplus(-u) - softplus(-l);
                (-b - d, b)
            } else {
                let a = softplus(l) - softplus(u);
                (a, -a - d)
            };
            *du = -scale * (a - inside).exp();
            *dl = scale * (b - inside).exp();
        }
    }
}

impl Op for IntervalBitsGrad {
    fn name(&self) -> &'static str {
        "interval_bits_grad"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [upper, lower, dy] = arity(self.name(), inputs)?;
        float(self.name(), "the upper edge", upper)?;
        same(self.name(), "the lower edge", lower, upper)?;
        same(self.name(), "the gradient", dy, upper)?;
        Ok(vec![upper.clone(), upper.clone()])
    }

    crate::twin!();
}

/// `shaders/rate/interval_bits_grad.wgsl`
pub struct IntervalBitsGradKernel;

impl Kernel for IntervalBitsGradKernel {
    fn stem(&self) -> &'static str {
        "interval_bits_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<IntervalBitsGrad>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.inputs[0].elements();
        let bindings = [0, 1, 2].map(Bind::Input).into_iter().chain([Bind::Output(0), Bind::Output(1)]).collect();
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 50.0 * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "WGSL's exp and log at 3 ULP and more, of arguments that are sums of three terms";
        let tolerance = Tolerance::new(2e-6, 4e-5, Terms::Each, why);
        cases("interval_bits_grad", |s, mut inputs, label| {
            inputs.push(s.cheap(inputs[0].shape.dims()));
            Case::new(label, IntervalBitsGrad, inputs, tolerance)
        })
    }
}
