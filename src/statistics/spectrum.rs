//! How many directions a set of codes uses: the eigenvalues of its covariance.

use crate::eigen::reduction::eigenvalues;

/// Mean \[width\] and covariance (1/n) \[width, width\] of `points`, rows of `width` numbers.
pub(super) fn moments(points: &[f32], width: usize) -> (Vec<f64>, Vec<f64>) {
    let rows: Vec<&[f32]> = points.chunks_exact(width.max(1)).collect();
    let n = rows.len().max(1) as f64;
    let mean: Vec<f64> = (0..width).map(|i| rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / n).collect();
    let mut covariance = vec![0.0; width * width];
    let mut centred = vec![0.0; width];
    for row in rows {
        centred.iter_mut().zip(row).zip(&mean).for_each(|((c, &x), m)| *c = f64::from(x) - m);
        for (line, &a) in covariance.chunks_exact_mut(width.max(1)).zip(&centred).filter(|(_, a)| **a != 0.0) {
            line.iter_mut().zip(&centred).for_each(|(sum, b)| *sum += a * b / n);
        }
    }
    (mean, covariance)
}

/// Eigenvalues of the covariance (1/n) of `codes`, rows of `width` numbers, the largest first; none of no codes.
pub fn covariance_spectrum(codes: &[f32], width: usize) -> Vec<f64> {
    if codes.len() < width.max(1) {
        return Vec::new();
    }
    let (_, covariance) = moments(codes, width);
    eigenvalues(covariance, width).into_iter().map(|value| value.max(0.0)).collect()
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

    #[test]
    fn the_effective_rank_counts_equal_directions() {
        assert!((effective_rank(&[2.0, 2.0, 2.0, 0.0]) - 3.0).abs() < 1e-12);
        assert!((effective_rank(&[7.0]) - 1.0).abs() < 1e-12);
        assert_eq!(effective_rank(&[0.0, 0.0]), 0.0);
        assert!(covariance_spectrum(&[], 3).is_empty());
    }
}
