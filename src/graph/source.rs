//! Values that come from outside a graph: parameters, optimiser state, data.

use crate::error::Result;
use crate::graph::Op;
use crate::tensor::{HostTensor, Real, Ty};

/// What a source is for; decides the arena it lives in on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A trained parameter.
    Param,
    /// Adam's running mean of gradients, or SGD's momentum.
    FirstMoment,
    /// Adam's running mean of squared gradients.
    SecondMoment,
    /// Small values that change from step to step: clock, learning rate, weights of the losses.
    State,
    /// A data set that stays on the device.
    Data,
    /// Anything else the host writes.
    Input,
}

/// A named value from outside.
#[derive(Clone, Debug)]
pub struct Source {
    /// What it is for.
    pub role: Role,
    /// Its name, unique within its role.
    pub name: String,
    /// Its type.
    pub ty: Ty,
}

impl Source {
    /// A source has nothing to compute: whoever runs the graph feeds it.
    fn eval<T: Real>(&self, _x: &[&HostTensor<T>], _y: &mut [HostTensor<T>]) {}
}

impl Op for Source {
    fn name(&self) -> &'static str {
        "source"
    }

    fn attributes(&self) -> String {
        format!("{:?} {}", self.role, self.name)
    }

    fn infer(&self, _inputs: &[&Ty]) -> Result<Vec<Ty>> {
        Ok(vec![self.ty.clone()])
    }

    crate::twin!();
}
