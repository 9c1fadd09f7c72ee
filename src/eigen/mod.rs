//! Eigenvalues and eigenvectors of symmetric matrices.
//!
//! Two ways, each where the other will not do: [`rotations`] are right to the last digit at f32 too and are what the
//! GPU does, [`reduction`] takes a wide matrix, on which rotations would take a hundred times as long (a code of 512
//! neurons: seconds an epoch). Each is proved by the other (`docs/decisions/0013-two-eigen-solvers.md`).

pub mod reduction;
pub mod rotations;

#[cfg(test)]
mod tests {
    use super::{reduction, rotations};
    use crate::rng::{Rng, Stream, stream_key};

    /// Symmetric matrices of several sizes, some with eigenvalues that are equal or 0.
    fn matrices() -> Vec<(Vec<f64>, usize)> {
        let mut rng = Rng::new(stream_key(3, Stream::Data));
        let mut matrices: Vec<(Vec<f64>, usize)> = Vec::new();
        for n in [1, 2, 3, 7, 20, 33] {
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..=i {
                    let value = f64::from(rng.range(-1.0, 1.0));
                    (a[i * n + j], a[j * n + i]) = (value, value);
                }
            }
            // The projection on the first of its columns has but one eigenvalue that is not 0.
            let column: Vec<f64> = (0..n).map(|i| a[i * n]).collect();
            matrices.push(((0..n * n).map(|i| column[i / n] * column[i % n]).collect(), n));
            matrices.push((a, n));
            matrices.push(((0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect(), n));
            matrices.push((vec![0.0; n * n], n));
        }
        matrices
    }

    #[test]
    fn vectors_are_orthonormal_and_give_the_matrix_back() {
        for solve in [rotations::eigen::<f64>, reduction::eigen::<f64>] {
            for (a, n) in matrices() {
                let (values, v) = solve(a.clone(), n);
                assert!(values.is_sorted_by(|x, y| x >= y), "{values:?}");
                for i in 0..n {
                    for j in 0..n {
                        let (mut product, mut back) = (0.0, 0.0);
                        for k in 0..n {
                            product += v[k * n + i] * v[k * n + j];
                            back += v[i * n + k] * values[k] * v[j * n + k];
                        }
                        assert!((product - f64::from(u8::from(i == j))).abs() < 1e-13, "columns {i} and {j} of {n}");
                        assert!((back - a[i * n + j]).abs() < 1e-13, "element {i}, {j} of {n}");
                    }
                }
            }
        }
    }

    #[test]
    fn both_ways_find_the_same_eigenvalues() {
        for (a, n) in matrices() {
            let (rotated, _) = rotations::eigen(a.clone(), n);
            let (reduced, _) = reduction::eigen(a.clone(), n);
            assert_eq!(reduced, reduction::eigenvalues(a, n), "vectors change no value");
            for (one, other) in rotated.iter().zip(&reduced) {
                assert!((one - other).abs() < 1e-13, "{rotated:?} and {reduced:?}");
            }
        }
    }
}
