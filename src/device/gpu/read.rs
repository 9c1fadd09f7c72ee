//! Reading from a GPU: copies into buffers that the host can map, made ready while the device goes on.

use std::sync::{Arc, OnceLock};

use futures_intrusive::channel::shared::{OneshotReceiver, OneshotSender, oneshot_channel};

use super::GpuDevice;
use super::work::Work;
use crate::error::{Error, Result};

/// Smallest buffer that is made to read into.
const SMALLEST: u64 = 1 << 16;

/// Whether a buffer could be mapped.
type Mapped = std::result::Result<(), wgpu::BufferAsyncError>;

/// The submission that copies, once there is one, and how often steps were submitted before it.
type Mark = Arc<OnceLock<(wgpu::SubmissionIndex, u64)>>;

/// A copy under way, as its reader has it.
pub(in crate::device) struct Copying {
    staging: wgpu::Buffer,
    bytes: u64,
    submission: Mark,
    answer: OneshotReceiver<Mapped>,
}

/// A copy to be submitted.
pub(super) struct ToCopy {
    /// Buffer, first byte, bytes.
    ranges: Vec<(wgpu::Buffer, u64, u64)>,
    staging: wgpu::Buffer,
    bytes: u64,
    submission: Mark,
    answer: OneshotSender<Mapped>,
}

impl ToCopy {
    /// Submits it behind so many submissions of steps.
    pub fn submit(self, device: &wgpu::Device, queue: &wgpu::Queue, steps: u64) {
        let ToCopy { ranges, staging, bytes, submission, answer } = self;
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("read") });
        let mut to = 0;
        for (buffer, offset, bytes) in &ranges {
            encoder.copy_buffer_to_buffer(buffer, *offset, &staging, to, *bytes);
            to += bytes;
        }
        // A mark is set once: this takes the copy.
        let _ = submission.set((queue.submit([encoder.finish()]), steps));
        staging.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            // The receiver lives until the answer is here; nothing is lost if it is gone.
            let _ = answer.send(result);
        });
    }
}

impl GpuDevice {
    /// Asks for a copy of ranges of buffers, (buffer, first byte, bytes), as they are after everything asked
    /// for before, one behind the other.
    pub(super) fn begin_copy(&mut self, ranges: Vec<(wgpu::Buffer, u64, u64)>) -> Result<Copying> {
        let bytes = ranges.iter().map(|(_, _, bytes)| bytes).sum();
        let staging = self.staging(bytes);
        let submission = Mark::default();
        let (sender, answer) = oneshot_channel();
        let reader = Copying { staging: staging.clone(), bytes, submission: submission.clone(), answer };
        self.ask(Work::Copy(ToCopy { ranges, staging, bytes, submission, answer: sender }))?;
        Ok(reader)
    }

    /// Waits for a copy, and for nothing asked for after it.
    pub(super) async fn end_copy(&mut self, copying: Copying) -> Result<Vec<u8>> {
        let Copying { staging, bytes, submission, answer } = copying;
        let failed = |gpu: &Self, problem: &str| Error::Failed(format!("{}: cannot read back: {problem}", gpu.name));
        let submission = loop {
            match submission.get() {
                // Steps before it are waited for one by one, so that others follow them meanwhile.
                Some((submission, steps)) if self.flow.has_done(*steps) => break submission.clone(),
                Some(_) => self.next().await?,
                None if self.flow.is_over() => return Err(failed(self, "the plan is no longer loaded")),
                None => self.next().await?,
            }
        };
        self.drive(Some(submission))?;
        let mapped = answer.receive().await.ok_or_else(|| failed(self, "no answer"))?;
        mapped.map_err(|error| failed(self, &error.to_string()))?;
        let range = staging.get_mapped_range(0..bytes);
        let copy = range.map_err(|error| failed(self, &error.to_string()))?.to_vec();
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
