//! What norms do with a stretch of rows, in loops as wide as the processor. A part is two numbers a column; lines are what is
//! known of the columns: means, inverse deviations, what a gradient takes away.

use crate::device::cpu::math::{add, flush, wide};

/// Means of the columns, and squared deviations from them. Distances are taken from the first row, so that columns far from 0
/// keep their digits.
pub(super) fn moments(x: &[f32], part: &mut [f32]) {
    let columns = part.len() / 2;
    let count = (x.len() / columns).max(1) as f32;
    wide(
        part,
        #[inline(always)]
        |part: &mut [f32]| {
            part.fill(0.0);
            let Some(first) = x.get(..columns) else { return };
            let (mean, squares) = part.split_at_mut(columns);
            for row in x.chunks_exact(columns) {
                for ((mean, &x), &first) in mean.iter_mut().zip(row).zip(first) {
                    *mean += x - first;
                }
            }
            mean.iter_mut().zip(first).for_each(|(mean, &first)| *mean = first + *mean / count);
            for row in x.chunks_exact(columns) {
                for ((squares, &mean), &x) in squares.iter_mut().zip(&*mean).zip(row) {
                    *squares += (x - mean) * (x - mean);
                }
            }
        },
    );
}

/// Σ dy and Σ dy x̂ over the rows.
pub(super) fn gradient_sums(x: &[f32], dy: &[f32], lines: &[f32], part: &mut [f32]) {
    let columns = part.len() / 2;
    let (mean, inverse) = lines.split_at(columns);
    wide(
        part,
        #[inline(always)]
        |part: &mut [f32]| {
            part.fill(0.0);
            let (to_shift, to_scale) = part.split_at_mut(columns);
            for (x, dy) in x.chunks_exact(columns).zip(dy.chunks_exact(columns)) {
                add(to_shift, dy);
                let known = to_scale.iter_mut().zip(x).zip(dy).zip(mean).zip(inverse);
                for ((((to_scale, &x), &dy), &mean), &inverse) in known {
                    *to_scale += dy * ((x - mean) * inverse);
                }
            }
        },
    );
}

/// y = γ x̂ + β.
pub(super) fn apply(x: &[f32], [scale, shift]: [&[f32]; 2], lines: &[f32], y: &mut [f32]) {
    let columns = scale.len();
    let (mean, inverse) = (&lines[..columns], &lines[columns..2 * columns]);
    wide(
        y,
        #[inline(always)]
        |y: &mut [f32]| {
            for (y, x) in y.chunks_exact_mut(columns).zip(x.chunks_exact(columns)) {
                for n in 0..columns {
                    y[n] = scale[n] * ((x[n] - mean[n]) * inverse[n]) + shift[n];
                }
            }
        },
    );
}

/// dx = (γ dy − a − x̂ b)/√(σ² + ε), where a and b are means over the group.
pub(super) fn apply_gradient(x: &[f32], dy: &[f32], scale: &[f32], lines: &[f32], dx: &mut [f32]) {
    let columns = scale.len();
    let [mean, inverse, plain, with_x] = [0, 1, 2, 3].map(|line| &lines[line * columns..][..columns]);
    wide(
        dx,
        #[inline(always)]
        |dx: &mut [f32]| {
            let rows = dx.chunks_exact_mut(columns).zip(x.chunks_exact(columns)).zip(dy.chunks_exact(columns));
            for ((dx, x), dy) in rows {
                for n in 0..columns {
                    let standard = (x[n] - mean[n]) * inverse[n];
                    dx[n] = flush(inverse[n] * (scale[n] * dy[n] - plain[n] - standard * with_x[n]));
                }
            }
        },
    );
}
