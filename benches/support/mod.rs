//! What the benchmarks share: the devices they run on, and criterion set to short runs.

use std::time::Duration;

use criterion::Criterion;
use gpu_ae::device::{Choice, CpuDevice, Device, open};

/// Every device of this machine with a short name for rows: the adapter (`GPU_AE_TEST_DEVICE` picks
/// one of several) and the CPU device. An absent adapter is said, not passed over.
pub fn devices() -> Vec<(&'static str, Box<dyn Device>)> {
    let mut devices: Vec<(&'static str, Box<dyn Device>)> = Vec::new();
    let wanted = std::env::var("GPU_AE_TEST_DEVICE").unwrap_or("gpu".into());
    match wanted.parse::<Choice>().and_then(|choice| pollster::block_on(open(&choice))) {
        Ok((device, _)) => devices.push(("adapter", device)),
        Err(error) => println!("NO ADAPTER, the CPU device only: {error}"),
    }
    devices.push(("cpu", Box::new(CpuDevice::new())));
    devices
}

/// Criterion with short measurements: many rows in few minutes.
#[allow(dead_code)]
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args()
}
