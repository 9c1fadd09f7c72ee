//! Eigenvalues and eigenvectors of symmetric matrices by Jacobi's method: rotations in the plane of two columns, each
//! of which makes one element zero, in sweeps over all pairs.
//!
//! Source: Golub and Van Loan, "Matrix Computations" (2013), §8.5. Slower than reduction to a tridiagonal matrix but
//! right to the last digits, of small eigenvalues too, and made of rotations that a GPU can do side by side.

use crate::tensor::Real;

/// Sweeps after which it ends at the latest; ten are enough for a hundred columns.
pub(in crate::ops) const SWEEPS: usize = 16;

/// Eigenvalues, descending, and the eigenvectors in the columns of a matrix, of the symmetric matrix `a` \[n, n\].
pub(crate) fn eigen<T: Real>(mut a: Vec<T>, n: usize) -> (Vec<T>, Vec<T>) {
    let mut v: Vec<T> = (0..n * n).map(|i| if i / n == i % n { T::one() } else { T::zero() }).collect();
    for _ in 0..SWEEPS {
        let squares = |on: bool| -> T { (0..n * n).filter(|i| (i / n == i % n) == on).map(|i| a[i] * a[i]).sum() };
        if squares(false) <= T::of(1e-4) * T::epsilon() * T::epsilon() * squares(true) {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut v, n, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j * n + j].partial_cmp(&a[i * n + i]).unwrap_or(std::cmp::Ordering::Equal));
    let values = order.iter().map(|&i| a[i * n + i]).collect();
    (values, (0..n * n).map(|i| v[i / n * n + order[i % n]]).collect())
}

/// Makes `a[p, q]` zero.
fn rotate<T: Real>(a: &mut [T], v: &mut [T], n: usize, p: usize, q: usize) {
    let (first, second, beside) = (a[p * n + p], a[q * n + q], a[p * n + q]);
    // What is lost in rounding already needs no rotation.
    if beside.abs() > T::of(0.01) * T::epsilon() * (first.abs() + second.abs()) {
        let tau = (second - first) / (beside + beside);
        let sign = if tau >= T::zero() { T::one() } else { -T::one() };
        let tangent = sign / (tau.abs() + (T::one() + tau * tau).sqrt());
        let cosine = T::one() / (T::one() + tangent * tangent).sqrt();
        let sine = cosine * tangent;
        let turn = |x: &mut [T], i: usize, j: usize| {
            (x[i], x[j]) = (cosine * x[i] - sine * x[j], sine * x[i] + cosine * x[j]);
        };
        (0..n).for_each(|k| turn(a, k * n + p, k * n + q));
        (0..n).for_each(|k| turn(a, p * n + k, q * n + k));
        (0..n).for_each(|k| turn(v, k * n + p, k * n + q));
    }
    (a[p * n + q], a[q * n + p]) = (T::zero(), T::zero());
}

#[cfg(test)]
mod tests {
    use super::eigen;
    use crate::rng::{Rng, Stream, stream_key};

    #[test]
    fn vectors_are_orthonormal_and_give_the_matrix_back() {
        let mut rng = Rng::new(stream_key(3, Stream::Data));
        for n in [1, 2, 3, 7, 20, 33] {
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..=i {
                    let value = f64::from(rng.range(-1.0, 1.0));
                    (a[i * n + j], a[j * n + i]) = (value, value);
                }
            }
            let (values, v) = eigen(a.clone(), n);
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

    #[test]
    fn known_values_of_a_matrix_without_full_rank() {
        let (values, _) = eigen(vec![2.0_f32, 2.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0, -3.0], 3);
        for (value, expected) in values.into_iter().zip([4.0, 0.0, -3.0]) {
            assert!((value - expected).abs() < 1e-6, "{value} for {expected}");
        }
    }
}
