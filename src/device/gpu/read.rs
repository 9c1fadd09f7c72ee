//! Reading from a GPU: copies into buffers that the host can map, made ready while the device goes on.

use futures_intrusive::channel::shared::{OneshotReceiver, oneshot_channel};

use crate::device::Device;
use crate::device::gpu::GpuDevice;
use crate::error::{Error, Result};

/// Smallest buffer that is made to read into.
const SMALLEST: u64 = 1 << 16;

/// A copy under way.
pub(in crate::device) struct Copying {
    staging: wgpu::Buffer,
    bytes: u64,
    submission: wgpu::SubmissionIndex,
    answer: OneshotReceiver<std::result::Result<(), wgpu::BufferAsyncError>>,
}

impl GpuDevice {
    /// Starts to copy ranges of buffers, (buffer, first byte, bytes), as they are after everything
    /// submitted before, one behind the other.
    pub(in crate::device) fn begin_copy(&mut self, ranges: &[(&wgpu::Buffer, u64, u64)]) -> Copying {
        let bytes = ranges.iter().map(|(_, _, bytes)| bytes).sum();
        let staging = self.staging(bytes);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("read") });
        let mut to = 0;
        for (buffer, offset, bytes) in ranges {
            encoder.copy_buffer_to_buffer(buffer, *offset, &staging, to, *bytes);
            to += bytes;
        }
        let submission = self.queue.submit([encoder.finish()]);
        let (sender, answer) = oneshot_channel();
        staging.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            // The receiver lives until the answer is here; nothing is lost if it is gone.
            let _ = sender.send(result);
        });
        Copying { staging, bytes, submission, answer }
    }

    /// Waits for a copy, and for nothing submitted after it.
    pub(in crate::device) fn end_copy(&mut self, copying: Copying) -> Result<Vec<u8>> {
        let Copying { staging, bytes, submission, answer } = copying;
        self.wait(Some(submission))?;
        let failed = |problem: String| Error::Failed(format!("{}: cannot read back: {problem}", self.name()));
        pollster::block_on(answer.receive())
            .ok_or_else(|| failed("no answer".into()))?
            .map_err(|error| failed(error.to_string()))?;
        let copy = staging.get_mapped_range(0..bytes).map_err(|error| failed(error.to_string()))?.to_vec();
        staging.unmap();
        self.spare.push(staging);
        Ok(copy)
    }

    /// A buffer to copy into and map, one that was used before if it is large enough.
    fn staging(&mut self, bytes: u64) -> wgpu::Buffer {
        if let Some(fitting) = self.spare.iter().position(|buffer| buffer.size() >= bytes) {
            return self.spare.swap_remove(fitting);
        }
        // Smaller ones would pile up.
        self.spare.clear();
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size: bytes.next_power_of_two().max(SMALLEST),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }
}
