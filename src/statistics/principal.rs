//! The two directions in which points differ most, to draw what has more dimensions than paper.

use super::spectrum::moments;
use crate::eigen::reduction::eigen;

/// Coordinates of each of the points, rows of `width` numbers, along their first two principal components; 0 along
/// one that there is not. The sign of a component is chosen so that its largest weight is positive.
pub fn principal_plane(points: &[f32], width: usize) -> Vec<(f64, f64)> {
    let (mean, covariance) = moments(points, width);
    let (_, vectors) = eigen(covariance, width);
    let axis = |number: usize| -> Vec<f64> {
        if number >= width {
            return vec![0.0; width];
        }
        let weights: Vec<f64> = (0..width).map(|i| vectors[i * width + number]).collect();
        let heaviest = weights.iter().fold(0.0, |most: f64, &x| if x.abs() > most.abs() { x } else { most });
        weights.into_iter().map(|x| x * heaviest.signum()).collect()
    };
    let axes = [0, 1].map(axis);
    let along = |row: &[f32], axis: &[f64]| {
        row.iter().zip(&mean).zip(axis).map(|((&x, mean), weight)| (f64::from(x) - mean) * weight).sum()
    };
    points.chunks_exact(width.max(1)).map(|row| (along(row, &axes[0]), along(row, &axes[1]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_tilted_ellipse_are_laid_along_its_axes() {
        // Axes (3, 4)/5 and (−4, 3)/5, half-lengths 5 and 1, in the first two of three dimensions.
        let mut points = Vec::new();
        for step in 0..100 {
            let angle = f64::from(step) * std::f64::consts::TAU / 100.0;
            let (long, short) = (5.0 * angle.cos(), angle.sin());
            points.extend([0.6 * long - 0.8 * short + 7.0, 0.8 * long + 0.6 * short - 2.0, 1.0].map(|x| x as f32));
        }
        for (step, (x, y)) in principal_plane(&points, 3).into_iter().enumerate() {
            let angle = step as f64 * std::f64::consts::TAU / 100.0;
            assert!((x - 5.0 * angle.cos()).abs() < 1e-4, "{step}: {x}");
            assert!((y.abs() - angle.sin().abs()).abs() < 1e-4, "{step}: {y}");
        }
    }

    #[test]
    fn dead_codes_are_all_at_the_origin() {
        assert_eq!(principal_plane(&[0.5; 12], 4), vec![(0.0, 0.0); 3]);
        assert_eq!(principal_plane(&[1.0, 2.0], 1).len(), 2);
    }
}
