//! The same value, whose gradient is scaled: a view, which costs nothing on any device.
//!
//! What is in front of it learns at another pace than what is behind it: an encoder at the price of its bits, while the model that
//! counts them learns what it can.

use super::binary::Binary;
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, float, same};
use crate::tensor::{HostTensor, Real, Ty};

/// The value of the first input, its gradient times the second one, a scalar, which gets none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleGradient;

impl ScaleGradient {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].data.clone_from(&x[0].data);
    }
}

impl Op for ScaleGradient {
    fn name(&self) -> &'static str {
        "scale_gradient"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, scale] = arity(self.name(), inputs)?;
        float(self.name(), "x", x)?;
        same(self.name(), "the scale", scale, &Ty::f32(&[]))?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None; 2]) };
        Ok(vec![Some(g.apply(Binary::Mul, &[dy, x[1]])?), None])
    }

    fn views(&self) -> Vec<(usize, usize)> {
        vec![(0, 0)]
    }

    crate::twin!();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::graph::{Feeds, Role, interpret};
    use crate::ops::array::sum_all::SumAll;

    #[test]
    fn the_value_stays_and_the_gradient_is_scaled() {
        let g = &mut Graph::new();
        let x = g.source(Role::Param, "x", Ty::f32(&[2]));
        let [one, scale] = ["one", "scale"].map(|name| g.source(Role::Setting, name, Ty::f32(&[])));
        let y = g.apply(ScaleGradient, &[x, scale]).unwrap();
        let square = g.apply(Binary::Mul, &[y, y]).unwrap();
        let total = g.apply(SumAll, &[square]).unwrap();
        let gradient = grad(g, &[(total, one)], &[x]).unwrap()[0].unwrap();
        let mut feeds: Feeds<f64> = [
            ("x".to_string(), HostTensor::from_f32(&[2], &[1.0, -3.0])),
            ("one".to_string(), HostTensor::from_f32(&[], &[1.0])),
            ("scale".to_string(), HostTensor::from_f32(&[], &[0.25])),
        ]
        .into();
        let values = interpret(g, &mut feeds).unwrap();
        assert_eq!((values.get(total).real(), values.get(gradient).real()), (&[10.0][..], &[0.5, -1.5][..]));
    }
}
