//! Images changed at random, each by itself: read at other places, or recoloured.

use crate::threads::prelude::*;

use crate::device::cpu::math::wide;
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::augment::augment_apply::{AugmentApply, Between};
use crate::ops::augment::augment_colour::{AugmentColour, clamped, grey_of, recoloured};
use crate::ops::augment::{COLOURS, PLACE};
use crate::plan::Step;

/// Which operation.
pub(in crate::device) enum AugmentKernel {
    Apply(AugmentApply),
    Colour(AugmentColour),
}

impl AugmentKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let op = step.op.as_ref();
        let apply = op.downcast().map(|apply| AugmentKernel::Apply(*apply));
        apply.or_else(|| op.downcast().map(|colour| AugmentKernel::Colour(*colour)))
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        match self {
            AugmentKernel::Apply(_) => Own::AugmentApply,
            AugmentKernel::Colour(_) => Own::AugmentColour,
        }
    }

    /// Computes `y`, which lies in none of the memory that is read.
    pub fn run(&self, inputs: &[Span], y: &mut [f32], memory: &[Words]) {
        let (x, of) = (inputs[0].floats(memory), inputs[1].floats(memory));
        match self {
            AugmentKernel::Apply(apply) => {
                let black = inputs[2].floats(memory);
                let [from, to] = [apply.size, apply.output].map(|size| size[0] * size[1] * black.len());
                let images = y.par_chunks_exact_mut(to).zip(x.par_chunks(from)).zip(of.par_chunks(PLACE));
                images.for_each(|((y, x), place)| read(apply, place, black, x, y));
            }
            AugmentKernel::Colour(AugmentColour { channels }) => {
                let values = y.len() / (of.len() / COLOURS).max(1);
                let images = y.par_chunks_exact_mut(values).zip(x.par_chunks(values));
                images.zip(of.par_chunks(COLOURS)).for_each(|((y, x), factors)| {
                    wide(
                        y,
                        #[inline(always)]
                        |y: &mut [f32]| recolour(*channels, factors, x, y),
                    );
                });
            }
        }
    }
}

/// One image at its place.
fn read(apply: &AugmentApply, place: &[f32], black: &[f32], x: &[f32], y: &mut [f32]) {
    match black.len() {
        1 => read_channels::<1>(apply, place, black, x, y),
        3 => read_channels::<3>(apply, place, black, x, y),
        _ => read_any(apply, place, black, x, y),
    }
}

/// Both neighbours along an axis, where the image has them.
#[inline(always)]
fn held(between: &Between<f32>, size: usize) -> [Option<usize>; 2] {
    between.at.map(|at| usize::try_from(at).ok().filter(|&at| at < size))
}

/// One image of few channels, whose pixels are small arrays.
fn read_channels<const C: usize>(apply: &AugmentApply, place: &[f32], black: &[f32], x: &[f32], y: &mut [f32]) {
    let ([height, width], columns) = (apply.size, apply.output[1]);
    let mut dark = [0.0; C];
    dark.copy_from_slice(black);
    let (x, _) = x.as_chunks::<C>();
    for (i, y) in y.chunks_exact_mut(columns * C).enumerate() {
        for (j, y) in y.as_chunks_mut::<C>().0.iter_mut().enumerate() {
            let [down, right] = apply.neighbours(place, [i, j]);
            let (v, u) = (held(&down, height), held(&right, width));
            let pixel = |v: Option<usize>, u: Option<usize>| match (v, u) {
                (Some(v), Some(u)) => x[v * width + u],
                _ => dark,
            };
            // Of a whole pixel there is nothing between.
            if down.share == 0.0 && right.share == 0.0 {
                *y = pixel(v[0], u[0]);
                continue;
            }
            let (above, above_far) = (pixel(v[0], u[0]), pixel(v[0], u[1]));
            let (below, below_far) = (pixel(v[1], u[0]), pixel(v[1], u[1]));
            for channel in 0..C {
                let line = |near: f32, far: f32| (1.0 - right.share) * near + right.share * far;
                let (first, second) =
                    (line(above[channel], above_far[channel]), line(below[channel], below_far[channel]));
                y[channel] = (1.0 - down.share) * first + down.share * second;
            }
        }
    }
}

/// One image of any number of channels.
fn read_any(apply: &AugmentApply, place: &[f32], black: &[f32], x: &[f32], y: &mut [f32]) {
    let ([height, width], channels) = (apply.size, black.len());
    for (pixel, y) in y.chunks_exact_mut(channels).enumerate() {
        let [down, right] = apply.neighbours(place, [pixel / apply.output[1], pixel % apply.output[1]]);
        let (v, u) = (held(&down, height), held(&right, width));
        y.fill(0.0);
        for (v, share) in v.into_iter().zip([1.0 - down.share, down.share]) {
            for (u, part) in u.into_iter().zip([1.0 - right.share, right.share]) {
                let seen = match (v, u) {
                    (Some(v), Some(u)) => &x[(v * width + u) * channels..][..channels],
                    _ => black,
                };
                y.iter_mut().zip(seen).for_each(|(y, &x)| *y += share * part * x);
            }
        }
    }
}

/// Partial sums of a mean, so that they are added side by side.
const SUMS: usize = 8;

#[inline(always)]
fn recolour(channels: usize, factors: &[f32], x: &[f32], y: &mut [f32]) {
    if factors[0] == 0.0 && (factors[5] == 0.0 || channels == 1) {
        return y.copy_from_slice(x);
    }
    let mut sums = [0.0; SUMS];
    if channels == 1 {
        for x in x.chunks(SUMS) {
            sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += clamped(factors[1] * x));
        }
        let mean = sums.iter().sum::<f32>() / x.len() as f32;
        for (y, &x) in y.iter_mut().zip(x) {
            *y = clamped(factors[2] * clamped(factors[1] * x) + (1.0 - factors[2]) * mean);
        }
        return;
    }
    let (x, _) = x.as_chunks::<3>();
    for x in x.chunks(SUMS) {
        sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += grey_of(x.map(|x| clamped(factors[1] * x))));
    }
    let mean = sums.iter().sum::<f32>() / x.len() as f32;
    for (y, &x) in y.as_chunks_mut::<3>().0.iter_mut().zip(x) {
        *y = recoloured(x, factors, mean);
    }
}
