//! `gpu-ae doctor`

use std::process::ExitCode;
use std::time::Duration;

use gpu_ae::Result;
use gpu_ae::device::proof::check::{cases, load, run_case, time_case};
use gpu_ae::device::tune::Cache;
use gpu_ae::device::{Device, wait};
use gpu_ae::ops::{KERNELS, Kernel};
use gpu_ae::report::format_number;
use serde::Serialize;

use crate::cli::bar::Bar;
use crate::cli::flags::{DeviceFlag, open_device};
use crate::cli::output::{complain, say, say_json};
use crate::cli::terminal::table;

#[derive(clap::Args)]
#[command(
    after_help = "Worst error is the largest error as a share of the tolerance; at most 1 passes. What the CPU device computes by \
                  an operation's twin, the very code that it would be compared with, is listed as twin and proves nothing."
)]
pub struct Args {
    #[command(flatten)]
    device: DeviceFlag,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    kernel: &'static str,
    /// Cases that a kernel of the device computed.
    cases: usize,
    /// Cases that only their twin computed.
    twins: usize,
    /// "pass", "FAIL"; "twin" where nothing was proved; "not here" where the device has no such kernel.
    result: &'static str,
    worst_error: f64,
    problems: Vec<String>,
    microseconds: Option<f64>,
    gflops: Option<f64>,
    gbytes_per_second: Option<f64>,
}

impl Row {
    fn new(kernel: &'static str) -> Self {
        Row {
            kernel,
            cases: 0,
            twins: 0,
            result: "not here",
            worst_error: 0.0,
            problems: Vec::new(),
            microseconds: None,
            gflops: None,
            gbytes_per_second: None,
        }
    }
}

/// Time spent on each kernel's measurement.
const BUDGET: Duration = Duration::from_millis(60);

fn examine(device: &mut dyn Device, kernel: &'static dyn Kernel) -> Row {
    let cases = match cases(kernel, device.profile()) {
        Ok(cases) => cases,
        Err(error) => return Row { result: "FAIL", problems: vec![error.to_string()], ..Row::new(kernel.stem()) },
    };
    let mut row = Row::new(kernel.stem());
    for case in &cases {
        match wait(run_case(device, case)) {
            Ok(report) => {
                *if report.by_twin { &mut row.twins } else { &mut row.cases } += 1;
                row.worst_error = row.worst_error.max(report.worst);
                row.problems.extend(report.problem.map(|problem| format!("{}: {problem}", case.label)));
            }
            Err(error) => row.problems.push(format!("{}: {error}", case.label)),
        }
    }
    row.result = match (row.problems.is_empty(), row.cases, row.twins) {
        (false, ..) => "FAIL",
        (true, 0, 0) => "not here",
        (true, 0, _) => "twin",
        (true, ..) => "pass",
    };
    let timed = cases.iter().find(|case| case.bench).and_then(|case| {
        let loaded = load(device, case).ok()?;
        Some((time_case(device, &loaded, BUDGET).ok()?, loaded.cost))
    });
    if let Some((time, cost)) = timed {
        let seconds = time.as_secs_f64();
        row.microseconds = Some(seconds * 1e6);
        row.gflops = Some(cost.flops / seconds / 1e9);
        row.gbytes_per_second = Some(cost.bytes / seconds / 1e9);
    }
    row
}

/// What tuning remembers of a device, in words.
fn remembered(device: &dyn Device) -> String {
    let cache = match Cache::of(&device.identity()) {
        Ok(cache) => cache,
        Err(error) => return error.to_string(),
    };
    let path = cache.path().display();
    match cache.load() {
        Ok(stored) if stored.fusions.is_empty() => format!("nothing was measured yet; it would be kept in {path}"),
        Ok(stored) => {
            format!("{} networks, {} operations measured, in {path}", stored.fusions.len(), stored.kernels.len())
        }
        Err(error) => format!("{error}; it will be measured anew"),
    }
}

pub fn run(args: Args) -> Result<ExitCode> {
    let mut device = open_device(args.device.device.as_deref().unwrap_or("auto"), args.json)?;
    if !args.json {
        complain(&format!("{}: every kernel against its f64 reference", device.name()));
    }
    let bar = Bar::new("kernels", KERNELS.len() as u64, args.json);
    let mut rows: Vec<Row> = Vec::with_capacity(KERNELS.len());
    for kernel in KERNELS {
        bar.at(rows.len() as u64, &[(1, kernel.stem().to_string())]);
        rows.push(examine(device.as_mut(), *kernel));
    }
    drop(bar);
    let count = |result: &str| rows.iter().filter(|row| row.result == result).count();
    let failed = count("FAIL");
    if args.json {
        let tuning = remembered(device.as_ref());
        let (name, report) = (device.name(), serde_json::json!(rows));
        say_json(&serde_json::json!({ "device": name, "failed": failed, "tuning": tuning, "kernels": report }))?;
    } else {
        let optional = |value: Option<f64>| value.map_or("-".into(), format_number);
        let lines: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                vec![
                    row.kernel.to_string(),
                    row.result.to_string(),
                    match row.twins {
                        0 => row.cases.to_string(),
                        twins => format!("{} and {twins} by twin", row.cases),
                    },
                    format_number(row.worst_error),
                    optional(row.microseconds),
                    optional(row.gflops),
                    optional(row.gbytes_per_second),
                ]
            })
            .collect();
        let headers = ["kernel", "result", "cases", "worst error", "us", "GFLOP/s", "GB/s"];
        say(&table(&headers, &lines));
        for row in &rows {
            row.problems.iter().for_each(|problem| complain(&format!("{}: {problem}", row.kernel)));
        }
        say(&format!("tuning: {}", remembered(device.as_ref())));
        say(&if failed == 0 {
            let twins = match count("twin") {
                0 => String::new(),
                twins => format!("; {twins} more are computed by their twins here, which proves nothing"),
            };
            format!("all {} kernels that this device can run pass{twins}", count("pass"))
        } else {
            format!("{failed} of {} kernels FAIL", rows.len())
        });
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
