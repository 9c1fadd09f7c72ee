//! One row per kernel and device: its benchmark case, in GFLOP/s or GB/s, whichever bounds it, and as
//! a share of the device's measured ceiling.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod support;

use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput};
use gpu_ae::device::Device;
use gpu_ae::device::ceilings::{Ceilings, measure};
use gpu_ae::device::proof::check::{cases, load};
use gpu_ae::ops::{Case, kernel_named};
use gpu_ae::plan::label;

macro_rules! stamp {
    ($($stem:ident)+) => {
        const STEMS: &[&str] = &[$(stringify!($stem)),+];
    };
}

gpu_ae::for_each_kernel!(stamp);

/// The case that is a kernel's row.
fn bench_case(stem: &str) -> Case {
    let cases = kernel_named(stem).map(|kernel| kernel.cases()).unwrap_or_default();
    let mut benched = cases.into_iter().filter(|case| case.bench);
    match (benched.next(), benched.next()) {
        (Some(case), None) => case,
        (None, _) => panic!("{stem} has no bench case: mark one with `benched()`"),
        _ => panic!("{stem} has several bench cases: its row would be ambiguous"),
    }
}

/// Wall time, with rates as shares of a device's ceilings.
struct Rates {
    ceilings: Ceilings,
}

impl Measurement for Rates {
    type Intermediate = Instant;
    type Value = Duration;

    fn start(&self) -> Instant {
        Instant::now()
    }

    fn end(&self, start: Instant) -> Duration {
        start.elapsed()
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

impl ValueFormatter for Rates {
    fn format_throughput(&self, throughput: &Throughput, nanoseconds: f64) -> String {
        let (amount, unit, ceiling) = match throughput {
            Throughput::Elements(flops) => (*flops, "GFLOP/s", self.ceilings.gflops),
            Throughput::Bytes(bytes) => (*bytes, "GB/s", self.ceilings.gbytes_at(*bytes as f64)),
            _ => return String::new(),
        };
        let rate = amount as f64 / nanoseconds;
        format!("{rate:.3} {unit} ({:.1} %)", 100.0 * rate / ceiling)
    }

    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }

    fn scale_throughputs(&self, typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_throughputs(typical, throughput, values)
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }
}

fn bench(criterion: &mut Criterion<Rates>, row: &str, device: &mut dyn Device, ceilings: &Ceilings) {
    for stem in STEMS {
        let Some(kernel) = kernel_named(stem) else { continue };
        let benched = cases(kernel, device.profile()).unwrap().into_iter().filter(|case| case.bench);
        for case in benched {
            let name = case.kernel.map_or_else(|| (*stem).to_string(), |(kernel, variant)| label(kernel, variant));
            let loaded = load(device, &case).unwrap();
            let mut group = criterion.benchmark_group(format!("kernel/{row}"));
            group.throughput(if ceilings.bound_by_arithmetic(&loaded.cost) {
                Throughput::Elements(loaded.cost.flops as u64)
            } else {
                Throughput::Bytes(loaded.cost.bytes as u64)
            });
            group.bench_function(name, |b| {
                b.iter_custom(|runs| {
                    let start = Instant::now();
                    device.run(loaded.program(), runs as u32).unwrap();
                    device.finish().unwrap();
                    start.elapsed()
                });
            });
            group.finish();
        }
    }
}

fn main() {
    // All rows exist before the first is measured.
    STEMS.iter().for_each(|stem| drop(bench_case(stem)));
    for (row, mut device) in support::devices() {
        let ceilings = measure(device.as_mut(), Duration::from_millis(1500)).unwrap();
        println!(
            "{row}: {}; ceilings: {:.1} GFLOP/s, {}",
            device.name(),
            ceilings.gflops,
            ceilings.copies.map(|(bytes, rate)| format!("{rate:.1} GB/s at {:.1} MB", bytes * 1e-6)).join(", ")
        );
        let mut criterion = support::criterion().with_measurement(Rates { ceilings });
        bench(&mut criterion, row, device.as_mut(), &ceilings);
        criterion.final_summary();
    }
}
