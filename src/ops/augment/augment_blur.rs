//! Images blurred at random: each by a Gaussian of a deviation drawn for it, or not at all, along one axis.
//!
//! Source: Chen et al., "A simple framework for contrastive learning of visual representations" (2020), appendix A. With uniform
//! numbers u of an image: as it is where u₀ ≥ the share of images, else σ = 0.1 + 1.9 u₁ pixels, and with weights w_k ∝ e^{−k² / 2σ²}
//! that add up to 1 for k from −r to r, y_i = Σ_k w_k x_{i+k}. Beyond an edge the image goes on as in a mirror that stands on the last
//! pixel. Along both axes one after the other it is blurred in the plane.

use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Uniform numbers that are drawn for an image.
pub const BLUR_NUMBERS: usize = 2;

/// Images \[M, height · width · channels\] for inputs (images, uniform numbers \[M, 2\]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugmentBlur {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// Along which of the two.
    pub axis: usize,
    /// Pixels r to either side that count.
    pub radius: usize,
    /// Share of images that are blurred.
    pub share: f32,
}

/// Place of pixel `i` of `extent`, in the mirror where it is beyond an edge by less than the extent.
fn mirrored(i: isize, extent: usize) -> usize {
    let last = extent as isize - 1;
    (if i < 0 {
        -i
    } else if i > last {
        2 * last - i
    } else {
        i
    }) as usize
}

impl AugmentBlur {
    /// Elements between two pixels along the axis, and pixels of a line.
    fn line(&self, values: usize) -> (usize, usize) {
        let [height, width] = self.size;
        let channels = values / (height * width);
        if self.axis == 0 { (width * channels, height) } else { (channels, width) }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let values = x[0].shape.matrix().map_or(1, |(_, values)| values);
        let (stride, extent) = self.line(values);
        let radius = self.radius as isize;
        let images = x[0].real().chunks_exact(values).zip(y[0].real_mut().chunks_exact_mut(values));
        for (u, (x, y)) in x[1].real().chunks_exact(BLUR_NUMBERS).zip(images) {
            if u[0] >= T::of(f64::from(self.share)) {
                y.copy_from_slice(x);
                continue;
            }
            let sigma = T::of(0.1) + T::of(1.9) * u[1];
            let weight = |k: isize| (-T::of((k * k) as f64) / (T::of(2.0) * sigma * sigma)).exp();
            let total: T = (-radius..=radius).map(weight).sum();
            for (at, y) in y.iter_mut().enumerate() {
                let i = at / stride % extent;
                let first = at - i * stride;
                let term = |k: isize| weight(k) * x[first + mirrored(i as isize + k, extent) * stride];
                *y = (-radius..=radius).map(term).sum::<T>() / total;
            }
        }
    }
}

impl Op for AugmentBlur {
    fn name(&self) -> &'static str {
        "augment_blur"
    }

    fn attributes(&self) -> String {
        let [height, width] = self.size;
        format!("of {height}x{width} axis={} radius={} share={}", self.axis, self.radius, self.share)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, u] = arity(self.name(), inputs)?;
        let (rows, values) = matrix(self.name(), "X", x)?;
        let [height, width] = self.size;
        if height * width == 0 || !values.is_multiple_of(height * width) || self.axis > 1 {
            return Err(Error::graph(self.name(), format!("{x} is no batch of images of {height}x{width}")));
        }
        if self.radius >= self.size[self.axis] {
            return Err(Error::graph(self.name(), format!("{} pixels are no radius in {height}x{width}", self.radius)));
        }
        same(self.name(), "the uniform numbers", u, &Ty::f32(&[rows, BLUR_NUMBERS]))?;
        Ok(vec![x.clone()])
    }

    crate::twin!();
}

/// `shaders/augment/augment_blur.wgsl`
pub struct AugmentBlurKernel;

impl Kernel for AugmentBlurKernel {
    fn stem(&self) -> &'static str {
        "augment_blur"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<AugmentBlur>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let blur = *r.op::<AugmentBlur>()?;
        let (_, values) = matrix(self.stem(), "X", r.inputs[0])?;
        let elements = r.outputs[0].elements();
        let (stride, extent) = blur.line(values);
        let mut params = [elements, values, stride, extent, blur.radius].map(|number| number as u32).to_vec();
        params.push(blur.share.to_bits());
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(elements)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let taps = 2.0 * r.op::<AugmentBlur>()?.radius as f64 + 1.0;
        Ok(Cost::streaming(r, 6.0 * taps * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("augment_blur");
        let rounding =
            Tolerance::new(1e-6, 4e-5, Terms::Largest, "the exp of WGSL at 3 to 20 ULP, in weights that add up to 1");
        let mut case = |rows: usize, size: [usize; 2], channels: usize, axis: usize, radius: usize, share: f32| {
            let inputs =
                vec![s.uniform(&[rows, size[0] * size[1] * channels], 0.0, 1.0), s.uniform(&[rows, 2], 0.0, 1.0)];
            let label =
                format!("{rows} images of {}x{}x{channels}, axis {axis}, {radius} pixels, {share}", size[0], size[1]);
            Case::new(label, AugmentBlur { size, axis, radius, share }, inputs, rounding)
        };
        vec![
            case(1, [1, 1], 1, 0, 0, 1.0),
            case(3, [5, 7], 3, 0, 4, 1.0),
            case(7, [9, 3], 1, 1, 2, 0.5),
            case(5, [32, 32], 3, 1, 1, 0.0),
            case(1367, [32, 32], 3, 1, 1, 0.5),
            case(64, [64, 64], 3, 0, 3, 0.5).benched(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point becomes a Gaussian of the deviation that was drawn, and at an edge nothing is lost.
    #[test]
    fn a_point_becomes_a_gaussian_and_light_stays_what_it_was() {
        let blur = AugmentBlur { size: [1, 33], axis: 1, radius: 12, share: 1.0 };
        for place in [16, 0, 3] {
            let mut x = vec![0.0; 33];
            x[place] = 1.0;
            let image = HostTensor::<f64>::from_f32(&[1, 33], &x);
            let u = HostTensor::<f64>::from_f32(&[1, 2], &[0.0, 1.0]);
            let mut y = [HostTensor::zeros(&Ty::f32(&[1, 33]))];
            blur.eval(&[&image, &u], &mut y);
            let y = y[0].real();
            if place == 16 {
                assert!((y.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                let variance: f64 = y.iter().enumerate().map(|(i, y)| y * (i as f64 - 16.0).powi(2)).sum();
                assert!((variance.sqrt() - 2.0).abs() < 1e-3, "{}", variance.sqrt());
            } else {
                // In a mirror that stands on the last pixel everything beside it is seen twice.
                let beside = if place == 0 { 1 } else { place + 1 };
                assert!(y[place] >= y[beside], "{y:?}");
            }
        }
        assert_eq!([-2, 0, 4, 5, 6].map(|i| mirrored(i, 5)), [2, 0, 4, 3, 2]);
    }
}
