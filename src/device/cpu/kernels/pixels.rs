//! Pools, and images made larger or smaller: every row of pixels by itself, all channels of a pixel side by side.

use crate::threads::prelude::*;

use super::shares::Shares;
use crate::device::cpu::math::wide;
use crate::device::cpu::memory::{Span, Words};
use crate::device::cpu::own::Own;
use crate::ops::pool::avg_pool::AvgPool;
use crate::ops::pool::avg_pool_grad::AvgPoolGrad;
use crate::ops::pool::max_pool_grad::MaxPoolGrad;
use crate::ops::pool::max_pool_pick::MaxPoolPick;
use crate::ops::pool::pad_reflect::PadReflect;
use crate::ops::pool::pad_reflect_grad::PadReflectGrad;
use crate::ops::pool::pixel_shuffle::{Direction, PixelShuffle};
use crate::ops::pool::upsample::Upsample;
use crate::ops::pool::upsample_grad::UpsampleGrad;
use crate::plan::Step;

/// Elements that one task takes, or as many as a row of pixels has.
const ELEMENTS: usize = 8192;

/// Elements of whole rows of pixels that one task takes.
fn whole_rows(row: usize) -> usize {
    (ELEMENTS / row).max(1) * row
}

/// Which operation, and the channels of its images.
pub(in crate::device) struct PixelKernel {
    channels: usize,
    of: Of,
}

enum Of {
    /// A pixel is the sum of others, each by what is taken of it.
    Shares(Shares),
    /// Each pixel gets what it won.
    Won(Shares),
    /// Each result gets what its winner has; pixels of an image, and of its results.
    Pick([usize; 2]),
    Shuffle(PixelShuffle),
}

impl PixelKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let op = step.op.as_ref();
        let shares = [
            op.downcast().map(|AvgPool(pool)| Shares::new(pool, false)),
            op.downcast().map(|AvgPoolGrad(pool)| Shares::new(pool, true)),
            op.downcast().map(|of: &Upsample| Shares::new(of, false)),
            op.downcast().map(|UpsampleGrad(of)| Shares::new(of, true)),
            op.downcast().map(|of: &PadReflect| Shares::new(of, false)),
            op.downcast().map(|PadReflectGrad(of)| Shares::new(of, true)),
        ];
        let others = [
            op.downcast().map(|MaxPoolGrad(pool)| Of::Won(Shares::new(pool, true))),
            op.downcast().and_then(|MaxPoolPick(pool)| {
                let [rows, columns] = pool.output().ok()?;
                Some(Of::Pick([pool.size[0] * pool.size[1], rows * columns]))
            }),
            op.downcast().map(|of| Of::Shuffle(*of)),
        ];
        let of = shares.into_iter().flatten().map(Of::Shares).chain(others.into_iter().flatten()).next()?;
        let spreads = matches!(of, Of::Shuffle(PixelShuffle { direction: Direction::Spread, .. }));
        let (_, channels) = if spreads { &step.outputs[0] } else { &step.inputs[0] }.ty.shape.matrix()?;
        Some(PixelKernel { channels, of })
    }

    /// Which of the device's kernels it is.
    pub fn own(&self) -> Own {
        match self.of {
            Of::Shares(_) => Own::Pixels,
            Of::Won(_) => Own::MaxPoolGrad,
            Of::Pick(_) => Own::MaxPoolPick,
            Of::Shuffle(_) => Own::PixelShuffle,
        }
    }

    /// Computes `y`, which lies in none of the memory that is read.
    pub fn run(&self, inputs: &[Span], y: &mut [f32], memory: &[Words]) {
        let x = inputs[0].floats(memory);
        match &self.of {
            Of::Shares(shares) => each_row(shares, self.channels, y, |place, y| summed(shares, place, x, y)),
            Of::Won(shares) => {
                let winners = inputs[1].words(memory);
                each_row(shares, self.channels, y, |place, y| won(shares, place, x, winners, y));
            }
            Of::Pick(pixels) => pick(*pixels, self.channels, x, inputs[1].words(memory), y),
            Of::Shuffle(of) => shuffle(of, self.channels, x, y),
        }
    }
}

/// Where a row of pixels lies: its image, its place in it, and the channels of a pixel.
#[derive(Clone, Copy)]
struct Place {
    image: usize,
    row: usize,
    channels: usize,
}

fn each_row(shares: &Shares, channels: usize, y: &mut [f32], task: impl Fn(Place, &mut [f32]) + Sync) {
    let [height, width] = shares.to;
    let block = shares.block(channels);
    y.par_chunks_mut(block).enumerate().for_each(|(number, y)| {
        let first = number * (block / (width * channels));
        for (row, y) in y.chunks_exact_mut(width * channels).enumerate() {
            let (image, row) = ((first + row) / height, (first + row) % height);
            task(Place { image, row, channels }, y);
        }
    });
}

fn summed(shares: &Shares, place: Place, x: &[f32], y: &mut [f32]) {
    let ([height, width], Place { image, row, channels }) = (shares.from, place);
    wide(
        y,
        #[inline(always)]
        |y: &mut [f32]| {
            for (column, y) in y.chunks_exact_mut(channels).enumerate() {
                y.fill(0.0);
                for &(u, vertical) in shares.of(0, row) {
                    let line = &x[(image * height + u as usize) * width * channels..][..width * channels];
                    for &(v, horizontal) in shares.of(1, column) {
                        let weight = vertical * horizontal;
                        let seen = &line[v as usize * channels..][..channels];
                        y.iter_mut().zip(seen).for_each(|(y, &x)| *y += weight * x);
                    }
                }
            }
        },
    );
}

/// What pixels won: dy of those results whose winners they are.
fn won(shares: &Shares, place: Place, dy: &[f32], winners: &[u32], dx: &mut [f32]) {
    let ([height, width], Place { image, row, channels }) = (shares.from, place);
    let first = (row * shares.to[1]) as u32;
    wide(
        dx,
        #[inline(always)]
        |dx: &mut [f32]| {
            for (number, (column, dx)) in (first..).zip(dx.chunks_exact_mut(channels).enumerate()) {
                dx.fill(0.0);
                for &(i, _) in shares.of(0, row) {
                    for &(j, _) in shares.of(1, column) {
                        let result = ((image * height + i as usize) * width + j as usize) * channels;
                        let (dy, winners) = (&dy[result..][..channels], &winners[result..][..channels]);
                        for ((dx, &dy), &winner) in dx.iter_mut().zip(dy).zip(winners) {
                            *dx += if winner == number { dy } else { 0.0 };
                        }
                    }
                }
            }
        },
    );
}

fn pick([pixels, results]: [usize; 2], channels: usize, v: &[f32], winners: &[u32], y: &mut [f32]) {
    let block = whole_rows(channels);
    y.par_chunks_mut(block).zip(winners.par_chunks(block)).enumerate().for_each(|(number, (y, winners))| {
        for (row, (y, winners)) in y.chunks_exact_mut(channels).zip(winners.chunks_exact(channels)).enumerate() {
            let image = (number * (block / channels) + row) / results;
            for (c, (y, &winner)) in y.iter_mut().zip(winners).enumerate() {
                *y = v[(image * pixels + winner as usize) * channels + c];
            }
        }
    });
}

/// `channels`: those of the image with more pixels.
fn shuffle(of: &PixelShuffle, channels: usize, x: &[f32], y: &mut [f32]) {
    let PixelShuffle { size: [_, width], factor, direction } = *of;
    let squared = factor * factor;
    if direction == Direction::Spread {
        let line = width * factor * channels;
        let block = whole_rows(line);
        return y.par_chunks_mut(block).enumerate().for_each(|(number, y)| {
            let first = number * (block / line);
            for (row, y) in y.chunks_exact_mut(line).enumerate() {
                // Rows of all images in one, since each is as high as a whole number of small rows.
                let (small, a) = ((first + row) / factor * width, (first + row) % factor);
                for (column, y) in y.chunks_exact_mut(channels).enumerate() {
                    let from = &x[(small + column / factor) * channels * squared..][..channels * squared];
                    let within = a * factor + column % factor;
                    y.iter_mut().zip(from.chunks_exact(squared)).for_each(|(y, from)| *y = from[within]);
                }
            }
        });
    }
    let line = width * channels * squared;
    let block = whole_rows(line);
    let large = width * factor * channels;
    y.par_chunks_mut(block).enumerate().for_each(|(number, y)| {
        let first = number * (block / line);
        for (row, y) in y.chunks_exact_mut(line).enumerate() {
            let rows = &x[(first + row) * factor * large..][..factor * large];
            for (column, y) in y.chunks_exact_mut(channels * squared).enumerate() {
                for within in 0..squared {
                    let (a, b) = (within / factor, within % factor);
                    let from = &rows[a * large + (column * factor + b) * channels..][..channels];
                    y[within..].iter_mut().step_by(squared).zip(from).for_each(|(y, &x)| *y = x);
                }
            }
        }
    });
}
