//! How many directions a set of codes uses: the eigenvalues of its covariance.

/// Eigenvalues of the covariance (1/n) of `codes`, rows of `width` numbers, the largest first.
pub fn covariance_spectrum(codes: &[f32], width: usize) -> Vec<f64> {
    let rows: Vec<&[f32]> = codes.chunks_exact(width.max(1)).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let n = rows.len() as f64;
    let mean: Vec<f64> = (0..width).map(|i| rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / n).collect();
    let mut covariance = vec![vec![0.0; width]; width];
    let mut centred = vec![0.0; width];
    for row in rows {
        centred.iter_mut().zip(row).zip(&mean).for_each(|((c, &x), m)| *c = f64::from(x) - m);
        for (line, &a) in covariance.iter_mut().zip(&centred).filter(|(_, a)| **a != 0.0) {
            line.iter_mut().zip(&centred).for_each(|(sum, b)| *sum += a * b / n);
        }
    }
    let (diagonal, beside) = tridiagonal(covariance);
    let mut values = eigenvalues(diagonal, beside);
    values.iter_mut().for_each(|value| *value = value.max(0.0));
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// Diagonal and off-diagonal of the tridiagonal matrix with the eigenvalues of the symmetric matrix `a`, by
/// Householder reflections.
fn tridiagonal(mut a: Vec<Vec<f64>>) -> (Vec<f64>, Vec<f64>) {
    let n = a.len();
    let mut beside = vec![0.0; n];
    for k in 0..n.saturating_sub(2) {
        let norm = a[k][k + 1..].iter().map(|x| x * x).sum::<f64>().sqrt();
        let sign = if a[k][k + 1] > 0.0 { 1.0 } else { -1.0 };
        beside[k] = -sign * norm;
        if norm == 0.0 {
            continue;
        }
        // v is the row's rest reflected onto its first element; A' = A − v wᵀ − w vᵀ for unit v.
        let mut v = a[k][k + 1..].to_vec();
        v[0] += sign * norm;
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        v.iter_mut().for_each(|x| *x /= length);
        let product = |row: &Vec<f64>| row[k + 1..].iter().zip(&v).map(|(a, v)| a * v).sum::<f64>();
        let mut w: Vec<f64> = a[k + 1..].iter().map(product).collect();
        let along: f64 = w.iter().zip(&v).map(|(w, v)| w * v).sum();
        w.iter_mut().zip(&v).for_each(|(w, v)| *w = 2.0 * (*w - along * v));
        for (i, row) in a[k + 1..].iter_mut().enumerate() {
            for (j, x) in row[k + 1..].iter_mut().enumerate() {
                *x -= v[i] * w[j] + w[i] * v[j];
            }
        }
    }
    if n > 1 {
        beside[n - 2] = a[n - 2][n - 1];
    }
    (a.iter().enumerate().map(|(i, row)| row[i]).collect(), beside)
}

/// Sweeps after which an eigenvalue is taken as it is; a handful are enough.
const SWEEPS: usize = 60;

/// Eigenvalues of a symmetric tridiagonal matrix: QL steps with Wilkinson's shift.
fn eigenvalues(mut d: Vec<f64>, mut e: Vec<f64>) -> Vec<f64> {
    let n = d.len();
    for first in 0..n {
        for _ in 0..SWEEPS {
            let small = |i: usize| e[i].abs() <= f64::EPSILON * (d[i].abs() + d[i + 1].abs());
            let last = (first..n.saturating_sub(1)).find(|&i| small(i)).unwrap_or(n - 1);
            if last == first {
                break;
            }
            let half = (d[first + 1] - d[first]) / (2.0 * e[first]);
            let root = half.hypot(1.0).copysign(half);
            let mut g = d[last] - d[first] + e[first] / (half + root);
            let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
            for i in (first..last).rev() {
                let (f, b) = (sine * e[i], cosine * e[i]);
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= shift;
                    e[last] = 0.0;
                    break;
                }
                (sine, cosine) = (f / r, g / r);
                let g_before = d[i + 1] - shift;
                let t = (d[i] - g_before) * sine + 2.0 * cosine * b;
                shift = sine * t;
                d[i + 1] = g_before + shift;
                g = cosine * t - b;
                if i == first {
                    d[first] -= shift;
                    e[first] = g;
                    e[last] = 0.0;
                }
            }
        }
    }
    d
}

/// Effective rank: exp of the Shannon entropy of the shares of these non-negative values, from 1 to their number;
/// 0 if all are 0 (Roy and Vetterli, "The effective rank", 2007).
pub fn effective_rank(values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    if sum <= 0.0 {
        return 0.0;
    }
    let shares = values.iter().map(|value| value / sum).filter(|&share| share > 0.0);
    shares.map(|share| -share * share.ln()).sum::<f64>().exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilted_ellipse_has_its_squared_half_axes_over_two() {
        let mut codes = Vec::new();
        for step in 0..100 {
            let angle = f64::from(step) * std::f64::consts::TAU / 100.0;
            let (long, short) = (5.0 * angle.cos(), angle.sin());
            codes.extend([0.6 * long - 0.8 * short + 7.0, 0.8 * long + 0.6 * short - 2.0, 1.0].map(|x| x as f32));
        }
        let values = covariance_spectrum(&codes, 3);
        for (value, expected) in values.iter().zip([12.5, 0.5, 0.0]) {
            assert!((value - expected).abs() < 1e-5, "{values:?}");
        }
    }

    /// The second difference on n points has the eigenvalues 2 − 2 cos(πk/(n + 1)); hidden by a reflection.
    #[test]
    fn a_known_matrix_has_its_known_eigenvalues() {
        for n in [1, 2, 3, 17, 64] {
            let axis: Vec<f64> = (0..n).map(|i| 1.0 + (i * i % 7) as f64).collect();
            let square: f64 = axis.iter().map(|x| x * x).sum();
            let mirror = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * axis[i] * axis[j] / square;
            let second = |i: usize, j: usize| [2.0, -1.0, 0.0][i.abs_diff(j).min(2)];
            let half: Vec<Vec<f64>> =
                (0..n).map(|i| (0..n).map(|j| (0..n).map(|k| mirror(i, k) * second(k, j)).sum()).collect()).collect();
            let whole: Vec<Vec<f64>> =
                (0..n).map(|i| (0..n).map(|j| (0..n).map(|k| half[i][k] * mirror(k, j)).sum()).collect()).collect();
            let (diagonal, beside) = tridiagonal(whole);
            let mut values = eigenvalues(diagonal, beside);
            values.sort_by(f64::total_cmp);
            for (k, value) in values.iter().enumerate() {
                let angle = std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64;
                assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-10, "{n}: {values:?}");
            }
        }
    }

    #[test]
    fn the_effective_rank_counts_equal_directions() {
        assert!((effective_rank(&[2.0, 2.0, 2.0, 0.0]) - 3.0).abs() < 1e-12);
        assert!((effective_rank(&[7.0]) - 1.0).abs() < 1e-12);
        assert_eq!(effective_rank(&[0.0, 0.0]), 0.0);
        assert!(covariance_spectrum(&[], 3).is_empty());
    }
}
