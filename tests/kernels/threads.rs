//! The CPU device cuts work by shape alone: however many threads share it, the bits are the same.

use gpu_ae::device::proof::check::load;
use gpu_ae::device::{CpuDevice, Device, Means};
use gpu_ae::ops::{Case, KERNELS};

/// What comes of a case, output by output; nothing where its twin computes it.
fn outputs(case: &Case) -> Vec<Vec<u8>> {
    let mut device = CpuDevice::new();
    let device: &mut dyn Device = &mut device;
    let program = load(device, case).unwrap().program();
    if device.means(program).contains(&Means::Twin) {
        return Vec::new();
    }
    device.run(program, 1).unwrap();
    let names: Vec<String> = device.plan(program).results.keys().cloned().collect();
    names.iter().map(|name| device.read(program, name).unwrap()).collect()
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let pool = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (one, several) = (pool(1), pool(3));
    let mut compared = 0;
    for case in KERNELS.iter().flat_map(|kernel| kernel.cases()) {
        let alone = one.install(|| outputs(&case));
        assert!(alone == several.install(|| outputs(&case)), "{} {}", case.op.name(), case.label);
        compared += alone.len();
    }
    assert!(compared > 0, "every case is computed by its twin");
}
