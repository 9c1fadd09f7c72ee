//! The square root of a covariance: a lower triangle L with L Lᵀ = A, and the inverse of one. Matrices are
//! `[width, width]`, row by row.

use crate::error::{Error, Result};

/// L with L Lᵀ = A; only the lower triangle of A is read.
pub(super) fn cholesky(mut a: Vec<f64>, width: usize) -> Result<Vec<f64>> {
    for i in 0..width {
        for j in 0..=i {
            let (above, line) = a.split_at(i * width);
            let other = if i == j { line } else { &above[j * width..] };
            let dot: f64 = line[..j].iter().zip(&other[..j]).map(|(x, y)| x * y).sum();
            let rest = line[j] - dot;
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
pub(super) fn inverse(l: &[f64], width: usize) -> Vec<f64> {
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
