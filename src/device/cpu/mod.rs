//! The CPU device: runs the same plans on the processor, for machines without a GPU.
//!
//! What treats every sample by itself runs block of samples by block of samples (`region.rs`), a few
//! operations have kernels of their own (`step.rs`), everything else runs its twin at f32. All of it
//! is prepared when a plan is loaded: a step asks for no memory. Work is cut by shape alone, so the bits
//! do not depend on the number of threads.

mod block;
mod ceilings;
mod exp;
mod job;
mod kernels;
mod math;
mod memory;
mod own;
mod panels;
mod pool;
#[cfg(feature = "native")]
mod profile;
mod region;
mod rows;
mod schedule;
mod step;

use super::shared::Shared;
use super::{Device, Identity, Means, ProgramId, Progress, Reading};
use crate::error::{Error, Result};
use crate::graph::Role;
use crate::plan::{Arena, DeviceKind, DeviceProfile, Member, Plan};
use crate::tensor::zeroed;
use crate::threads;
use job::Job;
use memory::Words;
use schedule::jobs;

/// Words beyond every arena that no kernel may touch; tests look at them.
const TAIL_WORDS: usize = 64;

/// Bytes that must be left beside a plan's memory: for blocks of samples under way and pictures.
const SPARE: usize = 32 << 20;
/// Copies of what training stores that must be left beside it: read back, by tensors, and as a checkpoint's file.
const COPIES: usize = 3;

/// The processor as a device.
pub struct CpuDevice {
    name: String,
    profile: DeviceProfile,
    /// Memory by arena, as words; the numbers are those that programs refer to.
    memory: Vec<Words>,
    shared: Shared<usize>,
    programs: Vec<CpuProgram>,
}

struct CpuProgram {
    plan: Plan,
    /// Memory of each of the plan's arenas.
    memory: Vec<usize>,
    jobs: Vec<Job>,
    /// Jobs before each of the plan's pauses.
    pauses: Vec<usize>,
}

impl Default for CpuDevice {
    fn default() -> Self {
        Self::new()
    }
}

impl CpuDevice {
    /// Names of the kernels that are this device's own; what has none is computed by its twin.
    pub const KERNELS: &[&str] = own::NAMES;

    /// The processor, with as many threads as the machine has.
    pub fn new() -> Self {
        let profile = DeviceProfile {
            max_binding: u64::MAX,
            max_storage_buffers: u32::MAX,
            ..DeviceProfile::portable(DeviceKind::Cpu)
        };
        let name = format!("CPU device ({} threads)", threads::current_num_threads());
        CpuDevice { name, profile, memory: Vec::new(), shared: Shared::default(), programs: Vec::new() }
    }

    /// Memory of the plan's arenas that no plan loaded before shares, in their order: all of it, or nothing.
    fn allocate(&self, plan: &Plan) -> Result<Vec<Words>> {
        let missing = || plan.arenas.iter().filter(|arena| self.shared.memory(&arena.name).is_none());
        let all: usize = missing().map(|arena| arena.bytes).sum();
        let of = |Arena { name, bytes }: &Arena| {
            let what = format!("CPU device: '{name}' of plan '{}', {:.1} MB in all", plan.name, all as f64 / 1e6);
            Words::try_zeros(bytes / 4 + TAIL_WORDS, what)
        };
        let fresh = missing().map(of).collect::<Result<Vec<Words>>>()?;
        // What comes to its end for want of a few bytes more cannot say so.
        let trains = plan.sources.values().any(|(role, _)| *role == Role::FirstMoment);
        let stored = plan.sources.values().filter(|(role, _)| trains && role.is_stored());
        let spare = SPARE + COPIES * stored.map(|(_, place)| place.ty.bytes()).sum::<usize>();
        let what = format!("CPU device: work beside the {:.1} MB of plan '{}'", all as f64 / 1e6, plan.name);
        zeroed::<u8>(spare, what)?;
        Ok(fresh)
    }

    fn range(&self, program: ProgramId, arena: usize, offset: usize, bytes: usize) -> Result<(usize, usize, usize)> {
        let memory = self.programs[program.0].memory[arena];
        let (start, end) = (offset, offset + bytes);
        if end > self.memory[memory].len() * 4 {
            return Err(Error::graph("memory", format!("bytes {start}..{end} lie outside of an arena")));
        }
        Ok((memory, start, end))
    }
}

impl Device for CpuDevice {
    fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> Identity {
        Identity { adapter: "CPU device".into(), driver: String::new() }
    }

    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }

    fn load(&mut self, plan: Plan) -> Result<ProgramId> {
        self.shared.check(&plan)?;
        let fresh = self.allocate(&plan)?;
        let mut fresh = fresh.into_iter();
        let mut numbers = Vec::with_capacity(plan.arenas.len());
        for (arena, Arena { name, .. }) in plan.arenas.iter().enumerate() {
            let number = self.shared.memory(name).copied().unwrap_or_else(|| {
                self.memory.extend(fresh.next());
                self.memory.len() - 1
            });
            self.shared.insert(&plan, arena, number);
            numbers.push(number);
        }
        let (jobs, pauses) = jobs(&plan, &numbers);
        self.programs.push(CpuProgram { plan, memory: numbers, jobs, pauses });
        Ok(ProgramId(self.programs.len() - 1))
    }

    fn clear(&mut self) {
        self.programs.clear();
        self.shared.clear();
        self.memory.clear();
    }

    fn plan(&self, program: ProgramId) -> &Plan {
        &self.programs[program.0].plan
    }

    fn means(&self, program: ProgramId) -> Vec<Means> {
        self.programs[program.0].jobs.iter().flat_map(Job::means).collect()
    }

    fn run(&mut self, program: ProgramId, times: u32) -> Result<()> {
        let (jobs, memory) = (&mut self.programs[program.0].jobs, &mut self.memory[..]);
        // On a thread of the pool: from any other, each parallel kernel would hand its work over and
        // sleep until it is woken.
        threads::scope(|_| {
            for _ in 0..times {
                jobs.iter_mut().for_each(|job| job.run(memory));
            }
        });
        Ok(())
    }

    fn run_stretch(&mut self, program: ProgramId, stretch: usize) -> Result<()> {
        let CpuProgram { jobs, pauses, .. } = &mut self.programs[program.0];
        let at = |pause: usize| pauses.get(pause).copied().unwrap_or(jobs.len());
        let stretch = stretch.checked_sub(1).map_or(0, at)..at(stretch);
        let (jobs, memory) = (&mut jobs[stretch], &mut self.memory[..]);
        threads::scope(|_| jobs.iter_mut().for_each(|job| job.run(memory)));
        Ok(())
    }

    fn floats_mut(
        &mut self,
        program: ProgramId,
        arena: usize,
        offset: usize,
        bytes: usize,
    ) -> Result<Option<&mut [f32]>> {
        let (memory, start, end) = self.range(program, arena, offset, bytes)?;
        Ok(Some(&mut self.memory[memory].floats_mut()[start / 4..end / 4]))
    }

    fn join(&mut self, member: Member) {
        self.profile.member = member;
    }

    #[cfg(feature = "native")]
    fn traced(&mut self, program: ProgramId, times: u32) -> super::Later<'_, super::Trace> {
        let CpuProgram { plan, memory: arenas, .. } = &self.programs[program.0];
        let (mut jobs, memory) = (schedule::one_by_one(plan, arenas), &mut self.memory[..]);
        let trace = profile::trace(plan, times, |step| jobs[step].run(memory));
        Box::pin(std::future::ready(Ok(trace)))
    }

    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> Result<()> {
        let (memory, start, end) = self.range(program, arena, offset, bytes.len())?;
        bytemuck::cast_slice_mut::<u32, u8>(&mut self.memory[memory])[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> Result<Reading> {
        let mut all = Vec::with_capacity(ranges.iter().map(|(_, _, bytes)| bytes).sum());
        for &(arena, offset, bytes) in ranges {
            let (memory, start, end) = self.range(program, arena, offset, bytes)?;
            all.extend_from_slice(&bytemuck::cast_slice::<u32, u8>(&self.memory[memory])[start..end]);
        }
        Ok(Reading(Progress::Done(all)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn a_plan_larger_than_memory_is_refused_with_what_it_needs() {
        let mut device = CpuDevice::new();
        let plan = |bytes: &[usize]| {
            let arenas = bytes.iter().enumerate().map(|(n, &bytes)| Arena { name: format!("huge/{n}"), bytes });
            let empty = Plan::new("huge", &Graph::new(), device.profile());
            empty.map(|plan| Plan { arenas: arenas.collect(), ..plan })
        };
        // More than a process has addresses for.
        let (small, huge) = (plan(&[64, 256]), plan(&[1_000_000, 1 << 50]));
        let message = huge.and_then(|plan| device.load(plan)).map_err(|error| error.to_string());
        let expected = "CPU device: 'huge/1' of plan 'huge', 1125899907.8 MB in all: needs 1125899906.8 MB of memory";
        assert!(message.as_ref().is_err_and(|message| message.contains(expected)), "{message:?}");
        assert!(device.memory.is_empty(), "nothing of it is kept");
        assert!(small.and_then(|plan| device.load(plan)).is_ok());
    }
}
