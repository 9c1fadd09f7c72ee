//! `gpu-ae train --profile`, driven as a process: what it leaves, and that it changes nothing else.

use std::path::Path;

use crate::common;
use crate::program::{ROWS, checkpoint, gpu_ae as run_program, small_mnist, train};
use gpu_ae::config::RunConfig;
use gpu_ae::device::{CpuDevice, Device};
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::plan::Plan;
use serde_json::Value;

/// Steps of three epochs of the small data set; half of them, rounded up, are profiled, the last ones.
const STEPS: u64 = 9;
const PROFILED: u64 = 5;

fn read(run: &Path, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(run.join(file)).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A training step of the small data set, as the program plans it.
fn plan(device: &dyn Device) -> Plan {
    let data = DataShape { rows: ROWS, features: 784, kind: gpu_ae::data::ValueKind::Byte };
    Plan::new("train", &training(&RunConfig::default(), data).unwrap(), device.profile()).unwrap()
}

fn check_table(profile: &Value, steps: u64, plan: &Plan) {
    assert_eq!(profile["steps"], steps);
    let rows = profile["rows"].as_array().unwrap();
    let sum = |key: &str| rows.iter().map(|row| number(&row[key])).sum::<f64>();
    assert_eq!(sum("calls"), (plan.steps.len() as u64 * steps) as f64);
    assert!((sum("share") - 1.0).abs() < 1e-9);
    assert!((sum("total_us") - number(&profile["kernels_us"]) * steps as f64).abs() < 1e-3);
    let flops: f64 = rows.iter().map(|row| number(&row["flops"]) * number(&row["calls"])).sum();
    assert!((flops / steps as f64 / plan.cost().flops - 1.0).abs() < 1e-9);
    let totals: Vec<f64> = rows.iter().map(|row| number(&row["total_us"])).collect();
    assert!(totals.is_sorted_by(|a, b| a >= b), "{totals:?}");
    for row in rows {
        let median = number(&row["median_us"]);
        assert!(median > 0.0 && number(&row["roofline"]) >= 0.0, "{row}");
        assert!((number(&row["gflops"]) * median - number(&row["flops"]) * 1e-3).abs() < 1e-3, "{row}");
    }
    let layer = rows.iter().find(|row| {
        ["linear", "gathered"].contains(&row["operation"].as_str().unwrap()) && row["shapes"] == "128x64x784"
    });
    assert!(layer.is_some_and(|row| row["calls"] == steps), "no row of the first layer");
}

/// Every event is complete, events of a track follow or enclose each other; returns the device's.
fn check_trace(trace: &Value) -> Vec<Value> {
    let events = trace["traceEvents"].as_array().unwrap();
    let complete: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
    let named = events.iter().filter(|event| event["ph"] == "M" && event["name"] == "thread_name").count();
    assert_eq!((named, events.len() - complete.len()), (2, 3));
    for track in [1, 2] {
        let mut open: Vec<f64> = Vec::new();
        let mut before = 0.0;
        for event in complete.iter().filter(|event| event["tid"] == track) {
            let (start, length) = (number(&event["ts"]), number(&event["dur"]));
            assert!(start >= before && length >= 0.0, "{event}");
            assert!(event["name"].as_str().is_some_and(|name| !name.is_empty()) && event["args"].is_object());
            // Times are whole nanoseconds.
            open.retain(|end| *end > start + 5e-4);
            assert!(open.iter().all(|end| start + length <= end + 1e-3), "{event} overlaps");
            open.push(start + length);
            before = start;
        }
    }
    for what in ["read losses", "evaluate", "save checkpoint"] {
        assert!(complete.iter().any(|event| event["tid"] == 1 && event["name"] == what), "no {what}");
    }
    complete.into_iter().filter(|event| event["tid"] == 2).cloned().collect()
}

/// Profiles a run on `device`, which dispatches `once` times a step.
fn profiled(name: &str, device: &dyn Device, timer: &str, once: usize) {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let [plain, run] = ["plain", "profiled"].map(|name| folder.path().join(name));
    let arguments = ["--recipe", "report", "--epochs", "3", "--device", name];
    assert!(train(data.path(), &plain, &arguments).status.success());
    let output = train(data.path(), &run, &[&arguments[..], &["--profile"]].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.contains("measuring the device's ceilings"), "{errors}");
    let [before, after] = [&plain, &run].map(|run| std::fs::read(checkpoint(run)).unwrap());
    assert!(before == after, "{name}: profiling changed the bits");

    let profile = read(&run, "profile.json");
    assert_eq!(profile["timer"], timer);
    assert_eq!(profile["first_step"], STEPS - PROFILED);
    assert_eq!(profile["dispatches"], once as u64 * PROFILED);
    assert!(number(&profile["normal_step_us"]) > 0.0);
    let plan = plan(device);
    check_table(&profile, PROFILED, &plan);
    let events = check_trace(&read(&run, "trace.json"));
    assert_eq!(events.len(), once * PROFILED as usize);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["args"]["training step"], STEPS - PROFILED + (number / once) as u64 + 1, "{event}");
        assert_eq!(event["name"], events[number % once]["name"], "steps differ");
        assert!(event["args"]["kernel"].is_string() && event["args"]["shapes"].is_string(), "{event}");
    }

    let table = std::fs::read_to_string(run.join("profile.txt")).unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains(&table), "the table is not what was printed:\n{printed}");
    for line in ["linear sigmoid ", "adam_step ", "total "] {
        assert!(table.lines().any(|row| row.starts_with(line)), "no {line}in\n{table}");
    }
    assert!(printed.contains("/trace.json"), "{printed}");
}

#[test]
fn the_cpu_device_is_profiled_by_the_hosts_clock() {
    let device = CpuDevice::new();
    let once = plan(&device).steps.len();
    profiled("cpu", &device, "clock", once);
}

#[test]
fn an_adapter_is_profiled_by_timestamps() {
    if let Some(device) = common::gpu() {
        let once = plan(device.as_ref()).dispatches();
        profiled("gpu", device.as_ref(), "timestamps", once);
    }
}

#[test]
fn a_quiet_run_writes_its_profile_and_a_resumed_one_its_own() {
    let data = small_mnist();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let output = train(data.path(), &run, &["--epochs", "1", "--device", "cpu", "--profile", "--quiet"]);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(
        (&read(&run, "profile.json")["first_step"], &read(&run, "profile.json")["steps"]),
        (&1.into(), &2.into())
    );

    let resume = ["train", "--resume", run.to_str().unwrap(), "--profile"];
    let output = run_program(&resume);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("--profile") && errors.contains("nothing is left to train"), "{errors}");

    let output = run_program(&[&resume[..], &["--epochs", "2", "--json"]].concat());
    let printed: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(printed["epoch"], 2);
    let profile = read(&run, "profile.json");
    assert_eq!((&profile["first_step"], &profile["steps"]), (&4.into(), &2.into()));
    check_trace(&read(&run, "trace.json"));
}
