//! The same elements under another shape: a view, which costs nothing on any device.
//!
//! An activation is \[N, H, W, C\], channels innermost; \[N·H·W, C\] is the same memory, so that what is written for
//! matrices (bias, activation, sums, norms, products) serves images, with a pixel for a row.

use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::arity;
use crate::tensor::{HostTensor, Real, Shape, Ty};

/// The elements of one input of any type, in their order, under this shape of as many elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reshape(pub Shape);

impl Reshape {
    /// A view with these extents.
    pub fn to(dims: &[usize]) -> Self {
        Reshape(Shape::new(dims))
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].data.clone_from(&x[0].data);
    }
}

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn attributes(&self) -> String {
        format!("to {}", self.0)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        if x.elements() != self.0.elements() {
            let (has, wanted) = (x.elements(), self.0.elements());
            return Err(Error::graph(self.name(), format!("{x} has {has} elements, {} has {wanted}", self.0)));
        }
        Ok(vec![Ty { shape: self.0.clone(), dtype: x.dtype }])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        let shape = g.ty(x[0]).shape.clone();
        Ok(vec![Some(g.apply(Reshape(shape), &[dy])?)])
    }

    fn views(&self) -> Vec<(usize, usize)> {
        vec![(0, 0)]
    }

    crate::twin!();
}
