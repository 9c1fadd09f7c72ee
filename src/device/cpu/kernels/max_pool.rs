//! The largest over windows: the values, and by themselves which pixels they are, since a step writes one part of memory at
//! a time and reads none of it.

use bytemuck::cast_slice_mut;

use crate::device::cpu::math::wide;
use crate::device::cpu::memory::{Span, Words};
use crate::ops::pool::max_pool::MaxPool;
use crate::plan::Step;
use crate::threads::prelude::*;

use super::shares::Shares;

/// A step of this kind: what its windows see, and the largest so far of the pixel that each task is at.
pub(in crate::device) struct MaxPoolKernel {
    channels: usize,
    shares: Shares,
    largest: Vec<f32>,
}

/// A row of results: its image, and its place in it.
type Place = [usize; 2];

impl MaxPoolKernel {
    /// The kernel of a step, if it is one of these.
    pub fn new(step: &Step) -> Option<Self> {
        let MaxPool(pool) = step.op.downcast()?;
        let (rows, channels) = step.outputs[0].ty.shape.matrix()?;
        let shares = Shares::new(pool, false);
        let tasks = (rows * channels).div_ceil(shares.block(channels));
        Some(MaxPoolKernel { channels, shares, largest: vec![0.0; tasks * channels] })
    }

    /// Runs it; `lend` lends out an output's floats while the rest of the memory is read.
    pub fn run(
        &mut self,
        inputs: &[Span],
        outputs: &[Span],
        memory: &mut [Words],
        lend: impl Fn(Span, &mut [Words], &mut dyn FnMut(&mut [f32], &[Words])),
    ) {
        let MaxPoolKernel { channels, ref shares, ref mut largest } = *self;
        let [height, width] = shares.to;
        let block = shares.block(channels);
        let place = |task: usize, row: usize| {
            let row = task * (block / (width * channels)) + row;
            [row / height, row % height]
        };
        lend(outputs[0], memory, &mut |y, memory| {
            let x = inputs[0].floats(memory);
            y.par_chunks_mut(block).enumerate().for_each(|(task, y)| {
                for (row, y) in y.chunks_exact_mut(width * channels).enumerate() {
                    values(shares, channels, place(task, row), x, y);
                }
            });
        });
        lend(outputs[1], memory, &mut |winners, memory| {
            let (x, words) = (inputs[0].floats(memory), cast_slice_mut::<f32, u32>(winners));
            let tasks = words.par_chunks_mut(block).zip(largest.par_chunks_mut(channels)).enumerate();
            tasks.for_each(|(task, (words, largest))| {
                for (row, words) in words.chunks_exact_mut(width * channels).enumerate() {
                    winning(shares, place(task, row), x, largest, words);
                }
            });
        });
    }
}

/// Calls `task` with the pixels that a result sees, in their order: their numbers, and their channels.
#[inline(always)]
fn each_seen<'a>(
    shares: &Shares,
    channels: usize,
    [image, row]: Place,
    column: usize,
    x: &'a [f32],
    mut task: impl FnMut(u32, &'a [f32]),
) {
    let [height, width] = shares.from;
    let pixels = height * width;
    for &(u, _) in shares.of(0, row) {
        for &(v, _) in shares.of(1, column) {
            let number = u as usize * width + v as usize;
            task(number as u32, &x[(image * pixels + number) * channels..][..channels]);
        }
    }
}

fn values(shares: &Shares, channels: usize, place: Place, x: &[f32], y: &mut [f32]) {
    wide(
        y,
        #[inline(always)]
        |y: &mut [f32]| {
            for (column, y) in y.chunks_exact_mut(channels).enumerate() {
                y.fill(f32::NEG_INFINITY);
                each_seen(
                    shares,
                    channels,
                    place,
                    column,
                    x,
                    #[inline(always)]
                    |_, seen| {
                        for (y, &x) in y.iter_mut().zip(seen) {
                            // A NaN stays: nothing is larger.
                            *y = if x > *y || x.is_nan() { x } else { *y };
                        }
                    },
                );
            }
        },
    );
}

fn winning(shares: &Shares, place: Place, x: &[f32], largest: &mut [f32], winners: &mut [u32]) {
    let channels = largest.len();
    wide(
        (largest, winners),
        #[inline(always)]
        |(largest, winners): (&mut [f32], &mut [u32])| {
            for (column, winners) in winners.chunks_exact_mut(channels).enumerate() {
                let mut is_first = true;
                each_seen(
                    shares,
                    channels,
                    place,
                    column,
                    x,
                    #[inline(always)]
                    |number, seen| {
                        let first = std::mem::take(&mut is_first);
                        for ((largest, winner), &x) in largest.iter_mut().zip(winners.iter_mut()).zip(seen) {
                            let wins = first | (!largest.is_nan() & (x.is_nan() | (x > *largest)));
                            *largest = if wins { x } else { *largest };
                            *winner = if wins { number } else { *winner };
                        }
                    },
                );
            }
        },
    );
}
