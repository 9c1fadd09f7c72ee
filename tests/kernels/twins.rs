//! Every kernel against its f64 twin, on the adapter and on the CPU device: one named test a kernel.

use std::collections::BTreeSet;

use crate::common;
use gpu_ae::device::proof::check::{cases, load, run_case};
use gpu_ae::device::{CpuDevice, Device, Means, wait};
use gpu_ae::ops::{Case, KERNELS, Kernel, kernel_named};
use gpu_ae::plan::{DeviceKind, DeviceProfile};

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
    let (mut failures, mut by_twin) = (Vec::new(), Vec::new());
    for case in &cases {
        assert!(kernel.matches(case.op.as_ref()), "{}: a case of another kernel: {}", kernel.stem(), case.label);
        match wait(run_case(device, case)) {
            Ok(report) => {
                by_twin.extend(report.by_twin.then_some(case.label.as_str()));
                failures.extend(report.problem.map(|p| format!("{}: {p} [{}]", case.label, case.tolerance.why)))
            }
            Err(error) => failures.push(format!("{}: {error}", case.label)),
        }
    }
    if !by_twin.is_empty() {
        let (count, all, names) = (by_twin.len(), cases.len(), by_twin.join(", "));
        println!(
            "{}: {count} of {all} cases prove nothing on {}, its twin computes them: {names}",
            kernel.stem(),
            device.name()
        );
    }
    assert!(failures.is_empty(), "{} on {}:\n{}", kernel.stem(), device.name(), failures.join("\n"));
}

/// What computes a kernel's cases on a device.
fn means(device: &mut dyn Device, kernel: &'static dyn Kernel) -> Vec<Means> {
    let cases = cases(kernel, device.profile()).unwrap();
    let means = |case: &Case| {
        let loaded = load(device, case).unwrap();
        device.means(loaded.program())
    };
    cases.iter().flat_map(means).collect()
}

#[test]
fn every_kernel_has_one_row_in_the_benchmarks() {
    let rows = |kernel: &dyn Kernel| kernel.cases().iter().filter(|case| case.bench).count();
    let others: Vec<_> =
        KERNELS.iter().map(|kernel| (kernel.stem(), rows(*kernel))).filter(|(_, rows)| *rows != 1).collect();
    assert!(others.is_empty(), "kernels and their rows in cargo bench --bench kernels: {others:?}");
}

#[test]
fn every_kernel_of_the_cpu_device_is_reached_by_a_case() {
    let mut cpu = CpuDevice::new();
    let own = |means: Means| match means {
        Means::Kernel(name) => Some(name),
        Means::Twin => None,
    };
    let reached: BTreeSet<&str> = KERNELS.iter().flat_map(|kernel| means(&mut cpu, *kernel)).filter_map(own).collect();
    let claimed: BTreeSet<&str> = CpuDevice::KERNELS.iter().copied().collect();
    assert_eq!(claimed.len(), CpuDevice::KERNELS.len(), "two kernels of one name");
    let unreached: Vec<&str> = claimed.difference(&reached).copied().collect();
    assert!(unreached.is_empty(), "no case reaches {}", unreached.join(", "));
}

#[test]
fn what_a_twin_computes_is_no_proof_and_what_a_kernel_computes_is() {
    let (mut cpu, twin) = (CpuDevice::new(), |means: &Means| *means == Means::Twin);
    let mut all = |stem: &str| means(&mut cpu, kernel_named(stem).unwrap());
    // The clock and the rows of a batch are the twins' own code, the entropies the twins themselves.
    for stem in ["clock_advance", "batch_rows", "weight_entropies", "hopfield_sweep"] {
        assert!(all(stem).iter().all(twin), "{stem}: {:?}", all(stem));
    }
    for stem in ["adam_step", "batch_norm", "activation", "random_normal"] {
        assert!(!all(stem).iter().any(twin), "{stem}: {:?}", all(stem));
    }
    // A product that gathers its rows itself, which no plan for the CPU device has, is its twin's there.
    let products = all("matmul_nt");
    assert!(products.iter().any(twin) && products.contains(&Means::Kernel("linear")), "{products:?}");
    for mut device in common::devices() {
        for stem in ["clock_advance", "matmul_nt"] {
            let case = cases(kernel_named(stem).unwrap(), device.profile()).unwrap().remove(0);
            let loaded = load(device.as_mut(), &case).unwrap();
            let is_cpu = device.profile().kind == DeviceKind::Cpu;
            assert_eq!(device.means(loaded.program()).iter().all(twin), is_cpu && stem == "clock_advance", "{stem}");
            let report = wait(run_case(device.as_mut(), &case)).unwrap();
            assert_eq!(report.by_twin, is_cpu && stem == "clock_advance", "{stem} on {}", device.name());
        }
    }
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
