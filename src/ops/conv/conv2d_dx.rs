//! Gradient of a convolution with respect to its input, dx\[n,u,v,c\] = Σ dy\[n,i,j,o\] w\[o,a,b,c\] over what saw that pixel:
//! i·s + a·d − p = u and j·s + b·d − p = v.
//!
//! It is the transposed convolution, from few pixels to many, whose weights are those of the convolution that it turns back,
//! \[in, K·L·out\]. Where the stride leaves pixels over, they get what little saw them, or 0: dx has the size of x.
//! Source: `FORMULAS.md` §4a, goldens `conv2d`, `conv_transpose2d`.

use super::conv2d::Conv2d;
use super::conv2d_dw::Conv2dDw;
use super::direct::{self, SUM};
use super::{Convolution, Counts};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::ops::matmul::matmul_product;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// dx \[N·H·W, C\] for inputs (dy \[N·H'·W', O\], w \[O, K·L·C/groups\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dDx(pub Convolution);

impl Conv2dDx {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok(counts) = self.0.of_output("conv2d_dx", &x[0].ty(), &x[1].ty()) else { return };
        let (dy, w, dx) = (x[0].real(), x[1].real(), y[0].real_mut());
        self.0.each_term(counts, |result, seen, weight| dx[seen] += dy[result] * w[weight]);
    }
}

/// Type of the input's gradient.
fn input(of: &Convolution, counts: Counts) -> Ty {
    Ty::f32(&[counts.images * of.size[0] * of.size[1], counts.inputs])
}

impl Op for Conv2dDx {
    fn name(&self) -> &'static str {
        "conv2d_dx"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy, w] = arity(self.name(), inputs)?;
        let counts = self.0.of_output(self.name(), dy, w)?;
        Ok(vec![input(&self.0, counts)])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(of_dx) = dy[0] else { return Ok(vec![None, None]) };
        let of_dy = g.apply(Conv2d(self.0), &[of_dx, x[1]])?;
        Ok(vec![Some(of_dy), Some(g.apply(Conv2dDw(self.0), &[x[0], of_dx])?)])
    }

    crate::twin!();
}

/// dx ∘ act'(h) for inputs (dy, w, h \[N·H·W, C\]), h what the activation before the convolution gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dDxSlope {
    /// The convolution.
    pub of: Convolution,
    /// Whose slope it is.
    pub activation: Activation,
}

impl Conv2dDxSlope {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        Conv2dDx(self.of).eval(&x[..2], y);
        y[0].real_mut().iter_mut().zip(x[2].real()).for_each(|(dx, &h)| *dx = *dx * self.activation.slope(h));
    }
}

impl Op for Conv2dDxSlope {
    fn name(&self) -> &'static str {
        "conv2d_dx_slope"
    }

    fn attributes(&self) -> String {
        [self.of.attributes(), self.activation.attributes()].join(" ").trim_end().to_string()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [dy, w, h] = arity(self.name(), inputs)?;
        let dx = input(&self.of, self.of.of_output(self.name(), dy, w)?);
        same(self.name(), "h", h, &dx)?;
        Ok(vec![dx])
    }

    crate::twin!();
}

/// The convolution whose input's gradient an operation is, and the activation of one with a slope.
pub(crate) fn parts(op: &dyn Op) -> Option<(Convolution, Option<Activation>)> {
    let plain = op.downcast::<Conv2dDx>().map(|op| (op.0, None));
    plain.or(op.downcast::<Conv2dDxSlope>().map(|op| (op.of, Some(op.activation))))
}

/// `shaders/conv/conv2d_dx.wgsl`, an invocation for each result.
pub struct Conv2dDxKernel;

impl Kernel for Conv2dDxKernel {
    fn stem(&self) -> &'static str {
        "conv2d_dx"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        parts(op).is_some()
    }

    /// Behind the products, which know no groups.
    fn rank(&self, _: &Request<'_>, _: &crate::ops::kernel::profile::DeviceProfile) -> Result<u8> {
        Ok(u8::MAX)
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (of, activation) = parts(r.op).ok_or_else(|| r.foreign())?;
        let counts = of.of_output(self.stem(), r.inputs[0], r.inputs[1])?;
        let elements = r.outputs[0].elements();
        let params = direct::params(&of, counts, elements, activation.unwrap_or_default(), activation.is_some())?;
        // Without a slope something has to be bound in its place.
        let h = Bind::Input(if activation.is_some() { 2 } else { 1 });
        let bindings = vec![Bind::Input(0), Bind::Input(1), h, Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(elements)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let (of, _) = parts(r.op).ok_or_else(|| r.foreign())?;
        Ok(Cost::streaming(r, 2.0 * of.products(of.of_output(self.stem(), r.inputs[0], r.inputs[1])?)))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases = Vec::new();
        for (number, tried) in direct::plain().into_iter().chain(direct::grouped()).enumerate() {
            let [x, w, dy] = tried.inputs(&mut s);
            cases.push(Case::new(tried.label(), Conv2dDx(tried.of), vec![dy.clone(), w.clone()], SUM));
            let activation = Activation::ALL[number % Activation::ALL.len()];
            let h = s.uniform(x.shape.dims(), matmul_product::lowest(activation), 1.0);
            let label = format!("{} {}", tried.label(), activation.word());
            cases.push(Case::new(label, Conv2dDxSlope { of: tried.of, activation }, vec![dy, w, h], SUM));
        }
        let tried = direct::benched();
        let [_, w, dy] = tried.inputs(&mut s);
        cases.push(Case::new(tried.label(), Conv2dDx(tried.of), vec![dy, w], SUM).benched());
        cases
    }
}
