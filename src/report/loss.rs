//! How training went, as a picture.

use image::RgbImage;

use super::plot::{Panel, Series, draw_panels};
use crate::error::Result;

/// What one epoch contributes to the loss plot. A NaN is a value that was not measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochPoint {
    /// The epoch, counted from 1; 0 is before any training.
    pub epoch: f64,
    /// Total loss on the training set.
    pub train_loss: f64,
    /// Total loss on the test set.
    pub test_loss: f64,
    /// Mean squared error on the training set.
    pub train_mse: f64,
    /// Mean squared error on the test set.
    pub test_mse: f64,
    /// Entropy on the training set, of a model that has this term.
    pub train_entropy: Option<f64>,
    /// Entropy on the test set, of a model that has this term.
    pub test_entropy: Option<f64>,
}

/// Plots how training went, side by side: the reconstruction error; the entropy, if there is one;
/// and the total loss, if that is something else than the error.
pub fn loss_plot(epochs: &[EpochPoint]) -> Result<RgbImage> {
    let panel = |title, train: fn(&EpochPoint) -> f64, test: fn(&EpochPoint) -> f64| {
        let curve = |name: &str, value: fn(&EpochPoint) -> f64| Series {
            name: name.to_owned(),
            points: epochs.iter().map(|point| (point.epoch, value(point))).collect(),
        };
        let series = vec![curve("train", train), curve("test", test)];
        Panel { title, x_label: "epoch", y_label: "", series, joined: true }
    };
    let mut panels = vec![
        panel("Reconstruction error (MSE)", |e| e.train_mse, |e| e.test_mse),
        panel("Entropy", |e| e.train_entropy.unwrap_or(f64::NAN), |e| e.test_entropy.unwrap_or(f64::NAN)),
    ];
    let same = |loss: f64, mse: f64| !loss.is_finite() || (loss - mse).abs() <= 1e-6 * mse.abs();
    if !epochs.iter().all(|e| same(e.train_loss, e.train_mse) && same(e.test_loss, e.test_mse)) {
        panels.push(panel("Total loss", |e| e.train_loss, |e| e.test_loss));
    }
    panels.retain(|panel| panel.has_curves());
    draw_panels(&panels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn epochs(entropy: Option<f64>, weight: f64) -> Vec<EpochPoint> {
        let point = |epoch: f64| {
            let mse = 0.02 + 0.03 / epoch;
            let loss = mse + weight * entropy.unwrap_or(0.0) / epoch;
            EpochPoint {
                epoch,
                train_loss: loss,
                test_loss: loss,
                train_mse: mse,
                test_mse: mse,
                train_entropy: entropy.map(|value| value / epoch),
                test_entropy: entropy.map(|value| value / epoch),
            }
        };
        (1..=10).map(|epoch| point(f64::from(epoch))).collect()
    }

    #[test]
    fn there_is_a_panel_for_everything_that_was_measured() {
        let width = |epochs: &[EpochPoint]| loss_plot(epochs).unwrap().width();
        assert_eq!(width(&epochs(None, 0.0)), 1200);
        assert_eq!(width(&epochs(Some(5.98), 0.0)), 2 * 800);
        assert_eq!(width(&epochs(Some(5.98), 0.3)), 3 * 800);
        assert_eq!(width(&epochs(None, 0.0)[..1]), 1200);
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let mut untested = epochs(Some(5.98), 0.3);
        for point in &mut untested {
            (point.test_loss, point.test_mse, point.test_entropy) = (f64::NAN, f64::NAN, None);
        }
        assert_eq!(loss_plot(&untested).unwrap().width(), 3 * 800);
        // A model without a reconstruction has a loss all the same.
        for point in &mut untested {
            (point.train_mse, point.train_entropy) = (f64::NAN, None);
        }
        assert_eq!(loss_plot(&untested).unwrap().width(), 1200);
        for point in &mut untested {
            point.train_loss = f64::NAN;
        }
        assert!(loss_plot(&untested).is_err());
        assert!(loss_plot(&[]).is_err());
    }
}
