//! What several integration tests share: the devices they run on.

use gpu_ae::device::{Choice, CpuDevice, Device, open};

/// Says that something is not proved here; where proofs are required, that is a failure.
///
/// No test skips in silence: whatever a test needs that may be missing, an adapter, a tool or data, goes through
/// here. `GPU_AE_REQUIRE_GPU=1`, which `./check` sets, requires all of them.
pub fn unproved(what: &str) {
    assert!(std::env::var_os("GPU_AE_REQUIRE_GPU").is_none_or(|v| v != "1"), "GPU_AE_REQUIRE_GPU is set: {what}");
    println!("NOT PROVED: {what}");
}

/// The adapter under test, printed; `None` when there is none and none is required. `GPU_AE_TEST_DEVICE` picks one
/// of several.
pub fn gpu() -> Option<Box<dyn Device>> {
    let choice: Choice = std::env::var("GPU_AE_TEST_DEVICE").unwrap_or("gpu".into()).parse().unwrap();
    match pollster::block_on(open(&choice)) {
        Ok((device, _)) => {
            println!("adapter: {}", device.name());
            Some(device)
        }
        Err(error) => {
            unproved(&format!("anything on an adapter: {error}"));
            None
        }
    }
}

/// Every device of this machine: the adapter under test, if any, and the CPU device.
#[allow(dead_code)]
pub fn devices() -> Vec<Box<dyn Device>> {
    let mut devices: Vec<Box<dyn Device>> = gpu().into_iter().collect();
    devices.push(Box::new(CpuDevice::new()));
    devices
}
