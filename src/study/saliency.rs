//! Which pixels an answer depends on: the gradient of the winning class's logit with respect to the image (Simonyan et al. 2014),
//! and its mean over noisy copies (Smilkov et al., "SmoothGrad", 2017).

use super::attack::Pixels;
use super::slopes::{Arriving, Slopes};
use crate::device::wait;
use crate::error::Result;
use crate::model::slopes::Slope;
use crate::rng::{Rng, Stream, stream_key, threefry2x32};
use crate::train::Session;

/// How maps are made smooth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// Standard deviation of the noise, in pixels from black, 0, to white, 1.
    pub noise: f32,
    /// Noisy copies of each row.
    pub samples: u32,
    /// Seed of the noise.
    pub seed: u64,
}

/// What rows depend on, pixel by pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Saliency {
    /// What each row is taken for, if the network names classes.
    pub taken_for: Option<Vec<u16>>,
    /// |gradient| of each pixel, the largest of its channels, \[rows, pixels\].
    pub plain: Vec<f32>,
    /// The same of the mean gradient over noisy copies.
    pub smoothed: Vec<f32>,
}

impl Session {
    /// The saliency of rows, \[rows, values\] as the network sees them, with so many channels to a pixel: of a classifier that
    /// of the logit of the class that each row is taken for, of any other network that of the length of its code. `tell` hears
    /// of each sample that is done.
    ///
    /// # Errors
    /// When an operation of the network has no gradient, the device fails, or a gradient is not finite.
    pub fn saliency(
        &mut self,
        rows: &[f32],
        pixels: &Pixels,
        channels: usize,
        smoothing: Smoothing,
        tell: &mut dyn FnMut(u32),
    ) -> Result<Saliency> {
        let values = self.image().values().max(1);
        let winners = match self.config.classifier {
            Some(_) => Some(winners(&wait(self.answers_to(rows))?, rows.len() / values)),
            None => None,
        };
        let slope = Slopes::load(self, if winners.is_some() { Slope::Answer } else { Slope::Code })?;
        let gradients = |session: &mut Session, rows: &[f32]| -> Result<Vec<f32>> {
            let weights = match &winners {
                Some((weights, _)) => weights.clone(),
                None => directions(wait(session.encode(rows))?, rows.len() / values),
            };
            let [_, mut gradients] = slope.of(session, rows, Arriving::Weights(&weights))?;
            pixels.of_gradient(&mut gradients);
            Ok(gradients)
        };
        let plain = strongest(&gradients(self, rows)?, channels);
        let clean = pixels.of_rows(rows);
        let mut sums = vec![0.0_f64; rows.len()];
        for sample in 0..smoothing.samples {
            let mut noisy = clean.clone();
            for (row, values) in noisy.chunks_exact_mut(values).enumerate() {
                let key = threefry2x32(stream_key(smoothing.seed, Stream::Attack), [row as u32, sample]);
                let mut rng = Rng::new(key);
                values.iter_mut().for_each(|x| *x += smoothing.noise * rng.normal() as f32);
            }
            let mut seen = Vec::with_capacity(noisy.len());
            pixels.append(&noisy, &mut seen);
            sums.iter_mut().zip(gradients(self, &seen)?).for_each(|(sum, g)| *sum += f64::from(g));
            tell(sample + 1);
        }
        let samples = f64::from(smoothing.samples.max(1));
        let means: Vec<f32> = sums.into_iter().map(|sum| (sum / samples) as f32).collect();
        let taken_for = winners.map(|(_, taken_for)| taken_for);
        Ok(Saliency { taken_for, plain, smoothed: strongest(&means, channels) })
    }
}

/// One for the first of the largest logits of each row, 0 for the others; and which it is.
fn winners(logits: &[f32], rows: usize) -> (Vec<f32>, Vec<u16>) {
    let width = (logits.len() / rows.max(1)).max(1);
    let mut weights = vec![0.0; logits.len()];
    let largest = |row: &[f32]| (1..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best });
    let taken_for: Vec<u16> = logits.chunks_exact(width).map(|row| largest(row) as u16).collect();
    weights.chunks_exact_mut(width).zip(&taken_for).for_each(|(row, &class)| row[usize::from(class)] = 1.0);
    (weights, taken_for)
}

/// Codes divided by their lengths: the slope of a length. Of a code of 0 there is none.
fn directions(mut codes: Vec<f32>, rows: usize) -> Vec<f32> {
    let width = (codes.len() / rows.max(1)).max(1);
    for code in codes.chunks_exact_mut(width) {
        let length = code.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if length > 0.0 {
            code.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
        }
    }
    codes
}

/// The largest absolute value of each pixel's channels.
fn strongest(gradients: &[f32], channels: usize) -> Vec<f32> {
    let pixels = gradients.chunks_exact(channels.max(1));
    pixels.map(|pixel| pixel.iter().fold(0.0, |most: f32, g| most.max(g.abs()))).collect()
}

/// The share of its pixels that half of a map lies in, the strongest first: how much of an image an answer depends on. 0 of a map
/// that is 0 everywhere.
pub fn half_share(map: &[f32]) -> f64 {
    let mut order: Vec<f64> = map.iter().map(|value| f64::from(*value)).collect();
    order.sort_by(|a, b| b.total_cmp(a));
    let half = order.iter().sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let within = order.iter().take_while(|value| {
        let is_within = sum < half;
        sum += **value;
        is_within
    });
    within.count() as f64 / map.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_winner_is_the_first_of_the_largest() {
        let (weights, taken_for) = winners(&[1.0, 2.0, 2.0, 0.0, -1.0, -3.0], 2);
        assert_eq!(taken_for, [1, 0]);
        assert_eq!(weights, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_slope_of_a_length_is_a_direction() {
        assert_eq!(directions(vec![3.0, -4.0, 0.0, 0.0], 2), [0.6, -0.8, 0.0, 0.0]);
    }

    #[test]
    fn the_strongest_channel_stands_for_a_pixel() {
        assert_eq!(strongest(&[1.0, -3.0, 2.0, 0.0, 0.5, -0.25], 3), [3.0, 0.5]);
    }

    #[test]
    fn half_of_a_map_lies_in_its_strongest_pixels() {
        assert_eq!(half_share(&[1.0, 1.0, 1.0, 1.0]), 0.5);
        assert_eq!(half_share(&[0.0, 0.0, 9.0, 1.0]), 0.25);
        assert_eq!([half_share(&[0.0, 0.0]), half_share(&[])], [0.0, 0.0]);
    }
}
