//! Where an axis begins and ends, and the round numbers on it.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// A ratio of largest to smallest value beyond which a linear axis would flatten the small ones.
const LOGARITHMIC_FROM: f64 = 20.0;
/// Empty space at either end, as a share of what the values span.
const PADDING: f64 = 0.04;
/// Beyond this the span of an axis could overflow.
const LARGEST: f64 = 1e300;

/// Whether a coordinate can be placed on an axis at all.
pub(super) fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

/// One axis: values map to positions, which are the values or, on a logarithmic axis, their log10.
pub(super) struct Axis {
    /// Positions from end to end.
    range: Range<f64>,
    /// Whether positions are logarithms.
    pub(super) logarithmic: bool,
    /// Values and what is written at them.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A linear axis over drawable `values` with about `wanted` ticks. If every value is whole, as
    /// epochs are, so is every tick.
    pub(super) fn linear(values: &[f64], wanted: usize) -> Self {
        let (low, high) = extent(values);
        let size = low.abs().max(high.abs());
        let whole = size < 1e9 && values.iter().all(|value| value.fract() == 0.0);
        let range = if high - low > (1e-9 * size).max(1e-300) {
            let padding = PADDING * (high - low);
            let floor = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
            (low - padding).max(floor)..high + padding
        } else {
            // A constant gets an interval around it, in which the line is in the middle.
            let half = if whole || size < 1e-300 { 1.0 } else { 0.05 * size };
            low - half..high + half
        };
        let ticks = linear_ticks(&range, wanted, whole);
        Axis { range, logarithmic: false, ticks }
    }

    /// A linear axis for what the values of a curve stand over. A single whole one, such as the only epoch of a run, is all
    /// there is: nothing is written beside it.
    pub(super) fn under(values: &[f64], wanted: usize) -> Self {
        let (low, high) = extent(values);
        if low < high || low.fract() != 0.0 || low.abs() >= 1e9 {
            return Self::linear(values, wanted);
        }
        Axis { range: low - 0.5..low + 0.5, logarithmic: false, ticks: vec![(low, format!("{low}"))] }
    }

    /// An axis that is logarithmic if drawable `values` are positive and far enough apart.
    pub(super) fn fitting(values: &[f64], wanted: usize) -> Self {
        let (low, high) = extent(values);
        if low <= 0.0 || high / low <= LOGARITHMIC_FROM {
            return Self::linear(values, wanted);
        }
        let (low, high) = (low.log10(), high.log10());
        let padding = PADDING * (high - low);
        let range = low - padding..high + padding;
        let ticks = logarithmic_ticks(&range, wanted);
        Axis { range, logarithmic: true, ticks }
    }

    /// What is written at the ticks.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.ticks.iter().map(|(_, label)| label.as_str())
    }

    fn position(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (self.position(*value) - self.range.start) / (self.range.end - self.range.start);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|&(value, _)| value).collect()
    }

    fn range(&self) -> Range<f64> {
        let value = |position: f64| if self.logarithmic { 10f64.powf(position) } else { position };
        value(self.range.start)..value(self.range.end)
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(tick, _)| tick == value);
        tick.map_or_else(String::new, |(_, label)| label.clone())
    }
}

fn extent(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (low, high)
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks(range: &Range<f64>, wanted: usize, whole: bool) -> Vec<(f64, String)> {
    let rough = (range.end - range.start) / wanted as f64;
    let mut exponent = rough.log10().floor() as i32;
    let mut digit = match rough / 10f64.powi(exponent) {
        ratio if ratio < 1.5 => 1.0,
        ratio if ratio < 3.5 => 2.0,
        ratio if ratio < 7.5 => 5.0,
        _ => 10.0,
    };
    if digit == 10.0 {
        (digit, exponent) = (1.0, exponent + 1);
    }
    if whole && exponent < 0 {
        (digit, exponent) = (1.0, 0);
    }
    let step = digit * 10f64.powi(exponent);
    let first = (range.start / step).ceil() as i64;
    let last = (range.end / step).floor() as i64;
    let largest = first.unsigned_abs().max(last.unsigned_abs()) as f64 * step;
    let label = |value: f64| {
        if value == 0.0 {
            "0".to_owned()
        } else if (1e-3..1e7).contains(&largest) {
            format!("{value:.*}", (-exponent).max(0) as usize)
        } else {
            let leading = value.abs().log10().floor() as i32;
            format!("{value:.*e}", (leading - exponent).max(0) as usize)
        }
    };
    (first..=last).map(|multiple| multiple as f64 * step).map(|value| (value, label(value))).collect()
}

/// Powers of ten and, where these are few, their doubles and quintuples. `range` is in log10.
fn logarithmic_ticks(range: &Range<f64>, wanted: usize) -> Vec<(f64, String)> {
    let (first, last) = (range.start.floor() as i32, range.end.ceil() as i32);
    let digits: &[u32] = if range.end - range.start <= 2.5 { &[1, 2, 5] } else { &[1] };
    let stride = ((range.end - range.start) / wanted as f64).round().max(1.0) as i32;
    (first..=last)
        .filter(|exponent| exponent % stride == 0)
        .flat_map(|exponent| digits.iter().map(move |&digit| (digit, exponent)))
        .map(|(digit, exponent)| {
            let value = f64::from(digit) * 10f64.powi(exponent);
            let label = if (-4..6).contains(&exponent) {
                format!("{value:.*}", (-exponent).max(0) as usize)
            } else {
                format!("{digit}e{exponent}")
            };
            (value, label)
        })
        .filter(|(value, _)| range.contains(&value.log10()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.labels().collect()
    }

    #[test]
    fn ticks_are_round_and_share_their_decimals() {
        let axis = Axis::fitting(&[0.0555, 0.025], 6);
        assert!(!axis.logarithmic);
        assert_eq!(labels(&axis), ["0.025", "0.030", "0.035", "0.040", "0.045", "0.050", "0.055"]);
        assert_eq!(labels(&Axis::linear(&[-1.0, 1.5], 5)), ["-1.0", "-0.5", "0", "0.5", "1.0", "1.5"]);
        assert_eq!(labels(&Axis::linear(&[-0.9, 0.9], 5)), ["-0.5", "0", "0.5"]);
    }

    #[test]
    fn epochs_have_no_fractions() {
        assert_eq!(labels(&Axis::linear(&[1.0, 2.0, 3.0], 10)), ["1", "2", "3"]);
        assert_eq!(labels(&Axis::linear(&[7.0], 10)), ["6", "7", "8"]);
        assert_eq!(labels(&Axis::under(&[1.0, 1.0], 8)), ["1"], "there is no epoch 0 and no second one");
        assert_eq!(labels(&Axis::under(&[1.0, 2.0], 8)), ["1", "2"]);
        assert_eq!(Axis::under(&[1.0], 8).map(&1.0, (0, 1000)), 500);
        assert_eq!(labels(&Axis::linear(&[0.0, 1000.0], 6)), ["0", "200", "400", "600", "800", "1000"]);
    }

    #[test]
    fn a_wide_span_of_positive_values_is_logarithmic() {
        let axis = Axis::fitting(&[1.0, 0.02, 0.3], 6);
        assert!(axis.logarithmic);
        assert_eq!(labels(&axis), ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        assert_eq!(axis.position(0.1), -1.0);
        assert_eq!(labels(&Axis::fitting(&[1e-8, 1.0], 4)), ["1e-8", "1e-6", "0.0001", "0.01", "1"]);
        assert!(!Axis::fitting(&[0.0, 100.0], 6).logarithmic);
        assert!(!Axis::fitting(&[-1.0, 100.0], 6).logarithmic);
        assert!(!Axis::fitting(&[1.0, 19.0], 6).logarithmic);
    }

    #[test]
    fn every_axis_has_an_extent_and_a_few_ticks() {
        let nearly = 1.0 + f64::EPSILON;
        let hard: [&[f64]; 11] = [
            &[0.03],
            &[0.0, 0.0],
            &[-5.0],
            &[1.0, nearly],
            &[1e-320],
            &[-1e-320, 3e-320],
            &[LARGEST, -LARGEST],
            &[1e20],
            &[1e12 + 0.5, 1e12 + 9.5],
            &[f64::MIN_POSITIVE, LARGEST],
            &[1e-7, 3e-7],
        ];
        for values in hard {
            let axis = Axis::fitting(values, 6);
            assert!(axis.range.start < axis.range.end, "{values:?}: {:?}", axis.range);
            assert!((2..=16).contains(&axis.ticks.len()), "{values:?}: {:?}", axis.ticks);
            for &value in values {
                assert!(axis.range.contains(&axis.position(value)), "{values:?}");
            }
            for (value, label) in &axis.ticks {
                assert!((0..=1000).contains(&axis.map(value, (0, 1000))), "{values:?}: {label}");
                assert!(axis.format_ext(value) == *label && label.len() < 20, "{label}");
            }
        }
    }

    #[test]
    fn values_are_placed_between_the_ends() {
        let axis = Axis::fitting(&[0.01, 1.0], 6);
        assert_eq!(axis.map(&0.1, (1000, 0)), 500);
        assert_eq!(axis.map(&axis.range().start, (1000, 0)), 1000);
        assert_eq!(axis.map(&axis.range().end, (1000, 0)), 0);
        let axis = Axis::linear(&[-3.0, 5.0], 6);
        assert_eq!(axis.map(&1.0, (100, 300)), 200);
    }
}
