//! Work on its way to a GPU. What is asked for waits in order and is submitted while little is under way, so
//! that asking never waits, the device never idles, and the host never runs far ahead of it. What is left
//! waiting is submitted when more is asked for, or while a future of this device is awaited.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_intrusive::sync::ManualResetEvent;

use super::GpuDevice;
use super::pace::Moment;
use super::read::ToCopy;
use crate::error::{Error, Result};

/// Something asked of a device.
pub(super) enum Work {
    /// So many runs of a program.
    Steps { program: usize, left: u32 },
    /// One stretch of a program.
    Stretch { program: usize, stretch: usize },
    /// Bytes that the host writes.
    Write { to: wgpu::Buffer, offset: u64, bytes: Vec<u8> },
    /// Bytes that the host reads.
    Copy(ToCopy),
}

/// Steps that were submitted.
struct Submitted {
    program: usize,
    steps: u32,
    begun: Moment,
    submission: wgpu::SubmissionIndex,
    done: Arc<ManualResetEvent>,
}

/// Work on its way.
#[derive(Default)]
pub(super) struct Flow {
    /// Not submitted yet.
    waiting: VecDeque<Work>,
    /// Steps submitted and not known to be done.
    under_way: VecDeque<Submitted>,
    /// How often steps were submitted so far.
    submitted: u64,
}

impl Flow {
    /// Whether everything asked for was submitted.
    pub fn is_submitted(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether no steps are waiting or under way.
    pub fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    /// Whether the first so many submissions of steps are done.
    pub fn has_done(&self, first: u64) -> bool {
        self.submitted - self.under_way.len() as u64 >= first
    }

    /// Forgets everything; what was submitted runs on.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.under_way.clear();
    }
}

impl GpuDevice {
    /// Puts work behind all other, and submits what may be.
    pub(super) fn ask(&mut self, work: Work) -> Result<()> {
        self.flow.waiting.push_back(work);
        // Takes note of what is done, and waits for nothing.
        self.device.poll(wgpu::PollType::Poll).map_err(|error| self.failed(&error))?;
        while self.flow.under_way.front().is_some_and(|oldest| oldest.done.is_set()) {
            self.ended(None);
        }
        self.advance();
        self.check()
    }

    /// Submits work in order until enough is under way.
    fn advance(&mut self) {
        while let Some(work) = self.flow.waiting.pop_front() {
            match work {
                Work::Steps { program, left } => {
                    let pace = &self.programs[program].pace;
                    if self.flow.under_way.len() >= pace.most_under_way() {
                        self.flow.waiting.push_front(work);
                        return;
                    }
                    let steps = pace.steps().min(left);
                    if steps < left {
                        self.flow.waiting.push_front(Work::Steps { program, left: left - steps });
                    }
                    self.submit_steps(program, steps);
                }
                Work::Stretch { program, stretch } => {
                    let commands = self.programs[program].record_stretch(&self.device, stretch);
                    self.queue.submit([commands]);
                }
                Work::Write { to, offset, bytes } => self.queue.write_buffer(&to, offset, &bytes),
                Work::Copy(copy) => copy.submit(&self.device, &self.queue, self.flow.submitted),
            }
        }
    }

    fn submit_steps(&mut self, program: usize, steps: u32) {
        let begun = Moment::now();
        let commands = self.programs[program].record(&self.device, steps);
        let submission = self.queue.submit([commands]);
        let done = Arc::new(ManualResetEvent::new(false));
        let event = done.clone();
        self.queue.on_submitted_work_done(move || event.set());
        self.flow.submitted += 1;
        self.flow.under_way.push_back(Submitted { program, steps, begun, submission, done });
    }

    /// Takes note that the oldest steps under way are done, which was waited for from a moment on.
    fn ended(&mut self, waited: Option<Moment>) {
        if let Some(Submitted { program, steps, begun, .. }) = self.flow.under_way.pop_front() {
            self.programs[program].pace.learn(steps, begun, waited);
        }
    }

    /// Waits for the oldest steps under way, and submits what may follow.
    pub(super) async fn next(&mut self) -> Result<()> {
        if let Some(oldest) = self.flow.under_way.front() {
            let (submission, done) = (oldest.submission.clone(), oldest.done.clone());
            let waited = Moment::now();
            self.drive(Some(submission))?;
            done.wait().await;
            self.ended(Some(waited));
        }
        self.advance();
        self.check()
    }

    /// Waits until everything asked for is done.
    pub(super) async fn drain(&mut self) -> Result<()> {
        while !self.flow.is_over() {
            self.next().await?;
        }
        self.drive(None)
    }

    /// Has the driver call back: blocks until a submission, or everything submitted, is done. In a browser,
    /// which calls back by itself and lets nobody block, this does nothing.
    pub(super) fn drive(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        self.device
            .poll(wgpu::PollType::Wait { submission_index: submission, timeout: None })
            .map_err(|error| self.failed(&error))?;
        self.check()
    }

    fn failed(&self, error: &wgpu::PollError) -> Error {
        Error::Failed(format!("{}: {error}", self.name))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::device::Device;
    use crate::device::gpu::timestamps::tests::bare;
    use crate::device::proof::check::load;
    use crate::ops::kernel_named;

    #[test]
    fn asking_waits_for_nothing_and_little_is_under_way() {
        let Some(mut gpu) = pollster::block_on(bare()) else {
            assert!(std::env::var_os("GPU_AE_REQUIRE_GPU").is_none(), "no adapter");
            return;
        };
        let case = kernel_named("reconstruction_loss").unwrap().cases().remove(0);
        let program = load(&mut gpu, &case).unwrap().program();
        let expected = {
            gpu.run(program, 1).unwrap();
            let device: &mut dyn Device = &mut gpu;
            device.read(program, "output 0").unwrap()
        };
        // Nothing is known of its pace: one submission runs, and the rest waits behind it.
        gpu.run(program, 1000).unwrap();
        let place = gpu.plan(program).results["output 0"].clone();
        let ranges = [(place.arena, place.offset, place.ty.bytes())];
        let reading = gpu.begin_read(program, &ranges).unwrap();
        gpu.write_bytes(program, place.arena, place.offset, &vec![0; place.ty.bytes()]).unwrap();
        assert!(gpu.flow.under_way.len() == 1 && !gpu.flow.is_submitted());
        assert_eq!(pollster::block_on(gpu.receive(reading)).unwrap(), expected, "the later write shows");
        assert!(gpu.flow.under_way.len() <= gpu.programs[program.0].pace.most_under_way());
        gpu.run(program, 1).unwrap();
        let reading = gpu.begin_read(program, &ranges).unwrap();
        pollster::block_on(gpu.idle()).unwrap();
        assert!(gpu.flow.is_over());
        assert_eq!(pollster::block_on(gpu.receive(reading)).unwrap(), expected);
    }

    #[test]
    fn the_device_has_work_while_what_came_before_is_read() {
        let Some(mut gpu) = pollster::block_on(bare()) else {
            assert!(std::env::var_os("GPU_AE_REQUIRE_GPU").is_none(), "no adapter");
            return;
        };
        let case = kernel_named("reconstruction_loss").unwrap().cases().remove(0);
        let program = load(&mut gpu, &case).unwrap().program();
        gpu.run(program, 1).unwrap();
        let before = gpu.flow.submitted;
        let reading = gpu.begin_read(program, &[(0, 0, 4)]).unwrap();
        gpu.run(program, 1000).unwrap();
        pollster::block_on(gpu.receive(reading)).unwrap();
        assert!(gpu.flow.submitted > before && !gpu.flow.is_submitted());
    }

    #[test]
    fn what_was_asked_of_a_plan_goes_with_it() {
        let Some(mut gpu) = pollster::block_on(bare()) else {
            assert!(std::env::var_os("GPU_AE_REQUIRE_GPU").is_none(), "no adapter");
            return;
        };
        let case = kernel_named("reconstruction_loss").unwrap().cases().remove(0);
        let program = load(&mut gpu, &case).unwrap().program();
        gpu.run(program, 1000).unwrap();
        let reading = gpu.begin_read(program, &[(0, 0, 4)]).unwrap();
        gpu.clear();
        assert!(gpu.flow.is_over());
        let error = pollster::block_on(gpu.receive(reading)).unwrap_err().to_string();
        assert!(error.contains("no longer loaded"), "{error}");
    }
}
