//! Eigenvalues and eigenvectors of symmetric matrices by reduction: reflections make the matrix tridiagonal, QL
//! steps make that diagonal.
//!
//! Source: Golub and Van Loan, "Matrix Computations" (2013), §8.3. A fixed number of operations, some n³; errors are
//! relative to the largest eigenvalue.

use crate::tensor::Real;

/// Eigenvalues, descending, of the symmetric matrix `a` \[n, n\].
pub fn eigenvalues<T: Real>(mut a: Vec<T>, n: usize) -> Vec<T> {
    let (mut diagonal, beside) = tridiagonal(&mut a, n, &mut []);
    diagonalise(&mut diagonal, beside, &mut []);
    let order = descending(&diagonal);
    order.into_iter().map(|i| diagonal[i]).collect()
}

/// Eigenvalues, descending, and the eigenvectors in the columns of a matrix, of the symmetric matrix `a` \[n, n\].
pub fn eigen<T: Real>(mut a: Vec<T>, n: usize) -> (Vec<T>, Vec<T>) {
    // Vectors in rows while they are turned, since that is how memory lies.
    let mut rows: Vec<T> = (0..n * n).map(|i| if i / n == i % n { T::one() } else { T::zero() }).collect();
    let (mut diagonal, beside) = tridiagonal(&mut a, n, &mut rows);
    diagonalise(&mut diagonal, beside, &mut rows);
    let order = descending(&diagonal);
    let vectors = (0..n * n).map(|i| rows[order[i % n] * n + i / n]).collect();
    (order.into_iter().map(|i| diagonal[i]).collect(), vectors)
}

fn descending<T: Real>(values: &[T]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[j].partial_cmp(&values[i]).unwrap_or(std::cmp::Ordering::Equal));
    order
}

fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).fold(T::zero(), |sum, (&a, &b)| sum + a * b)
}

/// Diagonal and off-diagonal of the tridiagonal matrix with the eigenvalues of the symmetric matrix `a`, by
/// Householder reflections. `rows`, the identity or nothing, is reflected along.
fn tridiagonal<T: Real>(a: &mut [T], n: usize, rows: &mut [T]) -> (Vec<T>, Vec<T>) {
    let two = T::one() + T::one();
    let mut beside = vec![T::zero(); n];
    for k in 0..n.saturating_sub(2) {
        let rest = &a[k * n + k + 1..(k + 1) * n];
        let norm = dot(rest, rest).sqrt();
        let sign = if rest[0] > T::zero() { T::one() } else { -T::one() };
        beside[k] = -sign * norm;
        if norm == T::zero() {
            continue;
        }
        // v is the row's rest reflected onto its first element; A' = A − v wᵀ − w vᵀ for unit v.
        let mut v = rest.to_vec();
        v[0] += sign * norm;
        let length = dot(&v, &v).sqrt();
        v.iter_mut().for_each(|x| *x = *x / length);
        let below = |i: usize| (k + 1 + i) * n + k + 1..(k + 2 + i) * n;
        let mut w: Vec<T> = (0..v.len()).map(|i| dot(&a[below(i)], &v)).collect();
        let along = dot(&w, &v);
        w.iter_mut().zip(&v).for_each(|(w, &v)| *w = two * (*w - along * v));
        for i in 0..v.len() {
            for ((x, &v_j), &w_j) in a[below(i)].iter_mut().zip(&v).zip(&w) {
                *x = *x - (v[i] * w_j + w[i] * v_j);
            }
        }
        if rows.is_empty() {
            continue;
        }
        let mut sums = vec![T::zero(); n];
        let reflected = rows.chunks_exact(n).skip(k + 1).zip(&v);
        reflected.for_each(|(row, &v)| sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += v * x));
        for (row, &v) in rows.chunks_exact_mut(n).skip(k + 1).zip(&v) {
            row.iter_mut().zip(&sums).for_each(|(x, &sum)| *x = *x - two * v * sum);
        }
    }
    if n > 1 {
        beside[n - 2] = a[(n - 2) * n + n - 1];
    }
    ((0..n).map(|i| a[i * n + i]).collect(), beside)
}

/// Sweeps after which an eigenvalue is taken as it is; a handful are enough.
const SWEEPS: usize = 60;

/// Eigenvalues, in place, of a symmetric tridiagonal matrix with diagonal `d` and off-diagonal `e`: QL steps with
/// Wilkinson's shift. `rows` are turned along.
fn diagonalise<T: Real>(d: &mut [T], mut e: Vec<T>, rows: &mut [T]) {
    let n = d.len();
    let two = T::one() + T::one();
    for first in 0..n {
        for _ in 0..SWEEPS {
            let small = |i: usize| e[i].abs() <= T::epsilon() * (d[i].abs() + d[i + 1].abs());
            let last = (first..n.saturating_sub(1)).find(|&i| small(i)).unwrap_or(n - 1);
            if last == first {
                break;
            }
            let half = (d[first + 1] - d[first]) / (two * e[first]);
            let root = if half.is_sign_negative() { -half.hypot(T::one()) } else { half.hypot(T::one()) };
            let mut g = d[last] - d[first] + e[first] / (half + root);
            let (mut sine, mut cosine, mut shift) = (T::one(), T::one(), T::zero());
            for i in (first..last).rev() {
                let (f, b) = (sine * e[i], cosine * e[i]);
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == T::zero() {
                    d[i + 1] = d[i + 1] - shift;
                    e[last] = T::zero();
                    break;
                }
                (sine, cosine) = (f / r, g / r);
                let g_before = d[i + 1] - shift;
                let t = (d[i] - g_before) * sine + two * cosine * b;
                shift = sine * t;
                d[i + 1] = g_before + shift;
                g = cosine * t - b;
                if let Some(pair) = rows.get_mut(i * n..(i + 2) * n) {
                    let (lower, upper) = pair.split_at_mut(n);
                    for (x, y) in lower.iter_mut().zip(upper) {
                        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                    }
                }
                if i == first {
                    d[first] = d[first] - shift;
                    e[first] = g;
                    e[last] = T::zero();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::eigenvalues;

    /// The second difference on n points has the eigenvalues 2 − 2 cos(πk/(n + 1)); hidden by a reflection.
    #[test]
    fn a_known_matrix_has_its_known_eigenvalues() {
        for n in [1, 2, 3, 17, 64] {
            let axis: Vec<f64> = (0..n).map(|i| 1.0 + (i * i % 7) as f64).collect();
            let square: f64 = axis.iter().map(|x| x * x).sum();
            let mirror = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * axis[i] * axis[j] / square;
            let second = |i: usize, j: usize| [2.0, -1.0, 0.0][i.abs_diff(j).min(2)];
            let half: Vec<f64> =
                (0..n * n).map(|e| (0..n).map(|k| mirror(e / n, k) * second(k, e % n)).sum()).collect();
            let whole = (0..n * n).map(|e| (0..n).map(|k| half[e / n * n + k] * mirror(k, e % n)).sum()).collect();
            let values: Vec<f64> = eigenvalues(whole, n);
            for (k, value) in values.iter().rev().enumerate() {
                let angle = std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64;
                assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-10, "{n}: {k}: {value}");
            }
        }
    }
}
