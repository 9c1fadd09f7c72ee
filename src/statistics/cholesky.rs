//! The square root of a covariance: a lower triangle L with L Lᵀ = A, and the inverse of one. Matrices are
//! `[width, width]`, row by row.

use crate::error::{Error, Result};

/// Sums side by side in [`dot`], which a compiler puts into one wide register each.
const LANES: usize = 8;

/// Σ a_i b_i.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f64>()
}

/// L with L Lᵀ = A; only the lower triangle of A is read.
pub(crate) fn cholesky(mut a: Vec<f64>, width: usize) -> Result<Vec<f64>> {
    for i in 0..width {
        for j in 0..=i {
            let (above, line) = a.split_at(i * width);
            let other = if i == j { line } else { &above[j * width..] };
            let rest = line[j] - dot(&line[..j], &other[..j]);
            a[i * width + j] = if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return Err(Error::Failed("a covariance of the codes is not positive definite".into()));
                }
                rest.sqrt()
            } else {
                rest / a[j * width + j]
            };
        }
        a[i * width + i + 1..(i + 1) * width].fill(0.0);
    }
    Ok(a)
}

/// The inverse of a lower triangle.
pub(crate) fn inverse(l: &[f64], width: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; width * width];
    for i in 0..width {
        // Row i of the inverse is what remains of the unit row after the rows above it, divided by the pivot.
        let (above, line) = inverse.split_at_mut(i * width);
        line[i] = 1.0;
        for (j, row) in above.chunks_exact(width).enumerate() {
            let factor = l[i * width + j];
            line[..=j].iter_mut().zip(&row[..=j]).for_each(|(x, y)| *x -= factor * y);
        }
        line[..=i].iter_mut().for_each(|x| *x /= l[i * width + i]);
    }
    inverse
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_products_of_every_length() {
        for length in 0..40 {
            let a: Vec<f64> = (1..=length).map(f64::from).collect();
            let squares = f64::from(length * (length + 1) * (2 * length + 1) / 6);
            assert_eq!(dot(&a, &a), squares, "{length}");
        }
    }

    #[test]
    fn factor_and_inverse_belong_together() {
        let a = vec![4.0, 9.0, 9.0, 2.0, 5.0, 9.0, -1.0, 0.5, 3.0];
        let l = cholesky(a.clone(), 3).unwrap();
        let inverse = inverse(&l, 3);
        for i in 0..3 {
            for j in 0..=i {
                let product: f64 = (0..3).map(|k| l[i * 3 + k] * l[j * 3 + k]).sum();
                assert!((product - a[i * 3 + j]).abs() < 1e-12);
                let unit: f64 = (0..3).map(|k| l[i * 3 + k] * inverse[k * 3 + j]).sum();
                assert!((unit - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
        assert!(cholesky(vec![1.0, 0.0, 2.0, 1.0], 2).is_err());
    }
}
