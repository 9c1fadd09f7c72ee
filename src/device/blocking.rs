//! Waiting for a device, where a program may: what its futures bring, on the thread that asks.

use super::{Device, ProgramId, Reading, Trace};
use crate::error::Result;

/// What a future brings, on the thread that asks.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    pollster::block_on(work)
}

impl dyn Device + '_ {
    /// Waits until everything started so far is done.
    ///
    /// # Errors
    /// When the device failed meanwhile.
    pub fn finish(&mut self) -> Result<()> {
        wait(self.idle())
    }

    /// Waits for a reading, and for nothing run later: as [`receive`](Device::receive).
    ///
    /// # Errors
    /// When the device fails.
    pub fn end_read(&mut self, reading: Reading) -> Result<Vec<u8>> {
        wait(self.receive(reading))
    }

    /// Runs a plan `times` times and takes the time of every dispatch: as [`traced`](Device::traced).
    ///
    /// # Errors
    /// When the device fails.
    pub fn trace(&mut self, program: ProgramId, times: u32) -> Result<Trace> {
        wait(self.traced(program, times))
    }

    /// Reads bytes of an arena, after everything run before.
    ///
    /// # Errors
    /// When the device fails.
    pub fn read_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: usize) -> Result<Vec<u8>> {
        let reading = self.begin_read(program, &[(arena, offset, bytes)])?;
        self.end_read(reading)
    }

    /// Reads a source or result by name.
    ///
    /// # Errors
    /// When there is none of that name, or the device fails.
    pub fn read(&mut self, program: ProgramId, name: &str) -> Result<Vec<u8>> {
        wait(self.fetch_one(program, name))
    }

    /// Reads sources or results by name, every arena once: as `fetch`.
    ///
    /// # Errors
    /// When there is none of a name, or the device fails.
    pub fn read_many(&mut self, program: ProgramId, names: &[&str]) -> Result<Vec<Vec<u8>>> {
        wait(self.fetch(program, names))
    }

    /// Reads a source or result of floats.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_f32(&mut self, program: ProgramId, name: &str) -> Result<Vec<f32>> {
        wait(self.fetch_f32(program, name))
    }

    /// Reads a source or result of words.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_u32(&mut self, program: ProgramId, name: &str) -> Result<Vec<u32>> {
        wait(self.fetch_u32(program, name))
    }
}
