//! The CPU device: runs the same plans on the processor, for machines without a GPU.
//!
//! Hot operations have kernels of their own (`cpu_kernels.rs`); everything else runs its twin at f32.
//! Work is cut into blocks by shape alone, so the bits do not depend on the number of threads.

use std::collections::{BTreeMap, HashMap};

use super::cpu_kernels::{self, Input};
use super::{Device, Identity, ProgramId, Trace, cpu_profile, is_shared};
use crate::error::{Error, Result};
use crate::plan::{DeviceKind, DeviceProfile, Place, Plan, Step};
use crate::tensor::{Data, HostTensor};

/// Words beyond every arena that no kernel may touch; tests look at them.
const TAIL_WORDS: usize = 64;

/// The processor as a device.
pub struct CpuDevice {
    name: String,
    profile: DeviceProfile,
    /// Memory by arena, as words; the numbers are those that programs refer to.
    memory: Vec<Vec<u32>>,
    arenas: HashMap<String, usize>,
    programs: Vec<CpuProgram>,
}

struct CpuProgram {
    plan: Plan,
    /// Memory of each of the plan's arenas.
    memory: Vec<usize>,
}

impl Default for CpuDevice {
    fn default() -> Self {
        Self::new()
    }
}

impl CpuDevice {
    /// The processor, with as many threads as the machine has.
    pub fn new() -> Self {
        let profile = DeviceProfile {
            max_binding: u64::MAX,
            max_storage_buffers: u32::MAX,
            ..DeviceProfile::portable(DeviceKind::Cpu)
        };
        let name = format!("CPU device ({} threads)", rayon::current_num_threads());
        CpuDevice { name, profile, memory: Vec::new(), arenas: HashMap::new(), programs: Vec::new() }
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
        let mut numbers = Vec::with_capacity(plan.arenas.len());
        for arena in &plan.arenas {
            let words = arena.bytes / 4 + TAIL_WORDS;
            let number = match self.arenas.get(&arena.name) {
                Some(&number) if self.memory[number].len() == words => number,
                Some(_) => {
                    return Err(Error::graph(&arena.name, "two plans disagree about the size of a shared arena"));
                }
                None => {
                    self.memory.push(vec![0; words]);
                    if is_shared(&arena.name) {
                        self.arenas.insert(arena.name.clone(), self.memory.len() - 1);
                    }
                    self.memory.len() - 1
                }
            };
            numbers.push(number);
        }
        self.programs.push(CpuProgram { plan, memory: numbers });
        Ok(ProgramId(self.programs.len() - 1))
    }

    fn clear(&mut self) {
        self.programs.clear();
        self.arenas.clear();
        self.memory.clear();
    }

    fn plan(&self, program: ProgramId) -> &Plan {
        &self.programs[program.0].plan
    }

    fn run(&mut self, program: ProgramId, times: u32) -> Result<()> {
        let CpuProgram { plan, memory } = &self.programs[program.0];
        let all = &mut self.memory;
        // On a thread of the pool: from any other, each parallel kernel would hand its work over and
        // sleep until it is woken.
        rayon::scope(|_| {
            for step in (0..times).flat_map(|_| &plan.steps) {
                run_step(step, memory, all);
            }
        });
        Ok(())
    }

    fn trace(&mut self, program: ProgramId, times: u32) -> Result<Trace> {
        let CpuProgram { plan, memory } = &self.programs[program.0];
        let all = &mut self.memory;
        Ok(cpu_profile::trace(plan, times, |step| run_step(step, memory, all)))
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> Result<()> {
        let (memory, start, end) = self.range(program, arena, offset, bytes.len())?;
        bytemuck::cast_slice_mut::<u32, u8>(&mut self.memory[memory])[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn read_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: usize) -> Result<Vec<u8>> {
        let (memory, start, end) = self.range(program, arena, offset, bytes)?;
        Ok(bytemuck::cast_slice::<u32, u8>(&self.memory[memory])[start..end].to_vec())
    }
}

fn words(place: &Place) -> std::ops::Range<usize> {
    let start = place.offset / 4;
    start..start + place.ty.bytes() / 4
}

/// Runs one operation. The arenas it writes are taken out of the memory for the time, so that inputs
/// can be borrowed from the others; inputs in a written arena are those that outputs overwrite.
fn run_step(step: &Step, numbers: &[usize], memory: &mut [Vec<u32>]) {
    let mut written: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for place in &step.outputs {
        written.entry(place.arena).or_insert_with(|| std::mem::take(&mut memory[numbers[place.arena]]));
    }
    {
        let aliases = step.op.aliases();
        let inputs: Vec<Input<'_>> = step
            .inputs
            .iter()
            .enumerate()
            .map(|(i, place)| match aliases.iter().find(|(input, _)| *input == i) {
                Some(&(_, output)) => Input::InPlace(output),
                None => Input::Words(&memory[numbers[place.arena]][words(place)]),
            })
            .collect();
        let mut outputs = split(step, &mut written);
        if !cpu_kernels::run(step, &inputs, &mut outputs) {
            run_twin(step, &inputs, &mut outputs);
        }
    }
    for (arena, words) in written {
        memory[numbers[arena]] = words;
    }
}

/// The outputs' own parts of the written arenas, in the order of the outputs.
fn split<'a>(step: &Step, written: &'a mut BTreeMap<usize, Vec<u32>>) -> Vec<&'a mut [u32]> {
    let mut outputs: Vec<(usize, &'a mut [u32])> = Vec::with_capacity(step.outputs.len());
    for (arena, memory) in written {
        let mut places: Vec<(usize, std::ops::Range<usize>)> = step
            .outputs
            .iter()
            .enumerate()
            .filter(|(_, place)| place.arena == *arena)
            .map(|(i, place)| (i, words(place)))
            .collect();
        places.sort_by_key(|(_, range)| range.start);
        let mut rest: &mut [u32] = memory;
        let mut done = 0;
        for (i, range) in places {
            let (part, after) = std::mem::take(&mut rest)[range.start - done..].split_at_mut(range.len());
            outputs.push((i, part));
            rest = after;
            done = range.end;
        }
    }
    outputs.sort_by_key(|(i, _)| *i);
    outputs.into_iter().map(|(_, part)| part).collect()
}

/// The operation's twin at f32, on copies.
fn run_twin(step: &Step, inputs: &[Input<'_>], outputs: &mut [&mut [u32]]) {
    let tensors: Vec<HostTensor<f32>> = step
        .inputs
        .iter()
        .zip(inputs)
        .map(|(place, input)| HostTensor::from_device_bytes(&place.ty, bytemuck::cast_slice(input.words(outputs))))
        .collect();
    let borrowed: Vec<&HostTensor<f32>> = tensors.iter().collect();
    let mut results: Vec<HostTensor<f32>> = step.outputs.iter().map(|place| HostTensor::zeros(&place.ty)).collect();
    step.op.eval_f32(&borrowed, &mut results);
    for (output, result) in outputs.iter_mut().zip(results) {
        match result.data {
            Data::Real(x) => output.copy_from_slice(bytemuck::cast_slice(&x)),
            Data::Words(x) => output.copy_from_slice(&x),
            Data::Bytes(x) => bytemuck::cast_slice_mut::<u32, u8>(output)[..x.len()].copy_from_slice(&x),
        }
    }
}
