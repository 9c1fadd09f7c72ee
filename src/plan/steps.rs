//! Steps: every operation as the dispatches of its kernel, bound to places.

use std::collections::BTreeMap;

use super::memory::Layout;
use super::{Choices, DeviceProfile, Place};
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, OpRef, Var};
use crate::ops::{Applied, Bind, Cost, Dispatch, Kernel, Launch, VECTOR, Work};
use crate::shader::{Access, ShaderKey, UNIFORM_BYTES, shader};
use crate::tensor::Ty;

/// One operation of a plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it computes.
    pub op: OpRef,
    /// Stem of the kernel that computes it on a GPU.
    pub kernel: &'static str,
    /// Which of the kernel's variants, if it has several.
    pub variant: &'static str,
    /// What it reads.
    pub inputs: Vec<Place>,
    /// What it writes.
    pub outputs: Vec<Place>,
    /// How a GPU computes it.
    pub dispatches: Vec<PlannedDispatch>,
    /// Arithmetic and traffic.
    pub cost: Cost,
}

/// One dispatch with everything resolved.
#[derive(Clone, Debug)]
pub struct PlannedDispatch {
    /// Which shader.
    pub shader: ShaderKey,
    /// Storage bindings 1, 2, … in order.
    pub bindings: Vec<PlannedBinding>,
    /// Words of the uniform block.
    pub params: Vec<u32>,
    /// The grid, folded into two dimensions where one is too short.
    pub groups: [u32; 3],
}

/// One storage binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedBinding {
    /// Index of the arena.
    pub arena: usize,
    /// Offset in bytes.
    pub offset: usize,
    /// Length in bytes.
    pub bytes: usize,
    /// How the shader uses it.
    pub access: Access,
}

pub(super) fn types<'a>(graph: &'a Graph, node: &'a Node) -> (Vec<&'a Ty>, Vec<&'a Ty>) {
    (node.inputs.iter().map(|&var| graph.ty(var)).collect(), node.outputs.iter().collect())
}

/// A node's kernel, chosen, and what it asks of the device.
pub(super) struct Chosen {
    kernel: &'static dyn Kernel,
    variant: &'static str,
    pub launch: Launch,
    cost: Cost,
}

/// The launch of every node that computes something.
pub(super) fn launches(graph: &Graph, profile: &DeviceProfile, choices: &Choices) -> Result<BTreeMap<usize, Chosen>> {
    let mut launches = BTreeMap::new();
    for (index, node) in graph.nodes().iter().enumerate().filter(|(_, node)| node.is_computed()) {
        let (inputs, outputs) = types(graph, node);
        let applied = Applied { op: node.op.as_ref(), inputs: &inputs, outputs: &outputs };
        let (kernel, variant) = choices.kernel(&applied, profile)?;
        let request = applied.asked_of(kernel, variant)?;
        launches
            .insert(index, Chosen { kernel, variant, launch: kernel.launch(&request)?, cost: kernel.cost(&request)? });
    }
    Ok(launches)
}

/// Resolves places, grids and parameter blocks, and checks them against shaders and limits.
pub(super) fn bind(
    graph: &Graph,
    launches: &BTreeMap<usize, Chosen>,
    layout: &Layout,
    profile: &DeviceProfile,
) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for (&index, Chosen { kernel, variant, launch, cost }) in launches {
        let node = &graph.nodes()[index];
        let inputs: Vec<Place> = node.inputs.iter().map(|&var| layout.place(graph, var)).collect();
        let outputs: Vec<Place> =
            (0..node.outputs.len()).map(|port| layout.place(graph, Var { node: index, port })).collect();
        let scratch = &layout.scratch[&index];
        let resolver = Resolver { inputs: &inputs, outputs: &outputs, scratch, launch };
        let dispatches =
            launch.dispatches.iter().map(|d| plan_dispatch(d, &resolver, profile)).collect::<Result<_>>()?;
        steps.push(Step {
            op: node.op.clone(),
            kernel: kernel.stem(),
            variant,
            inputs,
            outputs,
            dispatches,
            cost: *cost,
        });
    }
    Ok(steps)
}

/// Where the values that a launch refers to lie.
struct Resolver<'a> {
    inputs: &'a [Place],
    outputs: &'a [Place],
    scratch: &'a [usize],
    launch: &'a Launch,
}

impl Resolver<'_> {
    /// Arena, offset and length in bytes; or what is wrong.
    fn resolve(&self, bind: &Bind) -> std::result::Result<(usize, usize, usize), String> {
        let whole = |place: &Place| (place.arena, place.offset, place.ty.bytes());
        Ok(match bind {
            Bind::Input(i) => whole(&self.inputs[*i]),
            Bind::InputFrom(i, start) => {
                let (arena, offset, bytes) = whole(&self.inputs[*i]);
                (arena, offset + start, bytes - start)
            }
            Bind::Output(i) => whole(&self.outputs[*i]),
            Bind::Scratch(i) => (self.scratch[*i], 0, self.launch.scratch[*i]),
            Bind::Inputs(range) => {
                let (first, last) = (&self.inputs[range.start], &self.inputs[range.end - 1]);
                (first.arena, first.offset, last.offset + last.ty.bytes() - first.offset)
            }
            Bind::Span(members) => {
                let places =
                    members.iter().map(|bind| self.resolve(bind)).collect::<std::result::Result<Vec<_>, _>>()?;
                let arena = places.first().map_or(0, |place| place.0);
                if places.iter().any(|place| place.0 != arena) {
                    return Err("values of one span lie in several arenas".into());
                }
                let start = places.iter().map(|place| place.1).min().unwrap_or(0);
                let end = places.iter().map(|place| place.1 + place.2).max().unwrap_or(0);
                (arena, start, end - start)
            }
        })
    }
}

fn plan_dispatch(dispatch: &Dispatch, resolver: &Resolver<'_>, profile: &DeviceProfile) -> Result<PlannedDispatch> {
    let shader = shader(&dispatch.shader)?;
    let refuse = |problem: String| Err(Error::graph(dispatch.shader.label(), problem));
    let refuse_place = |problem: String| Err(Error::graph(dispatch.shader.label(), problem));
    if shader.storage.len() != dispatch.bindings.len() || shader.param_words != dispatch.params.len() {
        return refuse(format!(
            "the shader declares {} storage bindings and {} parameter words, the host gives {} and {}",
            shader.storage.len(),
            shader.param_words,
            dispatch.bindings.len(),
            dispatch.params.len()
        ));
    }
    let buffers = shader.storage.iter().filter(|access| **access != Access::Texels).count();
    if buffers > profile.max_storage_buffers as usize {
        return refuse(format!("{buffers} storage buffers, the device allows {}", profile.max_storage_buffers));
    }
    if shader.workgroup > profile.max_workgroup as usize {
        return refuse(format!("a workgroup of {}, the device allows {}", shader.workgroup, profile.max_workgroup));
    }
    let mut bindings: Vec<PlannedBinding> = Vec::new();
    for (bind, &access) in dispatch.bindings.iter().zip(&shader.storage) {
        let (arena, offset, bytes) = resolver.resolve(bind).or_else(refuse_place)?;
        // Behind every arena a device keeps room for the rest of a uniform operand.
        let bytes = if access == Access::Uniform { UNIFORM_BYTES } else { bytes.next_multiple_of(VECTOR) };
        if bytes as u64 > profile.max_binding {
            return refuse(format!(
                "{:.1} MiB in one piece, the device allows {:.1} MiB; use a smaller batch, narrower layers or rows of fewer \
                 values",
                bytes as f64 / 1_048_576.0,
                profile.max_binding as f64 / 1_048_576.0
            ));
        }
        // wgpu tracks whole buffers: reading and writing one buffer in one dispatch is an error. A mirror is no buffer.
        if bindings.iter().any(|other| other.arena == arena && other.access.conflicts(access)) {
            return refuse(format!("reads and writes arena {arena} in one dispatch"));
        }
        bindings.push(PlannedBinding { arena, offset, bytes, access });
    }
    let groups = match dispatch.work {
        Work::Groups(groups) => groups,
        Work::Invocations(count) => count.div_ceil(shader.workgroup),
    };
    let groups = fold(groups, profile.max_groups);
    let mut params = dispatch.params.clone();
    for (word, binding, bind) in &dispatch.offsets {
        let (arena, offset, _) = resolver.resolve(bind).or_else(refuse_place)?;
        let within = bindings.get(*binding).filter(|binding| binding.arena == arena && binding.offset <= offset);
        match (params.get_mut(*word), within) {
            (Some(word), Some(binding)) => *word = ((offset - binding.offset) / 4) as u32,
            _ => return refuse(format!("parameter {word} is to locate a value outside of binding {binding}")),
        }
    }
    Ok(PlannedDispatch { shader: dispatch.shader.clone(), bindings, params, groups })
}

/// A grid of at least `groups` groups with no side over `most`.
fn fold(groups: usize, most: u32) -> [u32; 3] {
    let rows = groups.div_ceil(most as usize).max(1);
    [groups.div_ceil(rows) as u32, rows as u32, 1]
}
