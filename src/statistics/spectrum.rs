//! How many directions a set of codes uses: the eigenvalues of its covariance.

use crate::eigen::reduction::eigenvalues;

/// Mean \[width\] of `points`, rows of `width` numbers.
pub(super) fn mean(points: &[f32], width: usize) -> Vec<f64> {
    let n = (points.len() / width.max(1)).max(1) as f64;
    let mean = |i: usize| points.iter().skip(i).step_by(width).map(|&x| f64::from(x)).sum::<f64>() / n;
    (0..width).map(mean).collect()
}

/// Covariance (1/n) \[width, width\] of `points`, rows of `width` numbers.
pub(super) fn covariance(points: &[f32], width: usize) -> Vec<f64> {
    let rows: Vec<&[f32]> = points.chunks_exact(width.max(1)).collect();
    let n = rows.len().max(1) as f64;
    let mean = mean(points, width);
    let mut covariance = vec![0.0; width * width];
    let mut centred = vec![0.0; width];
    for row in rows {
        centred.iter_mut().zip(row).zip(&mean).for_each(|((c, &x), m)| *c = f64::from(x) - m);
        for (line, &a) in covariance.chunks_exact_mut(width.max(1)).zip(&centred).filter(|(_, a)| **a != 0.0) {
            line.iter_mut().zip(&centred).for_each(|(sum, b)| *sum += a * b / n);
        }
    }
    covariance
}

/// Rows of `width` numbers less their mean, and the products (1/n) of each with each, \[rows, rows\]: a matrix of the covariance's
/// eigenvalues but for zeros, which is the smaller one where there are fewer rows than numbers in each.
pub(super) fn products(points: &[f32], width: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mean = mean(points, width);
    let centred = |row: &[f32]| row.iter().zip(&mean).map(|(&x, mean)| f64::from(x) - mean).collect();
    let centred: Vec<Vec<f64>> = points.chunks_exact(width.max(1)).map(centred).collect();
    let gram = products_of(&centred, 1.0 / centred.len() as f64);
    (centred, gram)
}

/// The products of each of n vectors with each, times a factor, \[n, n\].
fn products_of(vectors: &[Vec<f64>], factor: f64) -> Vec<f64> {
    let n = vectors.len();
    let mut gram = vec![0.0; n * n];
    for (i, a) in vectors.iter().enumerate() {
        for (j, b) in vectors.iter().enumerate().take(i + 1) {
            let product = a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() * factor;
            (gram[i * n + j], gram[j * n + i]) = (product, product);
        }
    }
    gram
}

/// Eigenvalues of the covariance (1/n) of `codes`, rows of `width` numbers, the largest first; none of no codes.
pub fn covariance_spectrum(codes: &[f32], width: usize) -> Vec<f64> {
    if codes.len() < width.max(1) {
        return Vec::new();
    }
    let rows = codes.len() / width.max(1);
    let (matrix, size) =
        if rows < width { (products(codes, width).1, rows) } else { (covariance(codes, width), width) };
    let mut values: Vec<f64> = eigenvalues(matrix, size).into_iter().map(|value| value.max(0.0)).collect();
    values.resize(width, 0.0);
    values
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

/// Singular values of a matrix of `columns` columns, the largest first: the roots of the eigenvalues of the smaller of W Wᵀ and
/// Wᵀ W, so that what is below 1e-8 of the largest is rounding.
pub fn singular_values(matrix: &[f64], columns: usize) -> Vec<f64> {
    let columns = columns.max(1);
    let rows = matrix.len() / columns;
    let n = rows.min(columns);
    // Element k of vector i of the n that are compared with one another.
    let (long, element) = match rows <= columns {
        true => (columns, [columns, 1]),
        false => (rows, [1, columns]),
    };
    let vector = |i: usize| (0..long).map(move |k| matrix[i * element[0] + k * element[1]]);
    let vectors: Vec<Vec<f64>> = (0..n).map(|i| vector(i).collect()).collect();
    eigenvalues(products_of(&vectors, 1.0), n).into_iter().map(|value| value.max(0.0).sqrt()).collect()
}

/// Stable rank: Σ s² over the largest s², from 1 to their number; 0 if all are 0 (Rudelson and Vershynin 2007).
pub fn stable_rank(values: &[f64]) -> f64 {
    let most = values.iter().fold(0.0, |most: f64, s| most.max(s * s));
    if most > 0.0 { values.iter().map(|s| s * s / most).sum() } else { 0.0 }
}

/// Participation ratio of the squares: (Σ s²)² / Σ s⁴, from 1 to their number; 0 if all are 0.
pub fn participation(values: &[f64]) -> f64 {
    let most = values.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
    if most == 0.0 {
        return 0.0;
    }
    let power = |of: i32| values.iter().map(|s| (s / most).powi(of)).sum::<f64>();
    power(2).powi(2) / power(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singular_values_of_a_tall_matrix_and_of_its_transpose() {
        // Orthogonal columns of lengths 3 and 5.
        let tall = [0.0, 5.0, 3.0, 0.0, 0.0, 0.0];
        let wide = [0.0, 3.0, 0.0, 5.0, 0.0, 0.0];
        for values in [singular_values(&tall, 2), singular_values(&wide, 3)] {
            assert!((values[0] - 5.0).abs() < 1e-12 && (values[1] - 3.0).abs() < 1e-12, "{values:?}");
            assert!((stable_rank(&values) - 34.0 / 25.0).abs() < 1e-12);
            assert!((participation(&values) - 34.0 * 34.0 / (625.0 + 81.0)).abs() < 1e-12);
        }
        assert_eq!(singular_values(&[0.0; 6], 3), [0.0, 0.0]);
        assert_eq!([stable_rank(&[0.0; 2]), participation(&[0.0; 2]), participation(&[1e-200])], [0.0, 0.0, 1.0]);
    }

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

    #[test]
    fn fewer_codes_than_numbers_in_each_have_the_same_spectrum() {
        let mut rng = crate::rng::Rng::new([7, 0]);
        let codes: Vec<f32> = (0..5 * 9).map(|_| rng.normal() as f32).collect();
        let found = covariance_spectrum(&codes, 9);
        let expected = eigenvalues(covariance(&codes, 9), 9);
        assert_eq!(found.len(), 9);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert!(found[3] > 0.1 && found[4] < 1e-12, "less a mean five rows span four directions: {found:?}");
    }

    #[test]
    fn the_effective_rank_counts_equal_directions() {
        assert!((effective_rank(&[2.0, 2.0, 2.0, 0.0]) - 3.0).abs() < 1e-12);
        assert!((effective_rank(&[7.0]) - 1.0).abs() < 1e-12);
        assert_eq!(effective_rank(&[0.0, 0.0]), 0.0);
        assert!(covariance_spectrum(&[], 3).is_empty());
    }
}
