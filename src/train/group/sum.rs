//! Sums over all processes, to the bit the same on each of them and whatever comes first: every process adds up one stretch of the
//! values, in the order of ranks, and gives the others the sum.

use bytemuck::{cast_slice, cast_slice_mut};
use half::bf16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

use super::Group;
use crate::error::Result;
use crate::threads::prelude::*;

/// How values travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exchange {
    /// As they are.
    #[default]
    F32,
    /// Rounded to the nearest number of 16 bits with the range of an f32, on their way to be added and as a sum; they are added as f32.
    Bf16,
}

/// Fewer values than this are added up by everybody: what counts is how often something is sent.
const FEW: usize = 4096;
/// Values that are exchanged at a time.
const PIECE: usize = 1 << 24;
/// Values that a thread adds up at a time.
const TAKEN: usize = 1 << 14;

/// What sums need to keep.
pub(super) struct Sum {
    exchange: Exchange,
    received: Vec<f32>,
    own: Vec<f32>,
    /// The same of 16 bits, as they travel.
    sent: Vec<u16>,
    received_short: Vec<u16>,
    own_short: Vec<u16>,
    /// Where the stretch of each process begins, in bytes, and where the last one ends.
    cuts: Vec<usize>,
}

impl Sum {
    pub fn new(exchange: Exchange) -> Self {
        Sum {
            exchange,
            received: Vec::new(),
            own: Vec::new(),
            sent: Vec::new(),
            received_short: Vec::new(),
            own_short: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// Puts the sum over all processes in the place of each value.
    pub fn over(&mut self, group: &mut dyn Group, values: &mut [f32]) -> Result<()> {
        // Of fewer than there are processes some would have none.
        if values.len() < FEW.max(group.member().size) {
            return self.of_few(group, values);
        }
        values.chunks_mut(PIECE).try_for_each(|piece| match self.exchange {
            Exchange::F32 => self.of_many(group, piece),
            Exchange::Bf16 => self.of_many_short(group, piece),
        })
    }

    /// Has everybody add up everything.
    fn of_few(&mut self, group: &mut dyn Group, values: &mut [f32]) -> Result<()> {
        let (size, length) = (group.member().size, values.len());
        self.received.clear();
        self.received.resize(size * length, 0.0);
        self.cuts.clear();
        self.cuts.extend((0..=size).map(|rank| rank * length * 4));
        group.gather(cast_slice(values), cast_slice_mut(&mut self.received), &self.cuts)?;
        add(&self.received, length, values);
        Ok(())
    }

    /// Where the stretches of the processes begin and end, in bytes of so many a value; and how many values the own one has.
    fn cut(&mut self, group: &dyn Group, length: usize, bytes: usize) -> usize {
        let (rank, size) = (group.member().rank, group.member().size);
        let at = |rank: usize| length * rank / size;
        self.cuts.clear();
        self.cuts.extend((0..=size).map(|rank| at(rank) * bytes));
        at(rank + 1) - at(rank)
    }

    fn of_many(&mut self, group: &mut dyn Group, values: &mut [f32]) -> Result<()> {
        let own = self.cut(group, values.len(), 4);
        self.received.resize(own * group.member().size, 0.0);
        self.own.resize(own, 0.0);
        group.scatter(cast_slice(values), &self.cuts, cast_slice_mut(&mut self.received))?;
        add(&self.received, own, &mut self.own);
        group.gather(cast_slice(&self.own), cast_slice_mut(values), &self.cuts)
    }

    fn of_many_short(&mut self, group: &mut dyn Group, values: &mut [f32]) -> Result<()> {
        let own = self.cut(group, values.len(), 2);
        let received = own * group.member().size;
        self.sent.resize(values.len(), 0);
        self.received_short.resize(received, 0);
        self.received.resize(received, 0.0);
        self.own.resize(own, 0.0);
        self.own_short.resize(own, 0);
        self.sent.reinterpret_cast_mut::<bf16>().convert_from_f32_slice(values);
        group.scatter(cast_slice(&self.sent), &self.cuts, cast_slice_mut(&mut self.received_short))?;
        self.received_short.reinterpret_cast::<bf16>().convert_to_f32_slice(&mut self.received);
        add(&self.received, own, &mut self.own);
        self.own_short.reinterpret_cast_mut::<bf16>().convert_from_f32_slice(&self.own);
        group.gather(cast_slice(&self.own_short), cast_slice_mut(&mut self.sent), &self.cuts)?;
        self.sent.reinterpret_cast::<bf16>().convert_to_f32_slice(values);
        Ok(())
    }
}

/// Adds up stretches of `length` values, one behind the other, in their order.
fn add(stretches: &[f32], length: usize, sum: &mut [f32]) {
    sum.par_chunks_mut(TAKEN).enumerate().for_each(|(number, sum)| {
        let (begin, taken) = (number * TAKEN, sum.len());
        let mut stretches = stretches.chunks_exact(length).map(|stretch| &stretch[begin..][..taken]);
        if let Some(first) = stretches.next() {
            sum.copy_from_slice(first);
        }
        for stretch in stretches {
            sum.iter_mut().zip(stretch).for_each(|(sum, value)| *sum += value);
        }
    });
}
