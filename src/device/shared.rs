//! Memory that plans share: by name, and only where they lay it out alike.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::plan::{Entry, Plan};

/// An arena that a plan brought.
struct Arena<M> {
    /// Name of the first plan that has it.
    plan: String,
    /// What that plan has in it.
    entries: Vec<Entry>,
    memory: M,
}

/// The arenas that plans share, by name, on a device whose memory is an `M`.
pub(super) struct Shared<M> {
    arenas: HashMap<String, Arena<M>>,
}

impl<M> Default for Shared<M> {
    fn default() -> Self {
        Shared { arenas: HashMap::new() }
    }
}

impl<M> Shared<M> {
    /// Refuses a plan that lays out an arena otherwise than one loaded before: what one of them calls by a name
    /// would be something else to the other.
    ///
    /// # Errors
    /// When it does. The message names the arena, both plans, and what they have where they first differ.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        for (number, arena) in plan.arenas.iter().enumerate() {
            let Some(known) = self.arenas.get(&arena.name) else { continue };
            let entries = plan.entries(number);
            let most = entries.len().max(known.entries.len());
            let Some(at) = (0..most).find(|&at| entries.get(at) != known.entries.get(at)) else { continue };
            let words = |plan: &str, entry: Option<&Entry>| match entry {
                Some(Entry { name, offset, bytes }) => {
                    format!("plan '{plan}' has '{name}' there, {bytes} bytes from byte {offset} on")
                }
                None => format!("plan '{plan}' has nothing there"),
            };
            let problem = format!(
                "two plans lay out this memory, which they share, otherwise from source {at} on: {}, {}",
                words(&known.plan, known.entries.get(at)),
                words(&plan.name, entries.get(at)),
            );
            return Err(Error::graph(&arena.name, problem));
        }
        Ok(())
    }

    /// The memory of an arena that a plan loaded before shares.
    pub fn memory(&self, arena: &str) -> Option<&M> {
        self.arenas.get(arena).map(|arena| &arena.memory)
    }

    /// Keeps the memory of a plan's arena for the plans to come, if it is one that plans share.
    pub fn insert(&mut self, plan: &Plan, arena: usize, memory: M) {
        let name = &plan.arenas[arena].name;
        if plan.arenas[arena].is_shared() && !self.arenas.contains_key(name) {
            let kept = Arena { plan: plan.name.clone(), entries: plan.entries(arena), memory };
            self.arenas.insert(name.clone(), kept);
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.arenas.clear();
    }
}
