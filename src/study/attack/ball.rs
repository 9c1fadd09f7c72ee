//! The neighbourhood of a row that an attack may search: all rows within a distance of it, as far as they are rows.

use crate::rng::Rng;
use crate::tensor::Real;

/// How far two rows are from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The largest difference of a value: ℓ∞.
    Largest,
    /// The root of the sum of the squared differences: ℓ2.
    Euclidean,
}

impl Norm {
    /// Length of a difference.
    pub fn of<T: Real>(self, difference: impl Iterator<Item = T>) -> T {
        match self {
            Norm::Largest => difference.fold(T::zero(), |most, d| most.max(d.abs())),
            Norm::Euclidean => difference.map(|d| d * d).sum::<T>().sqrt(),
        }
    }
}

/// Rows within `epsilon` of one, in units of a pixel from black, 0, to white, 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ball {
    /// What is measured by.
    pub norm: Norm,
    /// The largest distance.
    pub epsilon: f64,
}

/// −1, 0 or 1; 0 of 0, which [`f64::signum`] has otherwise.
fn sign<T: Real>(x: T) -> T {
    if x == T::zero() { x } else { x.signum() }
}

impl Ball {
    /// The same with another distance.
    pub fn of(self, epsilon: f64) -> Self {
        Ball { epsilon, ..self }
    }

    /// One step of projected gradient ascent, or with a negative `step` descent: along the signs of the gradient, or of length
    /// `step` along it, then back into the ball around `centre`, then into the range of pixels (Madry et al. 2018). A gradient
    /// of 0 moves nothing.
    pub fn step<T: Real>(self, row: &mut [T], centre: &[T], gradient: &[T], step: f64) {
        let step = T::of(step);
        match self.norm {
            Norm::Largest => row.iter_mut().zip(gradient).for_each(|(x, &g)| *x += step * sign(g)),
            Norm::Euclidean => {
                // Squares of what is very small are 0, so the largest is divided by first.
                let largest = Norm::Largest.of(gradient.iter().copied());
                if largest > T::zero() {
                    let length = Norm::Euclidean.of(gradient.iter().map(|&g| g / largest));
                    row.iter_mut().zip(gradient).for_each(|(x, &g)| *x += step * (g / largest / length));
                }
            }
        }
        self.project(row, centre);
    }

    /// The nearest row within the ball, then within the range of pixels, 0 to 1. A value of `centre` that is beyond that range may
    /// stay where it is.
    pub fn project<T: Real>(self, row: &mut [T], centre: &[T]) {
        let epsilon = T::of(self.epsilon);
        match self.norm {
            Norm::Largest => {
                row.iter_mut().zip(centre).for_each(|(x, &c)| *x = x.max(c - epsilon).min(c + epsilon));
            }
            Norm::Euclidean => {
                let length = self.norm.of(row.iter().zip(centre).map(|(&x, &c)| x - c));
                if length > epsilon {
                    let share = epsilon / length;
                    row.iter_mut().zip(centre).for_each(|(x, &c)| *x = c + (*x - c) * share);
                }
            }
        }
        within_range(row, centre);
    }

    /// A row drawn from the ball: every value by itself, or in a direction and at a distance such that all of its volume is
    /// as likely; then within the range of pixels.
    pub fn draw(self, centre: &[f32], rng: &mut Rng) -> Vec<f32> {
        let epsilon = self.epsilon as f32;
        let mut row: Vec<f32> = match self.norm {
            Norm::Largest => centre.iter().map(|c| c + rng.range(-epsilon, epsilon)).collect(),
            Norm::Euclidean => {
                let direction: Vec<f64> = centre.iter().map(|_| rng.normal()).collect();
                let length = Norm::Euclidean.of(direction.iter().copied()).max(f64::MIN_POSITIVE);
                let distance = self.epsilon * f64::from(rng.uniform()).powf(1.0 / centre.len().max(1) as f64);
                centre.iter().zip(direction).map(|(c, d)| c + (d / length * distance) as f32).collect()
            }
        };
        self.project(&mut row, centre);
        row
    }
}

/// Brings a row into the range of pixels, or as far out of it as its `centre` is.
fn within_range<T: Real>(row: &mut [T], centre: &[T]) {
    for (x, &c) in row.iter_mut().zip(centre) {
        *x = x.max(T::zero().min(c)).min(T::one().max(c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream_key};

    const LARGEST: Ball = Ball { norm: Norm::Largest, epsilon: 0.25 };
    const EUCLIDEAN: Ball = Ball { norm: Norm::Euclidean, epsilon: 0.5 };

    #[test]
    fn a_step_goes_along_signs_and_none_of_nothing() {
        let centre = [0.5, 0.5, 0.125, 0.5];
        let mut row = [0.5, 0.625, 0.125, 0.5_f64];
        LARGEST.step(&mut row, &centre, &[3.0, 1e-30, -0.25, -0.0], 0.1875);
        // The second is held by the ball, the third by the range of pixels, the last has no slope.
        assert_eq!(row, [0.6875, 0.75, 0.0, 0.5]);
        LARGEST.step(&mut row, &centre, &[1.0, 1.0, 1.0, 1.0], -0.125);
        assert_eq!(row, [0.5625, 0.625, 0.0, 0.375]);
    }

    #[test]
    fn a_step_of_a_length_is_held_by_the_sphere() {
        let centre = [0.5, 0.5_f64];
        let mut row = centre;
        EUCLIDEAN.step(&mut row, &centre, &[3e-40, 4e-40], 0.25);
        assert!((row[0] - 0.65).abs() < 1e-12 && (row[1] - 0.7).abs() < 1e-12, "{row:?}");
        EUCLIDEAN.step(&mut row, &centre, &[3.0, 4.0], 1.0);
        assert!((row[0] - 0.8).abs() < 1e-12 && (row[1] - 0.9).abs() < 1e-12, "{row:?}");
        let before = row;
        EUCLIDEAN.step(&mut row, &centre, &[0.0, -0.0], 1.0);
        assert_eq!(row, before);
        // A gradient whose squares vanish at f32 still has a direction.
        let mut row = [0.5, 0.5_f32];
        EUCLIDEAN.step(&mut row, &[0.5, 0.5], &[3e-30, 4e-30], 0.25);
        assert!((row[0] - 0.65).abs() < 1e-6, "{row:?}");
    }

    #[test]
    fn what_is_drawn_lies_in_the_ball_and_in_the_range() {
        let mut rng = Rng::new(stream_key(1, Stream::Attack));
        for ball in [LARGEST, EUCLIDEAN] {
            let centre: Vec<f32> = (0..50).map(|at| at as f32 / 49.0).collect();
            let mut farthest: f64 = 0.0;
            for _ in 0..200 {
                let row = ball.draw(&centre, &mut rng);
                assert!(row.iter().all(|x| (0.0..=1.0).contains(x)));
                let distance = ball.norm.of(row.iter().zip(&centre).map(|(x, c)| f64::from(x - c)));
                assert!(distance <= ball.epsilon * (1.0 + 1e-6), "{distance}");
                farthest = farthest.max(distance);
            }
            assert!(farthest > 0.9 * ball.epsilon, "{farthest}");
        }
    }

    #[test]
    fn what_is_beyond_the_range_may_stay() {
        let centre = [-0.5, 1.5_f32];
        let mut row = centre;
        LARGEST.project(&mut row, &centre);
        assert_eq!(row, centre);
        let mut row = [-1.0, 3.0];
        LARGEST.project(&mut row, &centre);
        assert_eq!(row, [-0.5, 1.5]);
    }
}
