//! What norms do with a stretch of rows, in loops as wide as the processor. A part is two numbers a column; lines are what is
//! known of the columns: means, inverse deviations, what a gradient takes away.
//!
//! Columns are gone down in blocks whose sums and lines stay in registers: a loop along a row of 16 columns would spend its time on
//! finding out how long it is, and what may lie in the way of what.

use crate::device::cpu::math::{flush, wide};

/// What is done with a block of columns.
trait OfColumns {
    /// With the N columns from this one on.
    fn block<const N: usize>(&mut self, at: usize);
}

/// Hands out all columns: 16 at a time, what is left over by 4, and one by one.
#[inline(always)]
fn in_blocks(columns: usize, mut task: impl OfColumns) {
    let mut at = 0;
    while at + 16 <= columns {
        task.block::<16>(at);
        at += 16;
    }
    while at + 4 <= columns {
        task.block::<4>(at);
        at += 4;
    }
    while at < columns {
        task.block::<1>(at);
        at += 1;
    }
}

/// N numbers from one on, by value, so that nothing written lies in their way.
#[inline(always)]
fn take<const N: usize>(numbers: &[f32], at: usize) -> [f32; N] {
    let mut values = [0.0; N];
    values.copy_from_slice(&numbers[at..at + N]);
    values
}

/// Writes N numbers from one on.
#[inline(always)]
fn put<const N: usize>(numbers: &mut [f32], at: usize, values: [f32; N]) {
    numbers[at..at + N].copy_from_slice(&values);
}

/// Means of the columns, and squared deviations from them. Distances are taken from the first row, so that columns far from 0
/// keep their digits.
pub(super) fn moments(x: &[f32], part: &mut [f32]) {
    wide(
        part,
        #[inline(always)]
        |part: &mut [f32]| in_blocks(part.len() / 2, Moments { x, part }),
    );
}

struct Moments<'a> {
    x: &'a [f32],
    part: &'a mut [f32],
}

impl OfColumns for Moments<'_> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, at: usize) {
        let columns = self.part.len() / 2;
        let rows = || self.x.chunks_exact(columns).map(|row| take::<N>(row, at));
        // A stretch of padding has no rows, and zeros for moments.
        let first = rows().next().unwrap_or([0.0; N]);
        let (mut mean, mut squares) = ([0.0; N], [0.0; N]);
        for x in rows() {
            for n in 0..N {
                mean[n] += x[n] - first[n];
            }
        }
        let count = (self.x.len() / columns).max(1) as f32;
        for n in 0..N {
            mean[n] = first[n] + mean[n] / count;
        }
        for x in rows() {
            for n in 0..N {
                squares[n] += (x[n] - mean[n]) * (x[n] - mean[n]);
            }
        }
        put(self.part, at, mean);
        put(self.part, columns + at, squares);
    }
}

/// Σ dy and Σ dy x̂ over the rows.
pub(super) fn gradient_sums(x: &[f32], dy: &[f32], lines: &[f32], part: &mut [f32]) {
    wide(
        part,
        #[inline(always)]
        |part: &mut [f32]| in_blocks(part.len() / 2, GradientSums { x, dy, lines, part }),
    );
}

struct GradientSums<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    lines: &'a [f32],
    part: &'a mut [f32],
}

impl OfColumns for GradientSums<'_> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, at: usize) {
        let columns = self.part.len() / 2;
        let [mean, inverse] = [0, 1].map(|line| take::<N>(self.lines, line * columns + at));
        let (mut to_shift, mut to_scale) = ([0.0; N], [0.0; N]);
        for (x, dy) in self.x.chunks_exact(columns).zip(self.dy.chunks_exact(columns)) {
            let (x, dy) = (take::<N>(x, at), take::<N>(dy, at));
            for n in 0..N {
                to_shift[n] += dy[n];
                to_scale[n] += dy[n] * ((x[n] - mean[n]) * inverse[n]);
            }
        }
        put(self.part, at, to_shift);
        put(self.part, columns + at, to_scale);
    }
}

/// y = γ x̂ + β.
pub(super) fn apply(x: &[f32], [scale, shift]: [&[f32]; 2], lines: &[f32], y: &mut [f32]) {
    wide(
        y,
        #[inline(always)]
        |y: &mut [f32]| in_blocks(scale.len(), Apply { x, scale, shift, lines, y }),
    );
}

struct Apply<'a> {
    x: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    lines: &'a [f32],
    y: &'a mut [f32],
}

impl OfColumns for Apply<'_> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, at: usize) {
        let columns = self.scale.len();
        let [mean, inverse] = [0, 1].map(|line| take::<N>(self.lines, line * columns + at));
        let [scale, shift] = [self.scale, self.shift].map(|of| take::<N>(of, at));
        for (y, x) in self.y.chunks_exact_mut(columns).zip(self.x.chunks_exact(columns)) {
            let mut values = take::<N>(x, at);
            for n in 0..N {
                values[n] = scale[n] * ((values[n] - mean[n]) * inverse[n]) + shift[n];
            }
            put(y, at, values);
        }
    }
}

/// dx = (γ dy − a − x̂ b)/√(σ² + ε), where a and b are means over the group.
pub(super) fn apply_gradient(x: &[f32], dy: &[f32], scale: &[f32], lines: &[f32], dx: &mut [f32]) {
    wide(
        dx,
        #[inline(always)]
        |dx: &mut [f32]| in_blocks(scale.len(), ApplyGradient { x, dy, scale, lines, dx }),
    );
}

struct ApplyGradient<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    scale: &'a [f32],
    lines: &'a [f32],
    dx: &'a mut [f32],
}

impl OfColumns for ApplyGradient<'_> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, at: usize) {
        let columns = self.scale.len();
        let [mean, inverse, plain, with_x] = [0, 1, 2, 3].map(|line| take::<N>(self.lines, line * columns + at));
        let scale = take::<N>(self.scale, at);
        let rows = self.dx.chunks_exact_mut(columns).zip(self.x.chunks_exact(columns));
        for ((dx, x), dy) in rows.zip(self.dy.chunks_exact(columns)) {
            let (x, mut values) = (take::<N>(x, at), take::<N>(dy, at));
            for n in 0..N {
                let standard = (x[n] - mean[n]) * inverse[n];
                values[n] = flush(inverse[n] * (scale[n] * values[n] - plain[n] - standard * with_x[n]));
            }
            put(dx, at, values);
        }
    }
}
