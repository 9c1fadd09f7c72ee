//! The same value, which no gradient goes through: a view, which costs nothing on any device.
//!
//! What is behind it counts as given, so that a loss moves only what is in front of it.

use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::arity;
use crate::tensor::{HostTensor, Real, Ty};

/// The value of one input of any type, and a gradient of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopGradient;

impl StopGradient {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        y[0].data.clone_from(&x[0].data);
    }
}

impl Op for StopGradient {
    fn name(&self) -> &'static str {
        "stop_gradient"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, _g: &mut Graph, _x: &[Var], _y: &[Var], _dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        Ok(vec![None])
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
    use crate::graph::Role;
    use crate::ops::array::binary::Binary;
    use crate::ops::array::sum_all::SumAll;

    #[test]
    fn what_is_behind_it_counts_as_given() {
        let g = &mut Graph::new();
        let x = g.source(Role::Param, "x", Ty::f32(&[3]));
        let one = g.source(Role::Setting, "one", Ty::f32(&[]));
        let given = g.apply(StopGradient, &[x]).unwrap();
        let product = g.apply(Binary::Mul, &[x, given]).unwrap();
        let total = g.apply(SumAll, &[product]).unwrap();
        // d Σ x·stop(x) / dx is stop(x), not 2x: one product of the sum's gradient with the value behind the view.
        let gradient = grad(g, &[(total, one)], &[x]).unwrap()[0].unwrap();
        let node = &g.nodes()[gradient.node];
        assert_eq!(node.op.name(), "binary");
        assert!(node.inputs.contains(&given));
        let alone = g.apply(SumAll, &[given]).unwrap();
        assert_eq!(grad(g, &[(alone, one)], &[x]).unwrap(), [None]);
    }
}
