//! Random numbers of a step, side by side: uniform ones, and normal ones by Box and Muller.

use crate::threads::prelude::*;

use crate::device::cpu::exp::{log, sin_cos_of_turns};
use crate::device::cpu::math::wide;
use crate::ops::step::clock;
use crate::rng::{threefry_lanes, threefry2x32, unit_f32};

/// Numbers that one task makes, an even count.
const NUMBERS: usize = 8192;

/// Pairs that are computed side by side.
const LANES: usize = 16;

/// Standard normal numbers of the clock's step.
pub(in crate::device) fn normal(clock: &[u32], stream: u32, y: &mut [f32]) {
    fill(
        clock,
        stream,
        y,
        #[inline(always)]
        |a, b| {
            let radius = (-2.0 * log(1.0 - unit_f32(a))).sqrt();
            let (sine, cosine) = sin_cos_of_turns(unit_f32(b));
            [radius * cosine, radius * sine]
        },
    );
}

/// Numbers in [0, 1) of the clock's step.
pub(in crate::device) fn uniform(clock: &[u32], stream: u32, y: &mut [f32]) {
    fill(
        clock,
        stream,
        y,
        #[inline(always)]
        |a, b| [unit_f32(a), unit_f32(b)],
    );
}

fn fill(clock: &[u32], stream: u32, y: &mut [f32], pair: impl Fn(u32, u32) -> [f32; 2] + Sync) {
    let step_key = [clock[clock::STEP_KEY], clock[clock::STEP_KEY + 1]];
    let key = threefry2x32(step_key, [clock[clock::STEP], stream]);
    y.par_chunks_mut(NUMBERS).enumerate().for_each(|(number, y)| {
        wide(
            y,
            #[inline(always)]
            |y: &mut [f32]| {
                for (group, y) in y.chunks_mut(2 * LANES).enumerate() {
                    let first = (number * (NUMBERS / 2) + group * LANES) as u32;
                    let mut counters = [0; LANES];
                    for (lane, counter) in counters.iter_mut().enumerate() {
                        *counter = first + lane as u32;
                    }
                    let [a, b] = threefry_lanes(key, [counters, [stream; LANES]]);
                    let mut pairs = [[0.0; 2]; LANES];
                    for lane in 0..LANES {
                        pairs[lane] = pair(a[lane], b[lane]);
                    }
                    y.copy_from_slice(&pairs.as_flattened()[..y.len()]);
                }
            },
        );
    });
}
