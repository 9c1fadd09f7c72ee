//! Every kernel against its f64 twin, on the adapter and on the CPU device: one named test a kernel.

use crate::common;
use gpu_ae::device::Device;
use gpu_ae::device::proof::check::{cases, run_case};
use gpu_ae::ops::{Kernel, kernel_named};
use gpu_ae::plan::DeviceProfile;

/// Whether a device lacks what a kernel needs; all but these run everywhere.
fn lacks(kernel: &str, profile: &DeviceProfile) -> bool {
    match kernel {
        "matmul_cooperative" => !profile.cooperative_matrix,
        "matmul_subgroup" => profile.subgroup.is_none(),
        _ => false,
    }
}

fn prove(device: &mut dyn Device, kernel: &'static dyn Kernel) {
    assert!(!kernel.cases().is_empty(), "{} has no cases", kernel.stem());
    let cases = cases(kernel, device.profile()).unwrap();
    if cases.is_empty() {
        assert!(lacks(kernel.stem(), device.profile()), "{}: no case runs on {}", kernel.stem(), device.name());
        println!("{}: {} lacks what it needs, proved by translation only", kernel.stem(), device.name());
    }
    let mut failures = Vec::new();
    for case in &cases {
        assert!(kernel.matches(case.op.as_ref()), "{}: a case of another kernel: {}", kernel.stem(), case.label);
        match run_case(device, case) {
            Ok(report) => {
                failures.extend(report.problem.map(|p| format!("{}: {p} [{}]", case.label, case.tolerance.why)))
            }
            Err(error) => failures.push(format!("{}: {error}", case.label)),
        }
    }
    assert!(failures.is_empty(), "{} on {}:\n{}", kernel.stem(), device.name(), failures.join("\n"));
}

macro_rules! stamp {
    ($($stem:ident)+) => {
        $(#[test]
        fn $stem() {
            let kernel = kernel_named(stringify!($stem)).expect("the registry names its kernels by stem");
            for mut device in common::devices() {
                prove(device.as_mut(), kernel);
            }
        })+

        /// The macro and the registry are made from one list; this keeps it so.
        #[test]
        fn every_kernel_has_a_named_test() {
            let stamped = [$(stringify!($stem)),+];
            let registered: Vec<&str> = gpu_ae::ops::KERNELS.iter().map(|kernel| kernel.stem()).collect();
            assert_eq!(stamped.as_slice(), registered.as_slice());
        }
    };
}

gpu_ae::for_each_kernel!(stamp);
