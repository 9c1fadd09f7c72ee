//! Where a plan leaves a choice: operations that several kernels, or variants of one, can compute.

use std::collections::{BTreeMap, BTreeSet};

use super::choices::label;
use super::fuse;
use super::steps::types;
use super::{Choices, DeviceKind, DeviceProfile, Fusion, candidates};
use crate::error::Result;
use crate::graph::{Graph, OpRef};
use crate::ops::{Applied, Kernel};
use crate::tensor::Ty;

/// An operation that can be computed in several ways.
#[derive(Clone)]
pub struct Site {
    /// The key of a choice, see [`Applied::site`].
    pub name: String,
    /// The operation.
    pub op: OpRef,
    /// Types of its inputs.
    pub inputs: Vec<Ty>,
    /// Types of its outputs.
    pub outputs: Vec<Ty>,
    /// Kernels and variants, the static choice first.
    pub candidates: Vec<(&'static dyn Kernel, &'static str)>,
    /// Arithmetic or bytes, whichever are more, of all its occurrences in the graph.
    pub work: f64,
}

impl Site {
    /// Kernel and variant of a candidate in words.
    pub fn label(&self, candidate: usize) -> String {
        let (kernel, variant) = self.candidates[candidate];
        label(kernel.stem(), variant)
    }
}

/// The sites of a graph after these fusions, in the order of their first occurrence. None on the CPU
/// device, which has kernels of its own.
///
/// # Errors
/// Never for a well-formed graph.
pub fn sites(graph: &Graph, fusions: &BTreeSet<Fusion>, mixed: bool, profile: &DeviceProfile) -> Result<Vec<Site>> {
    let mut found: Vec<Site> = Vec::new();
    if profile.kind == DeviceKind::Cpu {
        return Ok(found);
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let graph = fuse(graph, fusions, profile)?;
    for node in graph.nodes().iter().filter(|node| node.is_computed()) {
        let (inputs, outputs) = types(&graph, node);
        let applied = Applied { op: node.op.as_ref(), inputs: &inputs, outputs: &outputs };
        let candidates = candidates(&applied, profile, mixed)?;
        let [(kernel, variant), _, ..] = candidates[..] else { continue };
        if !kernel.is_measured() {
            continue;
        }
        let cost = kernel.cost(&applied.asked_of(kernel, variant)?)?;
        let name = applied.site();
        let place = *places.entry(name.clone()).or_insert(found.len());
        if place == found.len() {
            let [inputs, outputs] = [&inputs, &outputs].map(|types| types.iter().map(|&ty| ty.clone()).collect());
            found.push(Site { name, op: node.op.clone(), inputs, outputs, candidates, work: 0.0 });
        }
        found[place].work += cost.flops.max(cost.bytes);
    }
    Ok(found)
}

impl Choices {
    /// These choices with a kernel named wherever there are several, so that they mean the same whatever
    /// ranks first in another version; and what was chosen but does not exist on such a device, for which
    /// the first stands in.
    ///
    /// # Errors
    /// Never for a well-formed graph.
    pub fn resolved(&self, graph: &Graph, profile: &DeviceProfile) -> Result<(Choices, Vec<String>)> {
        let mut choices = self.clone();
        let mut missing = Vec::new();
        for site in sites(graph, &self.fusions, self.mixed, profile)? {
            let first = site.label(0);
            let chosen = choices.kernels.entry(site.name.clone()).or_insert_with(|| first.clone());
            if !(0..site.candidates.len()).any(|candidate| site.label(candidate) == *chosen) {
                missing.push(format!("{chosen} for {}", site.name));
                *chosen = first;
            }
        }
        Ok((choices, missing))
    }
}
