//! The logarithm of a sum of exponentials, and the logarithm of softmax.

use crate::tensor::Real;

/// The largest of the `x` of an iterator that can be walked twice, and log Σ e^{x − largest}: kept apart, since next to
/// a largest of 1e4 the logarithm of the sum would lose all but three digits.
pub(in crate::ops) fn log_total<T: Real>(x: impl Iterator<Item = T> + Clone) -> (T, T) {
    let largest = x.clone().fold(T::neg_infinity(), T::max);
    (largest, x.fold(T::zero(), |sum, x| sum + (x - largest).exp()).ln())
}

/// log Σ e^{x} over the finite or infinite `x` of an iterator that can be walked twice.
pub(in crate::ops) fn log_sum_exp<T: Real>(x: impl Iterator<Item = T> + Clone) -> T {
    let (largest, log_sum) = log_total(x);
    largest + log_sum
}

/// log softmax of a row.
pub(in crate::ops) fn log_softmax<T: Real>(row: &[T]) -> impl Iterator<Item = T> + Clone {
    let total = log_sum_exp(row.iter().copied());
    row.iter().map(move |&x| x - total)
}
