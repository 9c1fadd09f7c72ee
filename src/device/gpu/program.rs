//! A plan bound to a GPU: pipelines, bind groups and parameter blocks made once, recorded many times.

use std::collections::HashMap;

use super::Pipeline;
use super::mirrors::Mirrors;
use super::pace::Pace;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::shader::{Access, ShaderKey};

/// Alignment of parameter blocks: what any adapter accepts as a uniform binding's offset.
const BLOCK: usize = 256;

struct BoundDispatch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    groups: [u32; 3],
    /// Mirrors that must be brought up to date before it.
    stale: Vec<usize>,
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
    mirrors: Mirrors,
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
        // What is exchanged before the dispatch of a number.
        let mut exchanged: Vec<(usize, (usize, usize, usize))> = Vec::new();
        for pause in &plan.pauses {
            let before = plan.steps[..plan.stretch(pause.due).start].iter().map(|step| step.dispatches.len()).sum();
            exchanged.extend(pause.ranges.iter().map(|range| (before, *range)));
        }
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
        let mut mirrors = Mirrors::default();
        for (number, dispatch) in planned.into_iter().enumerate() {
            for (_, (arena, offset, bytes)) in exchanged.iter().filter(|(before, _)| *before == number) {
                mirrors.written(*arena, *offset, *bytes);
            }
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
            let bound = &dispatch.bindings;
            let views: Vec<_> =
                bound.iter().map(|b| (b.access == Access::Texels).then(|| mirrors.view(device, b))).collect();
            for (i, (of, view)) in (1..).zip(bound.iter().zip(&views)) {
                let resource = match view {
                    Some(view) => wgpu::BindingResource::TextureView(view),
                    None => range(&buffers[of.arena], of.offset as u64, of.bytes as u64),
                };
                entries.push(wgpu::BindGroupEntry { binding: i, resource });
            }
            let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&label),
                layout: &pipeline.layout,
                entries: &entries,
            });
            let (pipeline, groups, stale) =
                (pipeline.pipeline.clone(), dispatch.groups, mirrors.stale(device, dispatch));
            dispatches.push(BoundDispatch { pipeline, bindings, groups, stale });
        }
        Ok(GpuProgram { plan, buffers, dispatches, mirrors, pace: Pace::new() })
    }

    /// Records the plan `steps` times.
    pub fn record(&self, device: &wgpu::Device, steps: u32) -> wgpu::CommandBuffer {
        self.record_times(device, &self.dispatches, steps)
    }

    /// Records what lies between two pauses of the plan.
    pub fn record_stretch(&self, device: &wgpu::Device, stretch: usize) -> wgpu::CommandBuffer {
        let dispatches = |steps: usize| self.plan.steps[..steps].iter().map(|step| step.dispatches.len()).sum();
        let steps = self.plan.stretch(stretch);
        let (begin, end): (usize, usize) = (dispatches(steps.start), dispatches(steps.end));
        self.record_times(device, &self.dispatches[begin..end], 1)
    }

    fn record_times(&self, device: &wgpu::Device, dispatches: &[BoundDispatch], times: u32) -> wgpu::CommandBuffer {
        let label = Some(self.plan.name.as_str());
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
        let mut rest = std::iter::repeat_n(dispatches, times as usize).flatten().peekable();
        while let Some(first) = rest.next() {
            self.mirrors.refresh(&mut encoder, &first.stale, &self.buffers);
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes: None });
            first.record(&mut pass);
            while let Some(dispatch) = rest.next_if(|dispatch| dispatch.stale.is_empty()) {
                dispatch.record(&mut pass);
            }
        }
        encoder.finish()
    }

    /// Records one of the plan's dispatches in a pass of its own, with the copies that it waits for.
    #[cfg(feature = "native")]
    pub fn record_alone(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        number: usize,
        mut timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) {
        let label = Some(self.plan.name.as_str());
        let dispatch = &self.dispatches[number];
        if !dispatch.stale.is_empty() {
            // Copies lie outside of passes: an empty one tells when they begin.
            let begin = timestamp_writes.as_mut().map(|writes| wgpu::ComputePassTimestampWrites {
                query_set: writes.query_set,
                beginning_of_pass_write_index: writes.beginning_of_pass_write_index.take(),
                end_of_pass_write_index: None,
            });
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes: begin });
            self.mirrors.refresh(encoder, &dispatch.stale, &self.buffers);
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes });
        dispatch.record(&mut pass);
    }
}
