//! What the CPU device runs one after the other.

use super::memory::Words;
use super::own::Own;
use super::region::Region;
use super::step::Lone;
use crate::device::Means;

/// Something to run.
pub(in crate::device) enum Job {
    /// Operations on rows, together.
    Region(Box<Region>),
    /// One operation by itself.
    Lone(Box<Lone>),
}

impl Job {
    /// What computes it.
    pub fn means(&self) -> Vec<Means> {
        let own: Vec<Own> = match self {
            Job::Region(region) => region.own().collect(),
            Job::Lone(step) => step.own().into_iter().collect(),
        };
        if own.is_empty() { vec![Means::Twin] } else { own.iter().map(|own| Means::Kernel(own.name())).collect() }
    }

    pub fn run(&mut self, memory: &mut [Words]) {
        match self {
            Job::Region(region) => region.run(memory),
            Job::Lone(step) => step.run(memory),
        }
    }
}
