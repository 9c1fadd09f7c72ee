//! Gradient of a convolution with respect to its input, dx\[n,u,v,c\] = Σ dy\[n,i,j,o\] w\[o,a,b,c\] over what saw that pixel:
//! i·s + a·d − p = u and j·s + b·d − p = v.
//!
//! It is the transposed convolution, from few pixels to many, whose weights are those of the convolution that it turns back,
//! \[in, K·L·out\]. Where the stride leaves pixels over, they get what little saw them, or 0: dx has the size of x.
//! Golden `conv2d`, `conv_transpose2d`.

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
use crate::ops::matmul::matmul_cases;
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

/// y = act(convᵀ(x, w) + b) for inputs (x \[N·H'·W', O\], w, b \[C\]): a transposed convolution, bias and activation in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTransposeLayer {
    /// The convolution that is turned back.
    pub of: Convolution,
    /// What is applied to its results.
    pub activation: Activation,
}

impl ConvTransposeLayer {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        Conv2dDx(self.of).eval(&x[..2], y);
        let bias = x[2].real();
        for row in y[0].real_mut().chunks_exact_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(y, &b)| *y = self.activation.value(*y + b));
        }
    }
}

impl Op for ConvTransposeLayer {
    fn name(&self) -> &'static str {
        "conv_transpose2d_layer"
    }

    fn attributes(&self) -> String {
        [self.of.attributes(), self.activation.attributes()].join(" ").trim_end().to_string()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, w, b] = arity(self.name(), inputs)?;
        let counts = self.of.of_output(self.name(), x, w)?;
        same(self.name(), "the bias", b, &Ty::f32(&[counts.inputs]))?;
        Ok(vec![input(&self.of, counts)])
    }

    crate::twin!();
}

/// What becomes of the finished sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// They are the result.
    Nothing,
    /// Times the slope of an activation.
    Slope(Activation),
    /// With a bias, through an activation.
    Bias(Activation),
}

impl After {
    /// The activation in question.
    pub fn activation(self) -> Activation {
        match self {
            After::Nothing => Activation::Identity,
            After::Slope(activation) | After::Bias(activation) => activation,
        }
    }
}

/// The convolution whose input's gradient an operation is, and what comes after it.
pub(crate) fn parts(op: &dyn Op) -> Option<(Convolution, After)> {
    if let Some(op) = op.downcast::<Conv2dDx>() {
        return Some((op.0, After::Nothing));
    }
    if let Some(op) = op.downcast::<Conv2dDxSlope>() {
        return Some((op.of, After::Slope(op.activation)));
    }
    op.downcast::<ConvTransposeLayer>().map(|op| (op.of, After::Bias(op.activation)))
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
        let (of, after) = parts(r.op).ok_or_else(|| r.foreign())?;
        let counts = of.of_output(self.stem(), r.inputs[0], r.inputs[1])?;
        let elements = r.outputs[0].elements();
        let what = match after {
            After::Nothing => 0,
            After::Slope(_) => 1,
            After::Bias(_) => 2,
        };
        let params = direct::params(&of, counts, elements, after.activation(), what)?;
        // Without a third input something has to be bound in its place.
        let h = Bind::Input(if what > 0 { 2 } else { 1 });
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
            let h = s.uniform(x.shape.dims(), matmul_cases::lowest(activation), 1.0);
            let label = format!("{} {}", tried.label(), activation.word());
            let slope = Conv2dDxSlope { of: tried.of, activation };
            cases.push(Case::new(label, slope, vec![dy.clone(), w.clone(), h], SUM));
            let layer = ConvTransposeLayer { of: tried.of, activation };
            let bias = s.normal(&[tried.counts.inputs]);
            let label = format!("{} back, {}", tried.label(), activation.word());
            cases.push(Case::new(label, layer, vec![dy, w, bias], matmul_cases::of_layer(activation)));
        }
        let tried = direct::benched();
        let [_, w, dy] = tried.inputs(&mut s);
        cases.push(Case::new(tried.label(), Conv2dDx(tried.of), vec![dy, w], SUM).benched());
        cases
    }
}
