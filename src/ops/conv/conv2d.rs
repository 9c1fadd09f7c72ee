//! Convolution: y\[n,i,j,o\] = Σ_{a,b,c} x\[n, i·s+a·d−p, j·s+b·d−p, c\] w\[o,a,b,c\], what machine learning calls so: the kernel
//! is not turned. Golden `conv2d`.

use super::conv2d_dw::Conv2dDw;
use super::conv2d_dx::Conv2dDx;
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

/// y \[N·H'·W', O\] for inputs (x \[N·H·W, C\], w \[O, K·L·C/groups\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d(pub Convolution);

impl Conv2d {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok(counts) = self.0.of_input("conv2d", &x[0].ty(), &x[1].ty()) else { return };
        let (x, w, y) = (x[0].real(), x[1].real(), y[0].real_mut());
        self.0.each_term(counts, |result, seen, weight| y[result] += x[seen] * w[weight]);
    }
}

/// Type of the output.
fn output(of: &Convolution, counts: Counts) -> Result<Ty> {
    let [height, width] = of.output()?;
    Ok(Ty::f32(&[counts.images * height * width, counts.outputs]))
}

impl Op for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, w] = arity(self.name(), inputs)?;
        let counts = self.0.of_input(self.name(), x, w)?;
        Ok(vec![output(&self.0, counts)?])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None, None]) };
        let dx = g.apply(Conv2dDx(self.0), &[dy, x[1]])?;
        Ok(vec![Some(dx), Some(g.apply(Conv2dDw(self.0), &[dy, x[0]])?)])
    }

    crate::twin!();
}

/// y = act(conv(x, w) + b) for inputs (x, w, b \[O\]): convolution, bias and activation in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvLayer {
    /// The convolution.
    pub of: Convolution,
    /// What is applied to its results.
    pub activation: Activation,
}

impl ConvLayer {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        Conv2d(self.of).eval(&x[..2], y);
        let bias = x[2].real();
        for row in y[0].real_mut().chunks_exact_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(y, &b)| *y = self.activation.value(*y + b));
        }
    }
}

impl Op for ConvLayer {
    fn name(&self) -> &'static str {
        "conv2d_layer"
    }

    fn attributes(&self) -> String {
        [self.of.attributes(), self.activation.attributes()].join(" ").trim_end().to_string()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, w, b] = arity(self.name(), inputs)?;
        let counts = self.of.of_input(self.name(), x, w)?;
        same(self.name(), "the bias", b, &Ty::f32(&[counts.outputs]))?;
        Ok(vec![output(&self.of, counts)?])
    }

    crate::twin!();
}

/// The convolution that an operation is, and the activation of one with a bias.
pub(crate) fn parts(op: &dyn Op) -> Option<(Convolution, Option<Activation>)> {
    let plain = op.downcast::<Conv2d>().map(|op| (op.0, None));
    plain.or(op.downcast::<ConvLayer>().map(|op| (op.of, Some(op.activation))))
}

/// `shaders/conv/conv2d.wgsl`, an invocation for each result.
pub struct Conv2dKernel;

impl Kernel for Conv2dKernel {
    fn stem(&self) -> &'static str {
        "conv2d"
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
        let counts = of.of_input(self.stem(), r.inputs[0], r.inputs[1])?;
        let elements = r.outputs[0].elements();
        let params =
            direct::params(&of, counts, elements, activation.unwrap_or_default(), u32::from(activation.is_some()))?;
        // Without a bias something has to be bound in its place.
        let bias = Bind::Input(if activation.is_some() { 2 } else { 1 });
        let bindings = vec![Bind::Input(0), Bind::Input(1), bias, Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(elements)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let (of, _) = parts(r.op).ok_or_else(|| r.foreign())?;
        Ok(Cost::streaming(r, 2.0 * of.products(of.of_input(self.stem(), r.inputs[0], r.inputs[1])?)))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases = Vec::new();
        for (number, tried) in direct::plain().into_iter().chain(direct::grouped()).enumerate() {
            let [x, w, _] = tried.inputs(&mut s);
            cases.push(Case::new(tried.label(), Conv2d(tried.of), vec![x.clone(), w.clone()], SUM));
            let activation = Activation::ALL[number % Activation::ALL.len()];
            let layer = ConvLayer { of: tried.of, activation };
            let bias = s.normal(&[tried.counts.outputs]);
            let label = format!("{} {}", tried.label(), activation.word());
            cases.push(Case::new(label, layer, vec![x, w, bias], matmul_cases::of_layer(activation)));
        }
        let tried = direct::benched();
        let [x, w, _] = tried.inputs(&mut s);
        let layer = ConvLayer { of: tried.of, activation: Activation::Relu };
        cases.push(Case::new(tried.label(), layer, vec![x, w, s.normal(&[tried.counts.outputs])], SUM).benched());
        cases
    }
}
