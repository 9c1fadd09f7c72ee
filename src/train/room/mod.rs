//! How much of the data a device holds at a time.

use std::sync::OnceLock;

pub(super) mod sizing;

use super::{moments, observation};
use crate::config::RunConfig;
use crate::data::Split;
use crate::model::graph::DataShape;
use crate::model::holding::Holding;
use crate::plan::{DeviceKind, DeviceProfile};

/// Rows of an evaluation batch: large enough to keep a device busy, small enough for any.
const EVALUATION_BATCH: usize = 500;

/// Most bytes of a batch that is judged or looked at, where a network makes most of its rows: what is very wide goes in smaller
/// batches.
const BATCH_BYTES: usize = 16 << 20;

/// Bytes of rows that a GPU holds, where nothing is said: no interface tells how much memory it has.
const USUAL: u64 = 2 << 30;

/// `most` rows of this data, or as many as a batch of them may have.
pub(super) fn batch_of(most: usize, config: &RunConfig, data: DataShape) -> usize {
    most.min(BATCH_BYTES / (4 * config.widest(data.features))).max(1).min(data.rows)
}

/// Rows of an evaluation batch of this data.
pub(super) fn evaluation_batch(config: &RunConfig, data: DataShape) -> usize {
    batch_of(EVALUATION_BATCH, config, data)
}

/// Bytes of a split's rows that a device may hold: as the configuration says, else of a GPU 2 GiB, and on the processor
/// half of the memory that was free when this was first asked for.
fn limit(config: &RunConfig, profile: &DeviceProfile) -> u64 {
    match config.data.on_device {
        // Where there is no thread to bring them, all rows are held.
        _ if cfg!(not(feature = "native")) => u64::MAX,
        Some(megabytes) => megabytes.saturating_mul(1_000_000),
        None if profile.kind == DeviceKind::Cpu => half_of_memory(),
        None => USUAL,
    }
}

/// Half of the machine's memory that is free; where the system does not tell, as much as a GPU is taken to have.
fn half_of_memory() -> u64 {
    static FREE: OnceLock<u64> = OnceLock::new();
    *FREE.get_or_init(|| free_now().map_or(USUAL, |bytes| bytes / 2))
}

/// Bytes of memory that a program can have now, where the system tells.
fn free_now() -> Option<u64> {
    std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text))
}

/// Bytes of memory that are free on a device now, where it can be known: on the processor.
pub(super) fn free(profile: &DeviceProfile) -> Option<u64> {
    (profile.kind == DeviceKind::Cpu).then(free_now).flatten()
}

/// What Linux says of the memory that a program can have, in bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes.saturating_mul(1024))
}

/// How a device holds the rows that are trained on.
pub(super) fn of_training(config: &RunConfig, rows: &Split, profile: &DeviceProfile) -> Holding {
    of_data(config, DataShape::of(rows), profile)
}

/// How a device would hold rows of this shape to train on.
pub fn of_data(config: &RunConfig, data: DataShape, profile: &DeviceProfile) -> Holding {
    let batch = config.step_rows(data.rows).max(moments::batch(config, data));
    let holding = Holding::within(data, profile.largest_source(), limit(config, profile), batch);
    Holding { member: profile.member, ..holding }
}

/// How a device holds rows that are judged and looked at.
pub(super) fn of_judging(config: &RunConfig, rows: &Split, profile: &DeviceProfile) -> Holding {
    let data = DataShape::of(rows);
    let batch = evaluation_batch(config, data).max(observation::batch(config, data));
    Holding::within(data, profile.largest_source(), limit(config, profile), batch)
}

/// How a device holds rows that are gone through once, `batch` at a time.
pub(super) fn of_passing(config: &RunConfig, rows: &Split, profile: &DeviceProfile, batch: usize) -> Holding {
    Holding::within(DataShape::of(rows), profile.largest_source(), limit(config, profile), batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ValueKind;

    #[test]
    fn memory_is_read_from_what_linux_says() {
        let said = "MemTotal:       16384000 kB\nMemFree:          100 kB\nMemAvailable:    8192000 kB\n";
        assert_eq!(available(said), Some(8_192_000 * 1024));
        for other in ["", "MemAvailable: lots kB", "MemAvailable: 12", "MemAvailable: 99999999999999999999 kB"] {
            assert_eq!(available(other), None, "{other}");
        }
    }

    #[test]
    fn a_batch_of_wide_rows_is_small_and_never_empty() {
        let of = |model: &str, rows, features| {
            let config = RunConfig::model(model).unwrap_or_default();
            evaluation_batch(&config, DataShape { rows, features, kind: ValueKind::Float })
        };
        let plain = |rows, features| of("entropic", rows, features);
        assert_eq!([plain(10_000, 784), plain(10_000, 5_000), plain(300, 784)], [500, 500, 300]);
        assert_eq!([plain(10_000, 100_000), plain(10_000, 100_000_000), plain(0, 4)], [41, 1, 0]);
        // 32x32 pixels of 64 channels, and of 16.
        assert_eq!(["resnet18", "resnet"].map(|model| of(model, 10_000, 3_072)), [64, 256]);
    }
}
