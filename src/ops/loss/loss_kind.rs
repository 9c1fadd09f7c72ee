//! What a reconstruction is judged by, element by element; the formulas are those of [`super::reconstruction_loss`].

use crate::ops::array::activation::Activation;
use crate::ops::array::sum_all::pairwise_sum;
use crate::ops::step::clock;
use crate::tensor::{HostTensor, Real};

/// How a prediction is judged against its target. The numbers are those of the shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum LossKind {
    /// Mean of squared errors over samples and features.
    Mse = 0,
    /// Sum of squared errors over features, mean over samples.
    Sse = 1,
    /// Bernoulli cross entropy of logits, sum over features, mean over samples.
    Bce = 2,
}

impl LossKind {
    fn value_and_slope<T: Real>(self, y: T, x: T) -> (T, T) {
        if self == LossKind::Bce {
            let value = y.max(T::zero()) - y * x + (-y.abs()).exp().ln_1p();
            return (value, Activation::Sigmoid.value(y) - x);
        }
        let error = y - x;
        (error * error, error + error)
    }

    fn scale<T: Real>(self, valid: usize, features: usize) -> T {
        let count = if self == LossKind::Mse { valid * features } else { valid };
        T::one() / T::of(count.max(1) as f64)
    }

    /// Value, and gradient times `dy` through an activation whose output is the prediction.
    pub(super) fn compute<T: Real>(
        self,
        rows_per_sample: usize,
        x: &[&HostTensor<T>],
        seed: Option<(T, Activation)>,
        gradient: &mut [T],
    ) -> T {
        let features = rows_per_sample * x[0].shape.matrix().map_or(1, |(_, features)| features);
        let valid = clock::valid_rows(x[2].words());
        let scale: T = self.scale(valid, features);
        let (predictions, targets) = (x[0].real(), x[1].real());
        let mut values = vec![T::zero(); valid * features];
        for (i, value) in values.iter_mut().enumerate() {
            let (v, slope) = self.value_and_slope(predictions[i], targets[i]);
            *value = v;
            if let Some((dy, activation)) = seed {
                gradient[i] = slope * (scale * dy) * activation.slope(predictions[i]);
            }
        }
        pairwise_sum(&values) * scale
    }

    /// What each row of a batch adds to the loss: 0 for padding.
    pub(in crate::ops) fn of_rows<T: Real>(
        self,
        prediction: &HostTensor<T>,
        target: &HostTensor<T>,
        clock: &[u32],
    ) -> Vec<T> {
        let (rows, features) = prediction.shape.matrix().unwrap_or((1, 1));
        let valid = clock::valid_rows(clock);
        let scale: T = self.scale(valid, features);
        let mut losses = vec![T::zero(); rows];
        let of_rows = prediction.real().chunks_exact(features).zip(target.real().chunks_exact(features));
        for (loss, (y, x)) in losses.iter_mut().zip(of_rows).take(valid) {
            *loss = y.iter().zip(x).map(|(&y, &x)| self.value_and_slope(y, x).0).sum::<T>() * scale;
        }
        losses
    }
}
