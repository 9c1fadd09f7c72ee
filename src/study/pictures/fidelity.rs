//! How close images of bytes are to others.

use crate::data::ImageShape;
use crate::statistics::ms_ssim::ms_ssim;
use crate::threads::prelude::*;

/// How close images are to those they stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fidelity {
    /// Mean over all values of the squared differences of bytes as shares of 255.
    pub mse: f64,
    /// Mean over images of the [multi-scale structural similarity](crate::statistics::ms_ssim).
    pub ms_ssim: f64,
}

impl Fidelity {
    /// Of images of this shape, one behind the other.
    pub fn of(originals: &[u8], others: &[u8], shape: ImageShape) -> Self {
        let ImageShape { height, width, channels } = shape;
        let shares = |bytes: &[u8]| bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect::<Vec<f32>>();
        let images = originals.len() / shape.values().max(1);
        let likenesses: Vec<f64> = (0..images)
            .into_par_iter()
            .map(|image| {
                let [x, y] = [originals, others].map(|all| shares(&all[image * shape.values()..][..shape.values()]));
                ms_ssim(&x, &y, [height, width, channels]).unwrap_or(f64::NAN)
            })
            .collect();
        Fidelity { mse: mse(originals, others), ms_ssim: likenesses.iter().sum::<f64>() / images.max(1) as f64 }
    }

    /// The ratio of the largest value to the error, in decibels; without end where there is none.
    pub fn psnr(&self) -> f64 {
        psnr(self.mse)
    }
}

/// Mean squared difference of bytes as shares of 255.
pub fn mse(originals: &[u8], others: &[u8]) -> f64 {
    let square = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b)).powi(2);
    let sum: f64 = originals.iter().zip(others).map(square).sum();
    sum / (255.0 * 255.0) / originals.len().max(1) as f64
}

/// The ratio of the largest value, 1, to an error, in decibels.
pub fn psnr(mse: f64) -> f64 {
    -10.0 * mse.log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_a_byte_is_48_decibels() {
        let shape = ImageShape { height: 12, width: 12, channels: 1 };
        let (x, y) = ([100; 288], [101; 288]);
        let near = Fidelity::of(&x, &y, shape);
        assert!((near.psnr() - 48.1308).abs() < 1e-4 && near.ms_ssim > 0.99 && near.ms_ssim < 1.0, "{near:?}");
        assert_eq!(Fidelity::of(&x, &x, shape).psnr(), f64::INFINITY);
    }
}
