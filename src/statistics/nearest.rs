//! The classes of rows by those of their nearest neighbours.

use crate::threads::prelude::*;

/// How near two rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// By the cosine of the angle between them; a row of 0 is as far from all.
    Cosine,
    /// By the length of their difference.
    Euclidean,
}

/// Lanes that a product of rows is summed in, so that the processor can do several at a time.
const LANES: usize = 16;

/// Labelled rows that others are compared with.
pub struct Neighbours {
    width: usize,
    /// Rows `[rows, width]`, of length 1 if it is angles that count.
    rows: Vec<f32>,
    /// Half of each row's squared length, which a product is less by where distances count.
    halves: Vec<f32>,
    labels: Vec<u16>,
    nearness: Nearness,
}

/// Rows of length 1, those of 0 as they are.
fn of_length_one(rows: &[f32], width: usize) -> Vec<f32> {
    let unit = |row: &[f32]| {
        let length = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        row.iter().map(|x| (f64::from(*x) * scale) as f32).collect::<Vec<f32>>()
    };
    rows.chunks_exact(width.max(1)).flat_map(unit).collect()
}

/// Σ a b
fn product(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.0.iter().zip(b.0) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    let rest: f32 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

impl Neighbours {
    /// Rows of `width` numbers with their labels.
    pub fn new((rows, width): (&[f32], usize), labels: &[u16], nearness: Nearness) -> Self {
        let rows = match nearness {
            Nearness::Cosine => of_length_one(rows, width),
            Nearness::Euclidean => rows.to_vec(),
        };
        let half = |row: &[f32]| match nearness {
            Nearness::Cosine => 0.0,
            Nearness::Euclidean => product(row, row) / 2.0,
        };
        let halves = rows.chunks_exact(width.max(1)).map(half).collect();
        Neighbours { width, rows, halves, labels: labels.to_vec(), nearness }
    }

    /// The class that most of the `k` nearest rows of each of these have; of several the one whose nearest is nearest. Of rows
    /// that are as near the first count.
    pub fn classes_of(&self, rows: &[f32], k: usize) -> Vec<u16> {
        let rows = match self.nearness {
            Nearness::Cosine => of_length_one(rows, self.width),
            Nearness::Euclidean => rows.to_vec(),
        };
        rows.par_chunks(self.width.max(1)).map(|row| self.class_of(row, k)).collect()
    }

    fn class_of(&self, row: &[f32], k: usize) -> u16 {
        let known = self.rows.chunks_exact(self.width.max(1)).zip(&self.halves);
        // A distance without the row's own length, turned around.
        let mut near: Vec<(f32, usize)> =
            known.enumerate().map(|(at, (known, half))| (product(row, known) - half, at)).collect();
        let k = k.clamp(1, near.len().max(1));
        let nearer = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if k < near.len() {
            near.select_nth_unstable_by(k - 1, nearer);
            near.truncate(k);
        }
        near.sort_by(nearer);
        let labels: Vec<u16> = near.iter().map(|(_, at)| self.labels[*at]).collect();
        let count = |label: u16| labels.iter().filter(|other| **other == label).count();
        let most = labels.iter().map(|&label| count(label)).max().unwrap_or(0);
        labels.iter().copied().find(|&label| count(label) == most).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [f32; 8] = [1.0, 0.0, 10.0, 1.0, 0.0, 1.0, 0.5, 4.0];

    #[test]
    fn angles_and_distances_are_different_things() {
        let labels = [0, 1, 2, 3];
        let of = |nearness| Neighbours::new((&ROWS, 2), &labels, nearness);
        // The direction of the second row, beside the first.
        let row = [1.0, 0.1];
        assert_eq!(of(Nearness::Cosine).classes_of(&row, 1), [1]);
        assert_eq!(of(Nearness::Euclidean).classes_of(&row, 1), [0]);
    }

    #[test]
    fn most_of_the_nearest_decide_and_of_equal_ones_the_nearest() {
        let of =
            |labels: &[u16], k| Neighbours::new((&ROWS, 2), labels, Nearness::Euclidean).classes_of(&[0.9, 0.2], k);
        assert_eq!(of(&[5, 1, 2, 2], 1), [5]);
        assert_eq!(of(&[5, 1, 2, 2], 2), [5]);
        assert_eq!(of(&[5, 1, 2, 2], 4), [2]);
        assert_eq!(of(&[5, 1, 2, 2], 99), [2], "more than there are");
    }

    #[test]
    fn long_rows_are_summed_whole() {
        let a: Vec<f32> = (0..37).map(|at| at as f32).collect();
        assert_eq!(product(&a, &a), (0..37).map(|at| (at * at) as f32).sum::<f32>());
        assert_eq!(of_length_one(&[0.0, 0.0, 3.0, 4.0], 2), [0.0, 0.0, 0.6, 0.8]);
    }
}
