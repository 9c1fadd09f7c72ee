//! WHERE it is computed: devices that load plans and run them.
//!
//! The edge is asynchronous: what is asked of a device returns at once, what it brings is a future. Where a
//! program may wait, `blocking.rs` does so.

#[cfg(feature = "native")]
mod blocking;
#[cfg(feature = "native")]
pub mod ceilings;
mod cpu;
mod gpu;
pub mod proof;
mod shared;
#[cfg(feature = "native")]
mod trace;
#[cfg(feature = "native")]
pub mod tune;

#[cfg(feature = "native")]
pub use blocking::wait;
pub use cpu::CpuDevice;
pub use gpu::GpuDevice;
pub use gpu::adapters::{AdapterReport, Choice, absence, adapters, open, open_one};
#[cfg(feature = "native")]
pub use trace::{Span, TimedDispatch, Timer, Trace};

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use crate::error::{Error, Result};
use crate::plan::{DeviceProfile, Member, Place, Plan};
use crate::shader::ShaderKey;

/// What a device will have done or brought. On a GPU outside of a browser it is driven by the thread that
/// polls it, which waits meanwhile; any executor will do.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

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

/// What computes a step of a plan on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A kernel of the device's own, of this name.
    Kernel(&'static str),
    /// The operation's twin at f32, or the very code that the twin is made of. Compared with the twin, it proves
    /// nothing.
    Twin,
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
    /// When memory runs out, or a plan loaded before has something else in an arena that both share.
    fn load(&mut self, plan: Plan) -> Result<ProgramId>;

    /// Compiles shaders side by side, so that loading the plans that use them takes no time.
    ///
    /// # Errors
    /// When the device refuses one.
    fn prepare(&mut self, shaders: &BTreeSet<&ShaderKey>) -> Result<()> {
        let _ = shaders;
        Ok(())
    }

    /// Forgets all plans and their memory, what was asked of them, and what the device found wrong with them;
    /// compiled shaders are kept.
    fn clear(&mut self);

    /// A loaded plan.
    fn plan(&self, program: ProgramId) -> &Plan;

    /// What computes a loaded plan.
    fn means(&self, program: ProgramId) -> Vec<Means> {
        self.plan(program).steps.iter().map(|step| Means::Kernel(step.kernel)).collect()
    }

    /// Submits `times` runs of a plan in a row. A device that [runs ahead](Self::runs_ahead) returns at once;
    /// what is too much to be under way at a time goes to it little by little, as more is asked of it and while
    /// its futures are awaited.
    ///
    /// # Errors
    /// When the device fails.
    fn run(&mut self, program: ProgramId, times: u32) -> Result<()>;

    /// Runs one stretch of a plan that [pauses](Plan::pauses), once: what lies between two pauses.
    ///
    /// # Errors
    /// When the device fails.
    fn run_stretch(&mut self, program: ProgramId, stretch: usize) -> Result<()>;

    /// Host's time to record `times` runs of a plan without starting them; none where nothing is recorded.
    #[cfg(feature = "native")]
    fn recording(&mut self, program: ProgramId, times: u32) -> Option<std::time::Duration> {
        let _ = (program, times);
        None
    }

    /// Runs a plan `times` times, as [`run`](Self::run) does, and takes the time of every dispatch. What is
    /// computed is the same to the bit.
    ///
    /// # Errors
    /// When the device fails.
    #[cfg(feature = "native")]
    fn traced(&mut self, program: ProgramId, times: u32) -> Later<'_, Trace>;

    /// Resolves when everything started so far is done.
    ///
    /// # Errors
    /// When the device failed meanwhile.
    fn idle(&mut self) -> Later<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Writes bytes into an arena of a plan, after everything run before and before anything run later.
    ///
    /// # Errors
    /// When the device fails.
    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> Result<()>;

    /// Floats of an arena where they lie, on a device whose memory is the host's own.
    ///
    /// # Errors
    /// When they lie outside of the arena.
    fn floats_mut(
        &mut self,
        program: ProgramId,
        arena: usize,
        offset: usize,
        bytes: usize,
    ) -> Result<Option<&mut [f32]>> {
        let _ = (program, arena, offset, bytes);
        Ok(None)
    }

    /// Makes this one of several devices that learn together.
    fn join(&mut self, member: Member);

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
    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> Result<Reading>;

    /// The bytes of those ranges, one behind the other, as soon as they are there, whatever was run later.
    ///
    /// # Errors
    /// When the device fails, or was cleared before it came to read.
    fn receive(&mut self, reading: Reading) -> Later<'_, Vec<u8>> {
        Box::pin(std::future::ready(match reading.0 {
            Progress::Done(bytes) => Ok(bytes),
            Progress::Copying(_) => Err(Error::graph("reading", "is another device's")),
        }))
    }
}

/// Bytes on their way from a device to the host.
pub struct Reading(Progress);

enum Progress {
    /// They are there.
    Done(Vec<u8>),
    /// A GPU copies them, or is about to.
    Copying(gpu::read::Copying),
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
    /// Hands floats of an arena out to be changed, as they are after everything run before and before anything run later: its
    /// number, their first byte, their bytes.
    ///
    /// # Errors
    /// When the device fails, or `change` does.
    pub async fn change(
        &mut self,
        program: ProgramId,
        (arena, offset, bytes): (usize, usize, usize),
        change: &mut dyn FnMut(&mut [f32]) -> Result<()>,
    ) -> Result<()> {
        if let Some(floats) = self.floats_mut(program, arena, offset, bytes)? {
            return change(floats);
        }
        let reading = self.begin_read(program, &[(arena, offset, bytes)])?;
        let mut floats: Vec<f32> = bytemuck::pod_collect_to_vec(&self.receive(reading).await?);
        change(&mut floats)?;
        self.write_bytes(program, arena, offset, bytemuck::cast_slice(&floats))
    }

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

    /// Writes a part of a source by name, from this byte on.
    ///
    /// # Errors
    /// When there is no such source, it is smaller, or the device fails.
    pub fn write_part(&mut self, program: ProgramId, name: &str, from: usize, bytes: &[u8]) -> Result<()> {
        let place = place(self.plan(program), name)?;
        if from.saturating_add(bytes.len()) > place.ty.bytes() {
            let problem = format!("{} bytes written from {from} on where {} belong", bytes.len(), place.ty.bytes());
            return Err(Error::graph(name, problem));
        }
        self.write_bytes(program, place.arena, place.offset + from, bytes)
    }

    /// Begins to read sources or results by name; [`receive`](Device::receive) brings them one
    /// behind the other.
    ///
    /// # Errors
    /// When there is none of a name, or the device fails.
    pub fn begin(&mut self, program: ProgramId, names: &[&str]) -> Result<Reading> {
        let range = |name: &&str| place(self.plan(program), name).map(|p| (p.arena, p.offset, p.ty.bytes()));
        let ranges = names.iter().map(range).collect::<Result<Vec<_>>>()?;
        self.begin_read(program, &ranges)
    }

    /// Sources or results by name, of which every arena is read once: from the first byte wanted of it to the
    /// last.
    ///
    /// # Errors
    /// When there is none of a name, or the device fails.
    pub async fn fetch(&mut self, program: ProgramId, names: &[&str]) -> Result<Vec<Vec<u8>>> {
        let places = names.iter().map(|name| place(self.plan(program), name)).collect::<Result<Vec<_>>>()?;
        let mut covering: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for place in &places {
            let (begin, end) = covering.entry(place.arena).or_insert((place.offset, place.offset));
            *begin = place.offset.min(*begin);
            *end = (place.offset + place.ty.bytes()).max(*end);
        }
        let ranges: Vec<_> = covering.iter().map(|(&arena, &(begin, end))| (arena, begin, end - begin)).collect();
        let reading = self.begin_read(program, &ranges)?;
        let bytes = self.receive(reading).await?;
        // First byte that was read of each arena, and where it is among all bytes.
        let mut behind = 0;
        let mut origins = BTreeMap::new();
        for (arena, begin, length) in ranges {
            origins.insert(arena, (begin, behind));
            behind += length;
        }
        let part = |place: &Place| {
            let (begin, at) = origins[&place.arena];
            bytes[at + place.offset - begin..][..place.ty.bytes()].to_vec()
        };
        Ok(places.iter().map(part).collect())
    }

    /// A source or result by name.
    ///
    /// # Errors
    /// When there is none of that name, or the device fails.
    pub async fn fetch_one(&mut self, program: ProgramId, name: &str) -> Result<Vec<u8>> {
        let reading = self.begin(program, &[name])?;
        self.receive(reading).await
    }

    /// A source or result of floats by name.
    ///
    /// # Errors
    /// When there is none of that name, or the device fails.
    pub async fn fetch_f32(&mut self, program: ProgramId, name: &str) -> Result<Vec<f32>> {
        Ok(bytemuck::pod_collect_to_vec(&self.fetch_one(program, name).await?))
    }

    /// A source or result of words by name.
    ///
    /// # Errors
    /// When there is none of that name, or the device fails.
    pub async fn fetch_u32(&mut self, program: ProgramId, name: &str) -> Result<Vec<u32>> {
        Ok(bytemuck::pod_collect_to_vec(&self.fetch_one(program, name).await?))
    }
}
