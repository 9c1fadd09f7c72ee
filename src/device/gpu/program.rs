//! A plan bound to a GPU: pipelines, bind groups and parameter blocks made once, recorded many times.

use std::collections::HashMap;

use super::Pipeline;
use super::pace::Pace;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::shader::ShaderKey;

/// Alignment of parameter blocks: what any adapter accepts as a uniform binding's offset.
const BLOCK: usize = 256;

struct BoundDispatch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    groups: [u32; 3],
}

impl BoundDispatch {
    fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        let [x, y, z] = self.groups;
        pass.dispatch_workgroups(x, y, z);
    }
}

/// A plan ready to run.
pub(super) struct GpuProgram {
    pub plan: Plan,
    pub buffers: Vec<wgpu::Buffer>,
    dispatches: Vec<BoundDispatch>,
    /// How its steps are submitted.
    pub pace: Pace,
}

impl GpuProgram {
    /// Makes everything that running needs.
    pub fn bind(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        plan: Plan,
        buffers: Vec<wgpu::Buffer>,
        pipelines: &HashMap<ShaderKey, Pipeline>,
    ) -> Result<Self> {
        let planned: Vec<_> = plan.steps.iter().flat_map(|step| &step.dispatches).collect();
        let mut blocks: Vec<u8> = Vec::new();
        let mut starts = Vec::with_capacity(planned.len());
        for dispatch in &planned {
            starts.push(blocks.len() as u64);
            blocks.extend_from_slice(bytemuck::cast_slice(&dispatch.params));
            blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
        }
        let params = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("parameters"),
            size: blocks.len().max(BLOCK) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        queue.write_buffer(&params, 0, &blocks);

        let mut dispatches = Vec::with_capacity(planned.len());
        for (number, dispatch) in planned.into_iter().enumerate() {
            let label = dispatch.shader.label();
            let pipeline =
                pipelines.get(&dispatch.shader).ok_or_else(|| Error::graph(label.as_str(), "was not compiled"))?;
            let range = |buffer, offset: u64, bytes: u64| {
                wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset,
                    size: wgpu::BufferSize::new(bytes),
                })
            };
            let mut entries = Vec::new();
            if !dispatch.params.is_empty() {
                let bytes = (dispatch.params.len() as u64 * 4).next_multiple_of(16);
                entries.push(wgpu::BindGroupEntry { binding: 0, resource: range(&params, starts[number], bytes) });
            }
            for (i, binding) in dispatch.bindings.iter().enumerate() {
                let resource = range(&buffers[binding.arena], binding.offset as u64, binding.bytes as u64);
                entries.push(wgpu::BindGroupEntry { binding: i as u32 + 1, resource });
            }
            let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&label),
                layout: &pipeline.layout,
                entries: &entries,
            });
            dispatches.push(BoundDispatch { pipeline: pipeline.pipeline.clone(), bindings, groups: dispatch.groups });
        }
        Ok(GpuProgram { plan, buffers, dispatches, pace: Pace::new() })
    }

    /// Records the plan `steps` times.
    pub fn record(&self, device: &wgpu::Device, steps: u32) -> wgpu::CommandBuffer {
        let label = Some(self.plan.name.as_str());
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes: None });
            for dispatch in std::iter::repeat_n(&self.dispatches, steps as usize).flatten() {
                dispatch.record(&mut pass);
            }
        }
        encoder.finish()
    }

    /// Records one of the plan's dispatches in a pass of its own.
    #[cfg(feature = "native")]
    pub fn record_alone(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        number: usize,
        timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) {
        let label = Some(self.plan.name.as_str());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes });
        self.dispatches[number].record(&mut pass);
    }
}
