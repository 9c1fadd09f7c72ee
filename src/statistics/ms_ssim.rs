//! How alike two images look: structural similarity at several scales.
//!
//! Source: Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment" (2003). With means μ, variances
//! and covariance under a Gaussian window of 11 × 11 pixels and deviation 1.5, wherever it fits whole,
//!
//! ```text
//! l  = (2 μx μy + C1) / (μx² + μy² + C1)         C1 = 0.01²
//! cs = (2 σxy + C2) / (σx² + σy² + C2)           C2 = 0.03²
//! MS-SSIM = mean(l · cs)^w5 · Π mean(cs)^wj      w = .0448 .2856 .3001 .2363 .1333
//! ```
//!
//! where the last scale alone has l, and every scale has the means of 2 × 2 pixels of the one before. An image that is too small for
//! five scales has as many as the window fits into, with their weights over the sum of those; one that is smaller than the window
//! has one scale and the largest window of odd extent that fits. Channels are judged one by one, and their mean is told. A mean
//! below 0, which has no fractional power, counts as 0.

/// Pixels of the window along each axis.
const WINDOW: usize = 11;
/// Its deviation.
const DEVIATION: f64 = 1.5;
/// What keeps quotients of dark and of even images from 0 over 0, for values from 0 to 1.
const STEADY: [f64; 2] = [0.01 * 0.01, 0.03 * 0.03];
/// What each scale counts for, from the finest on.
const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// A plane of numbers.
#[derive(Clone)]
struct Plane {
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl Plane {
    fn of(height: usize, width: usize, value: impl Fn(usize) -> f64) -> Self {
        Plane { height, width, values: (0..height * width).map(value).collect() }
    }

    /// Element by element with another one.
    fn times(&self, other: &Plane) -> Plane {
        Plane::of(self.height, self.width, |at| self.values[at] * other.values[at])
    }

    /// Means under a window, along one axis after the other.
    fn under(&self, window: &[f64]) -> Plane {
        let (height, width) = (self.height - (window.len() - 1), self.width - (window.len() - 1));
        let along = Plane::of(self.height, width, |at| {
            let row = &self.values[at / width * self.width + at % width..][..window.len()];
            row.iter().zip(window).map(|(value, weight)| value * weight).sum()
        });
        Plane::of(height, width, |at| {
            window.iter().enumerate().map(|(line, weight)| along.values[at + line * width] * weight).sum()
        })
    }

    /// Means of 2 × 2 pixels; a last odd row or column is left out.
    fn halved(&self) -> Plane {
        let (height, width) = (self.height / 2, self.width / 2);
        Plane::of(height, width, |at| {
            let first = at / width * 2 * self.width + at % width * 2;
            [0, 1, self.width, self.width + 1].iter().map(|step| self.values[first + step]).sum::<f64>() / 4.0
        })
    }
}

/// A Gaussian window of so many pixels whose weights are 1 in all.
fn window(extent: usize) -> Vec<f64> {
    let middle = (extent / 2) as f64;
    let bell: Vec<f64> =
        (0..extent).map(|at| (-(at as f64 - middle).powi(2) / (2.0 * DEVIATION * DEVIATION)).exp()).collect();
    let sum: f64 = bell.iter().sum();
    bell.into_iter().map(|value| value / sum).collect()
}

/// Means of l · cs and of cs over a scale.
fn likeness(x: &Plane, y: &Plane, window: &[f64]) -> [f64; 2] {
    let [mean_x, mean_y] = [x.under(window), y.under(window)];
    let [square_x, square_y, product] = [x.times(x), y.times(y), x.times(y)].map(|plane| plane.under(window));
    let (mut all, mut structure) = (0.0, 0.0);
    for at in 0..mean_x.values.len() {
        let (x, y) = (mean_x.values[at], mean_y.values[at]);
        let variances = square_x.values[at] - x * x + square_y.values[at] - y * y;
        let cs = (2.0 * (product.values[at] - x * y) + STEADY[1]) / (variances + STEADY[1]);
        structure += cs;
        all += cs * (2.0 * x * y + STEADY[0]) / (x * x + y * y + STEADY[0]);
    }
    [all, structure].map(|sum| sum / mean_x.values.len() as f64)
}

/// The multi-scale structural similarity of two images, \[height, width, channels\] with values from 0 to 1: 1 of the same one. None of
/// images without a pixel, or of another size than they are said to have.
pub fn ms_ssim(x: &[f32], y: &[f32], [height, width, channels]: [usize; 3]) -> Option<f64> {
    let pixels = height * width;
    if pixels * channels == 0 || x.len() != pixels * channels || y.len() != x.len() {
        return None;
    }
    let shorter = height.min(width);
    let window = window(WINDOW.min(shorter - usize::from(shorter.is_multiple_of(2))));
    let scales = (1..WEIGHTS.len()).take_while(|scale| shorter >> scale >= WINDOW).count() + 1;
    let weights = &WEIGHTS[..scales];
    // All five are 1.0001 in all, and are taken as they were published.
    let whole: f64 = if scales < WEIGHTS.len() { weights.iter().sum() } else { 1.0 };
    let of_channel = |channel: usize| {
        let plane = |of: &[f32]| Plane::of(height, width, |at| f64::from(of[at * channels + channel]));
        let (mut x, mut y) = (plane(x), plane(y));
        let mut product = 1.0;
        for (scale, weight) in weights.iter().enumerate() {
            let [all, structure] = likeness(&x, &y, &window);
            let is_last = scale + 1 == scales;
            product *= (if is_last { all } else { structure }).max(0.0).powf(weight / whole);
            if !is_last {
                (x, y) = (x.halved(), y.halved());
            }
        }
        product
    };
    Some((0..channels).map(of_channel).sum::<f64>() / channels as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Two images that are somewhat alike.
    fn images(height: usize, width: usize, channels: usize) -> [Vec<f32>; 2] {
        let count = height * width * channels;
        let first: Vec<f32> = (0..count).map(|at| ((at * 37 + at / 7 * 11) % 101) as f32 / 100.0).collect();
        let second =
            first.iter().enumerate().map(|(at, value)| 0.7 * value + ((at * 53) % 31) as f32 / 100.0).collect();
        [first, second]
    }

    /// The definition word by word: every window by itself, in two dimensions, of planes that are read through a function.
    fn defined(
        x: &dyn Fn(usize, usize) -> f64,
        y: &dyn Fn(usize, usize) -> f64,
        [height, width]: [usize; 2],
        scale: usize,
        of: usize,
    ) -> f64 {
        let [mut all, mut structure, mut windows] = [0.0; 3];
        for top in 0..=height - 11 {
            for left in 0..=width - 11 {
                let mut sums = [0.0; 6];
                for (down, right) in (0..121).map(|at| (at / 11, at % 11)) {
                    let far = (down as f64 - 5.0).powi(2) + (right as f64 - 5.0).powi(2);
                    let (weight, a, b) = ((-far / 4.5).exp(), x(top + down, left + right), y(top + down, left + right));
                    for (sum, term) in sums.iter_mut().zip([1.0, a, b, a * a, b * b, a * b]) {
                        *sum += weight * term;
                    }
                }
                let [n, a, b, aa, bb, ab] = sums;
                let [a, b, aa, bb, ab] = [a, b, aa, bb, ab].map(|sum| sum / n);
                let cs = (2.0 * (ab - a * b) + 9e-4) / (aa - a * a + bb - b * b + 9e-4);
                structure += cs;
                all += cs * (2.0 * a * b + 1e-4) / (a * a + b * b + 1e-4);
                windows += 1.0;
            }
        }
        let weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
        let weight = weights[scale] / weights[..of].iter().sum::<f64>();
        if scale + 1 == of {
            return (all / windows).powf(weight);
        }
        let next = |plane: &dyn Fn(usize, usize) -> f64, down: usize, right: usize| {
            (plane(2 * down, 2 * right)
                + plane(2 * down + 1, 2 * right)
                + plane(2 * down, 2 * right + 1)
                + plane(2 * down + 1, 2 * right + 1))
                / 4.0
        };
        let smaller = [&|down, right| next(x, down, right), &|down, right| next(y, down, right)]
            as [&dyn Fn(usize, usize) -> f64; 2];
        (structure / windows).powf(weight) * defined(smaller[0], smaller[1], [height / 2, width / 2], scale + 1, of)
    }

    #[test]
    fn it_is_what_is_defined() {
        for (height, width, channels, scales) in [(32, 32, 3, 2), (23, 45, 1, 2), (11, 12, 1, 1), (46, 44, 1, 3)] {
            let [x, y] = images(height, width, channels);
            let of_channel = |channel: usize| {
                let plane =
                    |of: &[f32], down: usize, right: usize| f64::from(of[(down * width + right) * channels + channel]);
                defined(
                    &|down, right| plane(&x, down, right),
                    &|down, right| plane(&y, down, right),
                    [height, width],
                    0,
                    scales,
                )
            };
            let expected = (0..channels).map(of_channel).sum::<f64>() / channels as f64;
            let found = ms_ssim(&x, &y, [height, width, channels]).unwrap();
            assert!((found - expected).abs() < 1e-9, "{height} x {width}: {found} {expected}");
            assert!(found > 0.2 && found < 0.999);
        }
    }

    #[test]
    fn an_image_is_like_itself_and_even_ones_differ_by_their_brightness() {
        for size in [[2, 3, 1], [5, 40, 3], [176, 180, 1]] {
            let [x, y] = images(size[0], size[1], size[2]);
            assert!((ms_ssim(&x, &x, size).unwrap() - 1.0).abs() < 1e-9);
            assert!(ms_ssim(&x, &y, size).unwrap() < 1.0);
        }
        assert_eq!(ms_ssim(&[0.3], &[0.3], [1, 1, 1]), Some(1.0));
        // Of even images cs is 1, and the last of five scales has l.
        let (x, y) = (vec![0.25; 176 * 176], vec![0.5; 176 * 176]);
        let l = (2.0 * 0.25 * 0.5 + 1e-4) / (0.0625 + 0.25 + 1e-4_f64);
        assert!((ms_ssim(&x, &y, [176, 176, 1]).unwrap() - l.powf(0.1333)).abs() < 1e-9);
        assert_eq!(ms_ssim(&x, &y, [175, 176, 1]), None);
        assert_eq!(ms_ssim(&[], &[], [0, 4, 1]), None);
    }
}
