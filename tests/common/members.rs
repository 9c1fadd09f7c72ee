//! Threads in the place of processes that train one network together.

use std::sync::{Arc, Barrier, Mutex};

use gpu_ae::Result;
use gpu_ae::plan::Member;
use gpu_ae::train::group::Group;

/// What threads of one group have in common.
struct Shared {
    barrier: Barrier,
    bytes: Mutex<Vec<Vec<u8>>>,
}

/// A thread that is one of several.
pub struct Threads {
    /// Which of them it is.
    pub member: Member,
    shared: Arc<Shared>,
}

impl Threads {
    /// As many as learn together.
    pub fn group(size: usize, own_norms: bool) -> Vec<Threads> {
        let shared = Shared { barrier: Barrier::new(size), bytes: Mutex::new(vec![Vec::new(); size]) };
        let shared = Arc::new(shared);
        let member = |rank| Member { rank, size, own_norms };
        (0..size).map(|rank| Threads { member: member(rank), shared: Arc::clone(&shared) }).collect()
    }

    /// What every member shows, once all have shown theirs, taken by all before anyone goes on.
    fn shown<T>(&self, own: &[u8], take: impl FnOnce(&[Vec<u8>]) -> T) -> T {
        self.shared.bytes.lock().unwrap()[self.member.rank] = own.to_vec();
        self.shared.barrier.wait();
        let taken = take(&self.shared.bytes.lock().unwrap());
        self.shared.barrier.wait();
        taken
    }
}

impl Group for Threads {
    fn member(&self) -> Member {
        self.member
    }

    fn broadcast(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        *bytes = self.shown(bytes, |all| all[0].clone());
        Ok(())
    }

    fn scatter(&mut self, bytes: &[u8], cuts: &[usize], received: &mut [u8]) -> Result<()> {
        let own = cuts[self.member.rank]..cuts[self.member.rank + 1];
        let parts =
            self.shown(bytes, |all| all.iter().flat_map(|bytes| bytes[own.clone()].to_vec()).collect::<Vec<u8>>());
        received.copy_from_slice(&parts);
        Ok(())
    }

    fn gather(&mut self, own: &[u8], all: &mut [u8], cuts: &[usize]) -> Result<()> {
        let parts = self.shown(own, <[Vec<u8>]>::concat);
        assert!(parts.len() == all.len() && cuts.last() == Some(&all.len()));
        all.copy_from_slice(&parts);
        Ok(())
    }
}
