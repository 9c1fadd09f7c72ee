//! What is to be told of data before anything is made of it.

use std::collections::HashMap;

use super::{Dataset, Split};

/// Rows of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct SideSummary {
    /// What the side is called.
    pub name: &'static str,
    /// Number of rows.
    pub rows: usize,
    /// Bytes that they take on a device.
    pub device_bytes: usize,
    /// Rows of each class, in the order of the classes; empty if they have none.
    pub classes: Vec<usize>,
    /// Smallest and largest value, as the network sees them; none without rows.
    pub range: Option<[f32; 2]>,
    /// Mean of all values.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// Rows that are the same as another one before them on this side.
    pub repeated: usize,
    /// Rows that are the same as a training row; 0 for the training rows themselves.
    pub known: usize,
}

/// What is to be told of data.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The sides that have rows: training, validation, test.
    pub sides: Vec<SideSummary>,
    /// Numbers of the test rows that are the same as a training row, with that row's number, the first of them.
    pub leaks: Vec<(usize, usize)>,
}

/// Most pairs of the same test and training row that are told.
const LEAKS: usize = 10;

impl Summary {
    /// Looks at every row.
    pub fn of(data: &Dataset) -> Self {
        let train = places(&data.train);
        let (mut sides, mut leaks) = (Vec::new(), Vec::new());
        for (name, split) in [("training", &data.train), ("validation", &data.validation), ("test", &data.test)] {
            if split.rows == 0 {
                continue;
            }
            let own = if name == "training" { None } else { Some(places(split)) };
            let distinct = own.as_ref().unwrap_or(&train).len();
            let mut known = 0;
            if own.is_some() {
                for row in 0..split.rows {
                    if let Some(&first) = train.get(split.raw(row)) {
                        known += 1;
                        if name == "test" && leaks.len() < LEAKS {
                            leaks.push((row, first));
                        }
                    }
                }
            }
            let mut classes = vec![0; if split.is_labelled() { data.classes() } else { 0 }];
            split.labels.iter().for_each(|&label| classes[usize::from(label)] += 1);
            let (range, mean, deviation) = moments(split);
            let device_bytes = split.rows * split.stride();
            let repeated = split.rows - distinct;
            sides.push(SideSummary {
                name,
                rows: split.rows,
                device_bytes,
                classes,
                range,
                mean,
                deviation,
                repeated,
                known,
            });
        }
        Summary { sides, leaks }
    }
}

/// The first place of every different row.
fn places(split: &Split) -> HashMap<&[u8], usize> {
    let mut places = HashMap::with_capacity(split.rows);
    (0..split.rows).for_each(|row| {
        places.entry(split.raw(row)).or_insert(row);
    });
    places
}

/// Range, mean and standard deviation of all values.
fn moments(split: &Split) -> (Option<[f32; 2]>, f64, f64) {
    let (mut range, mut sum, mut squares) = ([f32::INFINITY, f32::NEG_INFINITY], 0.0f64, 0.0f64);
    let mut values = Vec::with_capacity(split.width);
    for row in 0..split.rows {
        values.clear();
        split.append(row, &mut values);
        for &x in &values {
            range = [range[0].min(x), range[1].max(x)];
            sum += f64::from(x);
            squares += f64::from(x).powi(2);
        }
    }
    let count = (split.rows * split.width).max(1) as f64;
    let mean = sum / count;
    (Some(range).filter(|range| range[0] <= range[1]), mean, (squares / count - mean * mean).max(0.0).sqrt())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{Encoding, ImageShape};

    #[test]
    fn rows_that_are_trained_and_tested_with_are_named() {
        let split = |bytes: &[u8], labels: &[u16]| Split::of_bytes(2, bytes.to_vec(), labels.to_vec());
        let data = Dataset {
            name: "pairs".into(),
            encoding: Encoding::numbered(ImageShape::row(2), 2),
            train: split(&[0, 0, 255, 0, 0, 0], &[0, 1, 0]),
            validation: Split::default(),
            test: split(&[1, 1, 255, 0], &[1, 1]),
        };
        let Summary { sides, leaks } = Summary::of(&data);
        let [train, test] = <[SideSummary; 2]>::try_from(sides).unwrap();
        assert_eq!((train.rows, train.repeated, train.known, train.classes), (3, 1, 0, vec![2, 1]));
        assert_eq!((test.rows, test.repeated, test.known, test.classes), (2, 0, 1, vec![0, 2]));
        assert_eq!((leaks, train.range, train.device_bytes), (vec![(1, 1)], Some([0.0, 1.0]), 12));
        assert!((train.mean - 1.0 / 6.0).abs() < 1e-7 && (train.deviation - (5.0f64 / 36.0).sqrt()).abs() < 1e-6);
    }
}
