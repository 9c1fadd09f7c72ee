//! A whole training step of the report's network (W1): 784-64-20-20-20-64-784, 0.7 · MSE + 0.3 ·
//! entropy, Adam, 60,000 rows of bytes on the device, shuffled, gather included; in samples a second.
//!
//! What the entropy costs is told by the rows `without entropy`: the same network, of whose step no entropy is part,
//! neither minimised nor watched (`lambda_entropy = 0`).
//!
//! `GPU_AE_BENCH_KERNELS=1` adds where a step's time goes, kernel by kernel.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "support/made.rs"]
mod made;
mod support;

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use gpu_ae::config::RunConfig;
use gpu_ae::device::{Device, ProgramId};
use gpu_ae::graph::Graph;
use gpu_ae::model::forward::network;
use gpu_ae::model::graph::{DataShape, training};
use gpu_ae::nn::builder::initial_values;
use gpu_ae::ops::step::clock;
use gpu_ae::plan::{Choices, DeviceKind, DeviceProfile, Plan, Step};
use gpu_ae::rng::{Rng, Stream, stream_key};

const ROWS: usize = 60_000;
const FEATURES: usize = 784;
const BATCHES: [usize; 4] = [64, 128, 1024, 8192];
/// Steps by which the host's time to record a dispatch is measured.
const RECORDED: u32 = 100;

/// Weight of the entropy by the recipe `report`, and of none.
const ENTROPY: [(&str, f32); 2] = [("", 0.3), (" without entropy", 0.0)];

/// One step of training, with the recipe `report` (Listing 2) and this weight of the entropy.
fn training_plan(
    batch: usize,
    lambda_entropy: f32,
    profile: &DeviceProfile,
    choices: &Choices,
) -> gpu_ae::Result<Plan> {
    let config = RunConfig { batch_size: batch, lambda_entropy, ..RunConfig::recipe("report")? };
    Plan::chosen(
        "train",
        &training(&config, DataShape { rows: ROWS, features: FEATURES, kind: gpu_ae::data::ValueKind::Byte })?,
        profile,
        choices,
    )
}

/// The forms of a step that a GPU can choose from; the first is the static choice, which is measured without the
/// entropy too.
fn forms(profile: &DeviceProfile) -> Vec<(&'static str, Choices)> {
    let by_kind = |kind| Choices::by_kind(&DeviceProfile::portable(kind));
    let mut forms = vec![("", Choices::by_kind(profile))];
    if profile.kind != DeviceKind::Cpu {
        forms.extend([
            (" elementary", by_kind(DeviceKind::Cpu)),
            (" for hardware", by_kind(DeviceKind::Discrete)),
            (" small network", Choices::small_network()),
        ]);
    }
    forms
}

/// Loads a plan with data, initial weights and a fresh clock.
fn load(device: &mut dyn Device, batch: usize, lambda_entropy: f32, data: &[u8], choices: &Choices) -> ProgramId {
    device.clear();
    let plan = training_plan(batch, lambda_entropy, device.profile(), choices).unwrap();
    let program = device.load(plan).unwrap();
    device.write(program, "train images", data).unwrap();
    let clock = clock::start(ROWS, batch, true, 1);
    device.write(program, "clock", bytemuck::cast_slice(&clock)).unwrap();
    for (name, value) in [("learning_rate", 1e-3f32), ("lambda_mse", 0.7), ("lambda_entropy", lambda_entropy)] {
        // A step without an entropy has no weight of one.
        if value > 0.0 {
            device.write(program, name, &value.to_le_bytes()).unwrap();
        }
    }
    for (name, values) in
        initial_values(&network(&mut Graph::new(), &RunConfig::default(), FEATURES).unwrap().parameters, 1)
    {
        device.write(program, &name, bytemuck::cast_slice(&values)).unwrap();
    }
    program
}

fn time(device: &mut dyn Device, program: ProgramId, steps: u32) -> Duration {
    let start = Instant::now();
    device.run(program, steps).unwrap();
    device.finish().unwrap();
    start.elapsed()
}

/// Shortest time of a step over several rounds of about a tenth of a second.
fn best(device: &mut dyn Device, program: ProgramId) -> Duration {
    time(device, program, 3);
    let once = time(device, program, 4) / 4;
    let steps = (0.1 / once.as_secs_f64().max(1e-7)).clamp(1.0, 4000.0) as u32;
    (0..5).map(|_| time(device, program, steps) / steps).min().unwrap_or_default()
}

/// Where a step's time goes: each of its operations as a plan of its own.
fn breakdown(device: &mut dyn Device, batch: usize, data: &[u8]) {
    let choices = Choices::by_kind(device.profile());
    let program = load(device, batch, ENTROPY[0].1, data, &choices);
    let whole = best(device, program);
    let plan = device.plan(program).clone();
    println!("{}: a step at batch {batch} takes {whole:.1?}; its operations alone:", device.name());
    let mut total = Duration::ZERO;
    for step in &plan.steps {
        device.clear();
        let alone = Plan { steps: vec![step.clone()], ..plan.clone() };
        let program = device.load(alone).unwrap();
        device.write(program, "train images", data).unwrap();
        // The clock says how many rows are valid; without it losses would have nothing to do.
        let clock = clock::start(ROWS, batch, true, 1);
        device.write(program, "clock", bytemuck::cast_slice(&clock)).unwrap();
        let each = best(device, program);
        total += each;
        let shapes: Vec<String> = step.outputs.iter().take(2).map(|place| place.ty.to_string()).collect();
        println!("  {each:>9.1?}  {} [{}] -> {}", step.op.name(), step.op.attributes(), shapes.join(", "));
    }
    println!("  {total:>9.1?}  in all");
}

/// Rows of a form of the step at every batch size.
fn measure(
    criterion: &mut Criterion,
    device: &mut dyn Device,
    row: &str,
    data: &[u8],
    lambda_entropy: f32,
    choices: &Choices,
) {
    let mut group = criterion.benchmark_group(format!("step/{row}"));
    for batch in BATCHES {
        let program = load(device, batch, lambda_entropy, data, choices);
        let plan = device.plan(program);
        let of_entropy = |step: &Step| step.op.name().contains("entrop") || step.op.name().contains("activeness");
        assert_eq!(plan.steps.iter().any(of_entropy), lambda_entropy > 0.0, "{row}: not the step that it is called");
        let (dispatches, bytes) = (plan.dispatches(), plan.bytes());
        time(device, program, 3);
        let recorded = (0..5).filter_map(|_| device.recording(program, RECORDED)).min();
        let recorded = recorded.map_or(String::new(), |time| {
            format!(", {:.2?} to record a dispatch", time / (RECORDED * dispatches as u32))
        });
        let mib = bytes as f64 / 1_048_576.0;
        println!("{row}, batch {batch}: {dispatches} dispatches a step, {mib:.1} MiB on the device{recorded}");
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            b.iter_custom(|steps| time(device, program, steps as u32));
        });
    }
    group.finish();
}

fn main() {
    let data = made::pixels(&mut Rng::new(stream_key(1, Stream::Data)), ROWS * FEATURES);
    let mut criterion: Criterion = support::criterion();
    for (row, mut device) in support::devices() {
        let device = device.as_mut();
        println!("{row}: {}", device.name());
        if std::env::var_os("GPU_AE_BENCH_KERNELS").is_some_and(|value| value == "1") {
            breakdown(device, 128, &data);
        }
        for (number, (form, choices)) in forms(device.profile()).into_iter().enumerate() {
            for (entropy, lambda) in ENTROPY.into_iter().take(if number == 0 { 2 } else { 1 }) {
                let row = format!("{row}{form}{entropy}");
                measure(&mut criterion, device, &row, &data, lambda, &choices);
            }
        }
    }
    criterion.final_summary();
}
