//! HOW it is computed: a printable list of kernel steps, each with its buffers, parameters and grid.
//!
//! A plan is a pure function of a graph, a device profile and choices, so plans for any device can be made,
//! printed and tested without it.

mod choices;
mod dump;
mod fuse;
mod memory;
mod pause;
mod sites;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

pub use choices::{Choices, candidates, label};
pub use fuse::{Fusion, fuse};
pub use pause::Pause;
pub use sites::{Site, sites};
pub use steps::{PlannedBinding, PlannedDispatch, Step};

use crate::error::Result;
use crate::graph::{Graph, Role};
use crate::ops::Cost;
pub use crate::ops::kernel::profile::{DeviceKind, DeviceProfile, Member};
use crate::shader::ShaderKey;
use crate::tensor::Ty;

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
    /// Its name; shared between plans when it has no slash (parameters, moments, data). Plans that share an
    /// arena must have the same sources in it, in the same places.
    pub name: String,
    /// Its size.
    pub bytes: usize,
}

impl Arena {
    /// Whether all plans of a device have this arena in common.
    pub fn is_shared(&self) -> bool {
        !self.name.contains('/')
    }
}

/// What lies in an arena of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name of the source.
    pub name: String,
    /// First byte.
    pub offset: usize,
    /// Bytes.
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
    /// Where it pauses for an exchange with others, in order.
    pub pauses: Vec<Pause>,
    /// Where each source lies, with its role.
    pub sources: BTreeMap<String, (Role, Place)>,
    /// Where each wanted value lies after the last step.
    pub results: BTreeMap<String, Place>,
}

impl Plan {
    /// Plans a graph by the static choices for the device's kind.
    ///
    /// # Errors
    /// When an operation has no kernel, a tensor exceeds the device's limits, or a value would be
    /// overwritten before its last use.
    pub fn new(name: &str, graph: &Graph, profile: &DeviceProfile) -> Result<Plan> {
        Self::chosen(name, graph, profile, &Choices::by_kind(profile))
    }

    /// Plans a graph as it is.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn unfused(name: &str, graph: &Graph, profile: &DeviceProfile) -> Result<Plan> {
        Self::chosen(name, graph, profile, &Choices::default())
    }

    /// Plans a graph with these fusions and kernels.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn chosen(name: &str, graph: &Graph, profile: &DeviceProfile, choices: &Choices) -> Result<Plan> {
        let graph = &fuse(graph, &choices.fusions, profile)?;
        let launches = steps::launches(graph, profile, choices)?;
        let layout = memory::layout(name, graph, &launches)?;
        let steps = steps::bind(graph, &launches, &layout, profile)?;
        let pauses = pause::pauses(graph, &layout, profile);
        let sources = graph
            .sources()
            .map(|(var, source)| (source.name.clone(), (source.role, layout.place(graph, var))))
            .collect();
        let results = graph.results().iter().map(|(name, var)| (name.clone(), layout.place(graph, *var))).collect();
        Ok(Plan { name: name.to_string(), arenas: layout.arenas, steps, pauses, sources, results })
    }

    /// The sources that lie in an arena, in their order there.
    pub fn entries(&self, arena: usize) -> Vec<Entry> {
        let sources = self.sources.iter().filter(|(_, (_, place))| place.arena == arena);
        let entry = |(name, (_, place)): (&String, &(Role, Place))| Entry {
            name: name.clone(),
            offset: place.offset,
            bytes: place.ty.bytes(),
        };
        let mut entries: Vec<Entry> = sources.map(entry).collect();
        entries.sort_by_key(|entry| entry.offset);
        entries
    }

    /// The steps from one pause to the next: so many stretches, and one more than there are pauses.
    pub fn stretch(&self, number: usize) -> std::ops::Range<usize> {
        let at = |pause: usize| self.pauses.get(pause).map_or(self.steps.len(), |pause| pause.steps);
        number.checked_sub(1).map_or(0, at)..at(number)
    }

    /// Every shader of the plan, once.
    pub fn shaders(&self) -> BTreeSet<&ShaderKey> {
        self.steps.iter().flat_map(|step| &step.dispatches).map(|dispatch| &dispatch.shader).collect()
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
