//! WHERE it is computed: devices that load plans and run them.

pub mod ceilings;
mod cpu;
mod gpu;
pub mod proof;
mod trace;
pub mod tune;

pub use cpu::CpuDevice;
pub use gpu::GpuDevice;
pub use gpu::adapters::{AdapterReport, Choice, adapters, open};
pub use trace::{Span, TimedDispatch, Timer, Trace};

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::plan::{DeviceProfile, Place, Plan};
use crate::shader::ShaderKey;

/// Handle of a plan loaded on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProgramId(usize);

/// What measurements of a device hold for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The adapter and the interface it is reached by.
    pub adapter: String,
    /// The driver and its version.
    pub driver: String,
}

/// A machine that runs plans. Arenas whose names have no slash are shared by all plans loaded on it.
pub trait Device: Send {
    /// Name for people: adapter and driver, or the processor.
    fn name(&self) -> &str;

    /// Which machine and driver this is, the same on every start.
    fn identity(&self) -> Identity {
        Identity { adapter: self.name().to_string(), driver: String::new() }
    }

    /// What plans for this device may use.
    fn profile(&self) -> &DeviceProfile;

    /// Makes everything a plan needs: buffers, pipelines, bindings. Running it creates nothing more.
    ///
    /// # Errors
    /// When memory runs out or a shared arena has another layout in a plan loaded before.
    fn load(&mut self, plan: Plan) -> Result<ProgramId>;

    /// Compiles shaders side by side, so that loading the plans that use them takes no time.
    ///
    /// # Errors
    /// When the device refuses one.
    fn prepare(&mut self, shaders: &BTreeSet<&ShaderKey>) -> Result<()> {
        let _ = shaders;
        Ok(())
    }

    /// Forgets all plans and their memory, and what the device found wrong with them; compiled shaders
    /// are kept.
    fn clear(&mut self);

    /// A loaded plan.
    fn plan(&self, program: ProgramId) -> &Plan;

    /// Runs a plan `times` times in a row. May return before the work is done.
    ///
    /// # Errors
    /// When the device fails.
    fn run(&mut self, program: ProgramId, times: u32) -> Result<()>;

    /// Host's time to record `times` runs of a plan without starting them; none where nothing is recorded.
    fn recording(&mut self, program: ProgramId, times: u32) -> Option<Duration> {
        let _ = (program, times);
        None
    }

    /// Runs a plan `times` times, as [`run`](Self::run) does, and takes the time of every dispatch, for
    /// which it waits. What is computed is the same to the bit.
    ///
    /// # Errors
    /// When the device fails.
    fn trace(&mut self, program: ProgramId, times: u32) -> Result<Trace>;

    /// Waits until everything started so far is done.
    ///
    /// # Errors
    /// When the device failed meanwhile.
    fn finish(&mut self) -> Result<()>;

    /// Writes bytes into an arena of a plan, before anything run later.
    ///
    /// # Errors
    /// When the device fails.
    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> Result<()>;

    /// Reads bytes of an arena, after everything run before.
    ///
    /// # Errors
    /// When the device fails.
    fn read_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: usize) -> Result<Vec<u8>>;

    /// Whether [`run`](Self::run) returns before the work is done, so that it pays to start more before
    /// results are waited for.
    fn runs_ahead(&self) -> bool {
        false
    }

    /// Begins to read ranges of a plan's arenas, (arena, first byte, bytes), as they are after everything
    /// run before; what is run later does not show.
    ///
    /// # Errors
    /// When the device fails.
    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> Result<Reading> {
        let mut all = Vec::new();
        for &(arena, offset, bytes) in ranges {
            all.extend(self.read_bytes(program, arena, offset, bytes)?);
        }
        Ok(Reading(Progress::Done(all)))
    }

    /// The bytes of those ranges, one behind the other. Waits for them and for nothing run later.
    ///
    /// # Errors
    /// When the device fails.
    fn end_read(&mut self, reading: Reading) -> Result<Vec<u8>> {
        match reading.0 {
            Progress::Done(bytes) => Ok(bytes),
            Progress::Copying(_) => Err(Error::graph("reading", "is another device's")),
        }
    }
}

/// Bytes on their way from a device to the host.
pub struct Reading(Progress);

enum Progress {
    /// They are there.
    Done(Vec<u8>),
    /// A GPU copies them.
    Copying(gpu::read::Copying),
}

/// Whether plans share an arena of this name.
fn is_shared(arena: &str) -> bool {
    !arena.contains('/')
}

/// Place of a source or a result by name.
fn place(plan: &Plan, name: &str) -> Result<Place> {
    let source = plan.sources.get(name).map(|(_, place)| place);
    source
        .or(plan.results.get(name))
        .cloned()
        .ok_or_else(|| Error::graph(format!("plan '{}'", plan.name), format!("has no source or result '{name}'")))
}

impl dyn Device + '_ {
    /// Writes a source by name: little-endian elements.
    ///
    /// # Errors
    /// When there is no such source, its size differs, or the device fails.
    pub fn write(&mut self, program: ProgramId, name: &str, bytes: &[u8]) -> Result<()> {
        let place = place(self.plan(program), name)?;
        if place.ty.bytes() != bytes.len() {
            return Err(Error::graph(name, format!("{} bytes written where {} belong", bytes.len(), place.ty.bytes())));
        }
        self.write_bytes(program, place.arena, place.offset, bytes)
    }

    /// Reads a source or result by name.
    ///
    /// # Errors
    /// When there is none of that name, or the device fails.
    pub fn read(&mut self, program: ProgramId, name: &str) -> Result<Vec<u8>> {
        let place = place(self.plan(program), name)?;
        self.read_bytes(program, place.arena, place.offset, place.ty.bytes())
    }

    /// Begins to read sources or results by name; `end_read` brings them one behind the other.
    ///
    /// # Errors
    /// When there is none of a name, or the device fails.
    pub fn begin(&mut self, program: ProgramId, names: &[&str]) -> Result<Reading> {
        let range = |name: &&str| place(self.plan(program), name).map(|p| (p.arena, p.offset, p.ty.bytes()));
        let ranges = names.iter().map(range).collect::<Result<Vec<_>>>()?;
        self.begin_read(program, &ranges)
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
