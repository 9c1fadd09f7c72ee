//! Eigenvalues and eigenvectors of symmetric matrices by Jacobi's method: rotations in the plane of two columns, each
//! of which makes one element zero, in sweeps over all pairs.
//!
//! Source: Golub and Van Loan, "Matrix Computations" (2013), §8.5. Slower than reduction to a tridiagonal matrix but
//! right to the last digits, of small eigenvalues too, and made of rotations that a GPU can do side by side.

use crate::tensor::Real;

/// Sweeps after which it ends at the latest; ten are enough for a hundred columns.
pub const SWEEPS: usize = 16;

/// Eigenvalues, descending, and the eigenvectors in the columns of a matrix, of the symmetric matrix `a` \[n, n\].
pub fn eigen<T: Real>(mut a: Vec<T>, n: usize) -> (Vec<T>, Vec<T>) {
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

    #[test]
    fn known_values_of_a_matrix_without_full_rank() {
        let (values, _) = eigen(vec![2.0_f32, 2.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0, -3.0], 3);
        for (value, expected) in values.into_iter().zip([4.0, 0.0, -3.0]) {
            assert!((value - expected).abs() < 1e-6, "{value} for {expected}");
        }
    }
}
