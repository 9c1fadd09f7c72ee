//! How columns move with one another.

/// Pearson's correlation of each two of these columns, `[columns, columns]`; NaN where one of the two does not vary.
pub fn correlations(columns: &[Vec<f32>]) -> Vec<f32> {
    let centred: Vec<Vec<f64>> = columns.iter().map(|column| centred(column)).collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let lengths: Vec<f64> = centred.iter().map(|column| product(column, column).sqrt()).collect();
    let mut values = Vec::with_capacity(columns.len() * columns.len());
    for (a, length) in centred.iter().zip(&lengths) {
        values.extend(centred.iter().zip(&lengths).map(|(b, other)| match length * other {
            both if both > 0.0 => (product(a, b) / both).clamp(-1.0, 1.0) as f32,
            _ => f32::NAN,
        }));
    }
    values
}

/// A column less its mean.
fn centred(column: &[f32]) -> Vec<f64> {
    let mean = column.iter().map(|&x| f64::from(x)).sum::<f64>() / column.len().max(1) as f64;
    column.iter().map(|&x| f64::from(x) - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_move_together_against_one_another_or_not_at_all() {
        let columns =
            [vec![1.0, 2.0, 3.0, 4.0], vec![-2.0, -4.0, -6.0, -8.0], vec![1.0, -1.0, -1.0, 1.0], vec![5.0; 4]];
        let found = correlations(&columns);
        let at = |row: usize, column: usize| found[4 * row + column];
        assert_eq!([at(0, 0), at(0, 1), at(1, 0), at(0, 2)], [1.0, -1.0, -1.0, 0.0]);
        assert!(at(0, 3).is_nan() && at(3, 3).is_nan());
        // By hand: sums of squares 2 and 14, of products 4.
        let mixed = correlations(&[vec![0.0, 1.0, 2.0], vec![0.0, 3.0, 4.0]]);
        assert!((mixed[1] - 4.0 / (2.0_f32 * 26.0 / 3.0).sqrt()).abs() < 1e-6, "{mixed:?}");
        assert!(correlations(&[]).is_empty());
    }
}
