//! Softmax regression: the linear classifier of rows, with a penalty on its weights, to convergence.
//!
//! Minimised is the mean cross entropy in nats plus λ/2 · Σ W², biases left out of the sum, of rows standardised by their own
//! means and deviations. For λ > 0 there is one minimum, so what comes of it depends on no start and no order. It is found by
//! L-BFGS (Liu and Nocedal 1989) with a line search that halves.

use std::collections::VecDeque;

use super::softmax_loss::Problem;
use crate::threads::prelude::*;

/// Pairs of steps and differences of gradients that are remembered.
const MEMORY: usize = 10;
/// Most steps.
const STEPS: usize = 2000;
/// The largest element of the gradient at which the minimum counts as found.
const FLAT: f64 = 1e-5;
/// Share of the promised decrease that a step must bring.
const DECREASE: f64 = 1e-4;
/// Times that a step is halved before the minimum counts as found as well as it can be.
const HALVINGS: usize = 40;
/// A deviation below this share of the mean is rounding.
const CONSTANT: f64 = 1e-7;

/// The means and deviations that rows are standardised by.
#[derive(Clone, Debug, PartialEq)]
pub struct Standard {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Standard {
    /// Those of rows of `width` numbers; what does not vary is 0 behind it.
    pub fn of(rows: &[f32], width: usize) -> Self {
        let count = (rows.len() / width.max(1)).max(1) as f64;
        let mut means = vec![0.0; width];
        let each = |with: &mut dyn FnMut(usize, f64)| {
            rows.chunks_exact(width.max(1))
                .for_each(|row| row.iter().enumerate().for_each(|(at, x)| with(at, f64::from(*x))));
        };
        each(&mut |at, x| means[at] += x / count);
        let mut squares = vec![0.0; width];
        each(&mut |at, x| squares[at] += (x - means[at]).powi(2) / count);
        let deviation = |(square, mean): (&f64, &f64)| {
            let deviation = square.sqrt();
            if deviation > CONSTANT * mean.abs() { deviation } else { 1.0 }
        };
        let deviations = squares.iter().zip(&means).map(deviation).collect();
        Standard { means, deviations }
    }

    /// Rows behind it.
    pub fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let width = self.means.len().max(1);
        let mapped = |(at, x): (usize, &f32)| ((f64::from(*x) - self.means[at]) / self.deviations[at]) as f32;
        rows.chunks_exact(width).flat_map(|row| row.iter().enumerate().map(mapped)).collect()
    }
}

/// A fitted regression.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxRegression {
    /// Number of values of a row.
    width: usize,
    /// Number of classes.
    classes: usize,
    /// Weights `[width + 1, classes]`, biases last.
    weights: Vec<f64>,
    /// Steps until the minimum was found.
    pub steps: usize,
    /// Whether it was found.
    pub is_converged: bool,
    /// What was minimised, there.
    pub loss: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The direction that remembered steps and differences of gradients make of a gradient: two loops.
fn direction(gradient: &[f64], memory: &VecDeque<(Vec<f64>, Vec<f64>)>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.to_vec();
    let mut shares = Vec::with_capacity(memory.len());
    for (step, difference) in memory.iter().rev() {
        let share = dot(step, &q) / dot(step, difference);
        q.iter_mut().zip(difference).for_each(|(q, y)| *q -= share * y);
        shares.push(share);
    }
    if let Some((step, difference)) = memory.back() {
        let scale = dot(step, difference) / dot(difference, difference);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((step, difference), share) in memory.iter().zip(shares.iter().rev()) {
        let back = dot(difference, &q) / dot(step, difference);
        q.iter_mut().zip(step).for_each(|(q, s)| *q += (share - back) * s);
    }
    q.iter_mut().for_each(|q| *q = -*q);
    q
}

impl SoftmaxRegression {
    /// Fits standardised rows of `width` numbers with these labels, all below `classes`, under the penalty `lambda` > 0.
    pub fn fit((rows, width): (&[f32], usize), labels: &[u16], classes: usize, lambda: f64) -> Self {
        let problem = Problem { rows, labels, width, classes: classes.max(1), lambda };
        let mut weights = vec![0.0; (width + 1) * problem.classes];
        let (mut loss, mut gradient) = problem.at(&weights);
        let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
        let is_flat = |gradient: &[f64]| gradient.iter().all(|slope| slope.abs() <= FLAT);
        let mut steps = 0;
        while !is_flat(&gradient) && steps < STEPS {
            let along = direction(&gradient, &memory);
            let promised = dot(&along, &gradient);
            // The first step is as long as one that a gradient of length 1 would make.
            let mut length = if memory.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
            let found = (0..HALVINGS).find_map(|_| {
                let moved: Vec<f64> = weights.iter().zip(&along).map(|(w, d)| w + length * d).collect();
                let (value, slope) = problem.at(&moved);
                let is_enough = value <= loss + DECREASE * length * promised;
                length /= 2.0;
                is_enough.then_some((moved, value, slope))
            });
            let Some((moved, value, slope)) = found else { break };
            let step: Vec<f64> = moved.iter().zip(&weights).map(|(a, b)| a - b).collect();
            let difference: Vec<f64> = slope.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            if dot(&step, &difference) > 0.0 {
                memory.push_back((step, difference));
                if memory.len() > MEMORY {
                    memory.pop_front();
                }
            }
            (weights, loss, gradient) = (moved, value, slope);
            steps += 1;
        }
        let is_converged = is_flat(&gradient);
        SoftmaxRegression { width, classes: problem.classes, weights, steps, is_converged, loss }
    }

    /// The class of each standardised row: the first of the most probable.
    pub fn classes_of(&self, rows: &[f32]) -> Vec<u16> {
        let problem = Problem { rows, labels: &[], width: self.width, classes: self.classes, lambda: 0.0 };
        let of_row = |row: &[f32]| {
            let mut logits = vec![0.0; self.classes];
            problem.logits(&self.weights, row, &mut logits);
            (1..logits.len()).fold(0, |best, at| if logits[at] > logits[best] { at } else { best }) as u16
        };
        rows.par_chunks(self.width.max(1)).map(of_row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stream, stream_key};

    #[test]
    fn what_does_not_vary_is_nothing() {
        let rows = [1.0, 5.0, 3.0, 5.0];
        let standard = Standard::of(&rows, 2);
        assert_eq!(standard.apply(&rows), [-1.0, 0.0, 1.0, 0.0]);
        assert_eq!(standard.apply(&[5.0, 6.0]), [3.0, 1.0]);
    }

    /// Two rows at ±1 of two classes: by symmetry W = (−w, w), and 2 λ w = 2 · (1 − σ(2w)), the derivative by w being 0.
    #[test]
    fn a_minimum_by_hand() {
        let lambda = 0.1;
        let fitted = SoftmaxRegression::fit((&[-1.0, 1.0], 1), &[0, 1], 2, lambda);
        let w = fitted.weights[1];
        assert!(fitted.is_converged && (fitted.weights[0] + w).abs() < 1e-9, "{fitted:?}");
        let slope = lambda * w - 1.0 / (1.0 + (2.0 * w).exp());
        assert!(slope.abs() < 2.0 * FLAT && w > 1.0, "{slope} at {w}");
        assert_eq!(fitted.classes_of(&[-0.5, 0.5, 3.0]), [0, 1, 1]);
    }

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let mut rng = Rng::new(stream_key(5, Stream::Data));
        let rows: Vec<f32> = (0..300 * 3).map(|_| rng.normal() as f32).collect();
        let labels: Vec<u16> = (0..300).map(|_| rng.below(4) as u16).collect();
        let problem = Problem { rows: &rows, labels: &labels, width: 3, classes: 4, lambda: 0.3 };
        let weights: Vec<f64> = (0..16).map(|_| rng.normal()).collect();
        let (_, gradient) = problem.at(&weights);
        for at in 0..16 {
            let moved = |by: f64| {
                let mut weights = weights.clone();
                weights[at] += by;
                problem.at(&weights).0
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - gradient[at]).abs() < 1e-8, "{at}: {slope}, {}", gradient[at]);
        }
    }

    #[test]
    fn it_finds_what_can_be_told_apart_by_planes() {
        let mut rng = Rng::new(stream_key(6, Stream::Data));
        let labels: Vec<u16> = (0..500).map(|_| rng.below(5) as u16).collect();
        let rows: Vec<f32> = labels
            .iter()
            .flat_map(|&label| {
                let angle = f64::from(label) * std::f64::consts::TAU / 5.0;
                [angle.cos(), angle.sin(), 0.0].map(|centre| (3.0 * centre + 0.3 * rng.normal()) as f32)
            })
            .collect();
        let rows = Standard::of(&rows, 3).apply(&rows);
        let fitted = SoftmaxRegression::fit((&rows, 3), &labels, 5, 1e-3);
        assert!(fitted.is_converged && fitted.steps < 200, "{}", fitted.steps);
        assert_eq!(fitted.classes_of(&rows), labels);
        let again = SoftmaxRegression::fit((&rows, 3), &labels, 5, 1e-3);
        assert_eq!(fitted, again);
    }
}
