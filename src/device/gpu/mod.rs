//! A GPU through wgpu: the device, its buffers, its pipelines. With the other files of its folder the only
//! place that knows wgpu.

pub(super) mod adapters;
mod mirrors;
#[cfg(not(feature = "native"))]
#[path = "fixed_pace.rs"]
mod pace;
#[cfg(feature = "native")]
mod pace;
mod program;
pub(super) mod read;
#[cfg(feature = "native")]
mod timestamps;
mod work;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use super::shared::Shared;
use super::{Device, Identity, Later, ProgramId, Progress, Reading};
use crate::error::{Error, Result};
use crate::plan::{DeviceProfile, Member, Plan};
use crate::shader::{Access, Shader, ShaderKey, UNIFORM_BYTES, shader};
use crate::threads::prelude::*;
use program::GpuProgram;
use work::{Flow, Work};

/// What sizes of arenas are rounded up to.
const ROUNDING: u64 = 256;

/// A compiled shader with the layout of its bindings.
#[derive(Clone)]
struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// An open GPU.
pub struct GpuDevice {
    name: String,
    identity: Identity,
    profile: DeviceProfile,
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// The first error the driver reported outside of any call; it ends the run.
    failure: Arc<Mutex<Option<String>>>,
    /// Why the device is gone for good, if it is.
    lost: Arc<Mutex<Option<String>>>,
    shared: Shared<wgpu::Buffer>,
    pipelines: HashMap<ShaderKey, Pipeline>,
    programs: Vec<GpuProgram>,
    /// Buffers to read into that nothing is being read into.
    spare: Vec<wgpu::Buffer>,
    flow: Flow,
}

impl GpuDevice {
    /// Wraps an opened wgpu device.
    fn new(name: String, identity: Identity, profile: DeviceProfile, device: wgpu::Device, queue: wgpu::Queue) -> Self {
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
            shared: Shared::default(),
            pipelines: HashMap::new(),
            programs: Vec::new(),
            spare: Vec::new(),
            flow: Flow::default(),
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

    /// A buffer for an arena.
    fn buffer(&self, name: &str, bytes: usize) -> wgpu::Buffer {
        // Any arena may serve as a uniform operand, which is bound whole even where its end is near.
        let size = (bytes as u64).next_multiple_of(ROUNDING) + UNIFORM_BYTES as u64;
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::UNIFORM
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let label = Some(name);
        self.device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false })
    }

    /// The buffers of a plan's arenas, made if no plan loaded before shares them.
    fn buffers(&mut self, plan: &Plan) -> Vec<wgpu::Buffer> {
        let mut buffers = Vec::with_capacity(plan.arenas.len());
        for (number, arena) in plan.arenas.iter().enumerate() {
            let known = self.shared.memory(&arena.name).cloned();
            let buffer = known.unwrap_or_else(|| self.buffer(&arena.name, arena.bytes));
            self.shared.insert(plan, number, buffer.clone());
            buffers.push(buffer);
        }
        buffers
    }
}

/// Leave to open a device with cooperative matrices, which wgpu calls experimental.
#[allow(unsafe_code)]
fn experimental_features() -> wgpu::ExperimentalFeatures {
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
    // naga knows subgroups without the line that browsers demand, and refuses the line.
    let source: Cow<'_, str> = match cfg!(target_arch = "wasm32") && shader.source.contains("subgroup") {
        true => format!("enable subgroups;\n{}", shader.source).into(),
        false => shader.source.as_str().into(),
    };
    let source = wgpu::ShaderSource::Wgsl(source);
    // SAFETY: the shaders are this crate's own. They clamp or guard every index and their loops are
    // bounded, so they need no checks added; tests run them with the checks and with canaries.
    let module = unsafe { device.create_shader_module_trusted(wgpu::ShaderModuleDescriptor { label, source }, checks) };
    let buffer = |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
    let storage = |read_only| buffer(wgpu::BufferBindingType::Storage { read_only });
    let of_access = |access: &Access| match access {
        Access::Uniform => buffer(wgpu::BufferBindingType::Uniform),
        Access::Texels => mirrors::BINDING,
        Access::Read => storage(true),
        Access::ReadWrite => storage(false),
    };
    let parameters = (shader.param_words > 0).then(|| (0, of_access(&Access::Uniform)));
    let operands = (1..).zip(shader.storage.iter().map(of_access));
    let entry = |(binding, ty)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty,
        count: None,
    };
    let entries: Vec<_> = parameters.into_iter().chain(operands).map(entry).collect();
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
        self.shared.check(&plan)?;
        self.prepare(&plan.shaders())?;
        let buffers = self.buffers(&plan);
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
        self.flow.clear();
        self.programs.clear();
        self.shared.clear();
        if let Ok(mut failure) = self.failure.lock() {
            *failure = None;
        }
    }

    fn plan(&self, program: ProgramId) -> &Plan {
        &self.programs[program.0].plan
    }

    fn run(&mut self, program: ProgramId, times: u32) -> Result<()> {
        self.ask(Work::Steps { program: program.0, left: times })
    }

    fn run_stretch(&mut self, program: ProgramId, stretch: usize) -> Result<()> {
        self.ask(Work::Stretch { program: program.0, stretch })
    }

    fn join(&mut self, member: Member) {
        self.profile.member = member;
    }

    #[cfg(feature = "native")]
    fn recording(&mut self, program: ProgramId, times: u32) -> Option<std::time::Duration> {
        let begin = std::time::Instant::now();
        drop(self.programs[program.0].record(&self.device, times));
        Some(begin.elapsed())
    }

    #[cfg(feature = "native")]
    fn traced(&mut self, program: ProgramId, times: u32) -> Later<'_, super::Trace> {
        Box::pin(timestamps::trace(self, program, times))
    }

    fn idle(&mut self) -> Later<'_, ()> {
        Box::pin(self.drain())
    }

    fn write_bytes(&mut self, program: ProgramId, arena: usize, offset: usize, bytes: &[u8]) -> Result<()> {
        let (to, offset) = (&self.programs[program.0].buffers[arena], offset as u64);
        if self.flow.is_submitted() {
            self.queue.write_buffer(to, offset, bytes);
            return self.check();
        }
        let to = to.clone();
        self.ask(Work::Write { to, offset, bytes: bytes.to_vec() })
    }

    fn runs_ahead(&self) -> bool {
        true
    }

    fn begin_read(&mut self, program: ProgramId, ranges: &[(usize, usize, usize)]) -> Result<Reading> {
        let buffers = &self.programs[program.0].buffers;
        let range =
            |&(arena, offset, bytes): &(usize, usize, usize)| (buffers[arena].clone(), offset as u64, bytes as u64);
        let ranges = ranges.iter().map(range).collect();
        Ok(Reading(Progress::Copying(self.begin_copy(ranges)?)))
    }

    fn receive(&mut self, reading: Reading) -> Later<'_, Vec<u8>> {
        match reading.0 {
            Progress::Done(bytes) => Box::pin(std::future::ready(Ok(bytes))),
            Progress::Copying(copying) => Box::pin(self.end_copy(copying)),
        }
    }
}
