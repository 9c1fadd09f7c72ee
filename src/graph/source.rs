//! Values that come from outside a graph: parameters, optimiser state, data.

use crate::error::Result;
use crate::graph::Op;
use crate::tensor::{HostTensor, Real, Ty};

/// What a source is for: decides how long it lives, who moves it, and the arena it lies in on a device.
///
/// A checkpoint is what its roles say: see [`Role::is_stored`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A trained parameter; those of a model lie side by side. Shared by all plans on a device.
    Param,
    /// Kept and stored like a parameter, but moved by no optimiser: running averages, what is tied or frozen. Lies
    /// behind the parameters, shared as they are.
    Buffer,
    /// Adam's running mean of gradients, or SGD's momentum.
    FirstMoment,
    /// Adam's running mean of squared gradients.
    SecondMoment,
    /// A running mean of a trained parameter.
    Average,
    /// A plan's own small values that change from step to step and decide how it goes on: its clock, weights of losses
    /// that move, and their memories.
    State,
    /// A plan's own values that a run sets before its first step, or that are read and forgotten: the learning rate,
    /// weights of losses that stay, the ring of losses.
    Setting,
    /// A data set that stays on the device.
    Data,
    /// Anything else the host writes.
    Input,
}

impl Role {
    /// Whether it is one of a model's own values, which lie in one arena.
    pub fn is_parameter(self) -> bool {
        matches!(self, Role::Param | Role::Buffer)
    }

    /// Whether training cannot go on without it, so that a checkpoint holds it.
    pub fn is_stored(self) -> bool {
        match self {
            Role::Param | Role::Buffer | Role::State => true,
            Role::FirstMoment | Role::SecondMoment | Role::Average => true,
            Role::Setting | Role::Data | Role::Input => false,
        }
    }
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
