//! Processes that a launcher of MPI, such as `mpirun`, has started side by side.

use std::sync::atomic::{AtomicBool, Ordering};

use mpi::Threading;
use mpi::collective::{CommunicatorCollectives, Root};
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::{Universe, initialize_with_threading, processor_name};
use mpi::point_to_point::{Destination, Source};
use mpi::topology::{Communicator, SimpleCommunicator};

use super::Group;
use crate::error::{Error, Result};
use crate::plan::Member;

/// Bytes that are sent at a time: MPI counts them with 31 bits.
const PIECE: usize = 1 << 28;

/// Whether this process has left others waiting for it.
static LEFT: AtomicBool = AtomicBool::new(false);

/// All processes of a launch, as one of them sees them.
pub struct Processes {
    universe: Option<Universe>,
    member: Member,
    host: String,
    /// Its number among those on the same machine, from 0, and how many these are.
    local: [usize; 2],
}

impl Processes {
    /// Joins the others.
    ///
    /// # Errors
    /// When MPI cannot be begun, or was before.
    pub fn join(own_norms: bool) -> Result<Self> {
        let begun = initialize_with_threading(Threading::Funneled);
        let (universe, _) = begun.ok_or_else(|| Error::Failed("MPI has begun already".into()))?;
        let world = universe.world();
        let (rank, size) = (world.rank().unsigned_abs() as usize, world.size().unsigned_abs() as usize);
        let host = processor_name().unwrap_or_default();
        let mut processes =
            Processes { universe: Some(universe), member: Member { rank, size, own_norms }, host, local: [0, 1] };
        processes.local = processes.find_local()?;
        Ok(processes)
    }

    /// The machine that it is on.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its number among those on the same machine, from 0, and how many these are.
    pub fn local(&self) -> [usize; 2] {
        self.local
    }

    /// Sends bytes to the process of this rank.
    ///
    /// # Errors
    /// When there are more than a message can have.
    pub fn send(&mut self, rank: usize, bytes: &[u8]) -> Result<()> {
        if bytes.len() > PIECE {
            return Err(Error::Failed(format!("a message of {} bytes is too long", bytes.len())));
        }
        SimpleCommunicator::world().process_at_rank(number(rank)).send(bytes);
        Ok(())
    }

    /// The bytes that the process of this rank sends next.
    ///
    /// # Errors
    /// Never in this form: where a process is gone, MPI ends them all.
    pub fn receive(&mut self, rank: usize) -> Result<Vec<u8>> {
        Ok(SimpleCommunicator::world().process_at_rank(number(rank)).receive_vec().0)
    }

    /// The rank of a process that has sent something, if there is one.
    pub fn waiting(&mut self) -> Option<usize> {
        let status = SimpleCommunicator::world().any_process().immediate_probe()?;
        Some(status.source_rank().unsigned_abs() as usize)
    }

    fn find_local(&mut self) -> Result<[usize; 2]> {
        const LONGEST: usize = 256;
        let mut own = vec![0; LONGEST];
        let name = self.host.as_bytes();
        let length = name.len().min(LONGEST);
        own[..length].copy_from_slice(&name[..length]);
        let Member { rank, size, .. } = self.member;
        let mut all = vec![0; LONGEST * size];
        let cuts: Vec<usize> = (0..=size).map(|rank| rank * LONGEST).collect();
        self.gather(&own, &mut all, &cuts)?;
        let here = |names: &[u8]| names.chunks_exact(LONGEST).filter(|name| *name == &own[..]).count();
        Ok([here(&all[..rank * LONGEST]), here(&all)])
    }
}

/// A number as MPI has it.
fn number(rank: usize) -> i32 {
    i32::try_from(rank).unwrap_or(i32::MAX)
}

/// Counts and places of parts, as MPI has them.
fn parts(cuts: &[usize]) -> (Vec<i32>, Vec<i32>) {
    let counts = cuts.windows(2).map(|part| number(part[1] - part[0])).collect();
    (counts, cuts[..cuts.len() - 1].iter().map(|&cut| number(cut)).collect())
}

impl Group for Processes {
    fn member(&self) -> Member {
        self.member
    }

    fn broadcast(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let world = SimpleCommunicator::world();
        let first = world.process_at_rank(0);
        let mut length = bytes.len() as u64;
        first.broadcast_into(&mut length);
        bytes.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
        bytes.chunks_mut(PIECE).for_each(|piece| first.broadcast_into(piece));
        Ok(())
    }

    fn scatter(&mut self, bytes: &[u8], cuts: &[usize], received: &mut [u8]) -> Result<()> {
        let (counts, places) = parts(cuts);
        let Member { rank, size, .. } = self.member;
        let own = cuts[rank + 1] - cuts[rank];
        let (own_counts, own_places) = parts(&(0..=size).map(|rank| rank * own).collect::<Vec<usize>>());
        let sent = Partition::new(bytes, counts, places);
        let mut received = PartitionMut::new(received, own_counts, own_places);
        SimpleCommunicator::world().all_to_all_varcount_into(&sent, &mut received);
        Ok(())
    }

    fn gather(&mut self, own: &[u8], all: &mut [u8], cuts: &[usize]) -> Result<()> {
        let (counts, places) = parts(cuts);
        SimpleCommunicator::world().all_gather_varcount_into(own, &mut PartitionMut::new(all, counts, places));
        Ok(())
    }

    fn local(&self) -> usize {
        self.local[0]
    }

    fn leave(&mut self) {
        LEFT.store(true, Ordering::Relaxed);
        // To end MPI would be to wait for the others.
        std::mem::forget(self.universe.take());
    }
}

/// Ends all processes with this exit code if this one has left the others waiting for it, after its error was told.
pub fn end_those_left(code: u8) {
    if LEFT.load(Ordering::Relaxed) {
        SimpleCommunicator::world().abort(code.into());
    }
}
