//! What softmax regression minimises, and its gradient: sums over many rows, in f64, some rows and some classes at a time.

use crate::threads::prelude::*;
use crate::vectors::wide;

/// Rows whose sums are made by one thread: fixed, so that the bits do not depend on how many threads there are.
const BLOCK: usize = 256;
/// Rows that share a look at the weights.
const TOGETHER: usize = 4;
/// Classes that are added up side by side.
const LANES: usize = 4;

/// Standardised rows and their classes, and what is minimised of them.
pub(super) struct Problem<'a> {
    pub rows: &'a [f32],
    pub labels: &'a [u16],
    pub width: usize,
    pub classes: usize,
    pub lambda: f64,
}

impl Problem<'_> {
    /// The logits of a row under these weights.
    pub fn logits(&self, weights: &[f64], row: &[f32], logits: &mut [f64]) {
        let (slopes, biases) = weights.split_at(self.width * self.classes);
        logits.copy_from_slice(biases);
        for (line, &x) in slopes.chunks_exact(self.classes).zip(row).filter(|(_, x)| **x != 0.0) {
            let x = f64::from(x);
            logits.iter_mut().zip(line).for_each(|(logit, w)| *logit += x * w);
        }
    }

    /// Adds to the gradient and returns the loss, both summed, of `R` rows whose numbers lie side by side in `x` \[width, R\]. Weights and gradient \[width + 1, stride\] have whole lanes of classes, of which the last may be none.
    #[inline(always)]
    fn together<const R: usize>(&self, weights: &[f64], x: &[f64], labels: &[u16], gradient: &mut [f64]) -> f64 {
        let stride = self.classes.next_multiple_of(LANES);
        let (slopes, biases) = weights.split_at(self.width * stride);
        let mut logits = vec![0.0; R * stride];
        for first in (0..stride).step_by(LANES) {
            let mut sums = [[0.0; LANES]; R];
            sums.iter_mut().for_each(|sums| sums.copy_from_slice(&biases[first..first + LANES]));
            for (line, x) in slopes.chunks_exact(stride).zip(x.chunks_exact(R)) {
                let line = &line[first..first + LANES];
                for (sums, &x) in sums.iter_mut().zip(x) {
                    sums.iter_mut().zip(line).for_each(|(sum, &w)| *sum = x.mul_add(w, *sum));
                }
            }
            for (logits, sums) in logits.chunks_exact_mut(stride).zip(&sums) {
                logits[first..first + LANES].copy_from_slice(sums);
            }
        }
        let mut loss = 0.0;
        for (logits, &label) in logits.chunks_exact_mut(stride).zip(labels) {
            let (logits, none) = logits.split_at_mut(self.classes);
            let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let own = logits[usize::from(label)];
            logits.iter_mut().for_each(|logit| *logit = (*logit - most).exp());
            let whole: f64 = logits.iter().sum();
            loss += most + whole.ln() - own;
            logits.iter_mut().for_each(|share| *share /= whole);
            logits[usize::from(label)] -= 1.0;
            none.fill(0.0);
        }
        let (slopes, biases) = gradient.split_at_mut(self.width * stride);
        for first in (0..stride).step_by(LANES) {
            let mut errors = [[0.0; LANES]; R];
            for (errors, shares) in errors.iter_mut().zip(logits.chunks_exact(stride)) {
                errors.copy_from_slice(&shares[first..first + LANES]);
                biases[first..].iter_mut().zip(&*errors).for_each(|(bias, error)| *bias += error);
            }
            for (line, x) in slopes.chunks_exact_mut(stride).zip(x.chunks_exact(R)) {
                let line = &mut line[first..first + LANES];
                for (errors, &x) in errors.iter().zip(x) {
                    line.iter_mut().zip(errors).for_each(|(slope, &error)| *slope = x.mul_add(error, *slope));
                }
            }
        }
        loss
    }

    /// Loss and gradient of some rows, summed.
    #[inline(always)]
    fn of_block(&self, weights: &[f64], rows: &[f32], labels: &[u16]) -> (f64, Vec<f64>) {
        let (mut loss, mut gradient) = (0.0, vec![0.0; weights.len()]);
        let mut x = vec![0.0; self.width * TOGETHER];
        for (rows, labels) in rows.chunks(TOGETHER * self.width.max(1)).zip(labels.chunks(TOGETHER)) {
            let x = &mut x[..self.width * labels.len()];
            for (at, x) in x.chunks_exact_mut(labels.len()).enumerate() {
                x.iter_mut().enumerate().for_each(|(row, x)| *x = f64::from(rows[row * self.width + at]));
            }
            if labels.len() == TOGETHER {
                loss += self.together::<TOGETHER>(weights, x, labels, &mut gradient);
            } else {
                for (row, label) in labels.iter().enumerate() {
                    let own: Vec<f64> = x.iter().skip(row).step_by(labels.len()).copied().collect();
                    loss += self.together::<1>(weights, &own, std::slice::from_ref(label), &mut gradient);
                }
            }
        }
        (loss, gradient)
    }

    /// Value and gradient at these weights.
    pub fn at(&self, weights: &[f64]) -> (f64, Vec<f64>) {
        let stride = self.classes.next_multiple_of(LANES);
        let mut padded = vec![0.0; (self.width + 1) * stride];
        for (padded, line) in padded.chunks_exact_mut(stride).zip(weights.chunks_exact(self.classes)) {
            padded[..self.classes].copy_from_slice(line);
        }
        let of_block = |(rows, labels): (&[f32], &[u16])| {
            wide(
                (),
                #[inline(always)]
                |()| self.of_block(&padded, rows, labels),
            )
        };
        let rows = self.rows.par_chunks(BLOCK * self.width.max(1));
        let blocks: Vec<(f64, Vec<f64>)> = rows.zip(self.labels.par_chunks(BLOCK)).map(of_block).collect();
        let count = self.labels.len().max(1) as f64;
        let (mut value, mut gradient) = (0.0, vec![0.0; weights.len()]);
        for (sum, of_block) in blocks {
            value += sum / count;
            for (whole, part) in gradient.chunks_exact_mut(self.classes).zip(of_block.chunks_exact(stride)) {
                whole.iter_mut().zip(part).for_each(|(whole, part)| *whole += part / count);
            }
        }
        for (slope, &w) in gradient.iter_mut().zip(&weights[..self.width * self.classes]) {
            *slope += self.lambda * w;
            value += 0.5 * self.lambda * w * w;
        }
        (value, gradient)
    }
}
