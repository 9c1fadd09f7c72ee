//! The naive matrix product on a wgpu device of its own: no kernel that anybody runs, only a measure.

use std::time::{Duration, Instant};

use gpu_ae::tensor::HostTensor;

/// A bound naive product a \[M, K\] · b \[N, K\]ᵀ.
pub struct Naive {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    groups: [u32; 2],
}

impl Naive {
    /// On the adapter whose name `device` begins with.
    pub fn new(device_name: &str, inputs: &[HostTensor<f32>]) -> Option<Self> {
        let [m, k] = inputs[0].shape.dims()[..] else { return None };
        let n = inputs[1].shape.dims()[0];
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
        let adapter = adapters.into_iter().find(|adapter| device_name.starts_with(&adapter.get_info().name))?;
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).ok()?;
        let source =
            format!("const M: u32 = {m}u; const N: u32 = {n}u; const K: u32 = {k}u;\n{}", include_str!("naive.wgsl"));
        let source = wgpu::ShaderSource::Wgsl(source.into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("naive"), source });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("naive"),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let buffers = [m * k, n * k, m * n].map(|elements| {
            let size = 4 * elements as u64;
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        });
        for (buffer, input) in buffers.iter().zip(inputs) {
            queue.write_buffer(buffer, 0, &input.to_device_bytes());
        }
        let entries: Vec<_> = (0..).zip(&buffers).collect();
        let entries: Vec<_> = entries
            .iter()
            .map(|&(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let layout = pipeline.get_bind_group_layout(0);
        let bindings =
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries });
        let groups = [n.div_ceil(8) as u32, m.div_ceil(8) as u32];
        Some(Naive { device, queue, pipeline, bindings, groups })
    }

    /// The shortest time of one product within about `budget`.
    pub fn time(&self, budget: Duration) -> Duration {
        let (begin, mut best) = (Instant::now(), Duration::MAX);
        while begin.elapsed() < budget {
            let start = Instant::now();
            let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                pass.set_pipeline(&self.pipeline);
                pass.set_bind_group(0, &self.bindings, &[]);
                pass.dispatch_workgroups(self.groups[0], self.groups[1], 1);
            }
            self.queue.submit([encoder.finish()]);
            self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
            best = best.min(start.elapsed());
        }
        best
    }
}
