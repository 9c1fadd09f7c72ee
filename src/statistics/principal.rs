//! The two directions in which points differ most, to draw what has more dimensions than paper.

/// Coordinates of each of the points, rows of `width` numbers, along their first two principal components.
/// The sign of a component is chosen so that its largest weight is positive.
pub fn principal_plane(points: &[f32], width: usize) -> Vec<(f64, f64)> {
    let rows: Vec<&[f32]> = points.chunks_exact(width.max(1)).collect();
    let n = rows.len().max(1) as f64;
    let mean: Vec<f64> = (0..width).map(|i| rows.iter().map(|row| f64::from(row[i])).sum::<f64>() / n).collect();
    let centred: Vec<Vec<f64>> =
        rows.iter().map(|row| row.iter().zip(&mean).map(|(&x, m)| f64::from(x) - m).collect()).collect();
    let mut covariance = vec![vec![0.0; width]; width];
    for row in &centred {
        for (line, a) in covariance.iter_mut().zip(row) {
            line.iter_mut().zip(row).for_each(|(sum, b)| *sum += a * b / n);
        }
    }
    let first = largest(&mut covariance);
    let second = largest(&mut covariance);
    let along = |row: &[f64], axis: &[f64]| row.iter().zip(axis).map(|(x, a)| x * a).sum();
    centred.iter().map(|row| (along(row, &first), along(row, &second))).collect()
}

/// Iterations, by which components whose variances differ by a twentieth are told apart.
const ITERATIONS: usize = 300;

/// The eigenvector of the largest eigenvalue of a symmetric matrix, which loses that part; zeros of a matrix
/// of zeros.
fn largest(matrix: &mut [Vec<f64>]) -> Vec<f64> {
    let width = matrix.len();
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    // The column with the largest entry is nearer to it than any fixed vector could be relied on to be.
    let start = (0..width).max_by(|&a, &b| matrix[a][a].total_cmp(&matrix[b][b]));
    let mut v = start.map_or(Vec::new(), |column| matrix[column].clone());
    for _ in 0..ITERATIONS {
        let size = norm(&v);
        if size <= f64::MIN_POSITIVE {
            return vec![0.0; width];
        }
        v.iter_mut().for_each(|x| *x /= size);
        v = matrix.iter().map(|row| row.iter().zip(&v).map(|(a, x)| a * x).sum()).collect();
    }
    let value = norm(&v);
    let heaviest = v.iter().fold(0.0, |most: f64, &x| if x.abs() > most.abs() { x } else { most });
    v.iter_mut().for_each(|x| *x /= value.max(f64::MIN_POSITIVE) * heaviest.signum());
    for (row, a) in matrix.iter_mut().zip(&v) {
        row.iter_mut().zip(&v).for_each(|(entry, b)| *entry -= value * a * b);
    }
    v
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
