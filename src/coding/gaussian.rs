//! Tables of rounded normal distributions, in integers: 64 scales from 0.11 to 256, and for each 16 phases of the mean.
//!
//! A mean is rounded to sixteenths; its nearest whole number is the centre c, the rest the phase f of −8…7 sixteenths. A symbol is
//! the distance t from the centre. Distances beyond 5 deviations and 2 are escapes. All arithmetic is of 64-bit integers; the
//! distribution itself is a table Φ(i/128) in units of 2⁻³⁰, computed from nothing but sums and products of f64, which every
//! machine rounds alike, and proved against one of an independent implementation.

use std::sync::OnceLock;

use super::portable::{exp, ln};
use super::table::Table;
use crate::error::Result;

/// Scales.
pub const SCALES: usize = 64;
/// Phases of a mean.
pub const PHASES: usize = 16;
/// The least and the largest scale.
const RANGE: [f64; 2] = [0.11, 256.0];
/// Steps of the distribution's table between 0 and one deviation.
const PER_DEVIATION: usize = 128;
/// Deviations that the table reaches.
const REACH: usize = 8;
/// Units of the distribution's table.
const ONE: i64 = 1 << 30;
/// Shares of a table.
const TOTAL: i64 = 1 << 16;

/// Φ(x) for 0 ≤ x ≤ 8: ½ + φ(x)(x + x³/3 + x⁵/15 + …), all of whose terms are positive.
fn phi(x: f64) -> f64 {
    const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;
    let (mut term, mut sum) = (x, x);
    let mut n = 1.0;
    while term > sum * 1e-18 {
        n += 2.0;
        term *= x * x / n;
        sum += term;
    }
    0.5 + DENSITY_AT_0 * exp(-0.5 * x * x) * sum
}

/// What the rule is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constants {
    /// Scales, in units of 2⁻¹⁶.
    pub scales: [i64; SCALES],
    /// Between two scales, in the same units: their geometric mean.
    pub bounds: [i64; SCALES - 1],
    /// Φ(i/128), in units of 2⁻³⁰.
    pub phi: Vec<i64>,
    /// Where the argument r of s = 0.11 + softplus(r) makes s one of the bounds, in units of 2⁻¹⁶.
    pub raw_bounds: [i64; SCALES - 1],
}

/// They, computed once.
pub fn constants() -> &'static Constants {
    static CONSTANTS: OnceLock<Constants> = OnceLock::new();
    CONSTANTS.get_or_init(|| {
        let [least, most] = RANGE;
        let step = ln(most / least) / (SCALES - 1) as f64;
        let scale = |k: f64| least * exp(k * step);
        let units = 65536.0;
        let bounds = std::array::from_fn(|k| (units * scale(k as f64 + 0.5)).round() as i64);
        let raw = |bound: i64| {
            let above = bound as f64 / units - least;
            // ln(e^a − 1)
            let inverse = if above > 30.0 { above } else { ln(exp(above) - 1.0) };
            (units * inverse).round() as i64
        };
        Constants {
            scales: std::array::from_fn(|k| (units * scale(k as f64)).round() as i64),
            bounds,
            phi: (0..=REACH * PER_DEVIATION)
                .map(|i| (ONE as f64 * phi(i as f64 / PER_DEVIATION as f64)).round() as i64)
                .collect(),
            raw_bounds: bounds.map(raw),
        }
    })
}

/// The table of a scale for a scale s, in f32, whose product with 2¹⁶ is exact.
pub fn scale_index(scale: f32) -> usize {
    let scaled = f64::from(scale) * 65536.0;
    constants().bounds.iter().filter(|&&bound| scaled > bound as f64).count()
}

/// The table of a scale for the argument r of s = 0.11 + softplus(r), without computing it.
pub fn scale_index_of_raw(raw: f32) -> usize {
    let scaled = f64::from(raw) * 65536.0;
    constants().raw_bounds.partition_point(|&bound| scaled > bound as f64)
}

/// A mean in sixteenths, to the nearest, ties to even.
pub fn sixteenths(mean: f32) -> i64 {
    (f64::from(mean) * 16.0).round_ties_even() as i64
}

/// Centre and phase of a mean in sixteenths.
pub fn centre_and_phase(sixteenths: i64) -> (i64, i64) {
    let centre = (sixteenths + 8) >> 4;
    (centre, sixteenths - 16 * centre)
}

/// The largest distance from the centre that a scale's tables know.
pub fn half_width(scale: usize) -> i64 {
    2 + ((5 * constants().scales[scale]) >> 16)
}

/// 2³⁰ Φ of a distance in sixteenths over a scale in units of 2⁻¹⁶.
fn distribution(constants: &Constants, distance: i64, scale: i64) -> i64 {
    let ratio = (distance.abs() << 27) / scale;
    let (place, rest) = ((ratio >> 8) as usize, ratio & 255);
    let last = constants.phi.len() - 1;
    let value = match constants.phi.get(place..place + 2) {
        Some(&[low, high]) => low + (((high - low) * rest) >> 8),
        _ => constants.phi[last],
    };
    if distance < 0 { ONE - value } else { value }
}

/// The cumulative shares of a scale and a phase: distances −T…T, then the escape.
fn cumulative(scale: usize, phase: i64) -> Vec<u32> {
    let constants = constants();
    let (units, width) = (constants.scales[scale], half_width(scale));
    let n = 2 * width + 2;
    let above = |t: i64| distribution(constants, 16 * t + 8 - phase, units);
    let least = above(-width - 1);
    let inner = (0..n).map(|j| j + (((above(j - 1 - width) - least) * (TOTAL - n)) >> 30));
    inner.chain([TOTAL]).map(|share| share as u32).collect()
}

/// The tables of all scales and phases.
#[derive(Debug)]
pub struct Tables(Vec<Table>);

impl Tables {
    /// All of them, made when they are first asked for.
    ///
    /// # Errors
    /// Never, since every one of them rises; a test sees to it.
    pub fn all() -> Result<&'static Tables> {
        static TABLES: OnceLock<Tables> = OnceLock::new();
        if let Some(tables) = TABLES.get() {
            return Ok(tables);
        }
        let all = (0..SCALES * PHASES).map(|number| Table::new(cumulative(number / PHASES, phase(number % PHASES))));
        let all = all.collect::<Result<Vec<Table>>>()?;
        Ok(TABLES.get_or_init(|| Tables(all)))
    }

    /// The table of a scale and a phase of −8…7.
    #[inline]
    pub fn of(&self, scale: usize, phase: i64) -> &Table {
        &self.0[scale * PHASES + (phase + 8) as usize]
    }
}

fn phase(number: usize) -> i64 {
    number as i64 - 8
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_is_that_of_the_normal_one() {
        // Abramowitz and Stegun, table 26.1.
        for (x, expected) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (2.5, 0.993_790_334_674_224)] {
            assert!((phi(x) - expected).abs() < 1e-12, "{x}");
        }
        assert_eq!(constants().phi[REACH * PER_DEVIATION], ONE);
    }

    #[test]
    fn a_scale_and_its_argument_have_one_table() {
        for raw in [-20.0_f32, -3.0, -1.0, 0.0, 0.7, 3.3, 12.0, 100.0, 400.0] {
            let scale = 0.11 + raw.exp().min(1e30).ln_1p().max(raw);
            assert_eq!(scale_index_of_raw(raw), scale_index(scale), "{raw}");
        }
    }

    #[test]
    fn a_mean_is_a_centre_and_a_phase() {
        for sixteenth in -100..100 {
            let (centre, phase) = centre_and_phase(sixteenth);
            assert!((-8..8).contains(&phase) && 16 * centre + phase == sixteenth);
        }
        assert_eq!(centre_and_phase(sixteenths(0.5)), (1, -8));
        assert_eq!((sixteenths(1.0 / 32.0), sixteenths(3.0 / 32.0)), (0, 2));
    }

    #[test]
    fn every_table_rises_and_knows_its_escape() {
        let tables = Tables::all().unwrap();
        for scale in 0..SCALES {
            for phase in -8..8 {
                assert_eq!(tables.of(scale, phase).symbols() as i64, 2 * half_width(scale) + 2);
            }
        }
    }
}
