//! Distances to neighbours, on every device, against those counted one by one.

use crate::common;
use gpu_ae::config::RunConfig;
use gpu_ae::data::Split;
use gpu_ae::device::{CpuDevice, wait};
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::train::neighbours::distances;

/// The seed of what is drawn.
fn config() -> RunConfig {
    RunConfig { seed: 1, ..RunConfig::default() }
}

/// Rows around a few centres, so that distances differ.
fn split(rows: usize, row_bytes: usize) -> Split {
    let mut rng = Rng::new(stream_key(5, Stream::Data));
    let centres: Vec<u8> = (0..3 * row_bytes).map(|_| rng.below(200) as u8).collect();
    let mut bytes = Vec::new();
    for row in 0..rows {
        let spread = 1 + 20 * (row % 3) as u32;
        let centre = &centres[row % 3 * row_bytes..][..row_bytes];
        bytes.extend(centre.iter().map(|&byte| byte + rng.below(spread) as u8));
    }
    Split::of_bytes(row_bytes, bytes, vec![0; rows])
}

/// The distance of a row to the neighbour of this rank, or to the farthest there is.
fn counted(split: &Split, row: usize, rank: usize) -> f64 {
    let at = |row: usize| split.raw(row);
    let distance = |other: usize| {
        let pairs = at(row).iter().zip(at(other));
        pairs.map(|(&a, &b)| ((f64::from(a) - f64::from(b)) / 255.0).powi(2)).sum::<f64>().sqrt()
    };
    let mut all: Vec<f64> = (0..split.rows).filter(|&other| other != row).map(distance).collect();
    let last = all.len().min(rank).saturating_sub(1);
    if all.is_empty() { 0.0 } else { *all.select_nth_unstable_by(last, f64::total_cmp).1 }
}

#[test]
fn every_row_is_as_far_from_its_tenth_neighbour_as_counted() {
    for (rows, row_bytes) in [(1, 3), (2, 5), (11, 7), (521, 30)] {
        let split = split(rows, row_bytes);
        for mut device in common::devices() {
            let found = wait(distances(device.as_mut(), &config(), &split, &mut |_, _| ())).unwrap();
            assert_eq!(found.len(), rows);
            for (row, &distance) in found.iter().enumerate() {
                let exact = counted(&split, row, 10);
                let off = (f64::from(distance) - exact).abs();
                // The root of what cancels of squares of up to 10.
                assert!(off < 3e-3, "row {row} of {rows}, {}: {distance}, not {exact}", device.name());
            }
        }
    }
}

#[test]
fn in_a_large_set_they_are_estimated_without_bias() {
    // More rows than are compared with all others.
    let split = split(10_000, 12);
    let mut told = Vec::new();
    let found =
        wait(distances(&mut CpuDevice::new(), &config(), &split, &mut |done, all| told.push((done, all)))).unwrap();
    assert!(told.len() > 2 && told.is_sorted() && told.iter().all(|told| told.1 == 10_000), "{told:?}");
    assert_eq!(told.last(), Some(&(10_000, 10_000)));
    let sampled = (0..split.rows).step_by(47);
    let ratios: Vec<f64> =
        sampled.map(|row| f64::from(found[row]) / counted(&split, row, 10)).filter(|r| r.is_finite()).collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(ratios.len() > 130 && (mean - 1.0).abs() < 0.06, "{mean} over {} rows", ratios.len());
}
