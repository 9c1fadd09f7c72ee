//! Where a training step's time goes, kernel by kernel, held against what the device can do at best.

pub(super) mod profiler;
pub(super) mod trace_file;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::device::ceilings::Ceilings;
use crate::device::{Span, Timer, Trace};
use crate::plan::{Place, Plan, Step};

/// What the host does while steps wait for the reader of rows.
const WAIT_FOR_ROWS: &str = "wait for rows";

/// What was seen of a run.
#[derive(Debug)]
pub(super) struct Seen {
    pub begin: Instant,
    /// First step, steps and times of every stretch that was traced.
    pub traces: Vec<(u32, u32, Trace)>,
    /// Steps that were run as always, and their time.
    pub normal: (u32, Duration),
    /// What the host did.
    pub host: Vec<(String, Span)>,
}

impl Seen {
    pub fn new() -> Self {
        Seen { begin: Instant::now(), traces: Vec::new(), normal: (0, Duration::ZERO), host: Vec::new() }
    }
}

/// An operation on operands of one shape: all its calls in the steps that were timed.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileRow {
    /// The operation.
    pub operation: &'static str,
    /// Its constants.
    pub attributes: String,
    /// Its operands in short: of a product m x n x k.
    pub shapes: String,
    /// Stem of the kernel.
    pub kernel: &'static str,
    /// Times it was computed.
    pub calls: usize,
    /// Time of all calls.
    pub total_us: f64,
    /// Time of the median call, all its dispatches together.
    pub median_us: f64,
    /// Share of the time of all operations.
    pub share: f64,
    /// Arithmetic of a call.
    pub flops: f64,
    /// Bytes moved by a call.
    pub bytes: f64,
    /// Arithmetic of the median call.
    pub gflops: f64,
    /// Traffic of the median call.
    pub gbytes_per_second: f64,
    /// Share of the roofline that the median call reaches.
    pub roofline: f64,
    /// Whether arithmetic, rather than memory, is its ceiling.
    pub bound_by_arithmetic: bool,
}

impl ProfileRow {
    /// The operation with the constants that tell it from others: kinds and counts, no rates.
    pub fn label(&self) -> String {
        label(self.operation, &self.attributes)
    }
}

fn label(operation: &str, attributes: &str) -> String {
    let words = attributes.split_whitespace().filter(|word| !word.contains('='));
    std::iter::once(operation).chain(words).collect::<Vec<_>>().join(" ")
}

/// One event of the trace.
#[derive(Clone, Debug)]
pub(super) struct TraceEvent {
    /// Whether the device did it, or else the host.
    pub device: bool,
    pub name: String,
    /// Since the profile began.
    pub start: Duration,
    pub length: Duration,
    pub args: serde_json::Value,
}

/// Where the time of a run's steps goes.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Name of the device.
    pub device: String,
    /// What the times were taken with.
    pub timer: Timer,
    /// Samples of a step.
    pub batch_size: usize,
    /// Steps before the first timed one.
    pub first_step: u32,
    /// Steps timed.
    pub steps: u32,
    /// Dispatches, or operations of a device without them, in these steps.
    pub dispatches: usize,
    /// What the device can do at best.
    pub ceilings: Ceilings,
    /// The operations, those that take longest first.
    pub rows: Vec<ProfileRow>,
    /// Time of a step's operations together.
    pub kernels_us: f64,
    /// Time of a step that is not profiled, by the host's clock, if there was one beside the first.
    pub normal_step_us: Option<f64>,
    /// Steps that this is the mean of.
    pub normal_steps: u32,
    /// How long steps waited for rows since the profile began, where their reader did not keep up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_for_rows_us: Option<f64>,
    #[serde(skip)]
    pub(super) events: Vec<TraceEvent>,
}

impl Profile {
    pub(super) fn new(device: &str, batch_size: usize, plan: &Plan, ceilings: Ceilings, seen: Seen) -> Self {
        let steps: u32 = seen.traces.iter().map(|(_, steps, _)| steps).sum();
        let mut calls: Vec<Vec<Duration>> = vec![Vec::new(); plan.steps.len()];
        for timed in seen.traces.iter().flat_map(|(.., trace)| &trace.dispatches) {
            match calls[timed.step].last_mut().filter(|_| timed.dispatch > 0) {
                Some(call) => *call += timed.span.length,
                None => calls[timed.step].push(timed.span.length),
            }
        }
        let rows = rows(plan, calls, &ceilings);
        let (normal_steps, time) = seen.normal;
        Profile {
            device: device.to_string(),
            timer: seen.traces.first().map_or(Timer::Clock, |(.., trace)| trace.timer),
            batch_size,
            first_step: seen.traces.first().map_or(0, |(first, ..)| *first),
            steps,
            dispatches: seen.traces.iter().map(|(.., trace)| trace.dispatches.len()).sum(),
            ceilings,
            kernels_us: rows.iter().map(|row| row.total_us).sum::<f64>() / f64::from(steps.max(1)),
            rows,
            normal_step_us: (normal_steps > 0).then(|| microseconds(time) / f64::from(normal_steps)),
            normal_steps,
            waited_for_rows_us: waited(&seen.host),
            events: events(plan, &seen),
        }
    }
}

/// How long rows were waited for, if they were.
fn waited(host: &[(String, Span)]) -> Option<f64> {
    let waits = host.iter().filter(|(what, _)| what == WAIT_FOR_ROWS).map(|(_, span)| span.length);
    waits.reduce(|all, wait| all + wait).map(microseconds)
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// One row for every operation and shape, from the times of each step's calls.
fn rows(plan: &Plan, calls: Vec<Vec<Duration>>, ceilings: &Ceilings) -> Vec<ProfileRow> {
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(&Step, Vec<Duration>)> = Vec::new();
    for (step, times) in plan.steps.iter().zip(calls).filter(|(_, times)| !times.is_empty()) {
        let types = |places: &[Place]| places.iter().map(|place| place.ty.to_string()).collect::<Vec<_>>().join(",");
        let (inputs, outputs) = (types(&step.inputs), types(&step.outputs));
        let key = format!("{} {} {inputs} {outputs}", step.op.name(), step.op.attributes());
        let number = *numbers.entry(key).or_insert(groups.len());
        match groups.get_mut(number) {
            Some((_, all)) => all.extend(times),
            None => groups.push((step, times)),
        }
    }
    let whole: Duration = groups.iter().flat_map(|(_, times)| times).sum();
    let mut rows: Vec<ProfileRow> = groups
        .into_iter()
        .map(|(step, mut times)| {
            times.sort();
            let total: Duration = times.iter().sum();
            // A clock that ticks slowly may not have moved.
            let median = times[times.len() / 2].max(Duration::from_nanos(1));
            ProfileRow {
                operation: step.op.name(),
                attributes: step.op.attributes(),
                shapes: shapes(step),
                kernel: step.kernel,
                calls: times.len(),
                total_us: microseconds(total),
                median_us: microseconds(median),
                share: total.as_secs_f64() / whole.as_secs_f64().max(1e-9),
                flops: step.cost.flops,
                bytes: step.cost.bytes,
                gflops: step.cost.flops / median.as_secs_f64() * 1e-9,
                gbytes_per_second: step.cost.bytes / median.as_secs_f64() * 1e-9,
                roofline: ceilings.share(&step.cost, median),
                bound_by_arithmetic: ceilings.bound_by_arithmetic(&step.cost),
            }
        })
        .collect();
    rows.sort_by(|a, b| b.total_us.total_cmp(&a.total_us));
    rows
}

/// The operands of a step in short: m x n x k of a product, else the largest input and the largest output.
fn shapes(step: &Step) -> String {
    if let (true, Some(product)) = (step.kernel.starts_with("matmul"), step.outputs.first())
        && let Some((m, n)) = product.ty.shape.matrix()
    {
        return format!("{m}x{n}x{:.0}", step.cost.flops / (2 * m * n) as f64);
    }
    let largest = |places: &[Place]| places.iter().max_by_key(|place| place.ty.elements()).map(|p| p.ty.to_string());
    let (input, output) = (largest(&step.inputs), largest(&step.outputs));
    let more = if step.outputs.len() > 4 { ", ..." } else { "" };
    match (input, output) {
        (Some(input), Some(output)) if input != output => format!("{input} -> {output}{more}"),
        (input, output) => format!("{}{more}", output.or(input).unwrap_or_default()),
    }
}

/// Everything that was seen, for the trace.
fn events(plan: &Plan, seen: &Seen) -> Vec<TraceEvent> {
    let since = |start: Instant| start.saturating_duration_since(seen.begin);
    let host = seen.host.iter().map(|(name, span)| TraceEvent {
        device: false,
        name: name.clone(),
        start: since(span.start),
        length: span.length,
        args: serde_json::json!({}),
    });
    let mut events: Vec<TraceEvent> = host.collect();
    for (first, steps, trace) in &seen.traces {
        let run = trace.dispatches.len() / (*steps).max(1) as usize;
        for (number, timed) in trace.dispatches.iter().enumerate() {
            let step = &plan.steps[timed.step];
            let dispatches = if trace.timer == Timer::Clock { &[][..] } else { &step.dispatches[..] };
            let mut args = serde_json::json!({
                "kernel": dispatches.get(timed.dispatch).map_or(step.kernel.to_string(), |d| d.shader.label()),
                "shapes": shapes(step),
                "flops": step.cost.flops,
                "bytes": step.cost.bytes,
                "training step": *first as usize + number / run.max(1) + 1,
            });
            if dispatches.len() > 1 {
                // Arithmetic and traffic are known of the whole operation alone.
                args["dispatch"] = format!("{} of {}", timed.dispatch + 1, dispatches.len()).into();
            }
            events.push(TraceEvent {
                device: true,
                name: label(step.op.name(), &step.op.attributes()),
                start: since(timed.span.start),
                length: timed.span.length,
                args,
            });
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_rows_are_told_where_there_were_any() {
        let span = |milliseconds| Span { start: Instant::now(), length: Duration::from_millis(milliseconds) };
        let host = |what: &[(&str, u64)]| -> Vec<(String, Span)> {
            what.iter().map(|(what, time)| ((*what).to_string(), span(*time))).collect()
        };
        assert_eq!(waited(&host(&[("evaluate", 5), ("read losses", 1)])), None);
        assert_eq!(waited(&host(&[(WAIT_FOR_ROWS, 5), ("evaluate", 7), (WAIT_FOR_ROWS, 2)])), Some(7000.0));
    }
}
