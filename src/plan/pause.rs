//! Where a plan is not one device's alone: between two of its steps, where the host exchanges values with others.

use super::memory::Layout;
use super::{DeviceKind, DeviceProfile, Place};
use crate::graph::{Graph, Node};
use crate::ops::ALIGNMENT;

/// Bytes that are exchanged at a time while a device computes on: enough that what they take is their way, not its beginning.
const BUCKET: usize = 1 << 20;

/// A place between two steps where values are exchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Pause {
    /// Steps before it.
    pub steps: usize,
    /// What is exchanged, in as few pieces as it lies in: arena, first byte, bytes.
    pub ranges: Vec<(usize, usize, usize)>,
    /// The [stretch](super::Plan::stretch) that begins with what comes of it: the next one, or a later one, until which the device
    /// computes on.
    pub due: usize,
}

impl Pause {
    /// Whether the device has nothing to do until it is over.
    pub fn is_waited_for(&self, number: usize) -> bool {
        self.due == number + 1
    }
}

/// The pauses of a plan, in the order in which values are exchanged, which is the same for devices of every kind: what is exchanged
/// together, in buckets from the last value, the first gradient to be there, to the first. What lies in a bucket leaves a GPU as soon
/// as it is computed. Not so a processor, or a GPU that it plays: what the exchange takes of it, its computing lacks.
pub(super) fn pauses(graph: &Graph, layout: &Layout, profile: &DeviceProfile) -> Vec<Pause> {
    let mut pauses: Vec<Pause> = Vec::new();
    // Steps up to each node, with it.
    let mut steps: Vec<usize> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let before = steps.last().copied().unwrap_or(0);
        steps.push(before + usize::from(node.is_computed()));
        if !node.op.is_exchange() {
            continue;
        }
        let buckets = buckets(graph, node);
        let due = pauses.len() + buckets.len();
        for (number, bucket) in (1..).zip(&buckets) {
            let there = match profile.kind {
                DeviceKind::Cpu | DeviceKind::Software => before,
                _ if number == buckets.len() => before,
                _ => bucket.iter().map(|&input| steps[node.inputs[input].node]).max().unwrap_or(0),
            };
            let ranges = ranges(bucket.iter().map(|&input| layout.place(graph, node.inputs[input])).collect());
            // In their order, whatever is there first.
            let steps = pauses.last().map_or(there, |last| last.steps.max(there));
            // What is exchanged where it is due is exchanged where it lies.
            let due = if steps == before { pauses.len() + 1 } else { due };
            pauses.push(Pause { steps, ranges, due });
        }
    }
    pauses
}

/// The inputs of an exchange, those that go together: the last ones first.
fn buckets(graph: &Graph, node: &Node) -> Vec<Vec<usize>> {
    let mut buckets: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for (input, &var) in node.inputs.iter().enumerate().rev() {
        match buckets.last_mut().filter(|_| room > 0) {
            Some(bucket) => bucket.push(input),
            None => {
                buckets.push(vec![input]);
                room = BUCKET;
            }
        }
        room = room.saturating_sub(graph.ty(var).bytes());
    }
    buckets
}

/// What these places cover, in as few pieces as they make; what lies between two of them belongs to no one, and goes with them.
fn ranges(mut places: Vec<Place>) -> Vec<(usize, usize, usize)> {
    places.sort_by_key(|place| (place.arena, place.offset));
    let mut ranges: Vec<(usize, usize, usize)> = Vec::new();
    for place in places {
        let (offset, bytes) = (place.offset, place.ty.bytes());
        match ranges.last_mut() {
            Some((arena, begin, length))
                if *arena == place.arena && (*begin + *length).next_multiple_of(ALIGNMENT) == offset =>
            {
                *length = offset + bytes - *begin;
            }
            _ => ranges.push((place.arena, offset, bytes)),
        }
    }
    ranges
}
