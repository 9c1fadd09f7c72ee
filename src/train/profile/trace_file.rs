//! A profile in the Chrome trace event format, which Perfetto and chrome://tracing show.
//!
//! Source: "Trace Event Format" (Google, 2016): complete events (`X`) with times in microseconds, and
//! metadata (`M`) that names the tracks.

use serde_json::{Value, json};

use crate::train::profile::{Profile, TraceEvent};

/// Tracks by number.
const HOST: u32 = 1;
const DEVICE: u32 = 2;

/// The file's contents.
pub(crate) fn trace_file(profile: &Profile) -> String {
    let name = |track: u32, name: &str| json!({ "ph": "M", "pid": 1, "tid": track, "ts": 0, "name": "thread_name", "args": { "name": name } });
    let process = json!({ "ph": "M", "pid": 1, "tid": HOST, "ts": 0, "name": "process_name", "args": { "name": "gpu-ae train" } });
    let mut events = vec![process, name(HOST, "host"), name(DEVICE, &profile.device)];
    // What encloses others comes before them.
    let mut order: Vec<&TraceEvent> = profile.events.iter().collect();
    order.sort_by_key(|event| (event.start, std::cmp::Reverse(event.length)));
    events.extend(order.into_iter().map(complete));
    // One event a line, for people who search in it.
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    format!("{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{}\n]}}\n", lines.join(",\n"))
}

fn complete(event: &TraceEvent) -> Value {
    let (track, category) = if event.device { (DEVICE, "device") } else { (HOST, "host") };
    json!({
        "ph": "X",
        "pid": 1,
        "tid": track,
        "cat": category,
        "name": event.name,
        "ts": event.start.as_nanos() as f64 / 1e3,
        "dur": event.length.as_nanos() as f64 / 1e3,
        "args": event.args,
    })
}
