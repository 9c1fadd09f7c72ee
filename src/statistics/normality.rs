//! Whether codes look like draws from the standard normal distribution.
//!
//! Source: Kolmogorov (1933), Smirnov (1948). Of each dimension, the largest difference between the share of codes up
//! to a value and the share that a standard normal distribution has up to there. It needs no choice of bins or
//! moments, sees a wrong mean or deviation as well as a wrong shape, and lies between 0 and 1.

/// Share of samples of a normal distribution that are told to be none.
const LEVEL: f64 = 0.05;

/// Rows of a group that is tested by itself.
const GROUP: usize = 100;

/// A test of codes for normality, dimension by dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normality {
    /// The largest Kolmogorov–Smirnov distance of a dimension from the standard normal distribution.
    pub distance: f64,
    /// What that distance stays under in 95 of 100 samples of independent standard normal codes of this number and
    /// width: √(½ ln(2 · width/.05)/rows), the limit for one dimension at .05/width.
    pub critical: f64,
}

impl Normality {
    /// The test of `codes`, row by row, of this width.
    pub fn of(codes: &[f32], width: usize) -> Normality {
        let rows = codes.len() / width.max(1);
        let distance = (0..width).map(|dimension| {
            let mut column: Vec<f64> = codes.iter().skip(dimension).step_by(width).map(|&z| f64::from(z)).collect();
            column.sort_by(f64::total_cmp);
            kolmogorov_smirnov(&column)
        });
        let distance = distance.fold(0.0, f64::max);
        let critical = (0.5 * (2.0 * width as f64 / LEVEL).ln() / rows as f64).sqrt();
        Normality { distance, critical }
    }

    /// Whether the codes could be draws from the standard normal distribution.
    pub fn passes(&self) -> bool {
        self.distance < self.critical
    }

    /// Of `codes` in groups of a hundred rows, or all together if there are fewer, the share of groups that pass: about
    /// .95 for true draws. A test of more rows finds smaller differences; one of a batch finds those that matter to it.
    pub fn share(codes: &[f32], width: usize) -> f64 {
        let values = width.max(1) * GROUP.min(codes.len() / width.max(1)).max(1);
        let groups = codes.chunks_exact(values);
        let count = groups.len();
        groups.filter(|group| Normality::of(group, width).passes()).count() as f64 / count.max(1) as f64
    }
}

/// The distance of sorted values.
fn kolmogorov_smirnov(sorted: &[f64]) -> f64 {
    let n = sorted.len() as f64;
    let off = |(i, &z): (usize, &f64)| {
        let share = normal_share(z);
        // The share of the values jumps here, from i/n to (i + 1)/n.
        (share - i as f64 / n).max((i + 1) as f64 / n - share)
    };
    sorted.iter().enumerate().map(off).fold(0.0, f64::max)
}

/// The share of a standard normal distribution up to `z`, to 10⁻⁷ (Abramowitz and Stegun, 26.2.17).
fn normal_share(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let weights = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let above = weights.iter().rev().fold(0.0, |sum, weight| t * (weight + sum));
    let above = above * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z > 0.0 { 1.0 - above } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stream, stream_key};

    /// Codes of 1,000 rows and 5 columns, from pairs of uniform numbers.
    fn codes(seed: u64, mut make: impl FnMut(f64, f64) -> f64) -> Vec<f32> {
        let mut rng = Rng::new(stream_key(seed, Stream::Data));
        (0..5_000).map(|_| make(f64::from(rng.uniform()), f64::from(rng.uniform())) as f32).collect()
    }

    fn normal(a: f64, b: f64) -> f64 {
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    #[test]
    fn shares_are_those_of_tables() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.96, 0.024_997_895), (3.0, 0.998_650_102)] {
            assert!((normal_share(z) - share).abs() < 1e-7, "{z}");
        }
    }

    #[test]
    fn normal_codes_pass_as_often_as_the_level_says() {
        let passed = (0..100).filter(|&seed| Normality::of(&codes(seed, normal), 5).passes()).count();
        assert!((90..=99).contains(&passed), "{passed} of 100");
    }

    #[test]
    fn the_share_of_groups_tells_draws_from_others() {
        let shares: Vec<f64> = (0..20).map(|seed| Normality::share(&codes(seed, normal), 5)).collect();
        let mean = shares.iter().sum::<f64>() / 20.0;
        assert!((0.93..=0.99).contains(&mean), "{mean}");
        assert_eq!(Normality::share(&codes(3, |a, _| 3.0 * a - 1.0), 5), 0.0);
        assert_eq!(Normality::share(&codes(3, normal)[..5 * 40], 5), 1.0, "fewer rows than a group has");
        assert_eq!(Normality::share(&[], 5), 0.0);
    }

    #[test]
    fn other_codes_fail() {
        type Make = fn(f64, f64) -> f64;
        let others: [(&str, Make); 5] = [
            ("uniform of variance 1", |a, _| (a - 0.5) * 12.0_f64.sqrt()),
            ("behind a ReLU", |a, b| normal(a, b).max(0.0)),
            ("too wide", |a, b| 1.25 * normal(a, b)),
            ("shifted", |a, b| normal(a, b) + 0.2),
            ("all the same", |_, _| 0.0),
        ];
        for (label, make) in others {
            let found = Normality::of(&codes(7, make), 5);
            assert!(!found.passes(), "{label}: {found:?}");
        }
    }

    #[test]
    fn one_wrong_dimension_is_enough() {
        let mut codes = codes(1, normal);
        assert!(Normality::of(&codes, 5).passes());
        codes.iter_mut().skip(3).step_by(5).for_each(|z| *z = z.abs());
        assert!(!Normality::of(&codes, 5).passes());
    }
}
