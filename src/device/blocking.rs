//! Waiting for a device, where a program may: what its futures bring, on the thread that asks.

use pollster::block_on;

use super::{Device, ProgramId, Reading, Trace};
use crate::error::Result;

impl dyn Device + '_ {
    /// Waits until everything started so far is done.
    ///
    /// # Errors
    /// When the device failed meanwhile.
    pub fn finish(&mut self) -> Result<()> {
        block_on(self.idle())
    }

    /// Waits for a reading, and for nothing run later: as [`receive`](Device::receive).
    ///
    /// # Errors
    /// When the device fails.
    pub fn end_read(&mut self, reading: Reading) -> Result<Vec<u8>> {
        block_on(self.receive(reading))
    }

    /// Runs a plan `times` times and takes the time of every dispatch: as [`traced`](Device::traced).
    ///
    /// # Errors
    /// When the device fails.
    pub fn trace(&mut self, program: ProgramId, times: u32) -> Result<Trace> {
        block_on(self.traced(program, times))
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
        let reading = self.begin(program, &[name])?;
        self.end_read(reading)
    }

    /// Reads sources or results by name, every arena once: as `fetch`.
    ///
    /// # Errors
    /// When there is none of a name, or the device fails.
    pub fn read_many(&mut self, program: ProgramId, names: &[&str]) -> Result<Vec<Vec<u8>>> {
        block_on(self.fetch(program, names))
    }

    /// Reads a source or result of floats.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_f32(&mut self, program: ProgramId, name: &str) -> Result<Vec<f32>> {
        Ok(bytemuck::pod_collect_to_vec(&self.read(program, name)?))
    }

    /// Reads a source or result of words.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_u32(&mut self, program: ProgramId, name: &str) -> Result<Vec<u32>> {
        Ok(bytemuck::pod_collect_to_vec(&self.read(program, name)?))
    }
}
