//! What several integration tests share: the devices they run on.

use gpu_ae::device::{Choice, CpuDevice, Device, open};

/// The adapter under test, printed; `None` when there is none and none is required.
///
/// No test skips in silence: with `GPU_AE_REQUIRE_GPU=1` a missing adapter is a failure, and
/// `GPU_AE_TEST_DEVICE` picks one of several.
pub fn gpu() -> Option<Box<dyn Device>> {
    let choice: Choice = std::env::var("GPU_AE_TEST_DEVICE").unwrap_or("gpu".into()).parse().unwrap();
    match pollster::block_on(open(&choice)) {
        Ok((device, _)) => {
            println!("adapter: {}", device.name());
            Some(device)
        }
        Err(error) if std::env::var_os("GPU_AE_REQUIRE_GPU").is_some_and(|v| v == "1") => {
            panic!("GPU_AE_REQUIRE_GPU is set: {error}")
        }
        Err(error) => {
            println!("NO ADAPTER, proved on the CPU device only: {error}");
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
