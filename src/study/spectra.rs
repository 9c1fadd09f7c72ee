//! How many directions the last layer and the codes of a trained model use.

use serde::Serialize;

use crate::statistics::sparsity::non_zeros;
use crate::statistics::spectrum::{covariance_spectrum, effective_rank, participation, singular_values, stable_rank};
use crate::tensor::HostTensor;

/// Longest shorter side of weights whose singular values are computed: beyond that they take minutes.
const MOST: usize = 1024;

/// The singular values of a layer's weights, and what they say of how many of them count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranks {
    /// Singular values of the weights as a matrix, outputs by whatever each of them sees, the largest first.
    pub singular_values: Vec<f64>,
    /// exp of the Shannon entropy of their shares.
    pub effective_rank: f64,
    /// Sum of their squares over the largest square.
    pub stable_rank: f64,
    /// Square of the sum of their squares over the sum of their fourth powers.
    pub participation_ratio: f64,
}

impl Ranks {
    /// Those of a layer's weights; none of weights of more than 1024 rows and columns.
    pub fn of(weights: &HostTensor<f64>) -> Option<Self> {
        let columns = weights.shape.matrix().map_or(weights.real().len(), |(_, columns)| columns).max(1);
        if columns.min(weights.real().len() / columns) > MOST {
            return None;
        }
        let values = singular_values(weights.real(), columns);
        Some(Ranks {
            effective_rank: effective_rank(&values),
            stable_rank: stable_rank(&values),
            participation_ratio: participation(&values),
            singular_values: values,
        })
    }
}

/// What codes use of their width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CodeReport {
    /// Rows that were encoded.
    pub rows: usize,
    /// Numbers of a code.
    pub width: usize,
    /// Mean number of them that are not 0; it says something where codes are rounded, or come of a ReLU.
    pub non_zeros: f64,
    /// Numbers that are the same for all rows.
    pub constant: usize,
    /// exp of the Shannon entropy of the shares of the eigenvalues of their covariance.
    pub effective_rank: f64,
}

impl CodeReport {
    /// Of codes of `width` numbers.
    pub fn of(codes: &[f32], width: usize) -> Self {
        let width = width.max(1);
        let first = &codes[..width.min(codes.len())];
        let is_constant = |(at, first): (usize, &f32)| codes.iter().skip(at).step_by(width).all(|value| value == first);
        CodeReport {
            rows: codes.len() / width,
            width,
            non_zeros: non_zeros(codes, width),
            constant: first.iter().enumerate().filter(|of| is_constant(*of)).count(),
            effective_rank: effective_rank(&covariance_spectrum(codes, width)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_one_direction_have_rank_one() {
        let weights = HostTensor::<f64>::from_f32(&[2, 3], &[1.0, 2.0, 2.0, 2.0, 4.0, 4.0]);
        let ranks = Ranks::of(&weights).unwrap();
        assert!((ranks.singular_values[0] - 45.0_f64.sqrt()).abs() < 1e-9, "{ranks:?}");
        for rank in [ranks.effective_rank, ranks.stable_rank, ranks.participation_ratio] {
            assert!((rank - 1.0).abs() < 1e-6, "{ranks:?}");
        }
        assert_eq!(Ranks::of(&HostTensor::from_f32(&[1025, 1025], &vec![0.0; 1025 * 1025])), None);
    }

    #[test]
    fn codes_are_counted_by_what_is_not_zero_and_by_what_differs() {
        let report = CodeReport::of(&[1.0, 0.0, 5.0, -1.0, -0.0, 5.0], 3);
        assert_eq!((report.rows, report.width, report.non_zeros, report.constant), (2, 3, 2.0, 2));
        assert!((report.effective_rank - 1.0).abs() < 1e-9);
        assert_eq!(CodeReport::of(&[], 4).rows, 0);
    }
}
