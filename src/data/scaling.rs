//! The affine map by which stored numbers reach the network: found on the training rows, one for each channel of an image
//! or each value of a plain row.

use super::encoding::{Affine, ImageShape};
use super::options::Scale;
use super::split::Split;
use super::values::{ValueKind, Values};

/// A deviation below this share of the mean is rounding: the channel is the same everywhere.
const CONSTANT: f64 = 1e-7;

/// What was found of the training rows' values.
pub(super) struct Scaling {
    /// The maps, channel by channel; none if values stay as they are.
    pub maps: Vec<Affine>,
    /// Smallest and largest value before the maps; none if all are from 0 to 1.
    pub stored: Option<[f32; 2]>,
    /// The same behind the maps.
    pub range: Option<[f32; 2]>,
}

/// How many maps rows of this shape have.
fn channels(shape: ImageShape) -> usize {
    if shape.height == 1 { shape.values().max(1) } else { shape.channels.max(1) }
}

/// Finds the maps on training rows. If nothing is asked for, floats that are not all from 0 to 1 are standardised
/// and everything else stays.
pub(super) fn find(train: &Split, shape: ImageShape, asked: Option<Scale>) -> Scaling {
    if train.kind() == ValueKind::Byte && asked != Some(Scale::Standard) {
        return Scaling { maps: Vec::new(), stored: None, range: None };
    }
    let channels = channels(shape);
    let each = |with: &mut dyn FnMut(usize, f32)| {
        let mut values = Vec::with_capacity(shape.values());
        for row in 0..train.rows {
            values.clear();
            train.append(row, &mut values);
            values.iter().enumerate().for_each(|(place, &x)| with(place % channels, x));
        }
    };
    let mut range = [f32::INFINITY, f32::NEG_INFINITY];
    each(&mut |_, x| range = [range[0].min(x), range[1].max(x)]);
    let is_unit = range[0] >= 0.0 && range[1] <= 1.0;
    if asked == Some(Scale::None) || (asked.is_none() && is_unit) {
        let range = Some(range).filter(|_| !is_unit);
        return Scaling { maps: Vec::new(), stored: range, range };
    }
    let count = (train.rows * shape.values() / channels).max(1) as f64;
    let (mut sums, mut squares) = (vec![0.0f64; channels], vec![0.0f64; channels]);
    each(&mut |channel, x| sums[channel] += f64::from(x));
    let means: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
    each(&mut |channel, x| squares[channel] += (f64::from(x) - means[channel]).powi(2));
    let map = |(mean, square): (&f64, &f64)| {
        let deviation = (square / count).sqrt();
        // What does not vary is 0 whatever it is divided by.
        let deviation = if deviation > CONSTANT * mean.abs() { deviation } else { 1.0 };
        Affine { mean: *mean as f32, deviation: deviation as f32 }
    };
    let maps: Vec<Affine> = means.iter().zip(&squares).map(map).collect();
    let stored = Some(range).filter(|_| !is_unit);
    let mut range = [f32::INFINITY, f32::NEG_INFINITY];
    each(&mut |channel, x| {
        let x = mapped(x, maps[channel]);
        range = [range[0].min(x), range[1].max(x)];
    });
    Scaling { maps, stored, range: Some(range) }
}

fn mapped(x: f32, map: Affine) -> f32 {
    (x - map.mean) / map.deviation
}

/// The same rows behind the maps of rows of this shape.
pub(super) fn apply(split: Split, shape: ImageShape, maps: &[Affine]) -> Split {
    if maps.is_empty() {
        return split;
    }
    let mut values = split.values(0..split.rows);
    for row in values.chunks_exact_mut(shape.values().max(1)) {
        row.iter_mut().enumerate().for_each(|(place, x)| *x = mapped(*x, maps[place % maps.len()]));
    }
    split.with_values(Values::of_floats(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: ImageShape = ImageShape::row(2);

    fn rows(values: Values) -> Split {
        Split::new(2, values, Vec::new(), Vec::new())
    }

    #[test]
    fn training_rows_decide_and_all_rows_are_mapped() {
        let all = rows(Values::of_floats(vec![1.0, 10.0, 3.0, 10.0, 9.0, 12.0]));
        let found = find(&all.first(2), PAIR, None);
        assert_eq!(found.maps, [Affine { mean: 2.0, deviation: 1.0 }, Affine { mean: 10.0, deviation: 1.0 }]);
        assert_eq!(found.range, Some([-1.0, 1.0]));
        assert_eq!(apply(all, PAIR, &found.maps).values(0..3), [-1.0, 0.0, 1.0, 0.0, 7.0, 2.0]);
    }

    #[test]
    fn shares_stay_as_they_are_unless_the_contrary_is_asked_for() {
        let unit = rows(Values::of_floats(vec![0.0, 1.0, 0.5, 0.25]));
        assert!(find(&unit, PAIR, None).maps.is_empty());
        assert_eq!(find(&unit, PAIR, Some(Scale::Standard)).maps.len(), 2);
        let kept = find(&rows(Values::of_floats(vec![-1.0, 1.0])), PAIR, Some(Scale::None));
        assert_eq!((kept.maps.len(), kept.range), (0, Some([-1.0, 1.0])));
        let bytes = rows(Values::of_bytes(vec![0, 255, 255, 0]));
        assert_eq!(find(&bytes, PAIR, None).range, None);
        let square = ImageShape { height: 2, width: 1, channels: 1 };
        let standard = find(&bytes, square, Some(Scale::Standard));
        assert_eq!(standard.maps, [Affine { mean: 0.5, deviation: 0.5 }], "one map a channel");
    }
}
