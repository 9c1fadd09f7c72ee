//! Ceilings of a device: the rates that no kernel can beat, measured by kernels that do nothing else.
//!
//! A kernel's share of its ceiling says how much there is to win (the roofline model: Williams,
//! Waterman, Patterson 2009). Caches make small arrays faster, so copies of several sizes are timed and
//! a kernel is held against the one that moves about as much as it does.

use std::time::Duration;

use serde::Serialize;

use super::Device;
use super::proof::check::{load, time_case};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::ceiling::ceiling_copy::CeilingCopy;
use crate::ops::ceiling::ceiling_fma::CeilingFma;
use crate::ops::{Case, Cost, Terms, Tolerance};
use crate::tensor::HostTensor;

/// What a device can do at best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ceilings {
    /// Arithmetic in GFLOP/s, a fused multiply-add counted as two.
    pub gflops: f64,
    /// Memory in GB/s, reads and writes both counted, of arrays larger than any usual cache.
    pub gbytes: f64,
    /// The copies timed, smallest first: bytes moved, and GB/s of the fastest copy at least as large.
    pub copies: [(f64, f64); COPIED.len()],
}

impl Ceilings {
    /// Whether arithmetic, rather than memory, bounds a computation of this cost.
    pub fn bound_by_arithmetic(&self, cost: &Cost) -> bool {
        cost.flops / self.gflops > cost.bytes / self.gbytes_at(cost.bytes)
    }

    /// Memory in GB/s where this many bytes are moved.
    pub fn gbytes_at(&self, bytes: f64) -> f64 {
        // A size stands for everything up to four times as much, half way to the next on a log scale.
        self.copies.iter().find(|(size, _)| bytes <= 4.0 * size).map_or(self.gbytes, |(_, rate)| *rate)
    }

    /// The share of its ceiling that a computation of this cost reaches in this time.
    pub fn share(&self, cost: &Cost, time: Duration) -> f64 {
        let shortest = (cost.flops / self.gflops).max(cost.bytes / self.gbytes_at(cost.bytes)) * 1e-9;
        shortest / time.as_secs_f64()
    }
}

/// Elements of the copies: from 256 KiB, read and written, to 64 MiB, which no usual cache holds.
const COPIED: [usize; 3] = [1 << 16, 1 << 20, 1 << 24];
/// Elements of the arithmetic: enough invocations for the largest GPU.
const ELEMENTS: usize = 1 << 18;
/// Measurements that are made.
const MEASUREMENTS: u32 = COPIED.len() as u32 + 2;
/// Length of one run of the arithmetic, beside which starting it counts nothing.
const RUN: f64 = 0.02;

/// Shortest time of one run of `op` on ones, and its cost.
fn time(device: &mut dyn Device, op: impl Op, elements: usize, budget: Duration) -> Result<(Cost, f64)> {
    let ones = HostTensor::from_f32(&[elements], &vec![1.0; elements]);
    let loaded = load(device, &Case::new("ceiling", op, vec![ones], Tolerance::new(0.0, 0.0, Terms::Each, "timed")))?;
    let time = time_case(device, &loaded, budget)?;
    Ok((loaded.cost, time.as_secs_f64()))
}

/// Measures a device's ceilings for about `budget`, beside what preparing the device takes. Forgets the
/// plans loaded on it.
///
/// # Errors
/// When the device fails or lacks the memory.
pub fn measure(device: &mut dyn Device, budget: Duration) -> Result<Ceilings> {
    let each = budget / MEASUREMENTS;
    let mut copies = [(0.0, 0.0); COPIED.len()];
    let mut fastest = 0.0f64;
    for (copy, elements) in copies.iter_mut().zip(COPIED).rev() {
        let (cost, seconds) = time(device, CeilingCopy, elements, each)?;
        fastest = fastest.max(cost.bytes / seconds * 1e-9);
        *copy = (cost.bytes, fastest);
    }
    let (_, short) = time(device, CeilingFma { rounds: 8 }, ELEMENTS, each)?;
    let rounds = (8.0 * RUN / short).clamp(8.0, 65_536.0) as usize;
    let (fma, computed) = time(device, CeilingFma { rounds }, ELEMENTS, each)?;
    device.clear();
    let gbytes = copies[COPIED.len() - 1].1;
    Ok(Ceilings { gflops: fma.flops / computed * 1e-9, gbytes, copies })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_nearer_ceiling() {
        let ceilings = Ceilings { gflops: 100.0, gbytes: 10.0, copies: [(1e5, 40.0), (1e7, 20.0), (1e8, 10.0)] };
        let arithmetic = Cost { flops: 1e9, bytes: 1e6 };
        let memory = Cost { flops: 1e6, bytes: 1e9 };
        assert!(ceilings.bound_by_arithmetic(&arithmetic) && !ceilings.bound_by_arithmetic(&memory));
        assert!((ceilings.share(&arithmetic, Duration::from_millis(20)) - 0.5).abs() < 1e-12);
        assert!((ceilings.share(&memory, Duration::from_millis(200)) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn memory_is_judged_by_the_copy_of_its_size() {
        let ceilings = Ceilings { gflops: 100.0, gbytes: 10.0, copies: [(1e5, 40.0), (1e7, 20.0), (1e8, 10.0)] };
        let rates = [1.0, 4e5, 5e5, 4e7, 5e7, 1e12].map(|bytes| ceilings.gbytes_at(bytes));
        assert_eq!(rates, [40.0, 40.0, 20.0, 20.0, 10.0, 10.0]);
    }
}
