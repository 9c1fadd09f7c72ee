//! The two directions in which points differ most, to draw what has more dimensions than paper.

use super::spectrum::{covariance, mean, products};
use crate::eigen::reduction::eigen;

/// Coordinates of each of the points, rows of `width` numbers, along their first two principal components; 0 along
/// one that there is not.
pub fn principal_plane(points: &[f32], width: usize) -> Vec<(f64, f64)> {
    let (mean, axes) = principal_axes(points, width);
    let along = |row: &[f32], axis: &[f64]| {
        row.iter().zip(&mean).zip(axis).map(|((&x, mean), weight)| (f64::from(x) - mean) * weight).sum()
    };
    points.chunks_exact(width.max(1)).map(|row| (along(row, &axes[0]), along(row, &axes[1]))).collect()
}

/// Mean and first two principal components of points, rows of `width` numbers: of length 1, or 0 where there is none. The sign of
/// a component is chosen so that its largest weight is positive.
pub fn principal_axes(points: &[f32], width: usize) -> (Vec<f64>, [Vec<f64>; 2]) {
    let rows = points.len() / width.max(1);
    let directions = if rows < width { of_few(points, width) } else { of_many(points, width) };
    let axis = |number: usize| -> Vec<f64> {
        let Some(weights) = directions.get(number) else { return vec![0.0; width] };
        let heaviest = weights.iter().fold(0.0, |most: f64, &x| if x.abs() > most.abs() { x } else { most });
        weights.iter().map(|x| x * heaviest.signum()).collect()
    };
    (mean(points, width), [0, 1].map(axis))
}

/// The first two eigenvectors of the covariance, as far as there are any.
fn of_many(points: &[f32], width: usize) -> Vec<Vec<f64>> {
    let (_, vectors) = eigen(covariance(points, width), width);
    (0..width.min(2)).map(|number| (0..width).map(|i| vectors[i * width + number]).collect()).collect()
}

/// The same of fewer points than each has numbers: u of the points' products with one another is Xᵀu of the covariance.
fn of_few(points: &[f32], width: usize) -> Vec<Vec<f64>> {
    let (centred, products) = products(points, width);
    let rows = centred.len();
    let (_, vectors) = eigen(products, rows);
    let direction = |number: usize| {
        let mut sum = vec![0.0; width];
        for (row, centred) in centred.iter().enumerate() {
            let share = vectors[row * rows + number];
            sum.iter_mut().zip(centred).for_each(|(sum, x)| *sum += share * x);
        }
        let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
        // Where the points differ in fewer directions there is no further one.
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        sum.into_iter().map(|x| x * scale).collect()
    };
    (0..rows.min(2)).map(direction).collect()
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
    fn few_points_of_many_numbers_lie_where_the_covariance_says() {
        let mut rng = crate::rng::Rng::new([11, 0]);
        let points: Vec<f32> = (0..6 * 10).map(|_| rng.normal() as f32).collect();
        let [few, many] = [of_few(&points, 10), of_many(&points, 10)];
        for (few, many) in few.iter().zip(&many) {
            let product: f64 = few.iter().zip(many).map(|(a, b)| a * b).sum();
            assert!((product.abs() - 1.0).abs() < 1e-10, "{few:?} {many:?}");
        }
        assert_eq!(few.len(), 2);
    }

    #[test]
    fn dead_codes_are_all_at_the_origin() {
        assert_eq!(principal_plane(&[0.5; 12], 4), vec![(0.0, 0.0); 3]);
        assert_eq!(principal_plane(&[1.0, 2.0], 1).len(), 2);
    }
}
