//! Where a GPU's time goes: every dispatch in a pass of its own between two timestamps, or, where an
//! adapter has none, submitted and waited for alone.

use std::time::{Duration, Instant};

use super::GpuDevice;
use crate::device::trace::{Span, TimedDispatch, Timer, Trace};
use crate::device::{Device, ProgramId};
use crate::error::Result;

/// Most dispatches between two timestamps each that one query set takes.
const MOST: usize = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;

/// Bytes of the two timestamps of a dispatch.
const PAIR: u64 = 2 * wgpu::QUERY_SIZE as u64;

/// A submission read back: when it was submitted, and begin and end of its dispatches in ticks.
struct Submission {
    at: Instant,
    ticks: Vec<[u64; 2]>,
}

/// Runs a plan `times` times.
pub(super) async fn trace(gpu: &mut GpuDevice, program: ProgramId, times: u32) -> Result<Trace> {
    gpu.drain().await?;
    let steps = gpu.plan(program).steps.iter().enumerate();
    let once: Vec<(usize, usize)> =
        steps.flat_map(|(step, s)| (0..s.dispatches.len()).map(move |dispatch| (step, dispatch))).collect();
    let has_timestamps = gpu.device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
    let mut host = Vec::new();
    let (timer, spans) = if has_timestamps && gpu.queue.get_timestamp_period() > 0.0 {
        (Timer::Timestamps, by_timestamps(gpu, program, once.len() * times as usize, &mut host).await?)
    } else {
        (Timer::Waiting, by_waiting(gpu, program, once.len() * times as usize, &mut host)?)
    };
    let dispatches = once.iter().cycle().zip(spans);
    let dispatches = dispatches.map(|(&(step, dispatch), span)| TimedDispatch { step, dispatch, span }).collect();
    Ok(Trace { timer, dispatches, host })
}

async fn by_timestamps(
    gpu: &mut GpuDevice,
    program: ProgramId,
    count: usize,
    host: &mut Vec<(&'static str, Span)>,
) -> Result<Vec<Span>> {
    let run = gpu.plan(program).dispatches();
    let fitting = (run * gpu.programs[program.0].pace.steps() as usize).clamp(1, MOST);
    let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
        label: Some("timestamps"),
        ty: wgpu::QueryType::Timestamp,
        count: 2 * fitting as u32,
    });
    let resolved = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("timestamps"),
        size: fitting as u64 * PAIR,
        usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    let mut submissions = Vec::new();
    for first in (0..count).step_by(fitting) {
        let numbers = first..(first + fitting).min(count);
        let size = numbers.len();
        let start = Instant::now();
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("trace") });
        for (query, number) in (0..).step_by(2).zip(numbers) {
            let writes = wgpu::ComputePassTimestampWrites {
                query_set: &queries,
                beginning_of_pass_write_index: Some(query),
                end_of_pass_write_index: Some(query + 1),
            };
            gpu.programs[program.0].record_alone(&mut encoder, number % run, Some(writes));
        }
        encoder.resolve_query_set(&queries, 0..2 * size as u32, &resolved, 0);
        let commands = encoder.finish();
        host.push(("record", Span::since(start)));
        let at = Instant::now();
        let submission = gpu.queue.submit([commands]);
        host.push(("submit", Span::since(at)));
        let start = Instant::now();
        gpu.drive(Some(submission))?;
        host.push(("wait", Span::since(start)));
        let start = Instant::now();
        let copying = gpu.begin_copy(vec![(resolved.clone(), 0, size as u64 * PAIR)])?;
        let bytes = gpu.end_copy(copying).await?;
        host.push(("read timestamps", Span::since(start)));
        submissions.push(Submission { at, ticks: bytemuck::pod_collect_to_vec(&bytes) });
    }
    Ok(on_the_hosts_clock(&submissions, f64::from(gpu.queue.get_timestamp_period())))
}

/// The dispatches' times on the host's clock; `period` is the length of a tick in nanoseconds.
///
/// The device's clock counts from some moment of its own. What is known is that nothing ran before it
/// was submitted: the earliest such clock is taken. Where a device lets dispatches overlap, a dispatch
/// begins when the one before it ends, so that no time counts twice.
fn on_the_hosts_clock(submissions: &[Submission], period: f64) -> Vec<Span> {
    let zero = submissions.iter().find_map(|submission| submission.ticks.first()).map_or(0, |[begin, _]| *begin);
    let since_zero = |tick: u64| Duration::from_nanos((tick.saturating_sub(zero) as f64 * period) as u64);
    let origins = submissions.iter().filter_map(|s| s.at.checked_sub(since_zero(s.ticks.first()?[0])));
    let Some(origin) = origins.max() else { return Vec::new() };
    let mut done = Duration::ZERO;
    let ticks = submissions.iter().flat_map(|submission| &submission.ticks);
    ticks
        .map(|&[begin, end]| {
            let begin = since_zero(begin).max(done);
            done = since_zero(end).max(begin);
            Span { start: origin + begin, length: done - begin }
        })
        .collect()
}

fn by_waiting(
    gpu: &mut GpuDevice,
    program: ProgramId,
    count: usize,
    host: &mut Vec<(&'static str, Span)>,
) -> Result<Vec<Span>> {
    let begin = Instant::now();
    let run = gpu.plan(program).dispatches();
    let mut spans = Vec::with_capacity(count);
    for number in 0..count {
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("trace") });
        gpu.programs[program.0].record_alone(&mut encoder, number % run, None);
        let commands = encoder.finish();
        let start = Instant::now();
        let submission = gpu.queue.submit([commands]);
        gpu.drive(Some(submission))?;
        spans.push(Span::since(start));
    }
    host.push(("submit and wait for each dispatch", Span::since(begin)));
    Ok(spans)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use crate::device::Identity;
    use crate::device::proof::check::load;
    use crate::ops::kernel_named;
    use crate::plan::{DeviceKind, DeviceProfile};

    #[test]
    fn nothing_runs_before_it_is_submitted_and_no_time_counts_twice() {
        let at = Instant::now();
        let late = at + Duration::from_micros(100);
        // Ticks of 2 ns; the second dispatch begins before the first ends, the third ends before it begins.
        let submissions = [
            Submission { at, ticks: vec![[1_000_000, 1_010_000], [1_005_000, 1_015_000], [1_020_000, 1_019_000]] },
            Submission { at: late, ticks: vec![[1_049_000, 1_051_000]] },
        ];
        let spans = on_the_hosts_clock(&submissions, 2.0);
        let origin = at + Duration::from_micros(2);
        let expected = [(0, 20), (20, 10), (40, 0), (98, 4)].map(|(start, length)| Span {
            start: origin + Duration::from_micros(start),
            length: Duration::from_micros(length),
        });
        assert_eq!(spans, expected);
        assert!(on_the_hosts_clock(&[], 1.0).is_empty());
    }

    /// The first adapter, without any feature.
    pub async fn bare() -> Option<GpuDevice> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter = instance.enumerate_adapters(wgpu::Backends::all()).await.into_iter().next()?;
        let (device, queue) = adapter.request_device(&wgpu::DeviceDescriptor::default()).await.ok()?;
        let identity = Identity { adapter: "bare".into(), driver: "none".into() };
        let profile = DeviceProfile::portable(DeviceKind::Software);
        Some(GpuDevice::new("bare".into(), identity, profile, device, queue))
    }

    #[test]
    fn an_adapter_without_timestamps_is_timed_by_waiting() {
        let Some(mut gpu) = pollster::block_on(bare()) else {
            let required = std::env::var_os("GPU_AE_REQUIRE_GPU").is_some_and(|value| value == "1");
            assert!(!required, "GPU_AE_REQUIRE_GPU is set: there is no adapter");
            return;
        };
        let case = kernel_named("reconstruction_loss").unwrap().cases().remove(0);
        let loaded = load(&mut gpu, &case).unwrap();
        let dispatches = gpu.plan(loaded.program()).dispatches();
        let trace = pollster::block_on(gpu.traced(loaded.program(), 3)).unwrap();
        assert_eq!((trace.timer, trace.dispatches.len()), (Timer::Waiting, 3 * dispatches));
        for (number, timed) in trace.dispatches.iter().enumerate() {
            assert_eq!((timed.step, timed.dispatch), (0, number % dispatches));
            assert!(timed.span.length > Duration::ZERO);
        }
    }
}
