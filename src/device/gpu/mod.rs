//! A GPU through wgpu: the device, its buffers, its pipelines. With `gpu_program.rs` and
//! `adapters.rs` the only place that knows wgpu.

pub(super) mod adapters;
mod program;
pub(super) mod read;
mod timestamps;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::{Device, Identity, ProgramId, Progress, Reading, Trace, is_shared};
use crate::error::{Error, Result};
use crate::plan::{DeviceProfile, Plan};
use crate::shader::{Access, Shader, ShaderKey, UNIFORM_BYTES, shader};
use program::GpuProgram;
use read::Copying;

/// What sizes of arenas are rounded up to.
const ROUNDING: u64 = 256;

/// A compiled shader with the layout of its bindings.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// An open GPU.
pub struct GpuDevice {
    name: String,
    identity: Identity,
    profile: DeviceProfile,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// The first error the driver reported outside of any call; it ends the run.
    failure: Arc<Mutex<Option<String>>>,
    /// Why the device is gone for good, if it is.
    lost: Arc<Mutex<Option<String>>>,
    arenas: HashMap<String, wgpu::Buffer>,
    pipelines: HashMap<ShaderKey, Pipeline>,
    pub(super) programs: Vec<GpuProgram>,
    /// Buffers to read into that nothing is being read into.
    pub(super) spare: Vec<wgpu::Buffer>,
    in_flight: VecDeque<wgpu::SubmissionIndex>,
}

impl GpuDevice {
    /// Wraps an opened wgpu device.
    pub(super) fn new(
        name: String,
        identity: Identity,
        profile: DeviceProfile,
        device: wgpu::Device,
        queue: wgpu::Queue,
    ) -> Self {
        let [failure, lost] = [(); 2].map(|()| Arc::new(Mutex::new(None)));
        let keep_first = |failure: &Mutex<Option<String>>, problem: String| {
            if let Ok(mut slot) = failure.lock() {
                slot.get_or_insert(problem);
            }
        };
        let (uncaptured, gone) = (failure.clone(), lost.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| keep_first(&uncaptured, error.to_string())));
        device.set_device_lost_callback(move |reason, message| {
            // Dropping the device is reported here too, and is no failure.
            if reason != wgpu::DeviceLostReason::Destroyed {
                keep_first(&gone, format!("device lost: {message}"));
            }
        });
        GpuDevice {
            name,
            identity,
            profile,
            device,
            queue,
            failure,
            lost,
            arenas: HashMap::new(),
            pipelines: HashMap::new(),
            programs: Vec::new(),
            spare: Vec::new(),
            in_flight: VecDeque::new(),
        }
    }

    fn check(&self) -> Result<()> {
        for slot in [&self.lost, &self.failure] {
            match slot.lock() {
                Ok(problem) => match problem.as_deref() {
                    None => {}
                    Some(problem) => return Err(Error::Failed(format!("{}: {problem}", self.name))),
                },
                Err(_) => return Err(Error::Failed(format!("{}: a driver callback died", self.name))),
            }
        }
        Ok(())
    }

    pub(super) fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        self.device
            .poll(wgpu::PollType::Wait { submission_index: submission, timeout: None })
            .map_err(|error| Error::Failed(format!("{}: {error}", self.name)))?;
        self.check()
    }

    /// Starts to copy ranges of a plan's arenas.
    fn copy(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> Copying {
        let buffers = self.programs[program.0].buffers.clone();
        let range = |&(arena, offset, bytes): &(usize, usize, usize)| (&buffers[arena], offset as u64, bytes as u64);
        self.begin_copy(&ranges.iter().map(range).collect::<Vec<_>>())
    }

    /// The buffer of an arena, made if no plan loaded before shares it.
    fn arena(&mut self, name: &str, bytes: usize) -> Result<wgpu::Buffer> {
        // Any arena may serve as a uniform operand, which is bound whole even where its end is near.
        let size = (bytes as u64).next_multiple_of(ROUNDING) + UNIFORM_BYTES as u64;
        if let Some(buffer) = self.arenas.get(name) {
            if buffer.size() != size {
                return Err(Error::graph(name, "two plans disagree about the size of a shared arena"));
            }
            return Ok(buffer.clone());
        }
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::UNIFORM
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let label = Some(name);
        let buffer =
            self.device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false });
        if is_shared(name) {
            self.arenas.insert(name.to_string(), buffer.clone());
        }
        Ok(buffer)
    }
}

/// Leave to open a device with cooperative matrices, which wgpu calls experimental.
#[allow(unsafe_code)]
pub(super) fn experimental_features() -> wgpu::ExperimentalFeatures {
    // SAFETY: wgpu warns of undefined behaviour where its support is incomplete. Only the one kernel of
    // mixed precision reaches into it, and it is used where it was asked for.
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}

/// Compiles one shader. Checks at run time are for debug builds: every kernel guards its own accesses,
/// which the debug builds' tests prove.
#[allow(unsafe_code)]
fn compile(device: &wgpu::Device, shader: &Shader) -> Pipeline {
    let checks = if cfg!(debug_assertions) {
        wgpu::ShaderRuntimeChecks::checked()
    } else {
        wgpu::ShaderRuntimeChecks::unchecked()
    };
    let label = Some(shader.label.as_str());
    let source = wgpu::ShaderSource::Wgsl(shader.source.as_str().into());
    // SAFETY: the shaders are this crate's own. They clamp or guard every index and their loops are
    // bounded, so they need no checks added; tests run them with the checks and with canaries.
    let module = unsafe { device.create_shader_module_trusted(wgpu::ShaderModuleDescriptor { label, source }, checks) };
    let entry = |binding: u32, ty: wgpu::BufferBindingType| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let mut entries = Vec::new();
    if shader.param_words > 0 {
        entries.push(entry(0, wgpu::BufferBindingType::Uniform));
    }
    for (i, access) in shader.storage.iter().enumerate() {
        let ty = match access {
            Access::Uniform => wgpu::BufferBindingType::Uniform,
            Access::Read | Access::ReadWrite => wgpu::BufferBindingType::Storage { read_only: *access == Access::Read },
        };
        entries.push(entry(i as u32 + 1, ty));
    }
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: cfg!(debug_assertions),
            ..Default::default()
        },
        cache: None,
    });
    Pipeline { pipeline, layout }
}

/// Submissions under way at a time: one running, one waiting, so that the device never idles and the
/// host never runs far ahead.
const IN_FLIGHT: usize = 2;

impl Device for GpuDevice {
    fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }

    fn load(&mut self, plan: Plan) -> Result<ProgramId> {
        self.prepare(&plan.shaders())?;
        let buffers =
            plan.arenas.iter().map(|arena| self.arena(&arena.name, arena.bytes)).collect::<Result<Vec<_>>>()?;
        let program = GpuProgram::bind(&self.device, &self.queue, plan, buffers, &self.pipelines)?;
        self.programs.push(program);
        self.check()?;
        Ok(ProgramId(self.programs.len() - 1))
    }

    fn prepare(&mut self, shaders: &BTreeSet<&ShaderKey>) -> Result<()> {
        let missing: Vec<&ShaderKey> =
            shaders.iter().copied().filter(|key| !self.pipelines.contains_key(key)).collect();
        let device = &self.device;
        let compiled: Vec<(ShaderKey, Pipeline)> = missing
            .into_par_iter()
            .map(|key| Ok((key.clone(), compile(device, shader(key)?.as_ref()))))
            .collect::<Result<_>>()?;
        self.pipelines.extend(compiled);
        self.check()
    }

    fn clear(&mut self) {
        self.programs.clear();
        self.arenas.clear();
        if let Ok(mut failure) = self.failure.lock() {
            *failure = None;
        }
    }

    fn plan(&self, program: ProgramId) -> &Plan {
        &self.programs[program.0].plan
    }

    fn run(&mut self, program: ProgramId, times: u32) -> Result<()> {
        let mut left = times;
        while left > 0 {
            let count = self.programs[program.0].steps_per_submit.min(left);
            if self.in_flight.len() >= IN_FLIGHT {
                let oldest = self.in_flight.pop_front();
                self.wait(oldest)?;
            }
            let before = Instant::now();
            let commands = self.programs[program.0].record(&self.device, count);
            let submission = self.queue.submit([commands]);
            if self.programs[program.0].measure {
                // The first submissions are waited for, to learn how long a step takes.
                self.wait(Some(submission))?;
                self.programs[program.0].learn(count, before.elapsed());
            } else {
                self.in_flight.push_back(submission);
            }
            left -= count;
        }
        self.check()
    }

    fn recording(&mut self, program: ProgramId, times: u32) -> Option<Duration> {
        let begin = Instant::now();
        drop(self.programs[program.0].record(&self.device, times));
        Some(begin.elapsed())
    }

    fn trace(&mut self, program: ProgramId, times: u32) -> Result<Trace> {
        timestamps::trace(self, program, times)
    }

    fn finish(&mut self) -> Result<()> {
        self.in_flight.clear();
        self.wait(None)
    }

    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> Result<()> {
        self.queue.write_buffer(&self.programs[program.0].buffers[arena], offset as u64, bytes);
        self.check()
    }

    fn read_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: usize) -> Result<Vec<u8>> {
        let copying = self.copy(program, &[(arena, offset, bytes)]);
        self.end_copy(copying)
    }

    fn runs_ahead(&self) -> bool {
        true
    }

    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> Result<Reading> {
        Ok(Reading(Progress::Copying(self.copy(program, ranges))))
    }

    fn end_read(&mut self, reading: Reading) -> Result<Vec<u8>> {
        match reading.0 {
            Progress::Done(bytes) => Ok(bytes),
            Progress::Copying(copying) => self.end_copy(copying),
        }
    }
}
