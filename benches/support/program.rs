//! Whole runs of the program, timed by its own metrics.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

/// How often a running program is asked for its memory.
const LOOK: Duration = Duration::from_millis(10);

/// What a run came to.
pub struct Ran {
    /// Over all epochs but the first, which warms up.
    pub samples_per_second: f64,
    /// Largest resident set in MiB, where the system tells it.
    #[allow(dead_code)]
    pub peak_mib: Option<f64>,
}

/// Runs it to the end; `run` is its run directory.
///
/// # Errors
/// The program's complaint.
pub fn ran(command: &mut Command, run: &Path) -> Result<Ran, String> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let mut peak_mib = None;
    let status = loop {
        peak_mib = resident(process.id()).or(peak_mib);
        match process.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None => sleep(LOOK),
        }
    };
    if !status.success() {
        let mut complaint = String::new();
        if let Some(mut said) = process.stderr {
            said.read_to_string(&mut complaint).map_err(|error| error.to_string())?;
        }
        return Err(complaint.lines().last().unwrap_or("it ended without a word").to_string());
    }
    let told = fs::read_to_string(run.join("metrics.jsonl")).map_err(|error| format!("metrics.jsonl: {error}"))?;
    let of = |line: &str| serde_json::from_str::<Value>(line).ok()?["samples_per_second"].as_f64();
    let speeds: Vec<f64> = told.lines().filter_map(of).collect();
    match speeds.get(1..) {
        Some(timed @ [_, ..]) => {
            let seconds: f64 = timed.iter().map(|speed| 1.0 / speed).sum();
            Ok(Ran { samples_per_second: timed.len() as f64 / seconds, peak_mib })
        }
        _ => Err("it told of less than two epochs".into()),
    }
}

/// The largest resident set of a process so far, in MiB.
fn resident(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
