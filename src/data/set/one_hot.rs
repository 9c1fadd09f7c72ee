//! The patterns of the N-M-N encoder task (Ackley, Hinton and Sejnowski 1985): N rows, each with one value on.
//!
//! There is nothing to generalise to, so the test rows are the patterns themselves, and the training rows are the
//! same over and over, so that an epoch is a number of looks at each of them.

use crate::data::{Dataset, Encoding, ImageShape, Source, Split};

/// Training rows of an epoch.
const TRAIN_ROWS: usize = 9_600;

/// The data set of `N` patterns.
pub(in crate::data) const fn source<const N: usize>(name: &'static str, about: &'static str) -> Source {
    Source {
        name,
        about,
        image: ImageShape::row(N),
        train_rows: TRAIN_ROWS,
        classes: N,
        load: |_, _| {
            let encoding = Encoding::numbered(ImageShape::row(N), N);
            let (train, test) = (patterns(N, TRAIN_ROWS), patterns(N, N));
            Ok(Dataset { name: format!("one-hot-{N}"), encoding, train, validation: Split::default(), test })
        },
        fetch: None,
    }
}

/// `rows` rows, row i with value i modulo `count` on, which is its class.
fn patterns(count: usize, rows: usize) -> Split {
    let mut bytes = vec![0; rows * count];
    for (row, values) in bytes.chunks_exact_mut(count).enumerate() {
        values[row % count] = u8::MAX;
    }
    Split::of_bytes(count, bytes, (0..rows).map(|row| (row % count) as u16).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::data::DataOptions;

    #[test]
    fn every_pattern_is_on_once_and_as_often_as_the_others() {
        for (name, count) in [("one-hot-4", 4), ("one-hot-5", 5), ("one-hot-8", 8), ("one-hot-16", 16)] {
            let data = crate::data::load(&DataOptions::of(name), None, 0, None).unwrap();
            assert_eq!((data.test.rows, data.test.width), (count, count));
            for row in 0..count {
                let values = data.test.raw(row);
                assert!(values.iter().enumerate().all(|(i, &value)| value == if i == row { 255 } else { 0 }));
            }
            let looks = |class: u16| data.train.labels.iter().filter(|&&label| label == class).count();
            assert!((0..count as u16).all(|class| looks(class) == super::TRAIN_ROWS / count));
            assert_eq!(data.name, name);
        }
    }
}
