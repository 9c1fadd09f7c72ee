//! Memory: every value gets a place before anything runs.
//!
//! Values that overwrite one another in place share a place, and a view lies where what it shows does.
//! Sources lie in arenas by role; values that one binding must cover lie side by side; everything else lies
//! in slots that are reused once a value has had its last reader. No step reads the slot it writes.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::steps::Chosen;
use super::{Arena, Place};
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Role, Source, Var};
use crate::ops::{ALIGNMENT, VECTOR};

/// Where everything lies.
pub(super) struct Layout {
    pub arenas: Vec<Arena>,
    places: HashMap<Var, (usize, usize)>,
    /// Arena of each scratch buffer, by node.
    pub scratch: HashMap<usize, Vec<usize>>,
}

impl Layout {
    /// Place of a value.
    pub fn place(&self, graph: &Graph, var: Var) -> Place {
        let (arena, offset) = self.places[&var];
        Place { arena, offset, ty: graph.ty(var).clone() }
    }

    fn arena(&mut self, name: String) -> usize {
        if let Some(index) = self.arenas.iter().position(|arena| arena.name == name) {
            return index;
        }
        self.arenas.push(Arena { name, bytes: 0 });
        self.arenas.len() - 1
    }

    /// Room at the end of an arena.
    fn append(&mut self, arena: usize, bytes: usize) -> (usize, usize) {
        let offset = self.arenas[arena].bytes.next_multiple_of(ALIGNMENT);
        self.arenas[arena].bytes = (offset + bytes).next_multiple_of(VECTOR);
        (arena, offset)
    }
}

/// First value of each chain of values that overwrite or show one another.
fn origins(graph: &Graph) -> HashMap<Var, Var> {
    let mut origins = HashMap::new();
    for (index, node) in graph.nodes().iter().enumerate() {
        // Asked for once: an optimiser's step overwrites every parameter there is.
        let same_memory: HashMap<usize, usize> =
            node.op.views().into_iter().chain(node.op.aliases()).map(|(input, output)| (output, input)).collect();
        for port in 0..node.outputs.len() {
            let var = Var { node: index, port };
            let origin = same_memory.get(&port).map_or(var, |&input| origins[&node.inputs[input]]);
            origins.insert(var, origin);
        }
    }
    origins
}

/// Refuses graphs in which a value is read after it was overwritten, by a node or as a result, itself or
/// through a view.
fn check_overwrites(graph: &Graph) -> Result<()> {
    let mut readers: HashMap<Var, Vec<usize>> = HashMap::new();
    let reads = |node: &Node| node.is_computed() || node.op.is_exchange();
    for (index, node) in graph.nodes().iter().enumerate().filter(|(_, node)| reads(node)) {
        for &var in &node.inputs {
            readers.entry(graph.viewed(var)).or_default().push(index);
        }
    }
    for (index, node) in graph.nodes().iter().enumerate() {
        for (input, _) in node.op.aliases() {
            let var = graph.viewed(node.inputs[input]);
            let later = readers.get(&var).and_then(|readers| readers.iter().find(|&&reader| reader > index));
            if let Some(&reader) = later {
                let reader = graph.nodes()[reader].op.name();
                return Err(Error::graph(node.op.name(), format!("overwrites a value that {reader} reads later")));
            }
            if let Some((name, _)) = graph.results().iter().find(|(_, result)| graph.viewed(*result) == var) {
                return Err(Error::graph(node.op.name(), format!("overwrites a value that is wanted as '{name}'")));
            }
        }
    }
    Ok(())
}

/// Refuses two sources of one name: only one of them would be written.
fn check_names(graph: &Graph) -> Result<()> {
    let mut names = HashSet::new();
    match graph.sources().find(|(_, source)| !names.insert(source.name.as_str())) {
        Some((_, source)) => Err(Error::graph("source", format!("there are two of the name '{}'", source.name))),
        None => Ok(()),
    }
}

fn source_arena(plan: &str, source: &Source) -> String {
    match source.role {
        Role::Param | Role::Buffer => "params".into(),
        Role::FirstMoment => "moment1".into(),
        Role::SecondMoment => "moment2".into(),
        Role::Average => "average".into(),
        Role::State | Role::Setting => format!("{plan}/state"),
        Role::Data => format!("data {}", source.name),
        Role::Input => format!("{plan}/input {}", source.name),
    }
}

pub(super) fn layout(plan: &str, graph: &Graph, launches: &BTreeMap<usize, Chosen>) -> Result<Layout> {
    check_overwrites(graph)?;
    check_names(graph)?;
    let mut layout = Layout { arenas: Vec::new(), places: HashMap::new(), scratch: HashMap::new() };
    let mut pins = Pins { plan, graph, origins: origins(graph), places: HashMap::new() };
    // What is trained lies side by side, buffers behind it.
    let (buffers, others): (Vec<_>, Vec<_>) = graph.sources().partition(|(_, source)| source.role == Role::Buffer);
    for (var, source) in others.into_iter().chain(buffers) {
        let arena = layout.arena(source_arena(plan, source));
        let place = layout.append(arena, source.ty.bytes());
        pins.places.insert(var, place);
    }
    for node in graph.nodes() {
        for (name, range) in node.op.packed_inputs(node.inputs.len()) {
            pins.pack(&mut layout, name, &node.inputs[range])?;
        }
    }
    pins.slots(&mut layout, launches);
    for (var, origin) in &pins.origins {
        layout.places.insert(*var, pins.places[origin]);
    }
    Ok(layout)
}

/// Places given so far, by the origin of each chain of values.
struct Pins<'a> {
    plan: &'a str,
    graph: &'a Graph,
    origins: HashMap<Var, Var>,
    places: HashMap<Var, (usize, usize)>,
}

impl Pins<'_> {
    /// Places a group side by side, or checks that it already lies so.
    fn pack(&mut self, layout: &mut Layout, name: &str, group: &[Var]) -> Result<()> {
        let mut expected: Option<(usize, usize)> = None;
        for var in group {
            let bytes = self.graph.ty(*var).bytes();
            let plan = self.plan;
            let place = *self.places.entry(self.origins[var]).or_insert_with(|| {
                let arena = layout.arena(format!("{plan}/{name}"));
                layout.append(arena, bytes)
            });
            if expected.is_some_and(|expected| expected != place) {
                return Err(Error::graph(name, "the values of a packed group do not lie side by side in order"));
            }
            expected = Some((place.0, (place.1 + bytes).next_multiple_of(ALIGNMENT)));
        }
        Ok(())
    }

    /// Gives every other value and every scratch buffer a slot for as long as it is needed.
    fn slots(&mut self, layout: &mut Layout, launches: &BTreeMap<usize, Chosen>) {
        let last_use = self.last_uses();
        let mut pool = Pool { plan: self.plan, free: Vec::new() };
        let mut held: Vec<(Vec<Var>, usize)> = Vec::new();
        for index in 0..self.graph.nodes().len() {
            for group in self.homeless(index) {
                let sizes: Vec<usize> = group.iter().map(|&origin| self.graph.ty(origin).bytes()).collect();
                let (last, others) = sizes.split_last().map_or((0, &[][..]), |(last, others)| (*last, others));
                let before: usize = others.iter().map(|bytes| bytes.next_multiple_of(ALIGNMENT)).sum();
                let arena = pool.take(layout, before + last);
                let mut offset = 0;
                for (&origin, bytes) in group.iter().zip(&sizes) {
                    self.places.insert(origin, (arena, offset));
                    offset += bytes.next_multiple_of(ALIGNMENT);
                }
                held.push((group, arena));
            }
            let scratch = launches.get(&index).map_or(&[][..], |chosen| &chosen.launch.scratch);
            let arenas: Vec<usize> = scratch.iter().map(|&bytes| pool.take(layout, bytes)).collect();
            pool.free.extend(&arenas);
            layout.scratch.insert(index, arenas);
            held.retain(|(group, arena)| {
                let needed = group.iter().any(|origin| last_use[origin] > index);
                if !needed {
                    pool.free.push(*arena);
                }
                needed
            });
        }
    }

    /// The values of a node that still need a place: packed groups first, then one by one.
    fn homeless(&self, node: usize) -> Vec<Vec<Var>> {
        let count = self.graph.nodes()[node].outputs.len();
        let packed = self.graph.nodes()[node].op.packed_outputs(count);
        let alone = (0..count).filter(|port| !packed.iter().any(|range| range.contains(port)));
        let alone: Vec<_> = alone.map(|port| port..port + 1).collect();
        let mut seen = HashSet::new();
        let mut new = |range: std::ops::Range<usize>| -> Vec<Var> {
            range
                .map(|port| self.origins[&Var { node, port }])
                .filter(|origin| !self.places.contains_key(origin) && seen.insert(*origin))
                .collect()
        };
        packed.into_iter().chain(alone).map(&mut new).filter(|group| !group.is_empty()).collect()
    }

    fn last_uses(&self) -> HashMap<Var, usize> {
        let mut last: HashMap<Var, usize> = HashMap::new();
        for (index, node) in self.graph.nodes().iter().enumerate() {
            for port in 0..node.outputs.len() {
                last.insert(self.origins[&Var { node: index, port }], index);
            }
            for var in &node.inputs {
                last.insert(self.origins[var], index);
            }
        }
        for (_, var) in self.graph.results() {
            last.insert(self.origins[var], usize::MAX);
        }
        last
    }
}

/// How many times as large as a value a slot may be that it takes: a loss or a bias's gradient that is held for long would keep
/// it from the activations of a whole layer.
const ROOMY: usize = 16;

/// Slots that nobody holds.
struct Pool<'a> {
    plan: &'a str,
    free: Vec<usize>,
}

impl Pool<'_> {
    /// The smallest free slot that is large enough and not far too large, else the largest of the smaller free ones made
    /// larger, else a new one.
    fn take(&mut self, layout: &mut Layout, bytes: usize) -> usize {
        let size = |slot: usize, layout: &Layout| layout.arenas[slot].bytes;
        let free = || self.free.iter().copied();
        let most = bytes.saturating_mul(ROOMY);
        let is_fit = |slot: &usize| (bytes..=most).contains(&size(*slot, layout));
        let fits = free().filter(is_fit).min_by_key(|&slot| size(slot, layout));
        let smaller = || free().filter(|&slot| size(slot, layout) < bytes).max_by_key(|&slot| size(slot, layout));
        let slot = fits.or_else(smaller);
        let slot = slot.unwrap_or_else(|| {
            let prefix = format!("{}/slot ", self.plan);
            let number = layout.arenas.iter().filter(|arena| arena.name.starts_with(&prefix)).count();
            layout.arena(format!("{prefix}{number}"))
        });
        self.free.retain(|&other| other != slot);
        layout.arenas[slot].bytes = layout.arenas[slot].bytes.max(bytes.next_multiple_of(VECTOR));
        slot
    }
}
