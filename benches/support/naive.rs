//! Naive kernels on a wgpu device of their own: nothing that anybody runs, only a measure.

use std::time::{Duration, Instant};

use gpu_ae::tensor::HostTensor;

/// A bound naive kernel of two inputs.
pub struct Naive {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    groups: [u32; 2],
}

impl Naive {
    /// Entry point `entry` of a shader, for so many results, on the adapter whose name `device` begins with.
    pub fn new(
        device_name: &str,
        [source, entry]: [&str; 2],
        inputs: &[HostTensor<f32>],
        results: usize,
        groups: [u32; 2],
    ) -> Option<Self> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
        let adapter = adapters.into_iter().find(|adapter| device_name.starts_with(&adapter.get_info().name))?;
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).ok()?;
        let source = wgpu::ShaderSource::Wgsl(source.into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("naive"), source });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("naive"),
            layout: None,
            module: &module,
            entry_point: Some(entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let bytes: Vec<Vec<u8>> = inputs.iter().map(HostTensor::to_device_bytes).collect();
        let sizes = bytes.iter().map(Vec::len).chain([4 * results]);
        let buffers: Vec<_> = sizes
            .map(|size| {
                let size = size as u64;
                device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
            })
            .collect();
        for (buffer, bytes) in buffers.iter().zip(&bytes) {
            queue.write_buffer(buffer, 0, bytes);
        }
        let entries: Vec<_> = (0..)
            .zip(&buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let layout = pipeline.get_bind_group_layout(0);
        let bindings =
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries });
        Some(Naive { device, queue, pipeline, bindings, groups })
    }

    /// The shortest time of one run within about `budget`.
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

/// The median, of which half of all values lie on either side.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
