//! HOW it is computed: a printable list of kernel steps, each with its buffers, parameters and grid.
//!
//! A plan is a pure function of a graph and a device profile, so plans for any device can be made,
//! printed and tested without it.

mod dump;
mod fuse;
mod fuse_sums;
mod memory;
mod rewrite;
mod steps;

use std::collections::BTreeMap;

pub use fuse::fuse;
pub use steps::{PlannedBinding, PlannedDispatch, Step};

use crate::error::Result;
use crate::graph::{Graph, Role};
use crate::ops::Cost;
use crate::tensor::Ty;

/// What kind of machine runs a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A graphics card of its own.
    Discrete,
    /// Graphics that share the processor's memory.
    Integrated,
    /// Vulkan in software.
    Software,
    /// This program's own processor kernels.
    Cpu,
}

/// What a plan needs to know of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceProfile {
    /// Kind of machine.
    pub kind: DeviceKind,
    /// Largest storage binding in bytes.
    pub max_binding: u64,
    /// Most storage buffers of one dispatch.
    pub max_storage_buffers: u32,
    /// Most workgroups along one dimension of a grid.
    pub max_groups: u32,
    /// Most invocations of a workgroup.
    pub max_workgroup: u32,
}

impl DeviceProfile {
    /// The limits that every adapter offers.
    pub fn portable(kind: DeviceKind) -> Self {
        DeviceProfile { kind, max_binding: 128 << 20, max_storage_buffers: 8, max_groups: 65_535, max_workgroup: 256 }
    }
}

/// A range of an arena that holds one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Index into [`Plan::arenas`].
    pub arena: usize,
    /// Offset in bytes.
    pub offset: usize,
    /// What lies there.
    pub ty: Ty,
}

/// One buffer of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Arena {
    /// Its name; shared between plans when it has no slash (parameters, moments, data).
    pub name: String,
    /// Its size.
    pub bytes: usize,
}

/// A list of steps and the memory they work in.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the plan is for: "train", "evaluate".
    pub name: String,
    /// The buffers.
    pub arenas: Vec<Arena>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Where each source lies, with its role.
    pub sources: BTreeMap<String, (Role, Place)>,
    /// Where each wanted value lies after the last step.
    pub results: BTreeMap<String, Place>,
}

impl Plan {
    /// Plans a graph after fusing what can be fused.
    ///
    /// # Errors
    /// When an operation has no kernel, a tensor exceeds the device's limits, or a value would be
    /// overwritten before its last use.
    pub fn new(name: &str, graph: &Graph, profile: &DeviceProfile) -> Result<Plan> {
        Self::unfused(name, &fuse(graph)?, profile)
    }

    /// Plans a graph as it is.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn unfused(name: &str, graph: &Graph, profile: &DeviceProfile) -> Result<Plan> {
        let launches = steps::launches(graph)?;
        let layout = memory::layout(name, graph, &launches)?;
        let steps = steps::bind(graph, &launches, &layout, profile)?;
        let sources = graph
            .sources()
            .map(|(var, source)| (source.name.clone(), (source.role, layout.place(graph, var))))
            .collect();
        let results = graph.results().iter().map(|(name, var)| (name.clone(), layout.place(graph, *var))).collect();
        Ok(Plan { name: name.to_string(), arenas: layout.arenas, steps, sources, results })
    }

    /// Dispatches of one run.
    pub fn dispatches(&self) -> usize {
        self.steps.iter().map(|step| step.dispatches.len()).sum()
    }

    /// Device memory in bytes.
    pub fn bytes(&self) -> usize {
        self.arenas.iter().map(|arena| arena.bytes).sum()
    }

    /// Arithmetic and traffic of one run.
    pub fn cost(&self) -> Cost {
        self.steps.iter().fold(Cost::default(), |sum, step| Cost {
            flops: sum.flops + step.cost.flops,
            bytes: sum.bytes + step.cost.bytes,
        })
    }
}
