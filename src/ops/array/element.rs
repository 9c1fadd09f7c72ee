//! One element of a vector as a scalar, and the vector that is zero but for one element.

use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, same, vector};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// y = x\[i\] of a vector x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element(pub usize);

impl Element {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].real_mut()[0] = x[0].real()[self.0];
    }
}

impl Op for Element {
    fn name(&self) -> &'static str {
        "element"
    }

    fn attributes(&self) -> String {
        format!("{}", self.0)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        let length = vector(self.name(), "x", x)?;
        if self.0 >= length {
            return Err(Error::graph(self.name(), format!("element {} of a vector of {length}", self.0)));
        }
        Ok(vec![Ty::f32(&[])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        let length = g.ty(x[0]).elements();
        Ok(vec![Some(g.apply(OneHot { index: self.0, length }, &[dy])?)])
    }

    crate::twin!();
}

/// A vector that holds the scalar input at one place and zeros elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneHot {
    /// The place.
    pub index: usize,
    /// Length of the vector.
    pub length: usize,
}

impl OneHot {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].real_mut()[self.index] = x[0].scalar();
    }
}

impl Op for OneHot {
    fn name(&self) -> &'static str {
        "one_hot"
    }

    fn attributes(&self) -> String {
        format!("{} of {}", self.index, self.length)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        same(self.name(), "x", x, &Ty::f32(&[]))?;
        Ok(vec![Ty::f32(&[self.length])])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(Element(self.index), &[dy])?)])
    }

    crate::twin!();
}

/// `shaders/array/element.wgsl`: both directions.
pub struct ElementKernel;

impl Kernel for ElementKernel {
    fn stem(&self) -> &'static str {
        "element"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Element>().is_some() || op.downcast::<OneHot>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.outputs[0].elements();
        let (from, to) = match r.op.downcast::<OneHot>() {
            Some(op) => (0, op.index),
            None => (r.op::<Element>()?.0, 0),
        };
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        let params = vec![n as u32, from as u32, to as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost { flops: 0.0, bytes: 4.0 + r.outputs[0].bytes() as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(0.0, 0.0, Terms::Each, "a copy rounds nothing");
        let mut s = Samples::new("element");
        vec![
            Case::new("0 of 1", Element(0), vec![s.normal(&[1])], exact),
            Case::new("3 of 4", Element(3), vec![s.normal(&[4])], exact).benched(),
            Case::new("into 2 of 67", OneHot { index: 2, length: 67 }, vec![s.normal(&[])], exact),
        ]
    }
}
